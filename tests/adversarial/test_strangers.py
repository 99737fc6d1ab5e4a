"""Processes know nothing of each other: passes, cells, variants, and runs after one that misbehaved."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from adversarial.level import held_here
from adversarial.test_attacks import ATTACKS, run
from adversarial.verdicts import REFERENCE_OPS
from sparsebench.author.check import check_submission

if TYPE_CHECKING:
    from pathlib import Path

    from sparsebench.results import Row

WITHOUT_WALLS = """
import importlib.util, json, sys
spec = importlib.util.spec_from_file_location("submission", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
found = []
for way in sys.argv[3:]:
    try:
        if getattr(module, f"{sys.argv[2]}_{way}")() is not False:
            found.append(way)
    except OSError:
        continue
print(" ".join(found))
"""
OBJECTS = ("shared_memory", "semaphores", "messages", "queues", "posix_memory", "named_semaphores", "keys")
"""What the kernel keeps, and what is safe to leave on this machine for a moment."""


@pytest.fixture
def walled(undisturbed: Path, sandbox_level: str) -> None:
    if not held_here("restricted", sandbox_level):
        pytest.skip(f"it takes the level restricted; here it is {sandbox_level}")


def attack(name: str, **options: object) -> Row:
    folder, _, variant = name.partition("/")
    return run(ATTACKS / folder, variants=(variant,) if variant else (), **options)  # type: ignore[arg-type]


def test_without_walls_marks_arrive(tmp_path: Path) -> None:
    """Or that none arrives behind walls would show nothing."""

    def python(what: str) -> set[str]:
        ran = subprocess.run(
            [
                sys.executable,
                "-c",
                WITHOUT_WALLS,
                str(ATTACKS / "channels" / "submission.py"),
                what,
                *OBJECTS,
            ],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
            cwd=tmp_path,
        )
        return set(ran.stdout.split())

    python("look")  # what another run may have left
    left = python("put")
    if not left:
        pytest.skip("this system lets nobody leave anything")
    assert python("look") == left
    assert not python("look")


@pytest.mark.usefixtures("walled")
def test_nothing_reaches_the_next_cell() -> None:
    for _ in range(2):
        row = attack("channels/everywhere", seconds=60.0)
        assert (row.status, row.recall) == ("ok", 0.0), row.reason


@pytest.mark.usefixtures("walled")
def test_a_variant_learns_nothing_of_another() -> None:
    for variant in ("spy", "thief"):
        row = attack(f"cross-cell/{variant}", instance="distance-2d")
        assert row.status == "failed"


@pytest.mark.usefixtures("walled")
@pytest.mark.parametrize(
    "name",
    [
        "prlimit",
        "forks-without-end",
        "leaves-a-daemon",
        "ignores-being-told-to-end",
        "takes-memory-in-children",
    ],
)
def test_the_run_goes_on(name: str) -> None:
    attack(name, seconds=5.0)
    row = attack("floods-its-output")
    assert (row.status, row.ops, row.recall) == ("ok", REFERENCE_OPS, 1.0), row.reason


@pytest.mark.parametrize("turn", range(3))
@pytest.mark.usefixtures("undisturbed")
def test_the_order_of_a_set_differs_between_passes_every_time(turn: int) -> None:
    row = attack("orders-by-a-set")
    assert row.status == "invalid", row.reason
    assert "alone" in (row.reason or "")


@pytest.mark.parametrize("name", ["orders-by-a-set-in-fit", "draws-from-the-global-state-in-fit"])
def test_check_finds_a_fit_that_is_not_the_same_twice(name: str) -> None:
    found = {check.name.rpartition(" ")[2]: check for check in check_submission(str(ATTACKS / name))}
    assert not found["runs-again"].ok
    assert "differ" in found["runs-again"].detail
