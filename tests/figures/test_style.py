"""What all figures have in common: nothing cut off or overlapping, no traces left behind."""

import subprocess
import sys
from collections.abc import Callable
from itertools import combinations

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from vaekit.figures import (
    interpolations,
    kl_bars,
    latent_map,
    loss_curves,
    reconstructions,
    samples,
    traversals,
    worst_reconstructions,
)

LONG = "A title that is longer than the figure is wide when there is only one example to show"


def warmed_up(records):
    return [
        {**r, "beta": min(0.275, r["epoch"] / 30), "iwae_nats": r["elbo_nats"]} for r in records
    ]


def pairs(both: np.ndarray, title: str | None = None) -> Figure:
    return reconstructions(both[0], both[1], title)


def worst(both: np.ndarray, title: str) -> Figure:
    nats = -1000.0 - np.arange(both.shape[1])
    return worst_reconstructions(both[0], both[1], nats, title)


def walks(rows: np.ndarray, title: str) -> Figure:
    return interpolations(rows, [f"{i} → {i + 1:,}" for i in range(len(rows))], title)


def moved(rows: np.ndarray, title: str | None = None) -> Figure:
    values = np.linspace(-3, 3, rows.shape[1]).tolist()
    return traversals(rows, [100 + i for i in range(len(rows))], values, title)


def spread(n: int) -> np.ndarray:
    return 2.5 * np.exp(-np.arange(n) / 6)


DRAWINGS: dict[str, Callable[..., Figure]] = {
    "curves": lambda records, rng: loss_curves(records),
    "curves_warm": lambda records, rng: loss_curves(warmed_up(records)),
    "curves_one": lambda records, rng: loss_curves(records[:1]),
    "curves_large": lambda records, rng: loss_curves(
        [{**r, "elbo_nats": -12345 - 100 * r["epoch"]} for r in records]
    ),
    "pairs": lambda records, rng: pairs(rng.uniform(size=(2, 20, 1, 28, 28)), LONG),
    "pairs_one": lambda records, rng: pairs(rng.uniform(size=(2, 1, 1, 28, 20)), LONG),
    "pairs_flat": lambda records, rng: pairs(rng.uniform(size=(2, 3, 1, 1, 99))),
    "pairs_vector": lambda records, rng: pairs(rng.normal(size=(2, 9, 13)), "Table"),
    "pairs_heat": lambda records, rng: pairs(rng.normal(size=(2, 9, 99)), "Beats"),
    "worst": lambda records, rng: worst(rng.uniform(size=(2, 20, 1, 28, 20)), LONG),
    "worst_vector": lambda records, rng: worst(rng.normal(size=(2, 12, 13)), "Table"),
    "worst_heat": lambda records, rng: worst(rng.normal(size=(2, 12, 99)), "Beats"),
    "walks": lambda records, rng: walks(rng.uniform(size=(10, 9, 1, 28, 28)), LONG),
    "walks_one": lambda records, rng: walks(rng.uniform(size=(1, 2, 1, 28, 20)), LONG),
    "walks_heat": lambda records, rng: walks(rng.normal(size=(12, 9, 187)), "Beats"),
    "walks_table": lambda records, rng: walks(rng.normal(size=(5, 9, 6)), "Table"),
    "moved": lambda records, rng: moved(rng.uniform(size=(12, 15, 3, 32, 32)), LONG),
    "moved_one": lambda records, rng: moved(rng.uniform(size=(1, 7, 1, 8, 8))),
    "moved_heat": lambda records, rng: moved(rng.normal(size=(7, 7, 6)), "Table"),
    "bars": lambda records, rng: kl_bars([spread(40)], active_units=28),
    "bars_two": lambda records, rng: kl_bars([np.array([2.0, 0.001])], active_units=1),
    "bars_collapsed": lambda records, rng: kl_bars([np.zeros(3)]),
    "bars_many": lambda records, rng: kl_bars([spread(200)]),
    "bars_layers": lambda records, rng: kl_bars([spread(n) for n in (2, 8, 48, 3, 5, 60)]),
    "samples": lambda records, rng: samples(rng.uniform(size=(3, 3, 32, 32)), 0, 0.5),
    "samples_vector": lambda records, rng: samples(rng.normal(size=(20, 5)), 0),
    "map": lambda records, rng: latent_map(rng.normal(size=(90, 2)), np.arange(90) % 10),
    "map_many": lambda records, rng: latent_map(rng.normal(size=(90, 9)), np.arange(90) % 40),
    "map_histogram": lambda records, rng: latent_map(rng.normal(size=(90, 1))),
}


@pytest.fixture(params=DRAWINGS)
def figure(request: pytest.FixtureRequest, records, rng: np.random.Generator) -> Figure:
    return DRAWINGS[request.param](records, rng)


def test_no_text_is_cut_off_or_covered(figure: Figure, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Text] = []
    draw = Text.draw

    def watch(text: Text, renderer: RendererBase) -> None:
        drawn.append(text)
        draw(text, renderer)

    monkeypatch.setattr(Text, "draw", watch)
    FigureCanvasAgg(figure).draw()
    seen = [text for text in drawn if text.get_visible() and text.get_text()]
    boxes = [(text.get_text(), text.get_window_extent()) for text in seen]
    assert boxes
    for words, box in boxes:
        assert box.x0 >= 0, words
        assert box.y0 >= 0, words
        assert box.x1 <= figure.bbox.x1, words
        assert box.y1 <= figure.bbox.y1, words
    for (words, box), (other_words, other_box) in combinations(boxes, 2):
        assert not box.overlaps(other_box), (words, other_words)


def test_fits_a_page(figure: Figure) -> None:
    width, height = figure.get_size_inches()
    assert 1 < width < 10
    assert height < 10
    assert figure.dpi == 150


def test_settings_of_the_reader_neither_matter_nor_change(records, tmp_path) -> None:
    def drawn() -> bytes:
        canvas = FigureCanvasAgg(loss_curves(records))
        canvas.draw()
        return bytes(canvas.buffer_rgba())

    expected = drawn()
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "black", "lines.linewidth": 9}):
        before = dict(mpl.rcParams.copy())
        assert drawn() == expected
        assert dict(mpl.rcParams.copy()) == before


def test_import_touches_neither_pyplot_nor_torch() -> None:
    code = (
        "import matplotlib, sys; before = dict(matplotlib.rcParams.copy()); import vaekit.figures; "
        "assert dict(matplotlib.rcParams.copy()) == before; "
        "assert not {'matplotlib.pyplot', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
