"""Files that are written whole, or not at all."""

import os
import stat
import sys
from pathlib import Path

import pytest

from sparsebench.ground import replacing as module
from sparsebench.ground.replacing import (
    replace_all,
    replace_bytes,
    replace_text,
    replacing,
    write_first,
    write_new,
)

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="permissions are POSIX's")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def permissions(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(autouse=True)
def usual_mask():
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.parametrize("before", [None, b"old"])
@pytest.mark.parametrize("durable", [True, False])
def test_bytes_take_the_place_of_a_file(tmp_path, before, durable):
    path = tmp_path / "one"
    if before is not None:
        path.write_bytes(before)
    replace_bytes(path, b"new", durable=durable)
    assert (path.read_bytes(), names(tmp_path)) == (b"new", ["one"])


def test_a_text_is_utf_8_with_lines_as_they_are(tmp_path):
    replace_text(tmp_path / "one", "…\n\r\nx")
    assert (tmp_path / "one").read_bytes() == "…\n\r\nx".encode()


@POSIX
def test_a_text_leaves_permissions_as_they_were(tmp_path):
    path = tmp_path / "one"
    replace_text(path, "a")
    assert permissions(path) == 0o644
    path.chmod(0o640)
    replace_text(path, "b")
    assert permissions(path) == 0o640


@POSIX
@pytest.mark.parametrize(("mode", "left"), [(0o666, 0o644), (0o600, 0o600)])
def test_bytes_have_the_permissions_that_the_process_gives(tmp_path, mode, left):
    replace_bytes(tmp_path / "one", b"", mode=mode)
    write_first(tmp_path / "two", b"", mode=mode)
    assert permissions(tmp_path / "one") == permissions(tmp_path / "two") == left


@POSIX
def test_what_was_written_beside_gets_its_permissions_in_the_end(tmp_path):
    with replacing(tmp_path / "one", mode=0o644) as temporary:
        write_new(temporary, b"x", mode=0o600)
    assert permissions(tmp_path / "one") == 0o644


def test_what_fails_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "one"
    path.write_bytes(b"old")

    def full(_):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        replace_bytes(path, b"new")
    with pytest.raises(KeyError):
        half_written(path)
    assert (path.read_bytes(), names(tmp_path)) == (b"old", ["one"])


def half_written(path):
    with replacing(path) as temporary:
        temporary.write_bytes(b"half")
        raise KeyError


def test_what_is_there_is_not_new(tmp_path):
    write_new(tmp_path / "one", b"old")
    with pytest.raises(FileExistsError):
        write_new(tmp_path / "one", b"new")
    assert (tmp_path / "one").read_bytes() == b"old"


def test_only_what_is_to_last_is_awaited(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(os, "fsync", asked.append)
    replace_text(tmp_path / "one", "a")
    write_first(tmp_path / "two", b"a")
    replace_bytes(tmp_path / "three", b"a", durable=False)
    assert asked == []
    replace_bytes(tmp_path / "three", b"a")
    assert len(asked) == 1


def test_of_several_the_first_one_stays(tmp_path):
    for content in (b"first", b"second"):
        write_first(tmp_path / "one", content)
    assert ((tmp_path / "one").read_bytes(), names(tmp_path)) == (b"first", ["one"])


def tree(folder):
    """Give path -> bytes of the files of a folder, and None for folders."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def test_several_files_are_replaced_and_others_removed(tmp_path):
    (tmp_path / "a").write_bytes(b"old")
    (tmp_path / "b").write_bytes(b"old")
    new = {tmp_path / "a": b"1", tmp_path / "deep" / "er" / "c": b"2"}
    replace_all(new, gone=[tmp_path / "b", tmp_path / "missing"])
    assert tree(tmp_path) == {"a": b"1", "deep": None, "deep/er": None, "deep/er/c": b"2"}


@pytest.mark.parametrize("fault", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("fails", range(1, 8))
def test_if_any_step_fails_all_is_as_it_was(tmp_path, monkeypatch, fails, fault):
    (tmp_path / "a").write_bytes(b"old")
    (tmp_path / "b").write_bytes(b"old")
    before = tree(tmp_path)
    calls = iter(range(1, 100))

    def counted(genuine):
        def step(*arguments, **options):
            if next(calls) == fails:
                raise fault
            return genuine(*arguments, **options)

        return step

    monkeypatch.setattr(module, "write_new", counted(module.write_new))
    monkeypatch.setattr(Path, "replace", counted(Path.replace))
    unlink = Path.unlink

    def unlinked(path, missing_ok=False):
        if not path.name.endswith(".tmp") and next(calls) == fails:
            raise fault
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", unlinked)
    new = {tmp_path / "a": b"1", tmp_path / "deep" / "c": b"2", tmp_path / "d": b"3"}
    with pytest.raises(type(fault)):
        replace_all(new, gone=[tmp_path / "b"])
    assert tree(tmp_path) == before
