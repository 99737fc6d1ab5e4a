from __future__ import annotations

import math
import os
import subprocess
import sys
from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sparsebench.tasks.portable import EXP_LIMIT, cos2pi, exp, sin2pi

PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459")
# What the functions make of 20,000 inputs, on whatever machine: a change here changes published data.
FROZEN = "0adc7f883dfa68f430341eeb0da0663ab4b9d55847a7cce35d75fb8a71f8b34c"
PROGRAM = """
import hashlib, numpy as np
from sparsebench.tasks.portable import cos2pi, exp, sin2pi
x = (np.arange(20_000) - 9_999.5) * (1 / 1024 + 1 / 3)
print(hashlib.sha256(b"".join(a.tobytes() for a in (sin2pi(x), cos2pi(x), exp(x / 10)))).hexdigest())
"""

reals = st.floats(allow_nan=False, allow_infinity=False)
near = st.floats(-4, 4)
multiples = st.integers(-(2**40), 2**40).map(lambda k: k / 2**20)


def exact_sine(turns: Decimal) -> Decimal:
    """sin(2 pi t) to 40 digits: the argument reduced exactly to a quarter turn, then Taylor's series."""
    with localcontext() as context:
        context.prec = 400  # as many digits as a float64 has before its point, and more
        rest = turns - turns.to_integral_value()
        if abs(rest) > Decimal("0.25"):
            rest = Decimal("0.5").copy_sign(rest) - rest
        context.prec = 60
        angle = 2 * PI * rest
        total, term = Decimal(0), angle
        for k in range(1, 60, 2):
            total += term
            term *= -angle * angle / ((k + 1) * (k + 2))
        return total


def ulps(got: float, true: Decimal) -> float:
    """How far a float is from the truth, in units of the truth's last place."""
    return float(abs(Decimal(got) - true) / Decimal(math.ulp(float(true))))


@settings(max_examples=300, deadline=None)
@given(x=near | reals)
@example(x=0.125)
@example(x=-0.375)
@example(x=math.nextafter(0.5, 0))
@example(x=2.0**52 + 0.5)
@example(x=1e-300)
def test_sine_is_within_two_units_of_the_last_place(x):
    assert ulps(float(sin2pi(x)), exact_sine(Decimal(x))) <= 2


@settings(max_examples=300, deadline=None)
@given(x=near | st.floats(-(2.0**53), 2.0**53))
@example(x=0.25 + 2.0**-54)
@example(x=-0.125)
def test_cosine_is_within_two_units_of_the_last_place(x):
    with localcontext() as context:
        context.prec = 400
        shifted = Decimal(x) + Decimal("0.25")
    assert ulps(float(cos2pi(x)), exact_sine(shifted)) <= 2


@settings(max_examples=300, deadline=None)
@given(x=st.floats(-EXP_LIMIT, EXP_LIMIT))
@example(x=EXP_LIMIT)
@example(x=-EXP_LIMIT)
@example(x=math.log(2) / 2)
@example(x=1e-20)
def test_exponential_is_within_two_units_of_the_last_place(x):
    with localcontext() as context:
        context.prec = 60
        true = Decimal(x).exp()
    assert ulps(float(exp(x)), true) <= 2


@given(x=multiples)
@example(x=0.125)
@example(x=-3.625)
def test_symmetries_hold_bit_for_bit(x):
    assert sin2pi(-x) == -sin2pi(x)
    assert cos2pi(-x) == cos2pi(x)
    assert sin2pi(x + 1) == sin2pi(x)
    assert cos2pi(x + 3) == cos2pi(x)
    assert sin2pi(x + 0.5) == -sin2pi(x)
    if 8 * x % 2 == 1:  # between two octants: one is reached from each side, by a series of its own
        assert abs(sin2pi(x + 0.25) - cos2pi(x)) <= np.spacing(0.5)
    else:
        assert sin2pi(x + 0.25) == cos2pi(x)


@given(x=near)
def test_pythagoras(x):
    assert abs(sin2pi(x) ** 2 + cos2pi(x) ** 2 - 1) < 1e-15


@given(x=st.floats(-300, 300), z=st.floats(-300, 300))
def test_exponentials_multiply(x, z):
    np.testing.assert_allclose(exp(x) * exp(z), exp(x + z), rtol=3e-13)  # x + z is rounded


def test_where_the_values_are_exact():
    quarters = np.array([0, 0.25, 0.5, 0.75, -0.25, 1e300, 2.0**53 + 2, -0.0])
    assert sin2pi(quarters).tolist() == [0, 1, 0, -1, -1, 0, 0, 0]
    assert cos2pi(quarters).tolist() == [1, 0, -1, 0, 0, 1, 1, 1]
    assert not np.signbit(sin2pi(quarters)[[0, 2, 5, 6, 7]]).any()
    assert exp([0.0, -0.0]).tolist() == [1, 1]


def test_a_sine_of_a_tiny_number_is_two_pi_times_it():
    tiny = 2.0 ** -np.arange(30.0, 1000, 97)
    np.testing.assert_allclose(sin2pi(tiny), 2 * math.pi * tiny, rtol=2e-16)


def test_shapes_and_dtypes():
    for function in (sin2pi, cos2pi, exp):
        for x in (0.5, [1, 2], np.ones((2, 0, 3), np.float32), np.arange(6).reshape(2, 3)):
            got = np.asarray(function(x))
            assert (got.dtype, got.shape) == (np.float64, np.shape(x))


@pytest.mark.parametrize("function", [sin2pi, cos2pi, exp])
@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_what_is_not_finite_is_refused(function, value):
    with pytest.raises(ValueError, match=r"expected finite values, got infinity or NaN"):
        function([0.0, value])


@pytest.mark.parametrize("value", [700.0000001, -1e4])
def test_exponents_out_of_range_are_refused(value):
    with pytest.raises(ValueError, match=r"expected \|x\| <= 700, got"):
        exp(value)


def test_the_bits_are_frozen_here_and_without_vector_instructions():
    """Vector units round as scalar ones do, and nothing is fused: with all switched off nothing changes."""
    from numpy._core import _multiarray_umath as core

    present = [name for name in core.__cpu_dispatch__ if core.__cpu_features__.get(name)]
    for off in ("", " ".join(present)):
        environment = {**os.environ, "NPY_DISABLE_CPU_FEATURES": off}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == FROZEN


def test_coefficients_are_the_series():
    from sparsebench.tasks import portable

    with localcontext() as context:
        context.prec = 60
        turn = 2 * PI
        for k, value in enumerate(portable._SINE):
            assert value == float((-1) ** k * turn ** (2 * k + 1) / math.factorial(2 * k + 1))
        for k, value in enumerate(portable._COSINE):
            assert value == float((-1) ** k * turn ** (2 * k) / math.factorial(2 * k))
        assert float(turn - Decimal(portable._SINE[0])) == portable._TWO_PI_TAIL
        assert float(Decimal(2).ln() - Decimal(portable._LOG_2_HEAD)) == portable._LOG_2_TAIL
    for k, value in enumerate(portable._EXPONENTIAL, start=2):
        assert value == 1 / math.factorial(k)
    assert float(portable._LOG_2_HEAD * 2**33).is_integer()
