"""Every attack is run as anybody's submission would be, and its row is held against the table."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from adversarial.level import held_here
from adversarial.verdicts import STEERED_OPS, VERDICTS, Verdict
from sparsebench.evaluate.cell import run_cell
from sparsebench.evaluate.plan import Limits, Selection, make_plan
from sparsebench.models import find_submission

if TYPE_CHECKING:
    from sparsebench.results import Row

ATTACKS = Path(__file__).parent / "attacks"
MEMORY = 1 << 30
NO_OCCASION = {"expert-poison", "unread-parameters", "executed-within-dense"}
"""Audits for which a submission may give no occasion."""


def run(
    folder: Path, *, instance: str = "n256-r4", seconds: float = 10.0, variants: tuple[str, ...] = ()
) -> Row:
    selection = Selection(instances=(instance,), variants=variants)
    cell = make_plan([find_submission(str(folder))], selection)[0]
    return run_cell(cell, Limits(seconds=seconds, memory=MEMORY))


def test_the_table_names_every_attack() -> None:
    named = {name.partition("/")[0] for name in VERDICTS}
    assert {manifest.parent.name for manifest in ATTACKS.glob("*/submission.toml")} == named


@pytest.mark.parametrize("name", sorted(VERDICTS))
def test_attack(name: str, undisturbed: Path, sandbox_level: str) -> None:
    verdict = VERDICTS[name].at(sandbox_level)
    if not held_here(verdict.level, sandbox_level):
        pytest.skip(f"it takes the level {verdict.level} to hold this; here it is {sandbox_level}")
    folder, _, variant = name.partition("/")
    open_files = psutil.Process().num_fds()

    row = run(
        ATTACKS / folder,
        instance=verdict.instance,
        seconds=verdict.seconds,
        variants=(variant,) if variant else (),
    )

    check_row(row, verdict)
    assert row.sandbox == sandbox_level
    assert psutil.Process().num_fds() <= open_files


def check_row(row: Row, verdict: Verdict) -> None:
    assert re.fullmatch(verdict.status, row.status), row.reason
    assert re.search(verdict.says, row.reason or ""), row.reason
    assert "LEAK" not in (row.reason or ""), row.reason
    assert row.reason is None or (row.reason.isprintable() and len(row.reason) < 1000)
    assert verdict.ops is None or row.ops == verdict.ops
    assert row.status != "ok" or row.ops >= verdict.least
    assert row.status != "ok" or not verdict.stores or row.memory_bytes > verdict.stores
    assert verdict.recall is None or row.recall == verdict.recall
    assert verdict.counted is None or row.ops_counted == verdict.counted
    if row.status == "ok":
        assert row.ops >= STEERED_OPS or row.quality < 0.05, "an attack gained something"
    unfinished = {
        audit.name
        for audit in row.audits
        if audit.name != "timed-as-metered-gpu"  # see test_kernels.py
        and (audit.verdict == "fail" or (audit.verdict == "not-run" and audit.name not in NO_OCCASION))
    }
    assert unfinished == ({verdict.audit} if verdict.audit else set())
    if verdict.audit == "timed-as-metered":
        assert row.predict_seconds_cpu is None
