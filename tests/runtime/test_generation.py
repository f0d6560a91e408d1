"""Examples in files: the same whatever happens on the way, and never mixed with others."""

import json
from pathlib import Path

import numpy as np
import pytest
from serving.linear_server import LinearRuntime, serving

from vaekit.errors import ArtifactError, SpecError
from vaekit.runtime import Asked, Batch, fastest_batch, generate

ASKED = Asked("a model", 25, seed=3, temperature=0.5, shard=10)


def shards(folder: Path) -> list[np.ndarray]:
    return [np.load(file) for file in sorted(folder.glob("*.npy"))]


def test_shards_hold_what_the_model_samples(tmp_path: Path) -> None:
    runtime = LinearRuntime()
    assert generate(runtime, ASKED, tmp_path / "x") == 3
    found = shards(tmp_path / "x")
    assert [len(x) for x in found] == [10, 10, 5]
    np.testing.assert_array_equal(found[0], runtime.sample(10, seed=3, temperature=0.5))
    assert len(np.unique(np.concatenate(found), axis=0)) == 25


@pytest.mark.parametrize("rows", [1, 7, 4096])
def test_the_batch_size_changes_nothing(rows: int, tmp_path: Path) -> None:
    generate(LinearRuntime(), ASKED, tmp_path / "a")
    runtime = LinearRuntime()
    runtime.most_rows = rows
    generate(runtime, ASKED, tmp_path / "b")
    for one, other in zip(shards(tmp_path / "a"), shards(tmp_path / "b"), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-7)


def test_what_was_stopped_goes_on(tmp_path: Path) -> None:
    class StoppedError(Exception):
        pass

    def stop(number: int, _seconds: float) -> None:
        if number == 1:
            raise StoppedError

    with pytest.raises(StoppedError):
        generate(LinearRuntime(), ASKED, tmp_path / "a", stop)
    before = {file.name: file.stat().st_mtime_ns for file in (tmp_path / "a").glob("*.npy")}
    assert sorted(before) == ["00000.npy", "00001.npy"]
    assert generate(LinearRuntime(), ASKED, tmp_path / "a") == 1
    assert generate(LinearRuntime(), ASKED, tmp_path / "a") == 0
    assert all((tmp_path / "a" / name).stat().st_mtime_ns == at for name, at in before.items())
    generate(LinearRuntime(), ASKED, tmp_path / "b")
    for one, other in zip(shards(tmp_path / "a"), shards(tmp_path / "b"), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "change", [{"seed": 4}, {"examples": 26}, {"model": "another"}, {"condition": {"label": 1}}]
)
def test_other_work_is_not_mixed_in(change: dict, tmp_path: Path) -> None:
    generate(LinearRuntime(), ASKED, tmp_path / "x")
    with pytest.raises(ArtifactError, match="differently") as raised:
        generate(LinearRuntime(), ASKED._replace(**change), tmp_path / "x")
    assert next(iter(change)) in str(raised.value)


def test_other_files_and_damaged_notes_are_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ArtifactError, match="something else"):
        generate(LinearRuntime(), ASKED, tmp_path)
    generate(LinearRuntime(), ASKED, tmp_path / "x")
    (tmp_path / "x" / "generate.json").write_text("{")
    with pytest.raises(ArtifactError, match="cannot be read"):
        generate(LinearRuntime(), ASKED, tmp_path / "x")
    with pytest.raises(ArtifactError, match="cannot be made"):
        generate(LinearRuntime(), ASKED, tmp_path / "mine.txt" / "x")


def test_a_condition_is_one_for_all_and_written_down(tmp_path: Path) -> None:
    runtime = LinearRuntime(serving(conditions=[{"name": "label", "num_classes": 3}]))
    asked = ASKED._replace(condition={"label": 2})
    generate(runtime, asked, tmp_path / "x")
    assert json.loads((tmp_path / "x" / "generate.json").read_text())["condition"] == {"label": 2}
    np.testing.assert_array_equal(
        shards(tmp_path / "x")[0], runtime.sample(10, 3, 0.5, {"label": 2})
    )


def test_a_model_without_a_prior_is_refused(tmp_path: Path) -> None:
    runtime = LinearRuntime(serving(facts={"has_density": False}))
    with pytest.raises(SpecError, match="no prior"):
        generate(runtime, ASKED, tmp_path / "x")


class SlowRuntime(LinearRuntime):
    """Takes 10 ms a call and as many for a thousand examples; beyond 256, ten times as many."""

    now = 0.0

    def _decode(self, z: np.ndarray, c: np.ndarray | None) -> np.ndarray:
        self.now += 0.010 + len(z) * (1e-4 if len(z) > 256 else 1e-5)
        return super()._decode(z, c)


def test_the_fastest_batch_is_found_and_set() -> None:
    runtime = SlowRuntime()
    chosen, tried = fastest_batch(runtime, clock=lambda: runtime.now)
    assert [batch.size for batch in tried] == [2**k for k in range(11)]  # two beyond the best
    assert chosen.size == runtime.most_rows == 256
    assert chosen.seconds_per_thousand == pytest.approx(1000 * (0.010 / 256 + 1e-5))


def test_a_smaller_batch_is_taken_where_it_is_as_good() -> None:
    class FlatRuntime(SlowRuntime):
        def _decode(self, z: np.ndarray, c: np.ndarray | None) -> np.ndarray:
            self.now += len(z) * 1e-3
            return LinearRuntime._decode(self, z, c)

    runtime = FlatRuntime()
    assert fastest_batch(runtime, clock=lambda: runtime.now)[0].size == 1


def test_cost_follows_the_price() -> None:
    assert Batch(1, 36.0).cost_per_thousand(5.0) == pytest.approx(0.05)
