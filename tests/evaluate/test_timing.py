"""Timing: which backends run, and the GPU, of which a stand-in is enough for all but its numbers."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest

from evaluate.tiny import cell_of, plain, routed, run, write
from sparsebench.errors import RefusedError
from sparsebench.evaluate import cell as cell_module
from sparsebench.evaluate.cell import run_cell
from sparsebench.evaluate.child import gpu
from sparsebench.evaluate.host import payloads
from sparsebench.evaluate.plan import Limits
from sparsebench.ops import backends

STAND_IN = '''\
"""Arrays of a GPU that is none."""
import numpy

__version__ = "0"
asarray = numpy.asarray
asnumpy = numpy.asarray
ndarray = numpy.ndarray


class Event:
    def record(self):
        pass

    def synchronize(self):
        pass


class cuda:
    Event = Event

    @staticmethod
    def is_available():
        return True

    @staticmethod
    def get_elapsed_time(begin, end):
        return 0.5

    class runtime:
        @staticmethod
        def getDeviceProperties(number):
            return {"name": b"a stand-in"}
'''
OPTIONAL = 'gpu = "optional"'


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """Have a module that does as CuPy does, here and in the processes of submissions."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "cupy.py").write_text(STAND_IN, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.delitem(sys.modules, "cupy", raising=False)
    gpu.gpu_name.cache_clear()
    yield
    gpu.gpu_name.cache_clear()
    sys.modules.pop("cupy", None)


def audits_of(row):
    return {audit.name: audit for audit in row.audits}


def test_the_backends_that_ran_are_in_the_row(tmp_path):
    row = run(tmp_path / "mine", routed())
    assert row.status == "ok", row.reason
    ran = row.predict_backend_cpu.split("+")
    assert set(ran) <= {"numpy", "numba", "steady"}
    assert row.predict_backend_gpu is row.predict_seconds_gpu is row.gpu is None


def test_without_a_primitive_there_is_none(tmp_path):
    row = run(tmp_path / "mine", plain())
    assert row.predict_backend_cpu == "none"


def test_fitting_is_steady_and_timing_is_not(tmp_path):
    fit = """
        from sparsebench.ops import backends
        return {"steady": np.array([backends.policy() == "steady"]), "w": np.zeros(4)}
    """
    predict = """
        from sparsebench.ops import backends
        if isinstance(x, np.ndarray) and backends.policy() != "auto":
            raise ValueError(backends.policy())
        return x @ params["w"] + xp.where(params["steady"], 0.0, 1e9)
    """
    row = run(tmp_path / "mine", plain(fit, predict))
    assert row.status == "ok", row.reason
    assert row.error < 1e6
    assert audits_of(row)["timed-as-metered"].verdict == "pass"


def test_a_backend_that_differs_is_not_timed(tmp_path):
    predict = """
        from sparsebench.ops import backends
        wrong = isinstance(x, np.ndarray)
        return x @ params["w"] + params["b"] + (1.0 if wrong else 0.0)
    """
    row = run(tmp_path / "mine", plain(predict=predict))
    assert audits_of(row)["timed-as-metered"].verdict == "fail"
    assert row.predict_seconds_cpu is row.predict_backend_cpu is None


def test_a_gpu_is_timed_in_a_process_of_its_own(tmp_path, stand_in):
    row = run_cell(cell_of(write(tmp_path / "mine", plain(), more=OPTIONAL)), Limits())
    assert row.status == "ok", row.reason
    verdict = audits_of(row)["timed-as-metered-gpu"]
    assert verdict.verdict == "pass", verdict.detail
    assert re.search(r"by its own account [0-9.e-]+ seconds per input on the GPU$", verdict.detail)
    assert row.predict_seconds_gpu > 0
    assert row.predict_backend_gpu == "none"
    assert row.gpu == "a stand-in"
    assert list(audits_of(row))[-2:] == ["timed-as-metered", "timed-as-metered-gpu"]


@pytest.mark.parametrize(("more", "gpu"), [('gpu = "none"', True), (OPTIONAL, False), ("", False)])
def test_a_gpu_is_left_alone(tmp_path, stand_in, more, gpu):
    row = run_cell(cell_of(write(tmp_path / "mine", plain(), more=more)), Limits(gpu=gpu))
    assert "timed-as-metered-gpu" not in audits_of(row)
    assert row.predict_seconds_gpu is row.gpu is None
    assert row.predict_seconds_cpu > 0


def test_a_kernel_that_differs_is_not_timed(tmp_path, stand_in):
    predict = """
        wrong = "cupy" in sys.modules
        return x @ params["w"] + params["b"] + (1.0 if wrong else 0.0)
    """
    row = run_cell(cell_of(write(tmp_path / "mine", plain(predict=predict), more=OPTIONAL)), Limits())
    assert audits_of(row)["timed-as-metered"].verdict == "pass"
    assert audits_of(row)["timed-as-metered-gpu"].verdict == "fail"
    assert row.predict_seconds_cpu > 0
    assert row.predict_seconds_gpu is row.predict_backend_gpu is None


def test_a_gpu_that_fails_costs_only_its_time(tmp_path, monkeypatch):
    monkeypatch.setattr(cell_module, "gpu_name", lambda: "a GPU that is not there")
    row = run_cell(cell_of(write(tmp_path / "mine", plain(), more=OPTIONAL)), Limits())
    assert row.status == "ok", row.reason
    assert row.predict_seconds_cpu > 0
    verdict = audits_of(row)["timed-as-metered-gpu"]
    assert verdict.verdict == "not-run"
    assert verdict.detail


@pytest.mark.gpu
def test_a_real_gpu(tmp_path):
    if gpu.gpu_name() is None:
        pytest.skip("there is no GPU here, or CuPy is not installed")
    row = run_cell(cell_of(write(tmp_path / "mine", routed(), more=OPTIONAL)), Limits())
    assert audits_of(row)["timed-as-metered-gpu"].verdict == "pass", row.audits
    assert row.predict_seconds_gpu > 0


@pytest.mark.parametrize(
    "told",
    [
        None,
        [],
        {"seconds": None},
        {"backends": "numpy", "seconds": None},
        {"backends": ["numpy", "\x1b[31mred"], "seconds": None},
        {"backends": [["numpy"]], "seconds": None},
        {"backends": [], "seconds": -1.0},
        {"backends": [], "seconds": float("nan")},
        {"backends": [], "seconds": float("inf")},
        {"backends": [], "seconds": True},
    ],
)
def test_what_a_stranger_tells_of_a_run_is_looked_at(told):
    with pytest.raises(RefusedError, match="not a message"):
        payloads.timed(told, b"", 0.1)


def test_a_run_is_read():
    got = payloads.timed({"backends": ["numba", "own"], "seconds": 0.5}, np.ones(2).tobytes() + b"x", 0.1)
    assert (got.answer.tolist(), got.seconds, got.backends, got.inside) == (
        [1, 1],
        0.1,
        {"numba", "own"},
        0.5,
    )
    assert {"numpy", "numba", "cuda", "steady", "reference"} <= payloads.BACKENDS
    assert set(backends.BACKENDS) <= payloads.BACKENDS


@pytest.mark.parametrize(
    "told", [None, [None], [["a", "b", 1, "c"]], [["a", "b", True]], [[1, "b", True, "c"]]]
)
def test_what_a_stranger_tells_of_its_primitives_is_looked_at(told):
    with pytest.raises(RefusedError, match="not a message"):
        payloads.findings(told)


def test_findings_are_lines():
    (found,) = payloads.findings([["na\nme", "cost", True, "a\x1b[31m\nb"]])
    assert found.ok
    assert all(text.isprintable() for text in (found.primitive, found.detail))
