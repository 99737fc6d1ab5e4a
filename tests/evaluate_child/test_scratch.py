"""The copy that a submission runs from, and the removal of whatever it leaves."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sparsebench.errors import FailedError
from sparsebench.evaluate.host import scratch
from sparsebench.evaluate.host.scratch import CodeCopy, Scratch
from sparsebench.ground.line_ends import with_crlf, with_lf
from sparsebench.models import folder_hash

NAMES = st.sampled_from(
    ["a.py", "b/c.txt", "b/d/e.bin", ".git/x", "__pycache__/a.pyc", "b/.f", "b/__pycache__/g", "h"]
)
CONTENTS = st.binary(max_size=8) | st.lists(
    st.sampled_from([b"\r", b"\n", b"\r\n", b"a", b"\xff", b"\0"]), max_size=8
).map(b"".join)


def read(folder: Path) -> dict[str, bytes]:
    return {
        file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()
    }


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=st.dictionaries(NAMES, CONTENTS))
def test_the_copy_is_what_is_hashed(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]
) -> None:
    folder = tmp_path_factory.mktemp("submission")
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    expected = folder_hash(folder)
    made = CodeCopy(folder, expected)
    copied = read(made.code)
    assert folder_hash(made.code) == expected
    assert copied == {
        name: with_lf(content)
        for name, content in files.items()
        if not any(part.startswith(".") or part == "__pycache__" for part in name.split("/"))
    }
    made.remove()
    made.remove()
    assert not made.code.parent.exists()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(one=CONTENTS, other=CONTENTS)
def test_equal_hashes_are_equal_copies(
    tmp_path_factory: pytest.TempPathFactory, one: bytes, other: bytes
) -> None:
    """Whatever two checkouts are like: what is hashed is what runs."""
    hashes, copies = [], []
    for content in (one, with_crlf(one), other):
        folder = tmp_path_factory.mktemp("submission")
        (folder / "a.py").write_bytes(content)
        hashes.append(folder_hash(folder))
        with CodeCopy(folder, hashes[-1]) as made:
            copies.append(read(made.code))
    assert hashes[0] == hashes[1]
    assert copies[0] == copies[1]
    assert (hashes[0] == hashes[2]) == (copies[0] == copies[2])


@pytest.fixture
def sharing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path, str]:
    """A submission's folder, a file that it includes, and the hash of both."""
    folder, shared = tmp_path / "mine", tmp_path / "common" / "shared.py"
    for made in (folder, shared.parent, tmp_path / "scratch"):
        made.mkdir()
    (folder / "submission.py").write_text("import shared\n", encoding="utf-8")
    shared.write_text("MARK = 1\n", encoding="utf-8")
    monkeypatch.setattr(scratch.tempfile, "tempdir", str(tmp_path / "scratch"))
    return folder, shared, folder_hash(folder, [shared])


def test_what_is_included_is_copied_beside_the_entry(sharing: tuple[Path, Path, str]) -> None:
    folder, shared, expected = sharing
    with CodeCopy(folder, expected, [shared]) as made:
        copied = {file.name: file.read_text(encoding="utf-8") for file in made.code.iterdir()}
        assert copied == {"submission.py": "import shared\n", "shared.py": "MARK = 1\n"}
        assert folder_hash(made.code) == expected


def test_the_copy_has_lf_whatever_the_checkout(sharing: tuple[Path, Path, str]) -> None:
    folder, shared, expected = sharing
    before = read(CodeCopy(folder, expected, [shared]).code)
    for file in (folder / "submission.py", shared):
        file.write_bytes(with_crlf(file.read_bytes()))
    assert folder_hash(folder, [shared]) == expected
    with CodeCopy(folder, expected, [shared]) as made:
        assert read(made.code) == before


@pytest.mark.parametrize("change", ["edited", "removed", "linked", "a folder", "a pipe", "in the folder too"])
def test_an_included_file_that_changed_since_it_was_hashed_is_noticed(
    sharing: tuple[Path, Path, str], change: str
) -> None:
    folder, shared, expected = sharing
    kept = shared.with_name("kept.py")
    if change != "in the folder too":
        shared.rename(kept)
    {
        "edited": lambda: shared.write_text("MARK = 2\n", encoding="utf-8"),
        "removed": lambda: None,
        "linked": lambda: shared.symlink_to(kept),
        "a folder": shared.mkdir,
        "a pipe": lambda: os.mkfifo(shared),
        "in the folder too": (folder / "shared.py").touch,
    }[change]()
    with pytest.raises(FailedError, match=r"include.* changed while it ran") as caught:
        CodeCopy(folder, expected, [shared])
    assert caught.value.help == "evaluate it again"
    assert not list((folder.parent / "scratch").iterdir())


def test_another_hash_is_refused_and_nothing_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(scratch.tempfile, "tempdir", str(tmp_path / "scratch"))
    with pytest.raises(FailedError, match="the submission's folder changed while it ran"):
        CodeCopy(tmp_path / "sub", "0" * 64)
    assert not list((tmp_path / "scratch").iterdir())


def test_pipes_and_sockets_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "submission.py")
    made = CodeCopy(tmp_path, folder_hash(tmp_path))
    assert not list(made.code.iterdir())
    made.remove()


def test_anything_is_removed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    made = Scratch()
    (made.work / "link").symlink_to(outside)
    (made.work / "closed").mkdir()
    (made.work / "closed" / "inner").mkdir()
    (made.work / "closed").chmod(0)
    os.mkfifo(made.work / "pipe")
    here = Path.cwd()
    try:
        os.chdir(made.work)
        for _ in range(1500):  # deeper than a path is long, and than Python's stack
            Path("deep").mkdir()
            os.chdir("deep")
    finally:
        os.chdir(here)
    made.remove()
    assert not made.work.parent.exists()
    assert (outside / "kept").exists()


SWAPS: dict[str, Path] = {}


def swap(event: str, arguments: tuple[object, ...]) -> None:
    """Put a link in a folder's place at the last moment: when it is about to be opened or changed."""
    if SWAPS and event in {"open", "os.chmod"} and str(arguments[0]).endswith("swapped"):
        outside, folder = SWAPS.pop("outside"), SWAPS.pop("folder")
        folder.rmdir()
        folder.symlink_to(outside)


sys.addaudithook(swap)


@pytest.mark.parametrize("where", ["", "within"])
def test_a_folder_that_becomes_a_link_is_not_followed(tmp_path: Path, where: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o755)
    (outside / "kept").touch()
    made = Scratch()
    folder = made.work / where / "swapped"
    folder.mkdir(parents=True)
    SWAPS.update(outside=outside, folder=folder)
    made.remove()
    assert not SWAPS
    assert stat.S_IMODE(outside.stat().st_mode) == 0o755
    assert (outside / "kept").exists()
    assert not made.work.parent.exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="no folder is closed to root: scripts/test-as-user")
def test_a_folder_that_is_closed_is_opened_by_no_link(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir(mode=0)
    (tmp_path / "link").symlink_to(outside)
    with pytest.raises((OSError, NotImplementedError)), scratch._opened(str(tmp_path / "link")):
        pass
    assert stat.S_IMODE(outside.stat().st_mode) == 0
