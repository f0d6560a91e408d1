"""The data sets that vaekit knows by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias, final

from vaekit.data.sets.digits import DigitsSpec
from vaekit.data.sets.fashion_mnist import FASHION_MNIST, FashionMnistSpec
from vaekit.data.sets.frey_faces import FreyFacesSpec
from vaekit.data.sets.frey_faces import check_here as check_frey_faces
from vaekit.data.sets.mnist import MNIST, MnistSpec
from vaekit.data.sets.mnist_static import MnistStaticSpec
from vaekit.data.sets.mnist_static import check_here as check_mnist_static
from vaekit.data.sets.omniglot import OmniglotSpec
from vaekit.data.sets.omniglot import check_here as check_omniglot
from vaekit.data.sets.sprites import COMBINATIONS, SpritesSpec
from vaekit.errors import DataError

NamedSpec: TypeAlias = (
    MnistSpec
    | MnistStaticSpec
    | FashionMnistSpec
    | FreyFacesSpec
    | OmniglotSpec
    | DigitsSpec
    | SpritesSpec
)


@final
@dataclass(frozen=True)
class NamedDataSet:
    """One line of `vaekit data list`.

    Args:
        title: What it is.
        shape: Channels, height and width.
        examples: Number of examples.
        licence: What its publishers allow.
        spec: The spec with its default choices.
        check_here: Raises a `DataError` where it is not on this machine, or damaged.
    """

    title: str
    shape: str
    examples: int
    licence: str
    spec: NamedSpec
    check_here: Callable[[], None]

    def is_here(self) -> bool:
        """Whether it can be loaded without a network."""
        try:
            self.check_here()
        except DataError:
            return False
        return True


DATA_SETS: Mapping[str, NamedDataSet] = {
    "mnist": NamedDataSet(
        title="handwritten digits",
        shape="1x28x28",
        examples=70_000,
        licence="none stated",
        spec=MnistSpec(),
        check_here=MNIST.check_here,
    ),
    "mnist_static": NamedDataSet(
        title="digits, zeros and ones",
        shape="1x28x28",
        examples=70_000,
        licence="none stated",
        spec=MnistStaticSpec(),
        check_here=check_mnist_static,
    ),
    "fashion_mnist": NamedDataSet(
        title="pictures of clothes",
        shape="1x28x28",
        examples=70_000,
        licence="MIT",
        spec=FashionMnistSpec(),
        check_here=FASHION_MNIST.check_here,
    ),
    "frey_faces": NamedDataSet(
        title="one face in a video",
        shape="1x28x20",
        examples=1_965,
        licence="none stated",
        spec=FreyFacesSpec(),
        check_here=check_frey_faces,
    ),
    "omniglot": NamedDataSet(
        title="characters, small sets",
        shape="1x28x28",
        examples=4_840,
        licence="MIT",
        spec=OmniglotSpec(),
        check_here=check_omniglot,
    ),
    "digits": NamedDataSet(
        title="small digits",
        shape="1x8x8",
        examples=1_797,
        licence="CC BY 4.0",
        spec=DigitsSpec(),
        check_here=lambda: None,
    ),
    "sprites": NamedDataSet(
        title="shapes with known factors",
        shape="1x32x32",
        examples=COMBINATIONS,
        licence="drawn by vaekit",
        spec=SpritesSpec(),
        check_here=lambda: None,
    ),
}
