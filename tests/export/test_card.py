"""The model card: front matter that a hub can read, and sentences that follow from facts."""

import json
import re
from pathlib import Path

import pytest
from artifacts.tampering import V1
from export.trained_models import DIGITS, digits

from vaekit.artifacts import open_artifact
from vaekit.export import export, load


def front_matter(card: str) -> dict[str, object]:
    """The YAML on top, whose values are JSON or plain words."""
    block = card.split("---\n")[1].replace("model-index:\n  - ", "model-index: ")
    pairs = [line.split(": ", 1) for line in block.splitlines()]
    return {key: json.loads(value) if value[0] in "[{" else value for key, value in pairs}


def test_front_matter_has_what_a_hub_shows() -> None:
    artifact = load(V1 / "artifact")
    head = front_matter(artifact.card)
    assert head["library_name"] == "vaekit"
    assert head["pipeline_tag"] == "unconditional-image-generation"
    assert head["datasets"] == ["digits"]
    index = head["model-index"]
    assert isinstance(index, dict)
    (result,) = index["results"]
    assert result["dataset"]["split"] == "test"
    values = {metric["type"]: metric["value"] for metric in result["metrics"]}
    assert values["nll"] == artifact.metrics["nll_nats"]


def test_numbers_and_files_of_the_card_are_those_of_the_artifact() -> None:
    artifact = load(V1 / "artifact")
    card = artifact.card
    assert f"{artifact.metrics['nll_nats']:.2f} ± " in card
    assert artifact.data["fingerprint"] in card
    assert f"| weights | {artifact.serving.parameters:,} |" in card
    listed = set(re.findall(r"^\| `([\w.]+)` \|", card, re.MULTILINE)) - {"SHA256SUMS"}
    assert listed | {"card.md"} == set(open_artifact(V1 / "artifact").digests)
    assert not re.search(r"TODO|TBD|More Information|None|\{|\bnan\b", card.split("---\n")[2])


@pytest.mark.parametrize("kind", DIGITS)
def test_limits_follow_from_the_model(kind: str, tmp_path: Path) -> None:
    card = load(export(tmp_path / "artifact", digits(kind))).card
    assert ("no likelihood: its numbers compare" in card) == (kind == "grey")
    assert ("it cannot sample" in card) == (kind == "autoencoder")
    assert ("model.sample(" in card) == (kind != "autoencoder")
    assert ("their expectation" in card) == (kind in ("binarize", "static", "dequantize"))
