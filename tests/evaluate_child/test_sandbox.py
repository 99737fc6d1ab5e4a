"""What the sandbox covers, and what it says where it cannot."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparsebench.evaluate.child import sandbox

if TYPE_CHECKING:
    from collections.abc import Iterable

needs_landlock = pytest.mark.skipif(
    sandbox.landlock_version() == 0, reason="this kernel has no Landlock: nothing holds files here"
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
    around = sandbox._without(root, closed)
    for leaf in leaves:
        assert beneath(leaf, around) is not beneath(leaf, closed)
    assert not any(hole.is_relative_to(part) for part in around for hole in closed if hole.exists())


def test_without_a_hole_is_the_root_itself(tmp_path: Path) -> None:
    assert sandbox._without(tmp_path, [tmp_path.parent / "elsewhere"]) == [tmp_path]
    assert sandbox._without(tmp_path, [tmp_path / "not there"]) == [tmp_path]


@pytest.mark.parametrize("hole", [".", ".."])
def test_inside_a_hole_nothing_is_covered(tmp_path: Path, hole: str) -> None:
    assert sandbox._without(tmp_path, [(tmp_path / hole).resolve()]) == []


def test_a_link_into_a_hole_is_not_covered(tmp_path: Path) -> None:
    (tmp_path / "hole").mkdir()
    (tmp_path / "link").symlink_to("hole")
    (tmp_path / "file").touch()
    assert sandbox._without(tmp_path, [tmp_path / "hole"]) == [tmp_path / "file"]


def test_the_tasks_are_never_readable() -> None:
    package = Path(sandbox.__file__).resolve().parents[2]
    covered = list(sandbox._readable(Path("/submission"), [Path("/usr/share")]))
    tasks = [place for place in (package / "_data" / "tasks", package.parents[1] / "tasks") if place.is_dir()]
    assert tasks
    for closed in (*tasks, Path("/usr/share/dict")):
        assert not beneath(closed, covered)
    assert beneath(Path("/submission/submission.py"), covered)
    assert beneath(package / "meter" / "client" / "array.py", covered)


def test_without_landlock_it_says_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sandbox, "landlock_version", lambda: 0)
    assert sandbox.protect(tmp_path, tmp_path) == "none"


def test_elsewhere_than_linux_nothing_is_asked_of_the_kernel(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse() -> None:
        raise AssertionError("there are no such system calls here")

    monkeypatch.setattr(sandbox, "_libc", refuse)
    monkeypatch.setattr(sys, "platform", "darwin")
    sandbox.die_with_parent()
    sandbox.drop_powers()
    assert sandbox.landlock_version() == 0
    assert sandbox.protect(tmp_path, tmp_path) == "none"


def test_a_kernel_that_refuses_the_ruleset_gives_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sandbox, "landlock_version", lambda: 1)
    monkeypatch.setattr(sandbox, "_new_ruleset", lambda *_: -1)
    assert sandbox.protect(tmp_path, tmp_path) == "none"


@needs_landlock
@pytest.mark.parametrize("version", range(1, sandbox.landlock_version() + 1))
def test_rulesets_of_every_older_version_are_accepted(version: int) -> None:
    files = sandbox._FILES_BY_VERSION[min(version, 3)]
    descriptor = sandbox._new_ruleset(sandbox._libc(), version, files)
    assert descriptor >= 0
    os.close(descriptor)


INSIDE = """
import os, sys
from pathlib import Path
from sparsebench.evaluate.child import sandbox
code, work, hidden, version = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])
sys.prefix = str(hidden.parent)  # a place that is open around what is hidden
sandbox.landlock_version = lambda: version
assert sandbox.protect(code, work, [hidden]) == "files"

def may(action):
    try:
        action()
    except OSError as error:
        return type(error).__name__
    return "yes"

print(
    may((code / "file").read_bytes),
    may(lambda: (code / "file").write_bytes(b"")),
    may(lambda: (work / "file").write_bytes(b"")),
    may((hidden / "file").read_bytes),
    may((hidden.parent / "file").read_bytes),
    may(lambda: os.listdir(hidden.parent)),
    may(Path("/proc/self/status").read_bytes),
    may(Path(f"/proc/{os.getppid()}/environ").read_bytes),
    may(Path("/dev/urandom").open("rb").close),
    may(Path("/dev/null").open("r+b", buffering=0).close),
)
"""


@needs_landlock
@pytest.mark.parametrize("version", range(1, sandbox.landlock_version() + 1))
def test_what_a_process_may_do_inside(tmp_path: Path, version: int) -> None:
    for name in ("code", "work", "open", "open/hidden"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("x")
    places = [str(tmp_path / name) for name in ("code", "work", "open/hidden")]
    command = [sys.executable, "-c", textwrap.dedent(INSIDE), *places, str(version)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    no = "PermissionError"
    assert told == ["yes", no, "yes", no, "yes", no, "yes", no, "yes", "yes"]


def limited(code: str) -> subprocess.CompletedProcess[str]:
    start = "from sparsebench.evaluate.child import sandbox\nsandbox.limit_memory(64 << 20)\n"
    return subprocess.run([sys.executable, "-c", start + code], capture_output=True, text=True, check=False)


@pytest.mark.skipif(sys.platform != "linux", reason="address space is limited on Linux only")
def test_memory_is_limited() -> None:
    assert "MemoryError" in limited("bytearray(128 << 20)").stderr
    assert limited("bytearray(16 << 20)").returncode == 0


@pytest.mark.skipif(sys.platform != "linux", reason="address space is limited on Linux only")
def test_memory_is_not_limited_for_a_gpu() -> None:
    code = """
        import resource
        from sparsebench.evaluate.child import sandbox
        sandbox.limit_memory(None)
        print(resource.getrlimit(resource.RLIMIT_AS)[0], resource.getrlimit(resource.RLIMIT_FSIZE)[0])
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert told == [str(resource.getrlimit(resource.RLIMIT_AS)[0]), str(1 << 30)]


NAMES_A_THREAD = """
import os
import sys
from pathlib import Path
from sparsebench.evaluate.child import sandbox

work, gpu = Path(sys.argv[1]), sys.argv[2] == "True"
assert sandbox.protect(work, work, gpu=gpu) == "files"
try:
    Path(f"/proc/self/task/{os.getpid()}/comm").write_text("x")
except PermissionError:
    print("no")
else:
    print("yes")
"""


@needs_landlock
@pytest.mark.parametrize(("gpu", "may"), [(False, "no"), (True, "yes")])
def test_threads_are_named_only_where_cuda_does_it(tmp_path: Path, gpu: bool, may: str) -> None:
    command = [sys.executable, "-c", NAMES_A_THREAD, str(tmp_path), str(gpu)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.split() == [may]


def test_files_are_limited(tmp_path: Path) -> None:
    told = limited(f"open({str(tmp_path / 'f')!r}, 'wb').truncate((1 << 30) + 1)")
    assert "File too large" in told.stderr


@pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="only root on Linux has powers to be dropped"
)
def test_powers_are_dropped() -> None:
    code = """
        from pathlib import Path
        from sparsebench.evaluate.child import sandbox
        sandbox.drop_powers()
        print(next(l for l in Path("/proc/self/status").read_text().splitlines() if l.startswith("CapEff")))
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert int(told[1], 16) == 2  # of all powers, the one to read what others own
