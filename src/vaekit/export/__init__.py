"""From a trained model to an artifact and back, and to ONNX: the torch backend of the runtime."""

from vaekit.export.artifact import Artifact
from vaekit.export.export import Trained, export
from vaekit.export.load import load
from vaekit.export.onnx import export_onnx

__all__ = ["Artifact", "Trained", "export", "export_onnx", "load"]
