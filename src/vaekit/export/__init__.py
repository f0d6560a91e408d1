"""From a trained model to an artifact and back: the torch backend of the runtime."""

from vaekit.export.artifact import Artifact
from vaekit.export.export import Trained, export
from vaekit.export.load import load

__all__ = ["Artifact", "Trained", "export", "load"]
