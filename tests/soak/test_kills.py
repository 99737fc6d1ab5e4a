"""A run whose processes are killed at random ends, after --resume, in the rows of an undisturbed run."""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from sparsebench.results import MEASURED

if TYPE_CHECKING:
    from pathlib import Path

SEEDS = int(os.environ.get("SPARSEBENCH_SOAK_SEEDS", "0"))
"""Seeds of each variant: 4 of them are 52 cells, 16 are 208."""
ASKED = ("constant", "conditional-tree", "lsh-constant", "--small", "--variants", "best,full,planes-8")


def start(store: Path, folder: Path, *options: str) -> subprocess.Popen[str]:
    """Start a run; its processes can be told from others by their search path."""
    command = [sys.executable, "-c", "from sparsebench.cli import main; main()", "eval", *ASKED]
    command += ["--seeds", str(SEEDS), "--jobs", "2", "--json", "--output", str(store), *options]
    (folder / "scratch").mkdir(exist_ok=True)
    environment = os.environ | {"TMPDIR": str(folder / "scratch"), "PATH": f"{os.environ['PATH']}:{folder}"}
    return subprocess.Popen(
        command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )


def finished(run: subprocess.Popen[str]) -> tuple[int, dict[str, dict[str, object]]]:
    out, _ = run.communicate(timeout=1200)
    rows = {row["cell_key"]: row for row in json.loads(out)}
    kept = {
        key: {n: v for n, v in row.items() if n not in MEASURED and n != "audits"}
        for key, row in rows.items()
    }
    return run.returncode, kept


def kill_now_and_then(run: subprocess.Popen[str], draws: random.Random) -> int:
    """Kill processes of a run but its first one, until it ends; give how many."""
    kills = 0
    while run.poll() is None:
        time.sleep(draws.uniform(0.05, 0.6))
        with contextlib.suppress(psutil.Error):
            descendants = psutil.Process(run.pid).children(recursive=True)
            if descendants:
                draws.choice(sorted(descendants, key=lambda process: process.pid)).kill()
                kills += 1
        if kills >= 10 * SEEDS:
            break
    return kills


def left_over(folder: Path) -> list[int]:
    """Processes of the runs that are still there."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if str(folder) in process.environ().get("PATH", "") and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
    return found


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.skipif(not SEEDS, reason="it takes minutes: set SPARSEBENCH_SOAK_SEEDS, to 4 or 16 for example")
@pytest.mark.skipif(sys.platform != "linux", reason="processes are found by their environment: Linux only")
def test_kills_cost_time_and_nothing_else(tmp_path: Path) -> None:
    code, expected = finished(start(tmp_path / "quiet", tmp_path))
    assert code == 0
    disturbed = start(tmp_path / "disturbed", tmp_path)
    kills = kill_now_and_then(disturbed, random.Random(20260))
    finished(disturbed)
    assert kills >= 2
    code, got = finished(start(tmp_path / "disturbed", tmp_path, "--resume"))
    assert code == 0
    assert got == expected
    end = time.monotonic() + 10
    while left_over(tmp_path) and time.monotonic() < end:
        time.sleep(0.1)
    assert not left_over(tmp_path)
    assert not list((tmp_path / "scratch").iterdir())
