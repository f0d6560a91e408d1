"""What every test gets: one torch thread per worker, a cache of its own, skips with a reason.

That annotations are checked is not done here but by `--jaxtyping-packages` in pyproject.toml,
which takes effect before this file is read.
"""

import os
import signal
from pathlib import Path

import jaxtyping
import pytest
from hypothesis import settings

ROOT = Path(__file__).parents[1]

if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ["OMP_NUM_THREADS"] = "1"  # read when torch is imported, here and in child processes
os.environ.setdefault("VAEKIT_CACHE", str(ROOT / ".cache" / "vaekit"))

signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the shell says nohup or &

settings.register_profile("vaekit", deadline=None)  # the first call of a torch operation is slow
settings.load_profile("vaekit")


@pytest.fixture(autouse=True)
def empty_cache(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Gives each unit test an empty cache and no `$VAEKIT_DATA`.

    Slow and network tests, and fixtures of a wider scope, share `.cache/` in the checkout (or
    the `$VAEKIT_CACHE` of whoever runs them), so that MNIST is fetched once.
    """
    if any(request.node.get_closest_marker(name) for name in ("slow", "network")):
        return
    monkeypatch.setenv("VAEKIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("VAEKIT_DATA", raising=False)


@pytest.fixture
def unchecked_shapes(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests that compile or export: torch cannot trace through the checks of annotations."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real data sets that lie beside the checkout on some machines."""
    folder = ROOT.parent / "shared" / "data"
    if not (folder / "manifest.json").is_file():
        pytest.skip("the real data sets of ../shared/data are not on this machine")
    return folder


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("network") and os.environ.get("VAEKIT_OFFLINE") == "1":
        pytest.skip("VAEKIT_OFFLINE=1")
    if item.get_closest_marker("gpu"):
        import torch

        if not torch.cuda.is_available():
            pytest.skip("no CUDA device here")
