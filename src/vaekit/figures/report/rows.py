"""The results as lines of tables.

A measure that the results lack is not shown; a number that is not known here is shown under
the name of its key, so that nothing measured is lost.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from vaekit.figures.report.measures import ANNEALED, FURTHER, SUMMARY, Measure
from vaekit.figures.report.numbers import any_number, is_number, number

Results: TypeAlias = Mapping[str, Any]


class Row(NamedTuple):
    """One line of a table, or one number of the summary."""

    key: str
    name: str
    value: str
    error: str
    unit: str
    remark: str


_UNITS = {"nats": "nats", "bits": "bits", "db": "dB", "seconds": "s", "bytes": "bytes"}
_MSE_OF_ANY_VALUES = (
    "Squared difference of a raw example and its reconstruction, in the units of the values: "
    "the feature of largest numbers decides. Lower is better."
)
_OF_SAMPLES = {"mnist_fid", "frechet_distance", "sample_precision", "sample_recall"}
_OF_DENSITIES = {"nll_nats", "elbo_nats", "expected_log_likelihood_nats"}
_BELOW_ZERO = " Below zero, because a density may exceed one."
_SAID_ELSEWHERE = {
    *("num_samples", "nll_monte_carlo_error_nats", "latent_dim", "amortization_gap_examples"),
    *("mutual_information_examples", "mutual_information_cap_nats", "examples", "seed"),
    *("evaluation_seconds", "training_seconds", "active_units_by_threshold"),
    *("kl_nats_per_layer", "kl_nats_per_dimension", "pca_components"),
    "sample_quality_samples",
    "code_classes",
}


def summary(results: Results) -> list[Row]:
    """What a reader wants to know first, in words."""
    return _rows(SUMMARY, results)


def all_measures(results: Results) -> list[Row]:
    """Every number, with the conditions it holds under instead of its meaning."""
    known = _rows((*SUMMARY, *FURTHER), results)
    keys = {name for m in (*SUMMARY, *FURTHER, *ANNEALED) for name in (m.key, m.error)}
    keys |= _SAID_ELSEWHERE
    others = [
        _unknown(key, value)
        for key, value in results.items()
        if key not in keys and not _is_ais(key) and is_number(value)
    ]
    return [row._replace(remark=_condition(row, results)) for row in known] + others


def annealed(results: Results) -> list[Row]:
    """The block of annealed importance sampling; empty where there was none."""
    rows = _rows(ANNEALED, results)
    shown = {name for m in ANNEALED for name in (m.key, m.error)}
    others = [
        _unknown(key, value)
        for key, value in results.items()
        if _is_ais(key) and key not in shown and is_number(value)
    ]
    return rows + others


def active_by_threshold(results: Results) -> list[tuple[str, str]]:
    """Threshold of the variance, and how many units are above it."""
    counts = results.get("active_units_by_threshold") or {}
    rows = [(str(threshold), count) for threshold, count in counts.items() if is_number(count)]
    return [(threshold, any_number(count)) for threshold, count in rows]


def kl_by_layer(results: Results) -> list[tuple[str, str]]:
    """Layer, how much of it is in use, and its KL, where there is more than one."""
    layers: Sequence[Any] = results.get("kl_nats_per_layer") or ()
    if len(layers) < 2:
        return []
    active: Sequence[Any] = results.get("active_units_per_layer") or ()
    in_use = [f", {any_number(count)} active units" for count in active if is_number(count)]
    names = in_use if len(in_use) == len(layers) else [""] * len(layers)
    return [
        (f"{index}{name}", number(kl))
        for index, (kl, name) in enumerate(zip(layers, names, strict=True))
        if is_number(kl)
    ]


def _rows(measures: Sequence[Measure], results: Results) -> list[Row]:
    return [_row(m, results) for m in measures if is_number(results.get(m.key))]


def _row(measure: Measure, results: Results) -> Row:
    value = number(measure.sign * results[measure.key], measure.decimals)
    if measure.key == "active_units" and is_number(results.get("latent_dim")):
        value = f"{value} of {results['latent_dim']}"
    meaning = measure.meaning
    if measure.key == "mse" and "psnr_db" not in results:
        value, meaning = any_number(float(results["mse"])), _MSE_OF_ANY_VALUES
    if measure.key in _OF_DENSITIES and measure.sign * results[measure.key] < 0:
        meaning += _BELOW_ZERO
    error = results.get(measure.error) if measure.error else None
    spread = number(error, measure.decimals) if is_number(error) else ""
    return Row(measure.key, measure.name, value, spread, measure.unit, meaning)


def _condition(row: Row, results: Results) -> str:
    """What a number depends on."""
    known = {key: value for key, value in results.items() if is_number(value)}
    if row.key == "nll_nats":
        return _nll_condition(known)
    if row.key == "pca_mse" and "pca_components" in known:
        return f"a linear baseline, with {known['pca_components']:,} principal components"
    if row.key == "effective_sample_size" and "num_samples" in known:
        return f"of {known['num_samples']:,} importance samples, mean over examples"
    if row.key == "code_perplexity" and "code_classes" in known:
        return f"of {known['code_classes']:,} classes, if all were used alike"
    if row.key == "mutual_information_nats" and "mutual_information_examples" in known:
        n = f"estimated from N = {known['mutual_information_examples']:,} examples"
        cap = known.get("mutual_information_cap_nats")
        return n if cap is None else f"{n}; cannot exceed ln N = {number(cap)} nats"
    if row.key in _OF_SAMPLES and "sample_quality_samples" in known:
        return f"{row.remark} {known['sample_quality_samples']:,} samples."
    if row.key == "factor_vae_score" and results.get("factors"):
        return f"{row.remark} Chance is {number(1 / len(results['factors']))}."
    if row.key == "amortization_gap_nats" and "amortization_gap_examples" in known:
        return f"{row.remark} Measured on {known['amortization_gap_examples']:,} examples."
    return row.remark if row.key in {m.key for m in FURTHER} else ""


def _nll_condition(known: Results) -> str:
    parts = []
    if "num_samples" in known:
        parts.append(f"importance sampling, k = {known['num_samples']:,} samples per example")
    if "nll_standard_error_nats" in known:
        parts.append("± standard error over examples")
    if "nll_monte_carlo_error_nats" in known:
        noise = number(known["nll_monte_carlo_error_nats"], 3)
        parts.append(f"Monte Carlo error {noise} nats")
    return "; ".join(parts)


def _is_ais(key: str) -> bool:
    return key.startswith(("ais_", "bdmc_"))


def _unknown(key: str, value: float) -> Row:
    """A number of which the key alone is known; its ending may be a unit."""
    name, _, ending = key.rpartition("_")
    unit = _UNITS.get(ending, "")
    words = (name if unit else key).split("_")
    spelt = " ".join(word.upper() if word in ("ais", "bdmc") else word for word in words)
    return Row(key, spelt[:1].upper() + spelt[1:], any_number(value), "", unit, "")
