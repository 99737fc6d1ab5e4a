"""Where a cell's time goes: every second in one stage, those of the submission's processes too."""

import subprocess
import sys
import time

import pytest

from evaluate.tiny import ROOT, cell_of, plain, write
from sparsebench.evaluate.cell import run_cell
from sparsebench.evaluate.clock import STAGES, Clock
from sparsebench.evaluate.plan import Limits


def test_a_second_belongs_to_the_innermost_stage():
    clock = Clock()
    begin = time.perf_counter()
    with clock.stage("fit"):
        time.sleep(0.02)
        with clock.stage("start"):
            clock.child(2.0)
            time.sleep(0.05)
        clock.child(3.0)
    passed = time.perf_counter() - begin
    assert clock.stages["start"].wall >= 0.05
    assert 0.02 <= clock.stages["fit"].wall < 0.05
    assert sum(stage.wall for stage in clock.stages.values()) == pytest.approx(passed, abs=0.01)
    assert (clock.stages["start"].child, clock.stages["fit"].child) == (2.0, 3.0)
    clock.child(1.0)  # in no stage
    assert sum(stage.child for stage in clock.stages.values()) == 5.0


def test_a_cell_tells_of_all_its_stages(tmp_path):
    busy = "end = time.process_time() + 0.2\nwhile time.process_time() < end: pass\n"
    fit = f"{busy}return {{'w': np.zeros(4), 'b': np.zeros(1)}}"
    clock = Clock()
    row = run_cell(cell_of(write(tmp_path / "mine", plain(fit=fit))), Limits(), clock)
    assert row.status == "ok", row.reason
    assert tuple(sorted(clock.stages)) == tuple(sorted(STAGES))
    assert clock.stages["fit"].child >= 0.2
    assert clock.stages["start"].child > 0
    assert all(stage.processor > 0 for stage in clock.stages.values())


def test_the_report_is_made():
    command = [sys.executable, ROOT / "harness" / "reports" / "stages.py", "constant", "--runs", "1"]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
    assert "| `constant/best` on `n256-r4` |" in told
    assert "| `sparsebench eval constant --instances n256-r4 --seeds 1` |" in told
