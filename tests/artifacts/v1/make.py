"""Makes the artifact beside this file, and what it is expected to answer.

    PYTHONPATH=src:tests .venv/bin/python tests/artifacts/v1/make.py

It was run once, by the first vaekit that wrote format version 1, and is not run again: the
artifact is there so that every later vaekit still reads it, and still gets these numbers.
"""

import json
import shutil
from pathlib import Path

from runs.small_recipe import small_recipe

from vaekit.export import load
from vaekit.runs import train
from vaekit.runtime import write_columns

HERE = Path(__file__).parent
SETTINGS = (
    "name=digits_v1",
    "training.epochs=60",
    "model.encoder.hidden=[8]",
    "model.decoder.hidden=[8]",
    "model.encoder.dropout=0.0",
    "evaluation.examples=250",
)


def main(work: Path) -> None:
    run = train(small_recipe(*SETTINGS), work)
    shutil.copytree(run.export(), HERE / "artifact")
    artifact = load(HERE / "artifact")
    x = run.dataset.split("test").rows(0, 3).x.numpy()
    answers = {
        "x": x,
        "encode": artifact.encode(x),
        "reconstruct": artifact.reconstruct(x),
        "sample": artifact.sample(2, seed=1),
        **artifact.score(x, num_samples=20, seed=3),
    }
    write_columns(HERE / "expected.npz", answers)
    print(json.dumps(run.results, indent=1))
    shutil.rmtree(work)


if __name__ == "__main__":
    main(Path("/tmp/vaekit-artifact-v1"))
