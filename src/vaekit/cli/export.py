"""`vaekit export`: add ONNX graphs to a trained model, compared with torch and measured."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from vaekit.cli.answers import Key, ModelPath, opened

if TYPE_CHECKING:
    from vaekit.artifacts import CodeSize, Exported, Variant


def export(
    model: ModelPath,
    int8: Annotated[
        bool, typer.Option("--int8", help="Add a variant with 8-bit weights in matrix products.")
    ] = False,
    prune: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="Add a variant without that share of the weights of matrix products, as in 0.5.",
        ),
    ] = None,
    examples: Annotated[
        int | None,
        typer.Option(help="Held-out examples to compare on; by default as in reference.json."),
    ] = None,
    key: Key = None,
) -> None:
    """Add ONNX graphs to a trained model: encode, decode, score and sample, without torch.

    Every graph is compared with torch on held-out examples, and nothing is written where one is
    too far off. What was there before is replaced. A signature is of the old content: it goes.
    """
    from vaekit.artifacts import SIGNATURE
    from vaekit.export import export_onnx

    artifact = opened(model, key)
    was_signed = (artifact.path / SIGNATURE).exists()
    exported = export_onnx(artifact, int8, prune, examples)
    console = Console(highlight=False, soft_wrap=True)
    console.print(_variants_table(exported))
    console.print(
        f"Compared on {exported.examples} examples of the {exported.split} split. "
        "Milliseconds are per example on one thread, in batches of 1 and 64; score change is that "
        "of elbo_nats (of expected_log_likelihood_nats, without a prior) against fp32: its mean, "
        "its mean size, and that in standard deviations of the score."
    )
    console.print(_code_in_words(exported.code))
    for verb, reason in exported.not_exported.items():
        console.print(f"No graph for {verb}: {reason}.")
    console.print(f"Written: {artifact.path / 'onnx'}", markup=False)
    if was_signed:
        console.print(
            "The signature was of the old content and is gone: vaekit artifact sign.", markup=False
        )


def _variants_table(exported: "Exported") -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("variant", "KiB", "zipped", "error to torch", "score ms", "encode ms"):
        table.add_column(heading, justify="left" if heading == "variant" else "right")
    table.add_column("score change", justify="right")
    for name, variant in exported.variants.items():
        table.add_row(
            name,
            f"{variant.bytes / 1024:.0f}",
            f"{variant.zipped_bytes / 1024:.0f}",
            _worst(variant),
            *(" / ".join(_milliseconds(variant, verb)) for verb in ("score", "encode")),
            _change(variant),
        )
    return table


def _worst(variant: "Variant") -> str:
    """The largest relative error of any output."""
    errors = [error for graph in variant.graphs.values() for error in graph.parity.values()]
    return f"{max(errors):.1e}" if errors else "(rounded)"


def _milliseconds(variant: "Variant", verb: str) -> list[str]:
    return [f"{taken:.3g}" for taken in variant.graphs[verb].latency_ms.values()]


def _change(variant: "Variant") -> str:
    """Of the first score, which is the bound where there is one."""
    if not variant.score_change:
        return ""
    change = next(iter(variant.score_change.values()))
    return f"{change.mean:+.2g}, {change.mean_size:.2g} either way ({change.deviations:.2g} std)"


def _code_in_words(code: "CodeSize") -> str:
    parts = [f"raw {code.raw_bytes:.0f}", f"zlib {code.zlib_bytes:.1f}"]
    if code.png_bytes is not None:
        parts.append(f"PNG {code.png_bytes:.1f}")
    if code.kl_bytes is not None:
        parts.append(f"KL {code.kl_bytes:.1f}")
    if code.bits_back_bytes is not None:
        parts.append(f"bits-back, lossless {code.bits_back_bytes:.1f}")
    return (
        f"An example as its code takes {code.compressed_bytes:.0f} bytes ({code.quantisation}); "
        f"MSE {code.mse_from_compressed:.4g}, from the code as it is {code.mse:.4g}. "
        f"In bytes: {', '.join(parts)}."
    )
