"""The verbs that run a trained model, in process: every one, in every format, and every mistake."""

from pathlib import Path

import numpy as np
import pytest
from artifacts.tampering import V1
from export.trained_models import digits, table
from typer.testing import CliRunner

from vaekit.cli.main import app
from vaekit.data.files.row_files import ParquetFile
from vaekit.errors import ArtifactError, DataError, SpecError, VaekitError
from vaekit.export import export, load

MODEL = str(V1 / "artifact")


def run(*arguments: object) -> str:
    result = CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def npz(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as file:
        return dict(file)


def csv(path: Path) -> tuple[list[str], np.ndarray]:
    header, *rows = path.read_text().splitlines()
    return header.split(","), np.array([[float(c) for c in row.split(",")] for row in rows])


def own(examples: int) -> np.ndarray:
    return load(MODEL).dataset.split("test").rows(0, examples).x.numpy()


def test_encode_in_every_format(tmp_path: Path) -> None:
    expected = load(MODEL).encode(own(7))
    for ending in ("npz", "csv", "parquet"):
        said = run("encode", MODEL, "--examples", 7, "--output", tmp_path / f"z.{ending}")
        assert "first 7 examples of the test split of digits" in said
        assert str(tmp_path / f"z.{ending}") in said
    assert np.array_equal(npz(tmp_path / "z.npz")["z"], expected)
    names, values = csv(tmp_path / "z.csv")
    assert names == ["z_0", "z_1"]
    assert np.array_equal(values.astype(np.float32), expected)
    assert np.array_equal(ParquetFile(tmp_path / "z.parquet", None).values(), expected)


def test_a_file_of_the_users_is_read(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", own(5)[2:, 0])
    run("encode", MODEL, tmp_path / "x.npy", "-o", tmp_path / "z.npz")
    assert np.allclose(npz(tmp_path / "z.npz")["z"], load(MODEL).encode(own(5))[2:], atol=1e-5)
    np.savez(tmp_path / "x.npz", a=own(1), b=own(2))
    run("encode", MODEL, tmp_path / "x.npz", "--array", "b", "-o", tmp_path / "z.csv")
    assert len(csv(tmp_path / "z.csv")[1]) == 2


@pytest.mark.parametrize("ending", ["npz", "csv", "parquet"])
def test_decode_reads_what_encode_wrote(ending: str, tmp_path: Path) -> None:
    run("encode", MODEL, "--examples", 3, "-o", tmp_path / f"z.{ending}")
    run("decode", MODEL, tmp_path / f"z.{ending}", "-o", tmp_path / "x.npz")
    assert np.allclose(npz(tmp_path / "x.npz")["x"], load(MODEL).reconstruct(own(3)), atol=1e-5)


def test_decode_reads_arrays(tmp_path: Path) -> None:
    np.save(tmp_path / "z.npy", np.zeros((2, 2)))
    run("decode", MODEL, tmp_path / "z.npy", "-o", tmp_path / "x.csv")
    names, values = csv(tmp_path / "x.csv")
    assert names == [f"x_{i}" for i in range(64)]
    assert values[0].tolist() == values[1].tolist()


def test_score(tmp_path: Path) -> None:
    run("score", MODEL, "--examples", 4, "--samples", 9, "--seed", 3, "-o", tmp_path / "s.csv")
    names, values = csv(tmp_path / "s.csv")
    expected = load(MODEL).score(own(4), 9, seed=3)
    assert names == list(expected)
    assert np.allclose(values, np.stack(list(expected.values()), axis=1), atol=1e-9)


def test_sample(tmp_path: Path) -> None:
    assert "3 samples, seed 5" in run(
        "sample", MODEL, "-n", 3, "--seed", 5, "--temperature", 0.5, "-o", tmp_path / "x.npz"
    )
    expected = load(MODEL).sample(3, seed=5, temperature=0.5)
    assert np.array_equal(npz(tmp_path / "x.npz")["x"], expected)


def test_interpolate_and_traverse(tmp_path: Path) -> None:
    run("interpolate", MODEL, "--examples", 5, "--steps", 3, "-o", tmp_path / "w.npz")
    walks = npz(tmp_path / "w.npz")
    assert walks["pair"].tolist() == [0, 0, 0, 1, 1, 1]
    assert walks["step"].tolist() == [0, 1, 2] * 2
    expected = load(MODEL).interpolate(own(4)[::2], own(4)[1::2], 3)
    assert np.allclose(walks["x"], expected.reshape(6, 1, 8, 8), atol=1e-5)
    run("traverse", MODEL, "-d", 1, "--steps", 4, "--reach", 2, "-o", tmp_path / "t.csv")
    names, values = csv(tmp_path / "t.csv")
    assert names[:3] == ["dimension", "step", "x_0"]
    expected = load(MODEL).traverse(None, [1], 2, 4)
    assert np.allclose(values[:, 2:], expected.reshape(4, 64), atol=1e-4)


PICTURES = {
    "encode": (),
    "reconstruct": (),
    "sample": ("-n", "120"),
    "interpolate": (),
    "traverse": (),
}


@pytest.mark.parametrize("verb", PICTURES)
def test_pictures(verb: str, tmp_path: Path) -> None:
    run(verb, MODEL, *PICTURES[verb], "--seed", 1, "-o", tmp_path / "p.png")
    assert (tmp_path / "p.png").read_bytes()[1:4] == b"PNG"
    run(verb, MODEL, "-o", tmp_path / "p.svg")
    assert "<svg" in (tmp_path / "p.svg").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.png", "p.svg"]


def test_pictures_of_codes(tmp_path: Path) -> None:
    np.save(tmp_path / "z.npy", np.zeros((2, 2)))
    run("decode", MODEL, tmp_path / "z.npy", "-o", tmp_path / "p.png")
    np.save(tmp_path / "x.npy", own(1))
    run("traverse", MODEL, tmp_path / "x.npy", "-o", tmp_path / "t.png")
    assert (tmp_path / "t.png").stat().st_size > 1000


def test_a_table_keeps_the_names_of_its_columns(tmp_path: Path) -> None:
    model = export(tmp_path / "artifact", table(tmp_path))
    run("reconstruct", model, "-o", tmp_path / "r.csv")
    assert csv(tmp_path / "r.csv")[0] == ["a", "b", "c"]
    run("score", model, tmp_path / "r.csv", "-o", tmp_path / "s.csv")  # an answer is an example
    assert len(csv(tmp_path / "s.csv")[1]) == 12
    for verb in ("encode", "reconstruct", "sample", "interpolate", "traverse"):
        run(verb, model, "-o", tmp_path / f"{verb}.png")


def _files(folder: Path) -> dict[str, Path]:
    np.save(folder / "mnist.npy", np.zeros((2, 1, 28, 28), np.uint8))
    np.save(folder / "bright.npy", np.full((2, 1, 8, 8), 200, np.uint8))
    np.save(folder / "empty.npy", np.zeros((0, 1, 8, 8), np.uint8))
    np.save(folder / "one.npy", np.zeros((1, 1, 8, 8), np.uint8))
    np.save(folder / "wide.npy", np.zeros((1, 3)))
    (folder / "codes.csv").write_text("a,b\n1,2\n")
    return {path.stem: path for path in folder.iterdir()}


MISTAKES: dict[str, tuple[list[str], type[VaekitError], str]] = {
    "other data": (["encode", "{mnist}"], DataError, r"\(examples, 1, 8, 8\)"),
    "range": (["score", "{bright}"], DataError, "from 0 to 16"),
    "empty": (["reconstruct", "{empty}"], DataError, "no examples"),
    "no file": (["score", "nothing.npy"], DataError, "no such file"),
    "k": (["score", "--samples", "0"], SpecError, "num_samples is too small"),
    "split": (["encode", "--split", "holdout"], DataError, "train, validation, test"),
    "one example": (["interpolate", "{one}"], DataError, "two examples"),
    "dimension": (["traverse", "-d", "2"], SpecError, "from 0 to 1"),
    "width of codes": (["decode", "{wide}"], DataError, r"\(examples, 2\)"),
    "columns of codes": (["decode", "{codes}"], DataError, "add z_0, z_1"),
}


@pytest.mark.parametrize("case", MISTAKES.values(), ids=MISTAKES)
def test_mistakes(case: tuple[list[str], type[VaekitError], str], tmp_path: Path) -> None:
    (verb, *rest), error, message = case
    files = _files(tmp_path)
    arguments = [part.format(**files) for part in rest]
    before = sorted(tmp_path.iterdir())
    with pytest.raises(error, match=message):
        run(verb, MODEL, *arguments, "--output", tmp_path / "out.npz")
    assert sorted(tmp_path.iterdir()) == before


def test_the_target_is_checked_first(tmp_path: Path) -> None:
    for verb in ("encode", "reconstruct", "score", "sample", "interpolate", "traverse"):
        with pytest.raises(SpecError, match="cannot be written in this format"):
            run(verb, tmp_path / "no model", "-o", tmp_path / "out.txt")
    with pytest.raises(SpecError, match=r"ends in \.npz, \.csv or \.parquet"):
        run("score", MODEL, "-o", tmp_path / "out.png")
    (tmp_path / "file").touch()
    with pytest.raises(ArtifactError, match="could not be written"):
        run("encode", MODEL, "-o", tmp_path / "file" / "z.csv")
    with pytest.raises(ArtifactError, match="could not be written"):
        run("encode", MODEL, "-o", tmp_path / "file" / "z.png")


def test_models_that_cannot_be_run(tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").touch()
    with pytest.raises(ArtifactError, match="no artifact yet"):
        run("encode", tmp_path, "-o", tmp_path / "z.csv")
    with pytest.raises(ArtifactError, match="no artifact here"):
        run("sample", tmp_path / "nothing", "-o", tmp_path / "z.csv")
    model = export(tmp_path / "artifact", digits("autoencoder"))
    with pytest.raises(SpecError, match="no prior to sample from"):
        run("sample", model, "-o", tmp_path / "x.npz")
    assert not (tmp_path / "x.npz").exists()
