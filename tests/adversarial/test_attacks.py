"""Every attack is run as anybody's submission would be, and its row is held against the table."""

from __future__ import annotations

import re
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from adversarial.verdicts import REFERENCE_OPS, VERDICTS, Verdict
from sparsebench.evaluate.cell import run_cell
from sparsebench.evaluate.child.walls import landlock
from sparsebench.evaluate.plan import Limits, Selection, make_plan
from sparsebench.models import find_submission

if TYPE_CHECKING:
    from sparsebench.results import Row

ATTACKS = Path(__file__).parent / "attacks"
MEMORY = 1 << 30
NO_OCCASION = {"expert-poison", "unread-parameters", "executed-within-dense"}
"""Audits for which a submission may give no occasion."""


def run(folder: Path, *, instance: str = "n256-r4", seconds: float = 10.0) -> Row:
    cell = make_plan([find_submission(str(folder))], Selection(instances=(instance,)))[0]
    return run_cell(cell, Limits(seconds=seconds, memory=MEMORY))


def still_running(folder: Path) -> list[int]:
    """Processes that work in a folder: scratch folders are made there while a test runs."""
    found = []
    for process in psutil.process_iter():
        try:
            where = process.cwd()
        except (psutil.Error, OSError):  # gone meanwhile, not ours, or in a folder deeper than a path is long
            continue
        if where.startswith(str(folder)):
            found.append(process.pid)
    return found


def nothing_runs(folder: Path) -> bool:
    """Whether soon nothing runs there: what is killed takes a moment to go."""
    end = time.monotonic() + 5
    while still_running(folder) and time.monotonic() < end:
        time.sleep(0.05)
    return not still_running(folder)


def test_the_table_names_every_attack() -> None:
    assert {manifest.parent.name for manifest in ATTACKS.glob("*/submission.toml")} == VERDICTS.keys()


@pytest.mark.parametrize("name", sorted(VERDICTS))
def test_attack(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    verdict = VERDICTS[name]
    if landlock.version() < verdict.landlock:
        pytest.skip(f"it takes Landlock {verdict.landlock} to hold this; here it is {landlock.version()}")
    monkeypatch.setenv("SPARSEBENCH_TEST_SECRET", "SECRET")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    open_files = psutil.Process().num_fds()

    row = run(ATTACKS / name, instance=verdict.instance, seconds=verdict.seconds)

    check_row(row, verdict)
    assert psutil.Process().num_fds() <= open_files
    assert nothing_runs(tmp_path)
    assert not list(tmp_path.iterdir())


def check_row(row: Row, verdict: Verdict) -> None:
    assert re.fullmatch(verdict.status, row.status), row.reason
    assert re.search(verdict.says, row.reason or ""), row.reason
    assert "LEAK" not in (row.reason or "")
    assert row.reason is None or (row.reason.isprintable() and len(row.reason) < 1000)
    assert verdict.ops is None or row.ops == verdict.ops
    assert verdict.recall is None or row.recall == verdict.recall
    assert verdict.counted is None or row.ops_counted == verdict.counted
    if row.status == "ok":
        assert row.ops >= REFERENCE_OPS - 1 or row.quality < 0.05, "an attack gained something"
    unfinished = {
        audit.name
        for audit in row.audits
        if audit.verdict == "fail" or (audit.verdict == "not-run" and audit.name not in NO_OCCASION)
    }
    assert unfinished == ({verdict.audit} if verdict.audit else set())
    if verdict.audit == "timed-as-metered":
        assert row.predict_seconds_cpu is None
