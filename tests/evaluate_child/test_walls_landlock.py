"""Which files the walls cover, and what they say where the kernel cannot hold them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparsebench.evaluate.child.walls import Plan, WallError, landlock

if TYPE_CHECKING:
    from collections.abc import Iterable

needs_landlock = pytest.mark.skipif(
    landlock.version() == 0, reason="this kernel has no Landlock: nothing holds files here"
)

NAMES = st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map("/".join)


def beneath(path: Path, roots: Iterable[Path]) -> bool:
    return any(path.is_relative_to(root) for root in roots)


@given(files=st.sets(NAMES, min_size=1, max_size=12), holes=st.sets(NAMES, max_size=3))
def test_without_covers_everything_but_the_holes(
    tmp_path_factory: pytest.TempPathFactory, files: set[str], holes: set[str]
) -> None:
    root = tmp_path_factory.mktemp("tree")
    leaves = [root / name / "leaf" for name in files]
    for leaf in leaves:
        leaf.parent.mkdir(parents=True, exist_ok=True)
        leaf.touch()
    closed = [root / hole for hole in holes]
    around = landlock._without(root, closed)
    for leaf in leaves:
        assert beneath(leaf, around) is not beneath(leaf, closed)
    assert not any(hole.is_relative_to(part) for part in around for hole in closed if hole.exists())


def test_without_a_hole_is_the_root_itself(tmp_path: Path) -> None:
    assert landlock._without(tmp_path, [tmp_path.parent / "elsewhere"]) == [tmp_path]
    assert landlock._without(tmp_path, [tmp_path / "not there"]) == [tmp_path]


@pytest.mark.parametrize("hole", [".", ".."])
def test_inside_a_hole_nothing_is_covered(tmp_path: Path, hole: str) -> None:
    assert landlock._without(tmp_path, [(tmp_path / hole).resolve()]) == []


def test_a_link_into_a_hole_is_not_covered(tmp_path: Path) -> None:
    (tmp_path / "hole").mkdir()
    (tmp_path / "link").symlink_to("hole")
    (tmp_path / "file").touch()
    assert landlock._without(tmp_path, [tmp_path / "hole"]) == [tmp_path / "file"]


def test_a_folder_that_cannot_be_listed_covers_nothing(tmp_path: Path) -> None:
    assert landlock._inside(tmp_path / "not there") == []


def test_the_tasks_are_never_readable() -> None:
    package = Path(landlock.__file__).resolve().parents[3]
    covered = list(landlock._readable([Path("/usr/share")]))
    tasks = [place for place in (package / "_data" / "tasks", package.parents[1] / "tasks") if place.is_dir()]
    assert tasks
    for closed in (*tasks, Path("/usr/share/dict")):
        assert not beneath(closed, covered)
    assert beneath(package / "meter" / "client" / "array.py", covered)


def test_nothing_is_covered_twice() -> None:
    covered = list(landlock._readable([]))
    assert not any(one != other and one.is_relative_to(other) for one in covered for other in covered)
    assert len(set(covered)) == len(covered)


@needs_landlock
def test_descriptors_say_what_they_are_of() -> None:
    found = landlock.descriptors([])
    kinds = {str(Path(f"/proc/self/fd/{descriptor}").readlink()): folder for descriptor, folder in found}
    for descriptor, _ in found:
        os.close(descriptor)
    assert kinds["/usr"] is True
    assert kinds["/dev/urandom"] is False


def test_without_landlock_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(landlock, "version", lambda: 0)
    with pytest.raises(WallError, match="no Landlock"):
        landlock.restrict(Plan("restricted", tmp_path, tmp_path, (), None), [])


def test_elsewhere_than_linux_nothing_is_asked_of_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("there are no such system calls here")

    monkeypatch.setattr(landlock, "syscall", refuse)
    monkeypatch.setattr(landlock, "LINUX", False)
    assert landlock.version() == 0


def test_a_kernel_that_refuses_the_ruleset(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*_: object) -> int:
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr(landlock, "version", lambda: 1)
    monkeypatch.setattr(landlock, "_new_ruleset", refuse)
    with pytest.raises(WallError, match="Landlock: Invalid argument"):
        landlock.restrict(Plan("restricted", tmp_path, tmp_path, (), None), [])


@needs_landlock
@pytest.mark.parametrize("version", range(1, landlock.version() + 1))
def test_rulesets_of_every_older_version_are_accepted(version: int) -> None:
    descriptor = landlock._new_ruleset(version, landlock._files(version))
    assert descriptor >= 0
    os.close(descriptor)
