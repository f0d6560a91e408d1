"""Tables, claims and figures follow from cells; the committed page from the committed numbers."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import norm
from studies.aevb.made_up_cells import made_up

from vaekit.errors import DataError
from vaekit.studies import fill, filled
from vaekit.studies.aevb import Cell, Findings, blocks, claims, manifold, unit_square
from vaekit.studies.aevb.cells import Algorithm
from vaekit.studies.aevb.findings import Pair
from vaekit.studies.aevb.pictures import QUICK_WORDS, bound_curves, likelihood_curves, side_by_side
from vaekit.studies.aevb.setting import setting
from vaekit.studies.latent_arithmetic import arithmetic_blocks

ROOT = Path(__file__).parents[3]
COMMITTED, PAGE = ROOT / "docs" / "studies" / "aevb", ROOT / "docs" / "studies" / "aevb.md"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """AEVB ten nats ahead on MNIST, and behind on Frey Faces."""
    for latent, end in ((3, -140.0), (20, -100.0), (200, -100.5)):
        made_up(tmp_path, Cell("mnist", latent, "aevb"), end)
        made_up(tmp_path, Cell("mnist", latent, "wake_sleep"), end - 10, samples=50_000)
    made_up(tmp_path, Cell("frey_faces", 2, "aevb"), 900.0)
    made_up(tmp_path, Cell("frey_faces", 2, "wake_sleep"), 905.0)
    for images in (1000, 50_000):
        ends: dict[Algorithm, float] = {"aevb": -130.0, "wake_sleep": -135.0, "mcem": -140.0}
        for algorithm, end in ends.items():
            made_up(tmp_path, Cell("mnist", 3, algorithm, images=images, hidden=100), end)
    return tmp_path


def rulings(folder: Path) -> dict[str, str]:
    return {claim.text: claim.ruling for claim in claims(Findings(folder))}


def test_numbers_decide_claims(folder: Path) -> None:
    found = rulings(folder)
    assert found["AEVB reaches a better solution than wake-sleep in all settings"] == "depends"
    assert found["AEVB converges considerably faster than wake-sleep"] == "depends"
    assert found["Superfluous latent variables do not lead to over-fitting"] == "supported"
    assert found["Superfluous latent variables cost nothing in the end"] == "not measured"
    assert found["AEVB reaches at least the marginal likelihood of Monte Carlo EM"] == "supported"
    assert found["Monte Carlo EM cannot be applied efficiently to the full data set"] == "supported"
    assert found["The bounds of a published re-run on MNIST are reached"] == "not measured"
    made_up(folder, Cell("mnist", 20, "aevb"), -100.0, samples=10_000_000)
    assert rulings(folder)["The bounds of a published re-run on MNIST are reached"] == "supported"
    made_up(folder, Cell("mnist", 20, "aevb", "adam"), -102.0, samples=10_000_000)
    assert rulings(folder)["The bounds of a published re-run on MNIST are reached"] == "depends"


def test_a_larger_latent_space_that_fits_noise_is_over_fitted(folder: Path) -> None:
    wide = made_up(folder, Cell("mnist", 200, "aevb"), -100.5)
    wide["curve"]["train"] = [value + 5 for value in wide["curve"]["train"]]
    file = folder / "cells" / f"{Cell('mnist', 200, 'aevb').name}.json"
    file.write_text(json.dumps(wide), encoding="utf-8")
    text = "Superfluous latent variables do not lead to over-fitting"
    assert rulings(folder)[text] == "not supported"


def test_no_cells_rule_nothing(tmp_path: Path) -> None:
    assert set(rulings(tmp_path).values()) == {"not measured"}
    assert "not run yet" in blocks(tmp_path)["bounds"]


def test_pairs_are_compared_after_as_many_samples(folder: Path) -> None:
    pair = next(p for p in Findings(folder).pairs("aevb", "wake_sleep") if p.first["latent"] == 3)
    assert pair.samples == 50_000
    # The curve of AEVB rises by ten nats in a decade.
    expected = -140.0 - 10 * np.log10(2)
    assert pair.ends("test")[0] == pytest.approx(expected, abs=0.01)
    assert pair.ends("test")[1] == -150.0
    # -149 on training images is met ten nats, a decade, before the end of 100,000.
    assert pair.share_of_samples("train") == pytest.approx(0.2, rel=0.15)


def test_who_never_comes_there_has_no_share(folder: Path) -> None:
    pair = next(p for p in Findings(folder).pairs("wake_sleep", "aevb") if p.first["latent"] == 3)
    assert Pair(pair.first, pair.second).share_of_samples("train") == float("inf")


def test_tables_say_what_cells_say(folder: Path) -> None:
    made = blocks(folder, ROOT / "benchmarks" / "results" / "mnist.json")
    assert "| MNIST | 3 | adagrad | 0 | 0.05 million |" in made["bounds"]
    assert "| 3 | 141.30, a re-run | 140.00 ± 0.50 at 0.1 million |" in made["published"]
    assert "84.56 ± 0.23, recipe `mnist_aevb30`" in made["published"]
    assert "| AEVB, MNIST | 2.0 of one processor |" in made["speed"]
    made_up(folder, Cell("mnist", 20, "aevb"), -100.0, cpu_seconds_per_million=60.0)
    assert "| AEVB, MNIST | 1.0 to 2.0 of one processor |" in blocks(folder)["speed"]
    assert "| 1,000 | Monte Carlo EM |" in made["likelihoods"]


def test_a_page_is_filled_between_its_marks() -> None:
    page = "a\n<!-- begin x -->\nold\n<!-- end x -->\nb\n"
    done = filled(page, {"x": "| new |"})
    assert done == "a\n<!-- begin x -->\n\n| new |\n\n<!-- end x -->\nb\n"
    assert filled(done, {"x": "| new |"}) == done
    with pytest.raises(DataError, match="no place for a table"):
        filled(page, {"y": ""})
    with pytest.raises(DataError, match="no page to fill"):
        fill(Path("nowhere.md"), {})


@pytest.mark.skipif(not (COMMITTED / "cells").is_dir(), reason="no committed cells")
def test_the_committed_page_is_what_the_committed_numbers_give() -> None:
    page = PAGE.read_text(encoding="utf-8")
    made = blocks(COMMITTED, ROOT / "benchmarks" / "results" / "mnist.json")
    if (COMMITTED / "arithmetic" / "arithmetic.json").is_file():
        made |= arithmetic_blocks(COMMITTED / "arithmetic")
    assert filled(page, made) == page


def test_the_manifold_is_the_inverse_distribution_function(digits: None) -> None:
    codes = unit_square(4)
    shares = norm.cdf(codes)
    np.testing.assert_allclose(shares[:4, 0], [0.125, 0.375, 0.625, 0.875])
    np.testing.assert_allclose(shares[::4, 1], [0.875, 0.625, 0.375, 0.125])
    model = setting(Cell("mnist", 2, "aevb", hidden=8)).model
    images = manifold(model, 4)
    assert images.shape == (16, 1, 8, 8)
    z = torch.as_tensor(codes[5:6]).float().unsqueeze(0)
    alone = model.decode((z,)).mean[0, 0].detach()
    np.testing.assert_allclose(images[5], alone, atol=1e-6)  # float32 products of another size


@pytest.mark.parametrize("quick", [False, True])
def test_figures_have_panels_and_say_whether_they_are_quick(folder: Path, quick: bool) -> None:
    found = Findings(folder)
    bounds, likelihoods = bound_curves(found, quick), likelihood_curves(found, quick)
    titles = [ax.get_title(loc="left") for ax in bounds.axes]
    assert [t for t in titles if t] == [
        "MNIST, 3 latent", "MNIST, 20 latent", "MNIST, 200 latent", "Frey Faces, 2 latent",
    ]  # fmt: skip
    assert len(likelihoods.axes) == 2
    for figure in (bounds, likelihoods):
        (legend,) = figure.legends
        assert legend.get_title().get_text() == (QUICK_WORDS if quick else "")
    sheets = {"a": np.zeros((6, 4), np.uint8), "b": np.zeros((5, 10), np.uint8)}
    row = side_by_side(sheets, "title", quick)
    assert row.get_suptitle().startswith(QUICK_WORDS) == quick
    assert [ax.get_title(loc="left") for ax in row.axes] == ["a", "b"]
