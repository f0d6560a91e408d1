"""A trained model behind HTTP. No torch: only schema, artifacts and the runtime.

process     sockets, workers, signals
assembly    a service out of its settings, and its life
service     envelope (ids, log, errors) > doorkeeper (keys, rates) > one face for each path
faces       open_inference (/v2), rest (/v1), admin (/admin), metrics
desk        a request that was understood becomes a question, checked, with its answer
engine      the queue and the thread of one version of a model
follower    keeps what is served as the folder of models says
"""

from vaekit.serving.assembly import Service
from vaekit.serving.process import serve as run_service
from vaekit.serving.settings import Settings

__all__ = ["Service", "Settings", "run_service"]
