"""The page: one file that asks for nothing, says everything once, and escapes what users wrote."""

import base64
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from vaekit.figures import DataCard, Picture, Report, kl_bars, report_page, samples

VOID = {"meta", "link", "img", "br", "wbr"}
RESULTS: dict[str, Any] = {
    "elbo_nats": -90.9,
    "expected_log_likelihood_nats": -63.475,
    "kl_nats": 27.424,
    "nll_nats": 86.542,
    "nll_standard_error_nats": 0.2217,
    "nll_monte_carlo_error_nats": 0.0312,
    "num_samples": 500,
    "kl_nats_per_layer": [20.0, 7.42],
    "kl_nats_per_dimension": [[20.0, 7.4], [0.02]],
    "active_units": 28,
    "latent_dim": 40,
    "active_units_by_threshold": {"0.01": 28, "0.1": 25},
    "mutual_information_nats": 9.2,
    "mutual_information_examples": 10_000,
    "mutual_information_cap_nats": 9.2103,
    "mse": 0.01234,
    "psnr_db": 19.1,
    "ais_nll_nats": 85.9,
    "ais_nll_standard_error_nats": 0.8,
    "ais_steps": 1000,
    "novelty_nats": 3.14159,
    "split": "test",
    "examples": 10_000,
    "binarization": "dynamic",
    "training_seconds": 193.2,
    "notes": ["The cross-entropy is <not> a likelihood."],
}


class Page(HTMLParser):
    """What the tests ask of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self._open:
            self.words.append(data.strip())

    def all(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag in tags]

    @property
    def text(self) -> str:
        return " ".join(filter(None, self.words))


def picture(rng: np.random.Generator, name: str = "samples") -> Picture:
    return Picture(
        name, "Made up", "Not picked.", '3 "samples"', samples(rng.normal(size=(3, 6)), 0)
    )


@pytest.fixture
def report(rng: np.random.Generator) -> Report:
    tiles = samples(rng.uniform(size=(3, 1, 8, 8)), 0)
    bars = Picture(
        "kl_bars", "KL", "Sorted.", "2 bars, 1.00 and 0.00", kl_bars([np.array([1.0, 0])])
    )
    return Report(
        title="mnist <3",
        description="Mine & <b>bold</b>",
        results=RESULTS,
        data=DataCard(
            name="mnist",
            source="cache <somewhere>",
            split_name="50000/10000/10000",
            split_sizes={"train": 50_000, "test": 10_000},
            shape=(1, 28, 28),
            values="uint8 from 0 to 255",
            fingerprint="ab" * 32,
            licence="none stated",
        ),
        recipe='description = "<script>alert(1)</script>"\n',
        provenance={"vaekit": "0.1.0", "git": {"commit": "abc"}, "nothing": None},
        pictures=[replace(picture(rng), figure=tiles), bars],
    )


def test_nothing_is_asked_of_the_network_and_nothing_runs(report: Report) -> None:
    html = report_page(report)
    page = Page(html)
    for _, attributes in page.tags:
        for name, value in attributes.items():
            assert not name.startswith("on")
            if name in ("src", "href", "srcset", "action", "data", "poster"):
                assert value is not None
                assert value.startswith(("data:", "#"))
    assert page.all("script", "iframe", "object", "embed", "form") == []
    assert "@import" not in html
    assert "url(" not in html
    assert len(html.encode()) < 400_000


def test_what_users_wrote_is_text(report: Report) -> None:
    html = report_page(report)
    assert "<b>" not in html
    page = Page(html)
    for words in ("mnist <3", "Mine & <b>bold</b>", "cache <somewhere>", "<not> a likelihood"):
        assert words in page.text
    assert 'description = "<script>alert(1)</script>"' in page.text
    assert [i["alt"] for i in page.all("img")] == ['3 "samples"', "2 bars, 1.00 and 0.00"]


def test_can_be_read_by_ear(report: Report) -> None:
    page = Page(report_page(report))
    assert page.all("html")[0]["lang"] == "en"
    assert [len(page.all(tag)) for tag in ("h1", "main", "header", "nav", "title")] == [1] * 5
    levels = [int(tag[1]) for tag, _ in page.tags if tag in ("h1", "h2", "h3", "h4")]
    assert levels[0] == 1
    assert max(np.diff(levels)) == 1  # no level is left out on the way down
    assert all(image["alt"] for image in page.all("img"))
    assert len(page.all("caption")) == len(page.all("table")) == 7
    assert {cell["scope"] for cell in page.all("th")} == {"row", "col"}
    identifiers = [a["id"] for _, a in page.tags if "id" in a]
    assert len(set(identifiers)) == len(identifiers)
    targets = {str(a["href"])[1:] for a in page.all("a")}
    assert targets <= set(identifiers)


def test_numbers_have_sensible_decimals_and_their_conditions(report: Report) -> None:
    text = Page(report_page(report)).text
    for words in (
        "Negative log-likelihood 86.54 ± 0.22 nats",
        "\N{MINUS SIGN}ELBO 90.90 nats",
        "Reconstruction 63.48 nats",
        "Active units 28 of 40 dimensions",
        "Mean squared error 0.01234 per value",
        "PSNR 19.10 dB",
        "k = 500 samples per example",
        "Monte Carlo error 0.031 nats",
        "N = 10,000 examples; cannot exceed ln N = 9.21 nats",
        "Negative log-likelihood by AIS",
        "85.90 ± 0.80 nats",
        "AIS steps ais_ steps 1,000",
        "Novelty novelty_ nats 3.142 nats",
        "0.01 28 0.1 25",
        "0 20.00 1 7.42",
        "3 min 13 s",
        "50,000 train, 10,000 test",
        "1 x 28 x 28",
        "git: commit abc",
    ):
        assert words in text
    assert "nothing" not in text.partition("Provenance")[2].partition("Versions")[2]


def test_images_become_png_and_drawings_svg(report: Report) -> None:
    images, drawing = Page(report_page(report)).all("img")
    source = str(images["src"]).removeprefix("data:image/png;base64,")
    assert base64.b64decode(source, validate=True).startswith(b"\x89PNG")
    source = str(drawing["src"]).removeprefix("data:image/svg+xml;base64,")
    assert base64.b64decode(source, validate=True).startswith(b"<?xml")
    width, height = (int(str(images[side])) for side in ("width", "height"))
    inches = report.pictures[0].figure.get_size_inches()
    assert (width, height) == tuple(round(float(side) * 96) for side in inches)


def test_same_content_gives_the_same_page(report: Report) -> None:
    assert report_page(report) == report_page(report)


@pytest.mark.parametrize("key", [key for key in RESULTS if key != "notes"])
def test_any_key_may_be_absent(report: Report, key: str) -> None:
    rest = {name: value for name, value in RESULTS.items() if name != key}
    absent = Page(report_page(replace(report, results=rest)))
    unknown = Page(report_page(replace(report, results={**RESULTS, key: None})))
    for page in (absent, unknown):
        assert page.text.count("Measures") == Page(report_page(report)).text.count("Measures")
        assert "None" not in page.text
        assert "nan" not in page.text.split()


def test_a_run_without_density_shows_what_it_has(report: Report) -> None:
    few = {"expected_log_likelihood_nats": -38.04, "split": "test", "examples": 50}
    page = Page(report_page(replace(report, results=few, pictures=[])))
    assert "Reconstruction 38.04 nats" in page.text
    for absent in ("log-likelihood", "ELBO", "KL", "Active units", "Pictures", "AIS", "Note"):
        assert absent not in page.text


def test_a_run_that_was_not_measured(report: Report) -> None:
    page = Page(report_page(replace(report, results={}, provenance={}, pictures=[])))
    assert "Summary" not in page.text
    assert "Data" in page.text


def test_numbers_that_are_none(report: Report) -> None:
    odd = {**RESULTS, "nll_nats": float("nan"), "kl_nats": float("inf"), "mse": -0.0}
    text = Page(report_page(replace(report, results=odd))).text
    assert "Negative log-likelihood not a number" in text
    assert "KL ∞ nats" in text
    assert "Mean squared error 0.0000" in text


def test_samples_and_factors_say_what_to_compare_with(report: Report) -> None:
    results = {
        "mnist_fid": 54.07, "mnist_fid_floor": 3.63, "sample_quality_samples": 10_000,
        "factor_vae_score": 0.705, "factors": ["shape", "x"], "class_shares": [0.5, 0.5],
    }  # fmt: skip
    text = Page(report_page(replace(report, results={**RESULTS, **results}))).text
    assert "10,000 samples" in text
    assert "Not comparable with FID" in text
    assert "Floor of mnist_fid" in text
    assert "Chance is 0.50" in text
