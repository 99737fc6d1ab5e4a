"""Kernels of a submission's own that do harm cost it no score, and `sparsebench check` says what they do.

What is scored is their reference. Without a GPU they are compiled, and run on the processor where that
shows what they do; `pytest -m gpu tests/adversarial` does the rest where there is one.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from adversarial.test_attacks import ATTACKS
from cuda import shim
from sparsebench.author.check import check_submission
from sparsebench.evaluate.cell import run_cell
from sparsebench.evaluate.child.gpu import gpu_name
from sparsebench.evaluate.plan import Limits, Selection, make_plan
from sparsebench.models import find_submission
from sparsebench.models.opening import load_entry
from sparsebench.ops.core import own
from sparsebench.ops.gpu import nvrtc

if TYPE_CHECKING:
    from sparsebench.author.check import Check

OPS = 4 + 7  # an addition for each of four numbers, and their inner product with a weight
BAD = (
    "kernel-does-not-compile",
    "kernel-never-ends",
    "kernel-reads-out-of-bounds",
    "kernel-writes-out-of-bounds",
)
needs_gpu = pytest.mark.skipif(gpu_name() is None, reason="there is no GPU here, or no CuPy")


def found_by_check(name: str) -> dict[str, Check]:
    return {
        check.name.partition(" on ")[2].partition(" ")[2]: check
        for check in check_submission(str(ATTACKS / name))
    }


@pytest.mark.parametrize("name", BAD)
def test_check_says_which_kernel_does_not_compile(name: str) -> None:
    if nvrtc.find_library() is None:
        pytest.skip("NVRTC is not installed: nothing can be compiled")
    found = found_by_check(name)
    compiles = found["shifted compiles"]
    assert compiles.ok == (name != "kernel-does-not-compile"), compiles.detail
    assert compiles.ok or "kernel.cu" in compiles.detail
    assert found["runs"].ok
    assert found["runs"].detail.startswith(f"ops {OPS} ")


@pytest.fixture
def shifted(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> own.OwnPrimitive:
    """The own primitive of a submission, loaded as a cell loads it."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(own, "DEFINED", [])
    load_entry(ATTACKS / request.param, "submission:Attack")
    del sys.modules["submission"]
    return own.DEFINED[0]


@pytest.mark.skipif(shim.MISSING is not None, reason=str(shim.MISSING))
@pytest.mark.parametrize(
    ("shifted", "says"),
    [
        ("kernel-does-not-compile", "g\\+\\+ refuses"),
        ("kernel-writes-out-of-bounds", "SIGSEGV|exit code"),
        ("kernel-reads-out-of-bounds", "SIGSEGV|exit code"),
    ],
    indirect=["shifted"],
)
def test_on_the_processor_it_does_what_it_is_said_to(shifted: own.OwnPrimitive, says: str) -> None:
    device = shim.ShimDevice(
        sources={"kernel.cu": (shifted.folder / "kernel.cu").read_text(encoding="utf-8")}
    )
    x, by = np.ones((4096, 4), dtype=np.float32), np.ones(1, dtype=np.float32)
    with pytest.raises(shim.KernelError, match=says):
        shifted.launch(device, x, by)


@pytest.mark.gpu
@needs_gpu
@pytest.mark.parametrize("name", BAD)
def test_on_a_gpu_it_costs_its_time_and_no_score(name: str) -> None:
    cell = make_plan([find_submission(str(ATTACKS / name))], Selection(instances=("n256-r4",)))[0]
    row = run_cell(cell, Limits(seconds=20))
    assert (row.status, row.ops) == ("ok", OPS), row.reason
    verdict = {audit.name: audit.verdict for audit in row.audits}
    assert verdict["timed-as-metered"] == "pass"
    assert verdict["timed-as-metered-gpu"] != "pass"
    assert row.predict_seconds_gpu is None
    honest = make_plan(
        [find_submission(str(ATTACKS / "floods-its-output"))], Selection(instances=("n256-r4",))
    )[0]
    assert run_cell(honest, Limits(seconds=20)).status == "ok"


@pytest.mark.gpu
@needs_gpu
@pytest.mark.parametrize("name", ["kernel-writes-out-of-bounds", "kernel-reads-out-of-bounds"])
def test_on_a_gpu_check_says_what_it_does(name: str) -> None:
    found = found_by_check(name)
    own_findings = [
        check for key, check in found.items() if key.startswith(("shifted kernel", "own-primitives"))
    ]
    assert [check for check in own_findings if not check.ok]
