"""What is said of latent arithmetic and interpolation, and which numbers decide."""

from typing import Any, Final

from vaekit.studies.latent_arithmetic.directions import STEPS
from vaekit.studies.verdict import Claim

SOURCE: Final = "White 2016, sections 3 and 4"
MONOTONE: Final = 0.9
KEPT: Final = 0.9


def claims(found: dict[str, Any]) -> list[Claim]:
    """The claims, with what was measured of them.

    Args:
        found: What `study` keeps: moves by attribute, and ways by kind.
    """
    moves, ways = found["moves"], found["between"]
    middle = len(ways["linear"][0]["confidence"]) // 2 if ways["linear"] else 0

    def at_middle(name: str, number: str) -> list[float]:
        return [one[number][middle] for one in ways[name]]

    def gap(number: str) -> list[float]:
        pairs = zip(at_middle("spherical", number), at_middle("linear", number), strict=True)
        return [arc - line for arc, line in pairs]

    return [
        Claim(
            "A direction in the latent space moves its attribute monotonically",
            SOURCE,
            "Spearman's rank correlation of the step with the attribute of the decoded image, the "
            "mean over test images",
            {name: one["direction"]["spearman"] for name, one in moves.items()},
            above=MONOTONE,
            repeats="digits",
        ),
        Claim(
            "The digit stays what it is",
            SOURCE,
            "share of decoded images whose class is that of the middle, half a step to either side",
            {name: one["direction"]["kept_at_half"] for name, one in moves.items()},
            above=KEPT,
            repeats="digits",
        ),
        Claim(
            "Arcs keep what is decoded nearer to the data than straight lines",
            SOURCE,
            "distance of the middle to the nearest training image, arc minus line, in pixels from "
            "0 to 1",
            {"all pairs": gap("distance")},
            below=0.0,
            repeats="seeds of 200 pairs",
        ),
        Claim(
            "Arcs keep the classifier surer in the middle than straight lines",
            SOURCE,
            "probability of the most probable class in the middle, arc minus line",
            {"all pairs": gap("confidence")},
            above=0.0,
            repeats="seeds of 200 pairs",
        ),
    ]


def tables(found: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """A table of moves, and one of ways."""
    return {"arithmetic": _moves(found["moves"]), "interpolation": _ways(found["between"])}


def _moves(moves: dict[str, Any]) -> list[dict[str, Any]]:
    rows = []
    for name, one in moves.items():
        for kind in ("direction", "random"):
            part = one[kind]
            steps = [sum(column) / len(column) for column in zip(*part["values"], strict=True)]
            shown = (steps[0], steps[len(steps) // 2], steps[-1])
            rows.append(
                {
                    "attribute": name,
                    "moved along": "its direction" if kind == "direction" else "a random one",
                    f"at {STEPS[0]:g}, 0, {STEPS[-1]:g}": ", ".join(
                        f"{value:.2f}" for value in shown
                    ),
                    "deviation in the data": f"{one['deviation_in_data']:.2f}",
                    "Spearman": f"{_mean(part['spearman']):.3f}",
                    "class kept at half a step": f"{_mean(part['kept_at_half']):.3f}",
                    "class kept at a step": f"{_mean(part['kept_at_ends']):.3f}",
                }
            )
    return rows


def _ways(ways: dict[str, Any]) -> list[dict[str, Any]]:
    rows = []
    for name, seeds in ways.items():
        middle = len(seeds[0]["confidence"]) // 2
        row: dict[str, Any] = {"way": name}
        for number, title in (("confidence", "confidence"), ("distance", "nearest training image")):
            end, mid = ([one[number][at] for one in seeds] for at in (0, middle))
            row[f"{title}: end, middle"] = f"{_mean(end):.3f}, {_mean(mid):.3f}"
        row["changes of class"] = f"{_mean([one['changes'] for one in seeds]):.2f}"
        row["exactly one"] = f"{_mean([one['one_change'] for one in seeds]):.2f}"
        row["through a third class"] = f"{_mean([one['third_class'] for one in seeds]):.2f}"
        rows.append(row)
    return rows


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
