"""Look-ups: records, one-hot rows and constants."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuda import shim
from cuda.backends import on_all_schedules, on_gpu, on_the_processor, reference
from cuda.case import quarters
from cuda.cases import agree
from cuda.counting import agrees, run_experts
from ops.alike import near, random, same
from ops.refusals import each, told_by_all
from sparsebench import ops
from sparsebench.timing import WORKLOADS

SEEDS = st.integers(0, 2**32 - 1)
DTYPES = st.sampled_from([np.float32, np.float64])
FEW = np.array([[1.0, -2.0], [0.5, 4.0], [-1.0, 0.0]], dtype=np.float32)


def test_gather():
    index = np.array([[2, 0]])
    assert ops.gather(index, FEW).tolist() == [[[-1.0, 0.0], [1.0, -2.0]]]
    one, two = ops.gather(index, FEW, FEW[:, 0])
    assert (one.shape, two.shape) == ((1, 2, 2), (1, 2))


@pytest.mark.parametrize(
    ("error", "index", "tables"),
    [
        (IndexError, np.array([3]), (FEW,)),
        (IndexError, np.array([-1]), (FEW,)),
        (TypeError, np.array([0.0]), (FEW,)),
        (TypeError, np.array([0]), ()),
        (ValueError, np.array([0]), (FEW, FEW[:2])),
        (ValueError, np.array([0]), (FEW[0, 0],)),
    ],
)
def test_gather_refuses(error, index, tables):
    with pytest.raises(error):
        ops.gather(index, *tables)


def test_an_index_of_a_fast_backend_is_checked_whoever_calls():
    run = ops.gather_constant.caller("numpy")
    with pytest.raises(TypeError, match="expected index to be integers"):
        run(np.array([0.5]), FEW)
    with pytest.raises(IndexError, match=r"index has a value outside \[0, 3\)"):
        run(np.array([3]), FEW)


@given(
    index=st.lists(st.integers(0, 6), max_size=9),
    classes=st.integers(7, 400),
    dtype=st.sampled_from([np.int64, np.uint8]),
)
def test_one_hot(index, classes, dtype):
    index = np.array(index, dtype=dtype)
    same(ops.one_hot(index, classes=classes), np.eye(classes, dtype=np.float32)[index])
    same(ops.one_hot(index, classes=classes, dtype="int8"), np.eye(classes, dtype=np.int8)[index])


def test_one_hot_of_any_shape():
    assert ops.one_hot(np.array(1), classes=3).tolist() == [0.0, 1.0, 0.0]
    assert ops.one_hot(np.zeros((0, 2), int), classes=3).shape == (0, 2, 3)
    assert ops.one_hot(np.zeros((4, 2), int), classes=3, dtype=np.bool_).dtype == np.bool_
    assert ops.one_hot.elements(np.zeros((4, 2), int), classes=3) == 24


@pytest.mark.parametrize(
    ("error", "index", "classes"),
    [
        (IndexError, [3], 3),
        (IndexError, [-1], 3),
        (TypeError, [0.0], 3),
        (TypeError, [True], 3),
        (ValueError, [0], 0),
    ],
)
def test_one_hot_refuses(error, index, classes):
    with pytest.raises(error, match="one_hot"):
        ops.one_hot(np.array(index), classes=classes)


@given(seed=SEEDS, dtype=DTYPES, n=st.integers(0, 6), k=st.integers(0, 4), wide=st.booleans())
def test_constants_and_sums(seed, dtype, n, k, wide):
    rng = np.random.default_rng(seed)
    constants = random(seed, (5, 3) if wide else (5,), dtype)
    index, gates = rng.integers(0, 5, (n, k)), random(seed + 1, (n, k), dtype)
    near(ops.gather_constant(index, constants), constants[index].sum(axis=1), constants)
    want = np.einsum("nk,nk...->n...", gates, constants[index])
    near(ops.gather_constant(index, constants, gates), want, constants)
    near(ops.segment_combine(constants[index], gates), want, constants)
    if k:
        np.testing.assert_array_equal(ops.gather_constant(index[:, 0], constants), constants[index[:, 0]])


def test_dtypes_meet():
    half, double = np.float32([[0.5, 2.0]]), np.array([[1.0, 3.0]])
    index = np.array([[0, 1]])
    assert ops.gather_constant(index, half[0], double).tolist() == [6.5]
    assert ops.gather_constant(index, half[0]).dtype == np.float32


# CUDA kernels, run on the processor: the same answers in any schedule ---------------------------------


@on_the_processor
def test_constants_at_no_address_are_none():
    index = np.array([[0, 5], [1, -1], [1, 0]])
    constants = np.arange(10, dtype=np.float32).reshape(5, 2)
    made = on_gpu(ops.gather_constant, shim.ShimDevice(), index, constants)
    agree(made, np.array([[np.nan] * 2, [np.nan] * 2, [2, 4]], dtype=np.float32))


@on_the_processor
@pytest.mark.parametrize("n", [1, 400])
def test_constants_in_all_schedules(n):
    rng = np.random.default_rng(n)
    index, constants = rng.integers(0, 7, (n, 3)).astype(np.int32), quarters(rng, (7, 5))
    gates = quarters(rng, (n, 3))
    agree(
        on_all_schedules(ops.gather_constant, index, constants, gates),
        reference(ops.gather_constant, index, constants, gates),
    )


# What is charged is what a scalar program does --------------------------------------------------------


@on_the_processor
@pytest.mark.parametrize(("k", "h"), [(1, 1), (3, 4)])
def test_constants_are_counted(k, h):
    rng = np.random.default_rng(h)
    n = 130
    index, constants, gates = rng.integers(0, 7, (n, k)), quarters(rng, (7, h)), quarters(rng, (n, k))
    for weighted in (gates, None):
        found = run_experts(
            "lookup.cu", "gather_constant", n, (index, constants, weighted), (n, h), [], (), (k, h)
        )
        agrees(ops.gather_constant, found, index, constants, weighted)


# What a call needs at least --------------------------------------------------------------------------


def test_of_a_table_only_the_records_that_are_read_are_moved():
    workload = WORKLOADS["gather"]
    index, table = workload.make(0, 37, "float32")
    work = workload.work((index, table), table[index])
    distinct = len(set(index.tolist()))
    assert work.bytes == index.nbytes + distinct * 64 * 4 + 37 * 64 * 4
    assert (work.operations, work.lookups) == (0, 37)


# What does not fit ------------------------------------------------------------------------------------


ROWS, EXPERT, PAIRS = np.ones((2, 3)), np.array([0, 1]), np.array([[0, 1], [1, 1]])
WEIGHTS, BIASES = np.ones((2, 4, 3)), np.ones((2, 4))
LONG, TURNS, STACK, SHIFTS = np.ones((8, 2)), np.arange(8) % 2, np.ones((2, 3, 2)), np.ones((2, 3))
WRONG = [
    (IndexError, ops.gather, (np.array([5, 0, 2]), FEW), {}),
    (IndexError, ops.gather, (np.array([2, -1]), FEW), {}),
    (TypeError, ops.gather, (FEW, FEW), {}),
    (TypeError, ops.one_hot, (FEW,), {"classes": 3}),
    (TypeError, ops.gather_constant, (ROWS, ROWS), {}),
    (TypeError, ops.gather_constant, (PAIRS, EXPERT), {}),
    (ValueError, ops.gather_constant, (EXPERT, ROWS, ROWS[:, 0]), {}),
    (ValueError, ops.gather_constant, (PAIRS, ROWS, ROWS), {}),
    (ValueError, ops.gather_constant, (PAIRS, WEIGHTS), {}),
    (ValueError, ops.gather_constant, (np.array(1), ROWS), {}),
    (IndexError, ops.gather_constant, (PAIRS + 1, ROWS), {}),
    (IndexError, ops.gather_constant, (TURNS - 1, SHIFTS), {}),
    (ValueError, ops.gather_constant, (TURNS, SHIFTS, TURNS / 1), {}),
    (ValueError, ops.gather_constant, (np.zeros(4, np.int64), np.ones(3), np.ones(4)), {}),
]


@each(WRONG)
def test_what_does_not_fit_is_told_in_one_line(error, primitive, arguments, keywords):
    told_by_all(error, primitive, arguments, keywords)
