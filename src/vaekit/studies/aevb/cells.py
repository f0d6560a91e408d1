"""What is trained for the study of AEVB: a cell for every point of the paper's grid.

MNIST has 500 hidden units in each network and Frey Faces 200; the third figure of the paper has
100, three latent dimensions, and 1,000 or 50,000 training images. Batches have 100 examples.
"""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, final

Data: TypeAlias = Literal["mnist", "frey_faces"]
Algorithm: TypeAlias = Literal["aevb", "wake_sleep", "mcem"]
Method: TypeAlias = Literal["adagrad", "adam"]
Part: TypeAlias = Literal["figure2", "figure3", "manifolds", "starts"]

BATCH_SIZE: Final = 100
FINISHED: Final = 10_000_000
"""Training samples that a cell sees; those with fewer are not compared with published ends."""
HIDDEN: Final[dict[Data, int]] = {"mnist": 500, "frey_faces": 200}
STEP_SIZES: Final = (0.01, 0.02, 0.1)
"""Of Adagrad, as published; the one whose training bound is best early on is kept."""
ADAM_RATE: Final = 1e-3
LIKELIHOOD_IMAGES = (1000, 50_000)
"""Training images of the third figure."""
START: Final = 0.1
"""Standard deviation of the published N(0, 0.01), read as the paper writes normals: by variance."""
OTHER_START: Final = 0.01
"""What it is if 0.01 is the standard deviation."""
_MNIST, _FREY_FACES = (20, 3, 200, 10, 5), (10, 2, 20, 5)
_QUICK: Final = {"mnist": (20, 3), "frey_faces": (10, 2)}


@final
@dataclass(frozen=True)
class Cell:
    """One model that is trained.

    Args:
        data: What it is trained on.
        latent: Latent dimensions.
        algorithm: By what.
        method: Which optimiser.
        seed: Of everything random.
        images: So many training images; all there are if absent.
        hidden: Hidden units; those of the second figure if absent.
        start: Standard deviation of all weights at the start.
    """

    data: Data
    latent: int
    algorithm: Algorithm
    method: Method = "adagrad"
    seed: int = 0
    images: int | None = None
    hidden: int | None = None
    start: float = START

    @property
    def name(self) -> str:
        """What its files are called.

        Example:
            >>> Cell("mnist", 3, "mcem", images=1000, hidden=100).name
            'mnist-z3-h100-n1000-mcem-adagrad-seed0'
        """
        size = [f"h{self.hidden}"] if self.hidden else []
        few = [f"n{self.images}"] if self.images else []
        other = [] if self.start == START else [f"start{self.start:g}"]
        ends = [self.algorithm, self.method, *other, f"seed{self.seed}"]
        return "-".join([self.data, f"z{self.latent}", *size, *few, *ends])

    @property
    def units(self) -> int:
        """Hidden units of each network."""
        return self.hidden or HIDDEN[self.data]


def bound_cells(seeds: int, quick: bool) -> list[Cell]:
    """Those of the second figure, the most telling first."""
    sizes: dict[Data, tuple[int, ...]] = (
        {"mnist": _QUICK["mnist"], "frey_faces": _QUICK["frey_faces"]}
        if quick
        else {"mnist": _MNIST, "frey_faces": _FREY_FACES}
    )
    methods: tuple[Method, ...] = ("adagrad",) if quick else ("adagrad", "adam")
    algorithms: tuple[Algorithm, ...] = ("aevb", "wake_sleep")
    return [
        Cell(data, latent, algorithm, method, seed)
        for seed in range(seeds)
        for method in methods
        for data, latents in sizes.items()
        for latent in latents
        for algorithm in algorithms
    ]


def likelihood_cells(seeds: int) -> list[Cell]:
    """Those of the third figure; Monte Carlo EM on all images is ours."""
    algorithms: tuple[Algorithm, ...] = ("aevb", "wake_sleep", "mcem")
    return [
        Cell("mnist", 3, algorithm, seed=seed, images=images, hidden=100)
        for seed in range(seeds)
        for images in LIKELIHOOD_IMAGES
        for algorithm in algorithms
    ]


def manifold_cells() -> list[Cell]:
    """Those of the fourth and fifth figure."""
    return [
        Cell("mnist", 2, "aevb"),
        Cell("frey_faces", 2, "aevb"),
        *(Cell("mnist", latent, "aevb") for latent in (5, 10, 20)),
    ]


def start_cells(seeds: int) -> list[Cell]:
    """Those of the other reading of how weights start."""
    sizes: dict[Data, int] = {"mnist": 20, "frey_faces": 10}
    algorithms: tuple[Algorithm, ...] = ("aevb", "wake_sleep")
    return [
        Cell(data, latent, algorithm, seed=seed, start=OTHER_START)
        for seed in range(seeds)
        for data, latent in sizes.items()
        for algorithm in algorithms
    ]


def cells_of(part: Part, seeds: int, quick: bool) -> list[Cell]:
    """What a part of the study trains."""
    if part == "figure2":
        return bound_cells(seeds, quick)
    if part == "figure3":
        return likelihood_cells(seeds)
    return manifold_cells() if part == "manifolds" else start_cells(seeds)
