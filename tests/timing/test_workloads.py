"""Every primitive has a workload, fresh inputs for every seed, and a count of what must be done."""

from __future__ import annotations

import numpy as np
import pytest

from sparsebench.ops import PRIMITIVES
from sparsebench.timing import WORKLOADS

ROWS = 37
EACH = pytest.mark.parametrize("workload", WORKLOADS.values(), ids=lambda workload: workload.primitive)


def run(workload, args):
    return workload.of(*args, **workload.options)


def test_every_primitive_has_one():
    assert set(WORKLOADS) == set(PRIMITIVES)


@EACH
def test_inputs_are_new_for_every_seed_and_only_then(workload):
    first, again, other = (workload.make(seed, ROWS, "float32") for seed in (0, 0, 1))
    arrays = [place for place, arg in enumerate(first) if isinstance(arg, np.ndarray)]
    assert all(np.array_equal(first[place], again[place]) for place in arrays)
    assert all(not np.array_equal(first[place], other[place]) for place in arrays)
    assert all(first[place].shape[0] == ROWS for place in workload.by_row)


@EACH
def test_rows_of_the_result_are_those_of_the_inputs(workload):
    args = workload.make(0, ROWS, "float32")
    whole = run(workload, args)
    work = workload.work(args, whole)
    assert work.bytes > 0
    kinds = {charge.kind for charge in workload.of.cost(*args, **workload.options)}
    assert work.operations + work.lookups > 0 or kinds == {"address"}
    if not workload.by_row:
        return
    part = tuple(arg[5:9] if place in workload.by_row else arg for place, arg in enumerate(args))
    for some, all_ in zip(_tuple(run(workload, part)), _tuple(whole), strict=True):
        np.testing.assert_allclose(some, all_[5:9], rtol=1e-4, atol=1e-4)


def _tuple(made):
    return made if isinstance(made, tuple) else (made,)


@EACH
@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16"])
def test_real_inputs_have_the_dtype_that_was_asked_for(workload, dtype):
    if dtype == "bfloat16":
        pytest.importorskip("ml_dtypes", reason="bfloat16 in NumPy is the package ml_dtypes")
    kinds = zip(workload.make(0, ROWS, "float32"), workload.make(0, ROWS, dtype), strict=True)
    arrays = [(usual, made) for usual, made in kinds if isinstance(usual, np.ndarray)]
    assert all(made.dtype == (dtype if usual.dtype == "float32" else usual.dtype) for usual, made in arrays)
    assert "float64" not in {usual.dtype.name for usual, _ in arrays}


@EACH
def test_what_multiplies_nothing_has_no_pairs(workload):
    """Comparisons and look-ups."""
    args = workload.make(0, ROWS, "float32")
    charges = workload.of.cost(*args, **workload.options)
    if not any(charge.kind == "mul" for charge in charges):
        assert workload.work(args, run(workload, args)).paired == 0


@EACH
def test_work_on_16_bits_moves_less_and_computes_as_much(workload):
    pytest.importorskip("ml_dtypes", reason="bfloat16 in NumPy is the package ml_dtypes")
    made = {dtype: workload.make(0, ROWS, dtype) for dtype in ("float32", "float16", "bfloat16")}
    works = {dtype: workload.work(args, np.zeros(1)) for dtype, args in made.items()}
    assert len({(work.operations, work.paired, work.lookups) for work in works.values()}) == 1
    assert all(works[dtype].bytes <= works["float32"].bytes for dtype in ("float16", "bfloat16"))
