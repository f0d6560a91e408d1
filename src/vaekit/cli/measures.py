"""What measuring a model shows: how far it is, and a table with its protocol at the end."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, final

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from vaekit.cli.bar import new_bar
from vaekit.schema import protocol_in_words

if TYPE_CHECKING:
    from vaekit.evaluation import Progress as Told
    from vaekit.evaluation import Results

SECONDS_BETWEEN_LINES: Final = 10.0

# What a row is called, and its value from the results; a row whose keys are absent is left out.
ROWS: Final = (
    ("NLL, {num_samples} importance samples", "{nll_nats:.2f} ± {nll_standard_error_nats} nats"),
    ("  Monte Carlo error of that", "{nll_monte_carlo_error_nats:.3f} nats"),
    ("  effective sample size", "{effective_sample_size:.1f}"),
    ("bits per dimension", "{bits_per_dim:.4f}"),
    ("NLL, annealed importance sampling, {ais_examples} examples",
     "{ais_nll_nats:.2f} ± {ais_nll_standard_error_nats} nats"),
    ("  importance sampling on the same examples", "{ais_importance_sampled_nll_nats:.2f} nats"),
    ("  backward less forward, on simulated data", "{ais_sandwich_nats:.2f} nats"),
    ("-ELBO", "{minus_elbo:.2f} ± {elbo_standard_error_nats} nats"),
    ("{of_elbo}reconstruction, -E[log p(x|z)]", "{minus_expected_log_likelihood:.2f} nats"),
    ("  KL(q(z|x) || p(z))", "{kl_nats:.2f} nats"),
    ("amortization gap, {amortization_gap_examples} examples",
     "{amortization_gap_nats:.2f} ± {amortization_gap_standard_error_nats} nats"),
    ("active units, Var E[z|x] > 0.01", "{active_units} of {latent_dim}"),
    ("values of an example per number of its code", "{compression_ratio:.2f}"),
    ("codes, all dimensions: mean and deviation", "{latent_mean:.3f} and {latent_stddev:.3f}"),
    ("accuracy of the class, label unseen", "{accuracy:.4f} ± {accuracy_standard_error:.4f}"),
    ("Hoyer sparsity of E[z|x], from 0 to 1", "{hoyer_sparsity:.3f}"),
    ("perplexity of the codes", "{code_perplexity:.1f} of {code_classes}"),
    ("mutual information I(x; z), at most ln {mutual_information_examples:,}",
     "{mutual_information_nats:.2f} of {mutual_information_cap_nats:.2f} nats"),
    ("KL(q(z) || p(z)), aggregate posterior", "{aggregate_kl_nats:.2f} nats"),
    ("MSE of values in [0, 1], from {code}", "{mse:.5f} (PSNR {psnr_db:.1f} dB)"),
    ("  PCA with {pca_components} components", "{pca_mse:.5f}"),
    ("MSE of raw values, from {code}", "{mse_of_values:.5g}"),
    ("sharpness of reconstructions; data",
     "{sharpness_reconstructions:.4f}; {sharpness_data:.4f}"),
    ("  of samples", "{sharpness_samples:.4f}"),
    ("mnist_fid, {sample_quality_samples:,} samples", "{mnist_fid:.2f}"),
    ("  of as many training examples", "{mnist_fid_floor:.2f}"),
    ("Frechet distance, {sample_quality_samples:,} samples", "{frechet_distance:.2f}"),
    ("  of as many training examples", "{frechet_distance_floor:.2f}"),
    ("precision; recall of samples", "{sample_precision:.3f}; {sample_recall:.3f}"),
    ("  of as many training examples",
     "{sample_precision_of_train:.3f}; {sample_recall_of_train:.3f}"),
    ("class coverage of samples; data", "{class_coverage:.3f}; {class_coverage_data:.3f}"),
    ("accuracy of the classifier behind these", "{classifier_accuracy:.4f}"),
    ("mutual information gap, MIG", "{mig:.3f}"),
    ("separated attribute predictability, SAP", "{sap:.3f}"),
    ("DCI disentanglement", "{dci_disentanglement:.3f}"),
    ("  completeness; informativeness",
     "{dci_completeness:.3f}; {dci_informativeness:.3f}"),
    ("FactorVAE score, chance {factor_chance:.2f}", "{factor_vae_score:.3f}"),
)  # fmt: skip


def measures_table(title: str, results: "Results") -> Table:
    """Everything that was measured, a row each."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(escape(title))
    table.add_column("per example", justify="right")
    values = _prepared(results)
    for name, value in ROWS:
        try:
            table.add_row(escape(name.format_map(values)), escape(value.format_map(values)))
        except KeyError:
            continue  # not measured, or not defined here
    return table


def _prepared(results: "Results") -> dict[str, object]:
    """Results as the rows want them: losses positive, errors rounded or said to be unknown."""
    has_posterior = "elbo_nats" in results
    values: dict[str, object] = {
        "of_elbo": "  " if has_posterior else "",
        "code": "E[z|x]" if has_posterior and "code_classes" not in results else "the code",
        **results,
    }
    for key in ("elbo", "expected_log_likelihood"):
        if f"{key}_nats" in results:
            values[f"minus_{key}"] = -results[f"{key}_nats"]
    for key in results:
        if key.endswith("standard_error_nats"):
            values[key] = "?" if results[key] is None else f"{results[key]:.2f}"
    if results.get("factors"):
        values["factor_chance"] = 1 / len(results["factors"])
    if results.get("classifier_accuracy", 0.0) is None:
        del values["classifier_accuracy"]  # the split has no labels
    if "psnr_db" not in results and "mse" in results:
        values["mse_of_values"] = results["mse"]
    return values


def protocol_lines(results: "Results") -> str:
    """What the numbers were measured on and how, and what to beware of."""
    lines = [
        f"{results['split']} split of {results['data_split']}, {results['examples']:,} examples, "
        f"{protocol_in_words(results['binarization'])}, seed {results['seed']}",
    ]
    times = {"training": "training_seconds", "evaluation": "evaluation_seconds"}
    took = [
        f"{what} took {duration(results[key])}" for what, key in times.items() if key in results
    ]
    notes = (f"note: {note}" for note in results["notes"])
    return "\n".join(filter(None, [*lines, ", ".join(took), *notes]))


def duration(seconds: float) -> str:
    """Seconds, as a person says them."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"


@contextmanager
def measuring(console: Console, has_bar: bool) -> Iterator["Told"]:
    """The region in which something is measured; gives whom to tell how far it is."""
    if not has_bar:
        yield _Lines(console)
        return
    with new_bar(console) as bar:
        yield _Bar(bar)


@final
class _Bar:
    """A bar for each measure, one after the other."""

    def __init__(self, bar: Progress) -> None:
        self._bar, self._measure = bar, ""
        self._task = bar.add_task("evaluating", total=None)

    def __call__(self, measure: str, share: float) -> None:
        if measure != self._measure:
            self._measure = measure
            self._bar.reset(self._task, total=1, description=measure)
        self._bar.update(self._task, completed=share)


@final
class _Lines:
    """A line when a measure begins, and now and then while it takes long."""

    def __init__(self, console: Console) -> None:
        self._console, self._measure, self._at = console, "", 0.0

    def __call__(self, measure: str, share: float) -> None:
        now = time.monotonic()
        if measure != self._measure or now - self._at > SECONDS_BETWEEN_LINES:
            self._measure, self._at = measure, now
            self._console.print(f"{measure}, {share:.0%}" if share else measure)
