"""Primitives of a submission's own: who runs where, and what `sparsebench check` finds."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

import sparsebench as sb
from cuda import shim
from evaluate.tiny import routed, write
from sparsebench.author.check import check_submission
from sparsebench.errors import ContractError
from sparsebench.evaluate.child import own_kernels
from sparsebench.models.opening import load_entry
from sparsebench.ops import backends
from sparsebench.ops.charges import Charge
from sparsebench.ops.core import own
from sparsebench.ops.gpu import beside, nvrtc
from sparsebench.ops.gpu.nvrtc import CompileError

if TYPE_CHECKING:
    from pathlib import Path

KERNEL = """\
#include "offset.cuh"
template <typename T>
__global__ void shifted(const T* x, const T* by, T* out, long long n) {
  const long long i = static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i < n) out[i] = x[i] + by[0] + OFFSET;
}
"""
HEADER = "#pragma once\n#define OFFSET 0\n"
TOP = """
from sparsebench.ops.charges import Charge
from sparsebench.ops.gpu.device import c_type


def shifted_reference(x, by):
    return x + by


def shifted_cost(x, by):
    return (Charge("add", x.dtype.name, x.size),)


def shifted_cpu(x, by):
    return x + by{wrong}


@sb.primitive(reference=shifted_reference, cost={cost}, cuda="kernel.cu", cpu=shifted_cpu)
def shifted(device, x, by):
    out = device.empty(x.shape, x.dtype)
    args = (device.dense(x), device.dense(by, x.dtype), out, np.int64(x.size))
    device.launch("kernel.cu", f"shifted<{{c_type(x.dtype)}}>", max(1, -(-x.size // 64)), 64, args)
    return out
"""
ROUTE = """\
near = shifted(x[:, 0], xp.asarray(params["edge"], dtype=x.dtype))
return sb.Routes(xp.astype(near[:, None] > 0, xp.int64))
"""


def submission(folder: Path, *, cost="shifted_cost", wrong="", kernel=KERNEL, route=ROUTE) -> Path:
    code = routed(route).replace(
        "\nclass MyRouter", TOP.format(cost=cost, wrong=wrong) + "\nclass MyRouter", 1
    )
    write(folder, code, more='gpu = "optional"')
    (folder / "kernel.cu").write_text(kernel, encoding="utf-8")
    (folder / "offset.cuh").write_text(HEADER, encoding="utf-8")
    return folder


@pytest.fixture
def shifted(tmp_path, monkeypatch):
    """Give the own primitive of a submission that was loaded as a cell loads it."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(own, "DEFINED", [])
    load_entry(submission(tmp_path / "mine"), "submission:Model")
    del sys.modules["submission"]
    return own.DEFINED[0]


X, BY = np.array([1.0, -2.0], dtype=np.float32), np.ones(1, dtype=np.float32)


def test_it_has_no_part_in_our_primitives(shifted):
    from sparsebench import ops

    assert shifted.name == "shifted"
    assert "shifted" not in ops.PRIMITIVES
    assert isinstance(shifted, own.OwnPrimitive)


def test_under_the_meter_it_is_its_reference(shifted):
    with sb.metered() as ledger:
        made = shifted(ledger.asarray(X), ledger.asarray(BY))
    assert ledger.ops == 2
    np.testing.assert_array_equal(ledger.value(made), X + 1)


@pytest.mark.parametrize(("policy", "face"), [("auto", "own"), ("numpy", "own"), ("steady", "reference")])
def test_on_numpy_the_policy_decides(shifted, policy, face):
    with backends.use(policy), backends.recorded() as ran:
        np.testing.assert_array_equal(shifted(X, by=BY), X + 1)
    assert ran == {("shifted", face)}


def test_other_arrays_get_the_reference(shifted):
    strict = pytest.importorskip("array_api_strict")
    with backends.recorded() as ran:
        made = shifted(strict.asarray(X), strict.asarray(BY))
    assert ran == {("shifted", "reference")}
    assert made.__array_namespace__() is strict


def test_calls_are_recorded_one_block_at_a_time(shifted):
    shifted(X, BY)
    with own.recorded_calls() as calls:
        shifted(X, BY)
    shifted(X, BY)
    assert [call.primitive for call in calls] == [shifted]


@pytest.mark.parametrize("name", ["missing.cu", "../kernel.cu", "/etc/passwd", "", "test_own.py"])
def test_a_kernel_must_lie_beside_the_module(name):
    with pytest.raises(ContractError, match=r"primitive launch: expected cuda to be a .cu file") as caught:

        @own.primitive(reference=np.add, cuda=name)
        def launch(device, x):
            """Never made."""

    assert "folder" in caught.value.help


@pytest.mark.skipif(shim.MISSING is not None, reason=str(shim.MISSING))
def test_its_kernel_gives_what_the_reference_gives(shifted):
    device = shim.ShimDevice(sources={"kernel.cu": KERNEL.replace('#include "offset.cuh"\n', HEADER)})
    x = np.random.default_rng(0).standard_normal(1000).astype(np.float32)
    np.testing.assert_array_equal(shifted.launch(device, x, BY), shifted.reference(x, BY))
    assert device.launched == ["shifted<float>"]


@pytest.mark.skipif(nvrtc.find_library() is None, reason="NVRTC is not installed")
def test_it_compiles_with_the_headers_beside_it(shifted):
    device = beside.Rehearsal()
    shifted.launch(device, X, BY)
    assert device.launches == [("kernel.cu", "shifted<float>")]
    cubin, name = beside.translate(shifted.folder, *device.launches[0], "sm_80")
    assert cubin.startswith(b"\x7fELF")
    assert name.startswith("_Z")


@pytest.mark.parametrize("file", ["other.cu", "../kernel.cu"])
def test_no_other_file_is_compiled(shifted, file):
    with pytest.raises(CompileError, match="no kernel file"):
        beside.translate(shifted.folder, file, "k", "sm_80")


def tried(shifted, **changes):
    changed = replace(shifted, **changes)
    found = own_kernels.try_own(lambda params, x: changed(x, params["by"]), {"by": BY}, [X])
    return {finding.what: finding for finding in found}


def test_what_holds_is_said(shifted):
    found = tried(shifted)
    assert list(found) == ["cost", "cpu", "compiles", "kernel"]
    assert all(finding.ok and finding.primitive == "shifted" for finding in found.values())
    assert found["cost"].detail == "as the meter counts its reference: 2 in 1 kinds"
    assert found["cpu"].detail == "as its reference on float32 (2,), float32 (1,)"


def test_what_it_does_not_have_is_not_run(shifted):
    found = tried(shifted, cost=None, cpu=None)
    assert found["cost"].ok
    assert found["cost"].detail == "not run: it has no cost function"
    assert found["cpu"].detail.startswith("not run")


WRONG = [
    ("cost", lambda x, by: (Charge("add", "float32", 3),), r"charges 3 add of float32, .* counts 2"),
    ("cost", lambda x, by: (Charge("mul", "float32", 2),), r"charges 0 add of float32"),
    ("cost", lambda x: (), "TypeError"),
    ("cpu", lambda x, by: x + by + np.float32(1e-3), r"cpu on the arrays of a call differs .* by 0\.0"),
    ("cpu", lambda x, by: (x + by).astype(np.float64), r"gives float64 \(2,\), its reference float32"),
    ("cpu", lambda x, by: (x, by), "gives 2 arrays, its reference 1"),
    ("cpu", lambda x, by: np.where(x > 0, np.nan, x + by), "differs from its reference by inf"),
    ("cpu", lambda x, by: x / [], "ValueError"),
    ("launch", lambda device, x, by: x, "launches no kernel"),
    ("launch", lambda device, x, by: device.launch("kernel.cu", "other", 1, 1, ()), r"kernel\.cu"),
    ("launch", lambda device, x, by: device.launch("gone.cu", "other", 1, 1, ()), "no kernel file"),
]


@pytest.mark.parametrize(("part", "function", "says"), WRONG)
def test_what_does_not_hold_is_one_line_that_names_the_primitive(shifted, part, function, says):
    what = {"launch": "compiles"}.get(part, part)
    if what == "compiles" and nvrtc.find_library() is None:
        pytest.skip("NVRTC is not installed")
    finding = tried(shifted, **{part: function})[what]
    assert not finding.ok
    assert finding.detail.startswith("shifted: ")
    assert "\n" not in finding.detail
    assert re.search(says, finding.detail), finding.detail


def test_numbers_that_are_addresses_are_shuffled_not_drawn():
    index = np.arange(100).reshape(10, 10)
    fresh = own_kernels._fresh(index, np.random.default_rng(0))
    assert sorted(fresh.ravel()) == list(range(100))
    assert (fresh != index).any()


def checks_of(folder):
    return {
        check.name.partition(" on ")[2].partition(" ")[2]: check for check in check_submission(str(folder))
    }


def test_check_tries_what_is_called(tmp_path):
    found = checks_of(submission(tmp_path / "mine"))
    names = [f"shifted {what}" for what in ("cost", "cpu", "compiles", "kernel")]
    assert [name for name in found if name.startswith("shifted")] == names
    assert [name for name, check in found.items() if not check.ok] == []


def test_check_finds_what_is_wrong(tmp_path):
    found = checks_of(submission(tmp_path / "mine", wrong=" + 1", kernel=KERNEL.replace("by[0]", "by")))
    wrong = {name: check.detail for name, check in found.items() if not check.ok}
    assert wrong.pop("shifted cpu").startswith("shifted: cpu on the arrays of a call differs")
    wrong.pop("timed-as-metered", None)  # the wrong function is what is timed
    if nvrtc.find_library() is not None:
        assert "kernel.cu" in wrong.pop("shifted compiles")
    assert wrong == {}


def test_check_tells_of_one_that_is_never_called(tmp_path):
    never = 'return sb.Routes(xp.astype(x[:, :1] > params["edge"], xp.int64))'
    found = checks_of(submission(tmp_path / "mine", route=never))
    assert found["own-primitives"].detail == "predict calls none of those it defines"
