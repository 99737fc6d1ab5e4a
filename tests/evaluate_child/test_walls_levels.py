"""What walled processes can and cannot do: real ones, at both levels, for root and for an ordinary user."""

from __future__ import annotations

import errno
import functools
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sparsebench.evaluate.child import walls
from sparsebench.evaluate.child.walls import landlock, system

INSIDE = Path(__file__).with_name("walls_inside.py")
HARNESS = Path(walls.__file__).parents[4]
ORDINARY = 64321  # nobody's: other processes of its user would count against the limit of processes

pytestmark = pytest.mark.skipif(not landlock.version(), reason="no Landlock here: no walls to be put up")


@functools.cache
def python_of(user: int) -> str | None:
    """Find a Python that a user can run: ours may be below a folder closed to others."""
    for candidate in (sys.executable, "/usr/bin/python3"):
        check = "import sys, sparsebench.errors; sys.exit(sys.version_info < (3, 11))"
        given: dict[str, Any] = (
            {} if user == os.geteuid() else {"user": user, "group": user, "extra_groups": []}
        )
        try:
            done = subprocess.run(
                [candidate, "-c", check], check=False, capture_output=True, env=environment(), **given
            )
        except OSError:
            continue
        if done.returncode == 0:
            return candidate
    return None


def environment() -> dict[str, str]:
    return {"PYTHONPATH": str(HARNESS), "PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}


def command(level: str, user: int, *more: str) -> list[str]:
    python = python_of(user)
    if python is None:
        pytest.skip(f"no Python here that user {user} can run, of 3.11 or later")
    return [python, "-W", "error", str(INSIDE), level, str(user), *more]


@functools.cache
def everything(level: str, user: int) -> dict[str, Any]:
    done = subprocess.run(
        command(level, user), capture_output=True, text=True, check=False, env=environment(), timeout=120
    )
    if "WallError" in done.stderr and level == "isolated":
        pytest.skip(f"this system does not isolate: {done.stderr.splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


USERS = [0, ORDINARY] if os.geteuid() == 0 else [os.geteuid()]
each_level = pytest.mark.parametrize("level", ["isolated", "restricted"])
each_user = pytest.mark.parametrize("user", USERS, ids=lambda user: "ordinary" if user else "root")


@pytest.fixture
def told(level: str, user: int) -> dict[str, Any]:
    return everything(level, user)


@each_level
@each_user
class TestBoth:
    @pytest.mark.parametrize("canaries", ["canaries", "old canaries"])
    def test_what_the_level_requires_is_held(self, told: Any, level: str, canaries: str) -> None:
        held = told[canaries]["told"]
        assert {name for name in walls.required(level) if not held[name]} == set()

    def test_it_has_no_powers_and_gains_none(self, told: Any, user: int) -> None:
        status = told["status"]["told"]
        kept = 0 if user else 1 << 2  # to read what others own
        sets = {name: int(status[name], 16) for name in ("CapEff", "CapPrm", "CapInh", "CapAmb")}
        assert set(sets.values()) == {kept}
        assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
        assert status["Groups"] in {"", str(user)}

    def test_it_is_another_user_than_root(self, told: Any, user: int) -> None:
        uids = set(told["status"]["told"]["Uid"].split())
        assert len(uids) == 1
        assert uids != {"0"}
        assert set(told["status"]["told"]["Gid"].split()) == uids
        assert len(set(told["users"])) == (1 if user else 3)  # each child of root's its own

    @pytest.mark.parametrize("version", range(1, landlock.version() + 1))
    def test_files(self, told: Any, level: str, version: int) -> None:
        refused = {"write code", "read hidden", "list around hidden", "thread's name"}
        found = told[f"files {version}"]["told"]
        assert {name for name, may in found.items() if may != "yes"} == refused

    def test_honest_things_work(self, told: Any) -> None:
        assert told["honest"] == {
            "told": {
                "machine": [True],
                "program": ["1"],
                "threads": 4,
                "pair": 2,
                "processors": True,
                "own": None,
                "nice": 0,
                "kill": -signal.SIGKILL,
                "temporary": True,
            },
            "ended": 0,
        }

    def test_a_pair_of_sockets_has_no_address(self, told: Any) -> None:
        assert told["pairs"] == {"told": ["yes", "PermissionError", "PermissionError"], "ended": 0}

    def test_memory_and_files_are_limited(self, told: Any) -> None:
        assert told["memory"]["told"].startswith("MemoryError")
        assert f"[Errno {errno.EFBIG}]" in told["big_file"]["told"]

    def test_calls_from_other_tables_are_not_there(self, told: Any) -> None:
        assert told["other_numbers"] == {"told": [[-1, errno.ENOSYS]] * 2, "ended": 0}

    def test_a_gpu_gets_its_memory_and_its_threads_names(self, told: Any) -> None:
        assert told["gpu"] == {"told": ["yes", 256 << 20], "ended": 0}

    def test_a_child_goes_with_its_parent(self, told: Any) -> None:
        assert told["orphan"] == str(-signal.SIGKILL)

    def test_times_and_modes_of_what_others_see_stay(self, told: Any, level: str, user: int) -> None:
        found = told["attributes"]["told"]
        assert "yes" not in {found[name] for name in ("mode", "attribute", "times", "device's times")}
        own = "yes" if level == "isolated" else "PermissionError"
        assert found["own times"] == own
        assert found["own mode"] == (own if user else "yes")


@pytest.mark.parametrize("level", ["isolated"])
@each_user
class TestIsolated:
    def test_it_is_the_first_of_its_processes(self, told: Any) -> None:
        assert told["numbers"]["told"] == [1, 0, True]

    def test_what_it_leaves_is_gone(self, told: Any) -> None:
        assert told["left"] == "gone"

    def test_its_processes_see_each_other(self, told: Any) -> None:
        assert told["proc"] in (
            {"told": [[True], [True], "yes"], "ended": 0},
            {"told": [[], [], "PermissionError"], "ended": 0},  # in containers that mask parts of /proc
        )

    def test_processes_share_semaphores(self, told: Any) -> None:
        assert told["pool"] == {"told": [1, 2], "ended": 0}

    def test_abort_is_seen(self, told: Any) -> None:
        assert told["abort"]["ended"] == -signal.SIGSEGV  # the first process of a namespace sends itself none


@pytest.mark.parametrize("level", ["restricted"])
@each_user
class TestRestricted:
    def test_it_leads_a_session(self, told: Any) -> None:
        own, parent, leads = told["numbers"]["told"]
        assert own != 1
        assert parent > 0
        assert leads

    def test_what_it_leaves_is_its_parents_to_end(self, told: Any) -> None:
        assert told["left"] == "ended"

    def test_semaphores_are_refused_in_so_many_words(self, told: Any) -> None:
        assert told["pool"]["told"].startswith("PermissionError")

    def test_abort_is_seen(self, told: Any) -> None:
        assert told["abort"]["ended"] == -signal.SIGABRT


@each_level
@each_user
def test_entering_passes_the_exit_code_on(level: str, user: int) -> None:
    everything(level, user)  # skips where there is no such level
    assert subprocess.run(command(level, user, "exit"), check=False, env=environment()).returncode == 7


@each_user
def test_who_waits_outside_takes_the_inner_process_with_it(user: int) -> None:
    everything("isolated", user)
    with subprocess.Popen(
        command("isolated", user, "wait"), stdout=subprocess.PIPE, env=environment()
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        process.kill()
        assert process.stdout.read() == b""  # nobody holds the other end any more


def test_a_level_that_nobody_knows() -> None:
    with pytest.raises(walls.WallError, match="expected one of none, restricted, isolated, got 'high'"):
        walls.prepare("high")


def test_a_plan_of_another_level_than_prepared(tmp_path: Path) -> None:
    with pytest.raises(walls.WallError, match="prepared for none, asked for restricted"):
        walls.put_up(walls.Prepared("none"), walls.Plan("restricted", tmp_path, tmp_path, (), None))


@pytest.mark.skipif(os.getpid() == 1, reason="the tests are the first process of a PID namespace")
def test_isolated_is_refused_to_who_was_not_forked_for_it(tmp_path: Path) -> None:
    with pytest.raises(walls.WallError, match="not the first of a PID namespace"):
        walls.put_up(walls.Prepared("isolated"), walls.Plan("isolated", tmp_path, tmp_path, (), None))


@pytest.mark.parametrize("level", ["restricted", "isolated"])
def test_elsewhere_than_linux_there_are_no_walls(monkeypatch: pytest.MonkeyPatch, level: str) -> None:
    def refuse() -> None:
        raise AssertionError("there are no such system calls here")

    monkeypatch.setattr(walls, "LINUX", False)
    monkeypatch.setattr(system, "libc", refuse)
    walls.enter(level)
    assert walls.prepare("none") == walls.Prepared("none")
    with pytest.raises(walls.WallError, match="only Linux"):
        walls.prepare(level)


def test_every_canary_says_what_it_is() -> None:
    assert set(walls.describe()) == walls.required("isolated")
    assert walls.required("none") < walls.required("restricted") < walls.required("isolated")
    assert walls.required("none") == frozenset()
