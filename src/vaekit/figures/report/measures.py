"""What the results say: names, units and meanings of the measures.

A measure that the results lack is not shown; a number that is not known here is shown under
the name of its key, so that nothing measured is lost.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from vaekit.figures.report.numbers import any_number, is_number, number
from vaekit.figures.style import MINUS

Results: TypeAlias = Mapping[str, Any]


class Measure(NamedTuple):
    """How one number of the results is shown."""

    key: str
    name: str
    unit: str
    meaning: str
    decimals: int = 2
    sign: int = 1
    error: str = ""
    """Key of its standard error."""


class Row(NamedTuple):
    """One line of a table, or one number of the summary."""

    key: str
    name: str
    value: str
    error: str
    unit: str
    remark: str


_NATS = "nats"
_UNITS = {"nats": "nats", "bits": "bits", "db": "dB", "seconds": "s", "bytes": "bytes"}
_MEASURES = (
    Measure(
        "nll_nats",
        "Negative log-likelihood",
        _NATS,
        "How surprised the model is by an example. Lower is better.",
        error="nll_standard_error_nats",
    ),
    Measure(
        "elbo_nats",
        f"{MINUS}ELBO",
        _NATS,
        "The upper bound of the negative log-likelihood that training brings down: "
        "reconstruction plus KL.",
        sign=-1,
        error="elbo_standard_error_nats",
    ),
    Measure(
        "expected_log_likelihood_nats",
        "Reconstruction",
        _NATS,
        f"{MINUS}E[log p(x|z)]: what it costs to describe an example once its code is known.",
        sign=-1,
    ),
    Measure(
        "kl_nats",
        "KL",
        _NATS,
        "KL(q(z|x) ‖ p(z)): what it costs to describe the code itself.",
    ),
    Measure(
        "accuracy",
        "Accuracy of the class",
        "",
        "How often the class that the model finds most probable is the label, which it is not "
        "shown.",
        decimals=4,
        error="accuracy_standard_error",
    ),
    Measure(
        "active_units",
        "Active units",
        "dimensions",
        "Dimensions of the code that change from example to example; the others carry nothing.",
        decimals=0,
    ),
    Measure(
        "mse",
        "Mean squared error",
        "per value",
        "Squared difference of a raw example and its reconstruction, the range of the values "
        "scaled to 1. Lower is better.",
        decimals=5,
    ),
    Measure(
        "psnr_db",
        "PSNR",
        "dB",
        "The same error in decibels. Higher is better.",
    ),
    Measure(
        "bits_per_dim",
        "Bits per dimension",
        "bits",
        "The negative log-likelihood per value of an example, as a code length.",
        decimals=3,
    ),
)
_OF_TRAIN = "As many training examples in the place of the samples: what to compare with."
_DISTANCE = "Of samples from the data, in features of a classifier of that data."
_SAMPLE_QUALITY = (
    Measure("mnist_fid", "mnist_fid", "", f"{_DISTANCE} Not comparable with FID."),
    Measure("mnist_fid_floor", "Floor of mnist_fid", "", _OF_TRAIN),
    Measure("frechet_distance", "Frechet distance", "", _DISTANCE),
    Measure("frechet_distance_floor", "Floor of the Frechet distance", "", _OF_TRAIN),
    Measure(
        "sample_precision",
        "Precision of samples",
        "",
        "Share of samples that lie among the data.",
        decimals=3,
    ),
    Measure(
        "sample_recall",
        "Recall of samples",
        "",
        "Share of the data that lies among samples.",
        decimals=3,
    ),
    Measure(
        "sample_precision_of_train", "Precision of training examples", "", _OF_TRAIN, decimals=3
    ),
    Measure("sample_recall_of_train", "Recall of training examples", "", _OF_TRAIN, decimals=3),
    Measure(
        "class_coverage",
        "Class coverage of samples",
        "",
        "Over how many of the classes they spread, as a share of all.",
        decimals=3,
    ),
    Measure("class_coverage_data", "Class coverage of the data", "", "", decimals=3),
    Measure(
        "classifier_accuracy",
        "Accuracy of the classifier",
        "",
        "Of the one whose features samples are compared in.",
        decimals=4,
    ),
)
_DISENTANGLEMENT = (
    Measure(
        "mig",
        "Mutual information gap",
        "",
        "How much more the best dimension tells of a factor than the second best, from 0 to 1.",
        decimals=3,
    ),
    Measure(
        "sap",
        "Separated attribute predictability",
        "",
        "How much better the best dimension predicts a factor than the second best.",
        decimals=3,
    ),
    Measure(
        "dci_disentanglement",
        "DCI disentanglement",
        "",
        "Whether each dimension serves one factor, from 0 to 1.",
        decimals=3,
    ),
    Measure(
        "dci_completeness",
        "DCI completeness",
        "",
        "Whether each factor is served by one dimension, from 0 to 1.",
        decimals=3,
    ),
    Measure(
        "dci_informativeness",
        "DCI informativeness",
        "",
        "Accuracy of the factors that a random forest finds from codes.",
        decimals=3,
    ),
    Measure(
        "factor_vae_score",
        "FactorVAE score",
        "",
        "How often the dimension that rests tells which factor was held.",
        decimals=3,
    ),
)
_FURTHER = (
    Measure("pca_mse", "Mean squared error of PCA", "per value", "", decimals=5),
    Measure("effective_sample_size", "Effective sample size", "samples", "", decimals=1),
    Measure(
        "amortization_gap_nats",
        "Amortization gap",
        _NATS,
        "What the encoder loses against a posterior fitted to each example alone.",
        error="amortization_gap_standard_error_nats",
    ),
    Measure(
        "compression_ratio",
        "Compression ratio",
        "",
        "Numbers of an example for each number of its code.",
    ),
    Measure("latent_mean", "Mean of codes", "", "Of draws of q(z), all dimensions together."),
    Measure(
        "latent_stddev",
        "Standard deviation of codes",
        "",
        "Of the same: what a generator of codes divides them by.",
    ),
    Measure(
        "hoyer_sparsity",
        "Hoyer sparsity of codes",
        "",
        "Whether an example uses few of the active dimensions, from 0 to 1; Gaussian codes: 0.2.",
        decimals=3,
    ),
    Measure(
        "mutual_information_nats",
        "Mutual information I(x; z)",
        "nats",
        "What a code tells of its example.",
    ),
    Measure(
        "aggregate_kl_nats",
        "Aggregate KL(q(z) ‖ p(z))",
        "nats",
        "How far the codes of all examples together are from the prior.",
    ),
    Measure("code_perplexity", "Perplexity of the codes", "classes", "", decimals=1),
    Measure(
        "sharpness_data",
        "Sharpness of the data",
        "",
        "Variance behind a Laplace filter.",
        decimals=4,
    ),
    Measure(
        "sharpness_reconstructions",
        "Sharpness of reconstructions",
        "",
        "Its ratio to that of the data counts.",
        decimals=4,
    ),
    Measure(
        "sharpness_samples",
        "Sharpness of samples",
        "",
        "Its ratio to that of the data counts.",
        decimals=4,
    ),
    *_SAMPLE_QUALITY,
    *_DISENTANGLEMENT,
)
_AIS = (
    Measure(
        "ais_nll_nats",
        "Negative log-likelihood by AIS",
        _NATS,
        "Annealed importance sampling: an estimate that does not lean on the encoder.",
        error="ais_nll_standard_error_nats",
    ),
    Measure(
        "ais_importance_sampled_nll_nats",
        "The same examples by importance sampling",
        _NATS,
        "For comparison with the line above.",
    ),
    Measure(
        "ais_sandwich_nats",
        "Width of the sandwich",
        _NATS,
        "Between a lower and an upper estimate on examples that the model made up: how far AIS "
        "may be off.",
    ),
    Measure("ais_acceptance_rate", "Acceptance rate", "", "Of the moves of the chains."),
)
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
    return _rows(_MEASURES, results)


def all_measures(results: Results) -> list[Row]:
    """Every number, with the conditions it holds under instead of its meaning."""
    known = _rows((*_MEASURES, *_FURTHER), results)
    keys = {name for m in (*_MEASURES, *_FURTHER, *_AIS) for name in (m.key, m.error)}
    keys |= _SAID_ELSEWHERE
    others = [
        _unknown(key, value)
        for key, value in results.items()
        if key not in keys and not _is_ais(key) and is_number(value)
    ]
    return [row._replace(remark=_condition(row, results)) for row in known] + others


def annealed(results: Results) -> list[Row]:
    """The block of annealed importance sampling; empty where there was none."""
    rows = _rows(_AIS, results)
    shown = {name for m in _AIS for name in (m.key, m.error)}
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
    return row.remark if row.key in {m.key for m in _FURTHER} else ""


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
