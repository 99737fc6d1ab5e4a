"""Polynomials of experts, on every backend."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuda import shim
from cuda.backends import on_all_schedules, on_gpu, on_the_processor, reference
from cuda.case import quarters
from cuda.cases import agree
from cuda.counting import agrees, run_experts
from ops.alike import near, random
from ops.refusals import each, told_by_all
from sparsebench import ops
from sparsebench.ops.polynomial.on_cuda import _recipe
from sparsebench.ops.polynomial.on_numpy import runs_of

DTYPES = st.sampled_from([np.float32, np.float64])


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**30),
    dtype=DTYPES,
    n=st.integers(0, 5),
    d=st.integers(0, 4),
    degree=st.integers(0, 4),
    outputs=st.sampled_from([(), (1,), (3,)]),
    k=st.sampled_from([None, 0, 1, 3]),
)
def test_grouped_polynomial(seed, dtype, n, d, degree, outputs, k):
    places = [
        places
        for power in range(degree + 1)
        for places in itertools.combinations_with_replacement(range(d), power)
    ]
    x = random(seed, (n, d), dtype)
    coefficients = random(seed + 1, (3, *outputs, len(places)), dtype)
    index = np.random.default_rng(seed).integers(0, 3, (n,) if k is None else (n, k))
    powers = np.ones((n, len(places)))
    for column, place in enumerate(places):
        powers[:, column] = np.prod(x.astype(np.float64)[:, place], axis=1)
    powers = powers if k is None else np.repeat(powers[:, None], k, axis=1)
    letters = "h" * len(outputs)
    want = np.einsum(f"...{letters}m,...m->...{letters}", coefficients.astype(np.float64)[index], powers)
    near(ops.grouped_polynomial(x, index, coefficients, degree=degree), want, x)


def test_the_order_of_monomials():
    """1, x1, x2, x1², x1x2, x2², at (2, 3)."""
    x, index = np.array([[2.0, 3.0]]), np.array([0])
    read = [ops.grouped_polynomial(x, index, row[None], degree=2)[0] for row in np.eye(6)]
    assert read == [1.0, 2.0, 3.0, 4.0, 6.0, 9.0]


def test_many_monomials_and_no_outputs():
    assert math.comb(40, 8) > 2**26
    x, index = np.ones((2, 32)), np.array([0, 0])
    nothing = np.zeros((1, 0, math.comb(40, 8)), np.float32)
    assert ops.grouped_polynomial(x, index, nothing, degree=8).shape == (2, 0)
    assert ops.grouped_polynomial.elements(x, index, nothing, degree=8) == 0


def test_dtypes_meet():
    half, double = np.float32([[0.5, 2.0]]), np.array([[1.0, 3.0]])
    assert ops.grouped_polynomial(double, np.array([0]), half[:, :1], degree=0).dtype == np.float64


# On the processor: its fast backends ------------------------------------------------------------------


def test_monomials_are_in_the_order_of_the_primitive():
    made = [()]
    for feature, begin, length, end in runs_of(3, 4).tolist():
        assert end == len(made)
        made += [(feature, *made[place]) for place in range(begin, begin + length)]
    assert made == sorted(made, key=lambda monomial: (len(monomial), monomial))
    assert len(set(made)) == math.comb(7, 4)


# CUDA kernels, run on the processor: the same answers in any schedule ---------------------------------


@on_the_processor
def test_polynomials_at_no_address_are_none():
    x, index = np.array([[2.0, 3.0]] * 3), np.array([0, 1, -1])
    made = on_gpu(
        ops.grouped_polynomial, shim.ShimDevice(1), x, index, np.arange(6.0).reshape(1, 6), degree=2
    )
    np.testing.assert_array_equal(made, [0 + 2 + 6 + 12 + 24 + 45, np.nan, np.nan])


@on_the_processor
@pytest.mark.parametrize("n", [1, 400])
def test_cubes_in_all_schedules(n):
    rng = np.random.default_rng(n)
    index = rng.integers(0, 7, (n, 3)).astype(np.int32)
    x, coefficients = quarters(rng, (n, 4), limit=4), quarters(rng, (7, 2, 35))
    agree(
        on_all_schedules(ops.grouped_polynomial, x, index, coefficients, degree=3),
        reference(ops.grouped_polynomial, x, index, coefficients, degree=3),
    )


@on_the_processor
def test_what_no_kernel_takes_is_left_to_the_definition():
    device, index = shim.ShimDevice(), np.zeros(4, np.int64)
    many = np.ones((1, 7315))  # monomials of 18 features up to the degree 4
    assert on_gpu(ops.grouped_polynomial, device, np.ones((4, 18)), index, many, degree=4) is NotImplemented
    assert device.launched == []


# What is charged is what a scalar program does --------------------------------------------------------


@on_the_processor
@pytest.mark.parametrize(("d", "degree", "h", "k"), [(3, 2, 2, 2), (4, 3, 1, 1), (2, 1, 3, 1), (3, 0, 2, 1)])
def test_polynomials_are_counted(d, degree, h, k):
    rng = np.random.default_rng(d)
    n, monomials = 60, math.comb(d + degree, degree)
    x, index = quarters(rng, (n, d), limit=4), rng.integers(0, 5, (n, k))
    coefficients = quarters(rng, (5, h, monomials))
    parent, factor, _ = _recipe(d, degree)
    before, room = (x, index, coefficients, parent, factor), [((n, monomials), np.float32)]
    found = run_experts(
        "polynomial.cu", "grouped_polynomial", n, before, (n, k, h), room, (), (d, k, h, monomials)
    )
    agrees(ops.grouped_polynomial, found, x, index, coefficients, degree=degree)


# What does not fit ------------------------------------------------------------------------------------


ROWS, EXPERT, PAIRS = np.ones((2, 3)), np.array([0, 1]), np.array([[0, 1], [1, 1]])
WEIGHTS, BIASES = np.ones((2, 4, 3)), np.ones((2, 4))
LONG, TURNS, STACK, SHIFTS = np.ones((8, 2)), np.arange(8) % 2, np.ones((2, 3, 2)), np.ones((2, 3))
WRONG = [
    (ValueError, ops.grouped_polynomial, (ROWS, EXPERT, BIASES), {"degree": -1}),
    (ValueError, ops.grouped_polynomial, (ROWS, EXPERT, BIASES), {"degree": 33}),
    (ValueError, ops.grouped_polynomial, (ROWS, EXPERT, BIASES), {"degree": 2}),
    (ValueError, ops.grouped_polynomial, (ROWS[:1], EXPERT, BIASES), {"degree": 1}),
    (ValueError, ops.grouped_polynomial, (WEIGHTS, EXPERT, BIASES), {"degree": 1}),
    (TypeError, ops.grouped_polynomial, (ROWS, EXPERT, BIASES.astype(int)), {"degree": 1}),
    (IndexError, ops.grouped_polynomial, (ROWS, EXPERT + 1, BIASES), {"degree": 1}),
    (IndexError, ops.grouped_polynomial, (LONG, TURNS + 1, SHIFTS), {"degree": 1}),
    (ValueError, ops.grouped_polynomial, (LONG, TURNS, SHIFTS), {"degree": 2}),
    (
        ValueError,
        ops.grouped_polynomial,
        (np.ones((4, 3)), np.zeros(4, np.int64), np.ones((2, 9))),
        {"degree": 2},
    ),
]


@each(WRONG)
def test_what_does_not_fit_is_told_in_one_line(error, primitive, arguments, keywords):
    told_by_all(error, primitive, arguments, keywords)
