"""Opening an artifact: what is whole is opened, and everything else is refused by its name."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from artifacts.tampering import V1, change_json, copied, rehash, rewrite

from vaekit.artifacts import open_artifact
from vaekit.errors import ArtifactError


def test_the_committed_artifact_opens() -> None:
    folder = open_artifact(V1 / "artifact")
    assert folder.serving.format_version == 1
    assert folder.serving.form.event_shape == (1, 8, 8)
    assert folder.serving.latent_dim == 2
    assert not folder.is_signed
    assert folder.document("metrics.json")["num_samples"] == 20
    assert set(folder.reference.scores) == set(folder.serving.scores)
    assert b"library_name: vaekit" in folder.read("card.md")


def test_sha256sum_agrees() -> None:
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"],
        cwd=V1 / "artifact",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("OK") == 8


def test_opening_and_running_need_no_torch() -> None:
    program = (
        "import sys, vaekit.runtime\n"
        "from vaekit.artifacts import open_artifact\n"
        f"open_artifact({str(V1 / 'artifact')!r}).reference\n"
        "assert not {'torch', 'safetensors', 'matplotlib'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def _flip(folder: Path) -> None:
    content = bytearray((folder / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (folder / "model.safetensors").write_bytes(content)


def _name_in_sums(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / "SHA256SUMS").write_text(f"{'0' * 64}  {name}\n")


def _link(folder: Path) -> None:
    target = folder.with_name("elsewhere.json")
    (folder / "data.json").rename(target)
    (folder / "data.json").symlink_to(target)


def _nest(folder: Path) -> None:
    folder.joinpath(*["d"] * 9).mkdir(parents=True)


def _drop_from_sums(folder: Path) -> None:
    (folder / "metrics.json").unlink()
    rehash(folder)


def _set(name: str, key: str, value: object) -> Callable[[Path], None]:
    return lambda folder: change_json(folder, name, lambda document: document.update({key: value}))


REFUSALS: dict[str, tuple[Callable[[Path], object], str]] = {
    "no list": (lambda f: (f / "SHA256SUMS").unlink(), "no artifact here"),
    "file gone": (lambda f: (f / "recipe.json").unlink(), r"missing[\s\S]*recipe.json"),
    "file and hash gone": (_drop_from_sums, r"missing[\s\S]*metrics.json"),
    "one bit": (_flip, r"was changed[\s\S]*model.safetensors[\s\S]*sha256 [0-9a-f]{64}"),
    "one file more": (lambda f: (f / "x.py").touch(), r"does not belong to it[\s\S]*x\.py"),
    "hidden file": (lambda f: (f / ".x").touch(), "does not belong to it"),
    "link": (_link, "holds a link"),
    "list is no list": (lambda f: (f / "SHA256SUMS").write_bytes(b"\xff\n"), "is damaged"),
    "twice": (
        lambda f: (f / "SHA256SUMS").write_text(f"{'0' * 64}  a\n{'0' * 64}  a\n"),
        "occurs once",
    ),
    "parent": (_name_in_sums("../secret"), "must not name"),
    "parent inside": (_name_in_sums("onnx/../../secret"), "must not name"),
    "absolute": (_name_in_sums("/etc/passwd"), "must not name"),
    "backslash": (_name_in_sums("..\\secret"), "must not name"),
    "itself": (_name_in_sums("SHA256SUMS"), "must not name"),
    "newer": (_set("serving.json", "format_version", 2), r"newer format[\s\S]*install vaekit"),
    "unknown": (_set("serving.json", "format_version", 0), "no vaekit has written"),
    "no version": (_set("serving.json", "format_version", None), "no vaekit has written"),
    "true is no version": (_set("serving.json", "format_version", True), "no vaekit has written"),
    "lists in lists": (lambda f: rewrite(f, "serving.json", b"[" * 10**5), r"damaged[\s\S]*JSON"),
    "folders in folders": (_nest, "folders within folders"),
    "no json": (lambda f: rewrite(f, "serving.json", b"{"), r"damaged[\s\S]*JSON"),
    "no object": (lambda f: rewrite(f, "serving.json", b"[]"), "a JSON object"),
    "odd key": (_set("serving.json", "surprise", 1), r"damaged[\s\S]*surprise"),
    "odd value": (_set("serving.json", "latent_dim", "two"), r"damaged[\s\S]*latent_dim"),
}


@pytest.mark.parametrize("case", REFUSALS.values(), ids=REFUSALS)
def test_refused(case: tuple[Callable[[Path], object], str], tmp_path: Path) -> None:
    tamper, message = case
    folder = copied(tmp_path / "artifact")
    tamper(folder)
    with pytest.raises(ArtifactError, match=message):
        open_artifact(folder)


def test_every_file_is_needed(tmp_path: Path) -> None:
    names = [path.name for path in (V1 / "artifact").iterdir() if path.name != "SHA256SUMS"]
    assert len(names) == 8
    for name in names:
        folder = copied(tmp_path / name)
        (folder / name).write_bytes((folder / name).read_bytes() + b" ")
        with pytest.raises(ArtifactError, match=f"was changed[\\s\\S]*{name}"):
            open_artifact(folder)


def test_what_changes_later_is_refused_when_it_is_read(tmp_path: Path) -> None:
    opened = open_artifact(copied(tmp_path / "artifact"))
    (opened.path / "recipe.json").write_text("{}")
    with pytest.raises(ArtifactError, match="was changed"):
        opened.document("recipe.json")
    (opened.path / "card.md").unlink()
    with pytest.raises(ArtifactError, match="missing"):
        opened.read("card.md")


def test_places_that_are_no_artifact(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no such folder"):
        open_artifact(tmp_path / "nothing")
    (tmp_path / "file").touch()
    with pytest.raises(ArtifactError, match="a file"):
        open_artifact(tmp_path / "file")
    copied(tmp_path / "good" / "artifact")
    with pytest.raises(ArtifactError, match=r"artifacts in .*: good"):
        open_artifact(tmp_path / "godo")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "recipe.toml").touch()
    with pytest.raises(ArtifactError, match=r"no artifact yet[\s\S]*train --resume"):
        open_artifact(tmp_path / "run")


def test_a_run_stands_for_its_artifact(tmp_path: Path) -> None:
    copied(tmp_path / "run" / "artifact")
    assert open_artifact(tmp_path / "run").path == tmp_path / "run" / "artifact"


def test_the_folder_one_is_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copied(tmp_path / "run" / "artifact")
    for folder in (tmp_path / "run", tmp_path / "run" / "artifact"):
        monkeypatch.chdir(folder)
        assert open_artifact(".").serving.name == "digits_v1"
    with pytest.raises(ArtifactError, match="no artifact here"):
        open_artifact("/")
