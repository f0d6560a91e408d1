"""A trained model from its artifact, to run without torch."""

from collections.abc import Collection
from pathlib import Path

from vaekit.artifacts import PLAIN, open_artifact
from vaekit.errors import ArtifactError, SpecError
from vaekit.runtime.onnx import OnnxRuntime, Opened


def open_runtime(
    path: Path | str,
    public_key: Path | str | None = None,
    variant: str = PLAIN,
    threads: int = 1,
    verbs: Collection[str] | None = None,
) -> OnnxRuntime:
    """A trained model that runs without torch; the artifact is verified as a whole.

    Args:
        path: The artifact, or the run that it is of.
        public_key: PEM file of who must have signed it; else what VAEKIT_PUBLIC_KEY names.
        variant: Which of the artifact's variants: 'fp32', 'int8', ...
        threads: Of each graph.
        verbs: Which graphs are loaded; all of them where absent.

    Raises:
        ArtifactError: It is damaged, tampered with, unsigned, or was not exported to ONNX.
        SpecError: It has no such variant.
        MissingExtraError: onnxruntime is not installed.
    """
    folder = open_artifact(path, public_key)
    exported = folder.exported
    if exported is None:
        raise ArtifactError(
            "The artifact has no ONNX graphs yet.",
            where=folder.path,
            expected="a folder onnx/",
            remedy=f"vaekit export {folder.path}",
        )
    if variant not in exported.variants:
        options = {"int8": " --int8"}.get(variant, " --prune SHARE" if "pruned" in variant else "")
        raise SpecError(
            f"The artifact has no variant {variant!r}.",
            where=folder.path / "onnx",
            expected=" or ".join(exported.variants),
            found=variant,
            remedy=f"choose one of these, or vaekit export {folder.path}{options}",
        )
    graphs = {
        verb: graph
        for verb, graph in exported.variants[variant].graphs.items()
        if verbs is None or verb in verbs
    }
    return OnnxRuntime(
        folder.serving,
        {verb: folder.read(graph.file) for verb, graph in graphs.items()},
        threads,
        Opened(folder, exported, variant),
    )
