"""Every primitive has a workload, fresh inputs for every seed, and a count of what must be done."""

from __future__ import annotations

import numpy as np
import pytest

from sparsebench.ops import PRIMITIVES
from sparsebench.timing import WORKLOADS

ROWS = 37


def run(workload, args):
    return workload.of(*args, **workload.options)


def test_every_primitive_has_one():
    assert set(WORKLOADS) == set(PRIMITIVES)


@pytest.mark.parametrize("workload", WORKLOADS.values(), ids=lambda workload: workload.primitive)
def test_inputs_are_new_for_every_seed_and_only_then(workload):
    first, again, other = (workload.make(seed, ROWS, "float32") for seed in (0, 0, 1))
    arrays = [place for place, arg in enumerate(first) if isinstance(arg, np.ndarray)]
    assert all(np.array_equal(first[place], again[place]) for place in arrays)
    assert all(not np.array_equal(first[place], other[place]) for place in arrays)
    assert all(first[place].shape[0] == ROWS for place in workload.by_row)


@pytest.mark.parametrize("workload", WORKLOADS.values(), ids=lambda workload: workload.primitive)
def test_rows_of_the_result_are_those_of_the_inputs(workload):
    args = workload.make(0, ROWS, "float32")
    whole = run(workload, args)
    work = workload.work(args, whole)
    assert work.bytes > 0
    assert work.operations + work.lookups > 0 or workload.primitive in {"pack_bits", "one_hot"}
    if not workload.by_row:
        return
    part = tuple(arg[5:9] if place in workload.by_row else arg for place, arg in enumerate(args))
    for some, all_ in zip(_tuple(run(workload, part)), _tuple(whole), strict=True):
        np.testing.assert_allclose(some, all_[5:9], rtol=1e-4, atol=1e-4)


def _tuple(made):
    return made if isinstance(made, tuple) else (made,)


@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16"])
def test_real_inputs_have_the_dtype_that_was_asked_for(dtype):
    if dtype == "bfloat16":
        pytest.importorskip("ml_dtypes", reason="bfloat16 in NumPy is the package ml_dtypes")
    x, index, *layers = WORKLOADS["grouped_mlp"].make(0, ROWS, dtype)
    assert {part.dtype.name for part in (x, *layers)} == {dtype}
    assert index.dtype == np.int64


def test_work_of_a_hash_by_hand():
    workload = WORKLOADS["hyperplane_hash"]
    args = workload.make(0, ROWS, "float32")
    work = workload.work(args, run(workload, args))
    assert work.bytes == 4 * (ROWS * 64 + 16 * 64) + 8 * ROWS
    assert work.operations == ROWS * 16 * (64 + 63 + 1)
    assert work.paired == 2 * ROWS * 16 * 63
    assert work.lookups == 0


def test_of_a_distance_only_what_a_product_with_the_prototypes_needs_is_paired():
    workload = WORKLOADS["nearest_prototype"]
    args = workload.make(0, ROWS, "float32")
    work = workload.work(args, run(workload, args))
    assert work.operations == ROWS * (1024 * (64 + 64 + 63) + 1023)
    assert work.paired == 2 * ROWS * 1024 * 64


@pytest.mark.parametrize("name", ["tree_route", "searchsorted_route", "axis_tree_route", "top_k", "relu"])
def test_comparisons_and_look_ups_have_no_pairs(name):
    args = WORKLOADS[name].make(0, ROWS, "float32")
    assert WORKLOADS[name].work(args, np.zeros(1)).paired == 0


def test_of_a_table_only_the_records_that_are_read_are_moved():
    workload = WORKLOADS["gather"]
    index, table = workload.make(0, ROWS, "float32")
    work = workload.work((index, table), table[index])
    distinct = len(set(index.tolist()))
    assert work.bytes == index.nbytes + distinct * 64 * 4 + ROWS * 64 * 4
    assert (work.operations, work.lookups) == (0, ROWS)


def test_of_a_tree_only_what_is_visited_is_moved():
    workload = WORKLOADS["axis_tree_route"]
    x, features, thresholds = workload.make(0, 1, "float32")
    result = run(workload, (x, features, thresholds))
    depth = 16
    assert workload.work((x, features, thresholds), result).bytes <= depth * (4 + 8 + 4) + result.nbytes


@pytest.mark.parametrize("workload", WORKLOADS.values(), ids=lambda workload: workload.primitive)
def test_work_on_16_bits_moves_less_and_computes_as_much(workload):
    pytest.importorskip("ml_dtypes", reason="bfloat16 in NumPy is the package ml_dtypes")
    made = {dtype: workload.make(0, ROWS, dtype) for dtype in ("float32", "float16", "bfloat16")}
    works = {dtype: workload.work(args, np.zeros(1)) for dtype, args in made.items()}
    assert len({(work.operations, work.paired, work.lookups) for work in works.values()}) == 1
    assert all(works[dtype].bytes <= works["float32"].bytes for dtype in ("float16", "bfloat16"))
    if workload.primitive == "grouped_mlp":
        index = made["float32"][1].nbytes
        assert works["bfloat16"].bytes - index - 8 == (works["float32"].bytes - index - 8) / 2
