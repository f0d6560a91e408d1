"""Causes before consequences, and what a diagnosis leaves on disk."""

import json
import math
from pathlib import Path

from matplotlib.figure import Figure

from vaekit.diagnosis import (
    CHECKS,
    Answer,
    Diagnosis,
    Finding,
    Healthy,
    NotApplicable,
    Remedies,
    Remedy,
    Statistic,
    write_diagnosis,
)
from vaekit.figures import Picture

BAD = Statistic("a number", 2.0, 1.0, "above")


def picture() -> Picture:
    return Picture("drawn", "A picture", "Read it so.", "Nothing to see.", Figure((2, 1)))


def finding(value: float = 2.0) -> Finding:
    return Finding(
        symptom="It is so.",
        statistic=Statistic("a number", value, 1.0, "above"),
        cause="Because <of> this.",
        remedy=Remedy(("a.b=1", 'c.kind="d e"'), "Set it."),
        evidence={"nats": math.inf},
        per_dimension={"kl_nats": [1.0, math.nan]},
        picture=picture,
    )


def diagnosis(*found: str, **others: Answer) -> Diagnosis:
    answers: dict[str, Answer] = {check.name: Healthy(BAD) for check in CHECKS}
    answers |= {name: finding() for name in found} | others
    return Diagnosis("some_run", "validation", 1000, answers)


def named(one: Diagnosis) -> list[str]:
    return [check.name for check, _ in one.findings]


def test_nothing_found() -> None:
    one = diagnosis()
    assert named(one) == []
    assert one.explained == {}
    assert len(one.healthy) == len(CHECKS)


def test_a_root_hides_its_consequences() -> None:
    one = diagnosis("posterior_collapse", "constant_encoder", "blur")
    assert named(one) == ["constant_encoder"]
    assert one.explained == {"posterior_collapse": "constant_encoder", "blur": "constant_encoder"}


def test_what_nothing_explains_is_named_by_severity() -> None:
    one = diagnosis("blur", "overfitting", "data_range")
    assert named(one) == ["data_range", "overfitting"]
    assert named(diagnosis("blur", "overfitting")) == ["overfitting", "blur"]


def test_a_value_that_is_no_number_is_bad() -> None:
    assert Statistic("a", math.nan, 1.0, "below").is_bad
    assert Statistic("a", math.nan, 1.0, "above").is_bad
    assert not Statistic("a", 1.0, 1.0, "above").is_bad


def test_everything_is_on_disk(tmp_path: Path) -> None:
    one = diagnosis("overfitting", warmup=NotApplicable("nothing to see"))
    page = write_diagnosis(one, tmp_path / "d", Remedies(Path("r/recipe.toml"), Path("r-2")))
    tree = json.loads((tmp_path / "d" / "findings.json").read_text())
    (found,) = tree["findings"]
    assert found["check"] == "overfitting"
    assert found["evidence"] == {"nats": None}
    assert found["per_dimension"] == {"kl_nats": [1.0, None]}
    assert found["remedy"]["command"] == (
        "vaekit train r/recipe.toml --set a.b=1 --set 'c.kind=\"d e\"' --output r-2"
    )
    assert (tmp_path / "d" / found["picture"]).read_bytes()[1:4] == b"PNG"
    assert {"check": "warmup", "reason": "nothing to see"} in tree["not_checked"]
    text = page.read_text(encoding="utf-8")
    assert "Because &lt;of&gt; this." in text
    assert "data:image/" in text
    assert "http://" not in text.replace("http://www.w3.org", "")
    # Every failure by what it is, and the command as it can be copied.
    assert "Warm-up is longer than training</th><td>nothing to see" in text
    assert "vaekit train r/recipe.toml \\\n  --set a.b=1 \\\n" in text


def test_the_page_says_what_follows_from_what(tmp_path: Path) -> None:
    one = diagnosis("posterior_collapse", "constant_encoder")
    page = write_diagnosis(one, tmp_path, Remedies(Path("r/recipe.toml"), Path("r-2")))
    assert "follows from “The encoder says the same of every example”" in page.read_text("utf-8")
