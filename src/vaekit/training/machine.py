"""What the machine decides: device, threads, precision; and how they are recorded."""

import ctypes
import platform
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vaekit.errors import SpecError
from vaekit.numerics import bfloat16_is_faster, fast_float32_products
from vaekit.training.spec import Precision, TrainingSpec


def resolve(spec: TrainingSpec) -> TrainingSpec:
    """Replaces every 'auto' by what this machine makes of it.

    Raises:
        SpecError: A CUDA device is asked for and there is none.
    """
    device = spec.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    elif device == "cuda" and not torch.cuda.is_available():
        raise SpecError(
            "There is no CUDA device that this torch can use.",
            where="training.device",
            expected="a CUDA device and a CUDA build of torch",
            found=f"torch {torch.__version__}, no device",
            remedy="--set training.device=cpu, or install a CUDA build of torch (see the README)",
        )
    precision = fast_precision(device) if spec.precision == "auto" else spec.precision
    threads = spec.threads or torch.get_num_threads()
    return spec.model_copy(update={"device": device, "precision": precision, "threads": threads})


def fast_precision(device: str) -> Precision:
    """bfloat16 where the hardware multiplies matrices faster in it, else float32."""
    if not _is_native(device):
        return "float32"
    # AMX is made for it. The vector instruction alone gains on some processors and loses on others.
    made_for_it = device == "cuda" or torch.cpu._is_amx_tile_supported()
    return "bfloat16" if made_for_it or bfloat16_is_faster() else "float32"


def _is_native(device: str) -> bool:
    """Whether the hardware multiplies bfloat16 by itself."""
    if device == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    # The public torch.cpu.get_capabilities() is younger than the oldest torch we support.
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


def is_emulated(spec: TrainingSpec) -> bool:
    """Whether matrix products are asked for in a precision that the hardware does not multiply."""
    return spec.precision == "bfloat16" and not _is_native(spec.device)


def autocast(device: str, precision: str) -> AbstractContextManager:
    """The region in which matrix products run in `precision`."""
    if precision == "float32":
        return nullcontext()
    return torch.autocast(device, torch.bfloat16)


@contextmanager
def threads(count: int | None) -> Iterator[None]:
    """The region in which torch uses so many CPU threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def isolated(spec: TrainingSpec) -> Iterator[None]:
    """The region in which a run has threads, noise and gradients of its own.

    Afterwards, torch's global state is what it was.
    """
    devices = [torch.cuda.current_device()] if spec.device == "cuda" else []
    with (
        torch.random.fork_rng(devices),
        threads(spec.threads),
        torch.enable_grad(),
        fast_float32_products(),
        freed_memory_kept(),
    ):
        yield


@contextmanager
def freed_memory_kept() -> Iterator[None]:
    """The region in which the C library keeps freed memory for the next allocation.

    By default glibc returns blocks beyond 32 MiB to the system at once, and every update of a large
    model would get its gradients as new pages, one fault after the other. Afterwards the thresholds
    are what they grow to by default, and free memory is returned. Elsewhere, nothing changes.
    """
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    if not hasattr(library, "mallopt"):
        yield
        return
    mmap_threshold, trim_threshold = -3, -1  # their numbers in malloc.h
    library.malloc_trim(0)  # what was needed to get here is not
    library.mallopt(mmap_threshold, 2**30)
    library.mallopt(trim_threshold, 2**30)
    try:
        yield
    finally:
        library.mallopt(mmap_threshold, 2**25)
        library.mallopt(trim_threshold, 2**26)
        library.malloc_trim(0)


def seed_layers(seed: int, device: str) -> None:
    """Seeds torch's own generator, which layers such as dropout draw from.

    Unlike `torch.manual_seed`, it leaves the devices alone that the run does not use.
    """
    if device == "cuda":
        torch.cuda.manual_seed(seed)
    else:
        torch.default_generator.manual_seed(seed)


def environment(spec: TrainingSpec) -> dict[str, str | int]:
    """What bit-for-bit repetition depends on, besides the recipe."""
    processor = torch.cuda.get_device_name() if spec.device == "cuda" else _cpu_name()
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "platform": platform.platform(),
        "processor": processor,
        "vector_instructions": torch.backends.cpu.get_cpu_capability(),
        "device": spec.device,
        "precision": spec.precision,
        "threads": spec.threads or 0,
        "compile": str(spec.compile),
    }


def changes(before: Mapping[str, Any], here: Mapping[str, Any]) -> tuple[str, ...]:
    """What to warn of, when a run goes on in another environment than it began in."""
    return tuple(
        f"{key} was {before.get(key)!r} and is {value!r}: the run goes on, "
        "but will not end bit for bit where it would have"
        for key, value in here.items()
        if before.get(key) != value
    )


def _cpu_name() -> str:
    """The model, which `platform.processor` does not tell on Linux."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()
