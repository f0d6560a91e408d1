"""The results of a study, sorted by what they are of."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple, final

from vaekit.studies.dynamics.results import Content

FEWEST_EPOCHS: Final = 10


class Setting(NamedTuple):
    """What cells of one grid share."""

    data: str
    latent_dim: int

    def __str__(self) -> str:
        pixels = "grey pixels" if self.data == "grey" else "binarised pixels"
        return f"{pixels}, latent {self.latent_dim}"


@final
class Findings:
    """Results by kind.

    Args:
        contents: What lies in the results folder.
    """

    def __init__(self, contents: Iterable[Content]) -> None:
        self.frozen: list[Content] = []
        self.linear: Content | None = None
        self.grid: list[Content] = []
        self.widths: list[Content] = []
        self.relatives: list[Content] = []
        for content in contents:
            self._file(content)

    def _file(self, content: Content) -> None:
        settings = content["settings"]
        if content["name"] == "linear":
            self.linear = content
        elif "cell" in settings:
            self.frozen.append(content)
        elif settings["family"] != "vae":
            self.relatives.append(content)
        elif settings["width"] != 1.0:
            self.widths.append(content)
        else:
            self.grid.append(content)

    @property
    def settings(self) -> list[Setting]:
        """Kinds of data and latent sizes of the grid, the published one first."""
        found = {setting_of(content) for content in self.grid}
        return sorted(found, key=lambda one: (one.data != "grey", one.latent_dim))

    @property
    def are_quick(self) -> bool:
        """Whether trainings are too short to conclude anything from."""
        return any(cell["settings"]["epochs"] < FEWEST_EPOCHS for cell in self.grid)

    def betas(self, setting: Setting) -> list[float]:
        """Those of a grid, in order."""
        return sorted({c["settings"]["beta"] for c in self.cells(setting)})

    def cells(self, setting: Setting, beta: float | None = None) -> list[Content]:
        """Cells of a grid, by beta and seed."""
        chosen = [
            content
            for content in self.grid
            if setting_of(content) == setting and beta in (None, content["settings"]["beta"])
        ]
        return sorted(chosen, key=lambda c: (c["settings"]["beta"], c["settings"]["seed"]))

    def by_beta(self, setting: Setting) -> Iterator[tuple[float, list[Content]]]:
        """Cells of all seeds for each beta."""
        for beta in self.betas(setting):
            yield beta, self.cells(setting, beta)

    def frozen_of(self, setting: Setting) -> list[Content]:
        """Frozen decoders that such cells trained."""
        return [c for c in self.frozen if _of(c["settings"]["cell"]) == setting]

    def widths_of(self, setting: Setting) -> dict[int, list[Content]]:
        """Cells with narrow and wide decoders, by seed, the narrowest first."""
        found: dict[int, list[Content]] = {}
        chosen = [c for c in self.widths if setting_of(c) == setting]
        for content in sorted(chosen, key=lambda c: c["settings"]["width"]):
            found.setdefault(content["settings"]["seed"], []).append(content)
        return found


def setting_of(content: Content) -> Setting:
    """The grid that a cell belongs to."""
    return _of(content["settings"])


def _of(settings: dict) -> Setting:
    return Setting(settings["data"], settings["latent_dim"])


def seeds_of(contents: Sequence[Content]) -> list[int]:
    """Seeds of some cells, in order."""
    return sorted({content["settings"]["seed"] for content in contents})
