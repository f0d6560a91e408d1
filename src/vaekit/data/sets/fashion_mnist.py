"""Fashion-MNIST: 70,000 pictures of clothes, in the form of MNIST.

The md5 sums are those of the uncompressed files, as others have published them: the authors'
own are of the compressed ones, which a user may not have kept.

Reference:
    Xiao, Rasul and Vollgraf (2017), Fashion-MNIST: a Novel Image Dataset for Benchmarking
    Machine Learning Algorithms, https://arxiv.org/abs/1708.07747
"""

import hashlib
from typing import Literal, final

from pydantic import Field

from vaekit.data.checks import checked_rows
from vaekit.data.dataset import Dataset
from vaekit.data.files.arrays import read_array
from vaekit.data.files.places import data_folder, existing
from vaekit.data.sets.division import divided, shuffled
from vaekit.data.sets.idx_release import IdxRelease, IdxSplit, load_release, ten_classes
from vaekit.errors import DataError
from vaekit.spec import Spec

FASHION_MNIST = IdxRelease(
    name="fashion_mnist",
    algorithm="md5",
    digests={
        "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
        "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
        "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
        "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
    },
    mirrors=(
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    ),
)
SPRITE900_SHA256 = "2ad6f3acbf9e01e33e4aebe0b6ea53c0123786960b2103e55e96f26e8c99e446"


@final
class FashionMnistSpec(Spec):
    """Choices of Fashion-MNIST."""

    kind: Literal["fashion_mnist"] = "fashion_mnist"
    split: IdxSplit = Field(
        default="50000/10000/10000",
        description="Sizes of train, validation (the last of the training file) and test.",
    )
    source: Literal["published", "sprite900"] = Field(
        default="published",
        description="The published files, or 900 images of the authors' overview picture, "
        "divided 700/100/100: enough to try things out, comparable to nothing.",
    )

    def load(self) -> Dataset:
        if self.source == "sprite900":
            return _sprite900()
        return load_release(FASHION_MNIST, self.split)


def _sprite900() -> Dataset:
    folder = data_folder()
    if folder is None:
        raise DataError(
            "The 900 images are read from VAEKIT_DATA only, which is not set.",
            where="data.source = 'sprite900'",
            remedy="point VAEKIT_DATA to the folder that has fashion900.npz",
        )
    inside = folder / "fashion900" / "fashion900.npz"
    path = inside if inside.is_file() else existing(folder / "fashion900.npz")
    if hashlib.sha256(path.read_bytes()).hexdigest() != SPRITE900_SHA256:
        raise DataError(
            "This is not the known file of 900 images.",
            where=path,
            expected=f"sha256 {SPRITE900_SHA256}",
            remedy="use source = 'published', or kind = 'arrays' for a file of your own",
        )
    schema = ten_classes("fashion_mnist")
    rows = checked_rows(schema, read_array(path, "x")[:, None], read_array(path, "y"), str(path))
    # The file is in the order of classes.
    splits = divided(shuffled(rows, seed=0), 700, 100, 100)
    return Dataset(schema.name, schema, splits, f"{path}, 900 images only", "700/100/100")
