"""Complex numbers: their formulas, executed on numbers that count, give NumPy's values at their price."""

from __future__ import annotations

import functools
import math
import operator
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meter.metered import Meter, totals, unwrap
from sparsebench.errors import UncountedOperationError
from sparsebench.meter.rules.complexes import FORMULAS

N = 70
Z = np.array([[0.5 - 1.5j, 2.0 + 0.25j], [-0.75 + 0.5j, -1.25 - 2.0j]], dtype=np.complex64)


class Real:
    """A real number that counts what is done with it."""

    def __init__(self, value, counts):
        self.value, self.counts = float(value), counts

    def did(self, kind, value):
        self.counts[kind] += 1
        return Real(value, self.counts)

    def _two(self, other, kind, function):
        return self.did(kind, function(self.value, getattr(other, "value", other)))

    def __add__(self, other):
        return self._two(other, "add", operator.add)

    def __sub__(self, other):
        return self._two(other, "add", operator.sub)

    def __rsub__(self, other):
        return self.did("add", other - self.value)

    def __mul__(self, other):
        return self._two(other, "mul", operator.mul)

    def __truediv__(self, other):
        return self._two(other, "div", operator.truediv)

    def __neg__(self):
        return self.did("add", -self.value)

    def sqrt(self):
        return self.did("sqrt", math.sqrt(max(self.value, 0.0)))

    def f(self, function, *others):
        return self.did("special", function(self.value, *(other.value for other in others)))

    def signed(self, other):
        return self.did("logic", math.copysign(self.value, other.value))


def mul(z, w):
    (a, b), (c, d) = z, w
    return a * c - b * d, a * d + b * c


def square(z):
    a, b = z
    ab = a * b
    return a * a - b * b, ab + ab


def size(z):
    a, b = z
    return (a * a + b * b).sqrt()


def exp(z):
    a, b = z
    power = a.f(math.exp)
    return power * b.f(math.cos), power * b.f(math.sin)


def log(z):
    a, b = z
    return (a * a + b * b).f(math.log) * 0.5, b.f(math.atan2, a)


def sqrt(z):
    a, b = z
    r = size(z)
    return ((r + a) * 0.5).sqrt(), ((r - a) * 0.5).sqrt().signed(b)


def plus(z, w):
    return z[0] + w[0], z[1] + w[1]


def minus(z, w):
    return z[0] - w[0], z[1] - w[1]


def one_minus(z):
    return 1.0 - z[0], -z[1]


def one_plus(z):
    return z[0] + 1.0, z[1]


def scaled(z, by):
    return z[0] * by, z[1] * by


def times_i(z):
    return -z[1], z[0]


def by_minus_i(z):
    return z[1], -z[0]


def conjugate(z):
    return z[0], -z[1]


def divide(z, w):
    c, d = w
    below = c * c + d * d
    (a, b), conj = z, d  # the sign of d is in the formula
    return (a * c + b * conj) / below, (b * c - a * conj) / below


def reciprocal(z):
    a, b = z
    below = a * a + b * b
    return a / below, -b / below


def sign(z):
    r = size(z)
    r.counts["cmp"] += 1  # with 0
    return (z[0] / r, z[1] / r) if r.value else z


def waves(first, second, third, fourth):
    def run(z):
        a, b = z
        return a.f(first) * b.f(second), a.f(third) * b.f(fourth)

    return run


def tangent(up, beside, left, right):
    def run(z):
        a, b = z[0] * 2.0, z[1] * 2.0
        below = a.f(left) + b.f(right)
        return a.f(up) / below, b.f(beside) / below

    return run


def asin(z):
    return by_minus_i(log(plus(times_i(z), sqrt(one_minus(square(z))))))


def acos(z):
    a, b = asin(z)
    return math.pi / 2 - a, -b


def acosh(z):
    up, down = (z[0] + 1.0, z[1]), (z[0] - 1.0, z[1])
    return log(plus(z, mul(sqrt(up), sqrt(down))))


def atan(z):
    turned = times_i(z)
    difference = scaled(minus(log(one_minus(turned)), log(one_plus(turned))), 0.5)
    return times_i(difference)


TEXTBOOK = {
    "abs": size,
    "acos": acos,
    "acosh": acosh,
    "asin": asin,
    "asinh": lambda z: log(plus(z, sqrt(one_plus(square(z))))),
    "atan": atan,
    "atanh": lambda z: scaled(minus(log(one_plus(z)), log(one_minus(z))), 0.5),
    "conj": conjugate,
    "cos": lambda z: conjugate(waves(math.cos, math.cosh, math.sin, math.sinh)(z)),
    "cosh": waves(math.cosh, math.cos, math.sinh, math.sin),
    "exp": exp,
    "expm1": lambda z: (exp(z)[0] - 1.0, exp((Real(z[0].value, Counter()), Real(z[1].value, Counter())))[1]),
    "log": log,
    "log10": lambda z: scaled(log(z), 1 / math.log(10)),
    "log1p": lambda z: log(one_plus(z)),
    "log2": lambda z: scaled(log(z), 1 / math.log(2)),
    "negative": lambda z: (-z[0], -z[1]),
    "reciprocal": reciprocal,
    "sign": sign,
    "sin": waves(math.sin, math.cosh, math.cos, math.sinh),
    "sinh": waves(math.sinh, math.cos, math.cosh, math.sin),
    "sqrt": sqrt,
    "square": square,
    "tan": tangent(math.sin, math.sinh, math.cos, math.cosh),
    "tanh": tangent(math.sinh, math.sin, math.cosh, math.cos),
    "add": plus,
    "divide": divide,
    "multiply": mul,
    "pow": lambda z, w: exp(mul(w, log(z))),
    "subtract": minus,
}
PREDICATES = {"equal", "isfinite", "isinf", "isnan", "not_equal"}  # two tests, and a word between them
PAIRS = {"add", "divide", "multiply", "pow", "subtract"}
PART = st.floats(0.125, 3.0) | st.floats(-3.0, -0.125)


def test_every_formula_is_here():
    assert set(TEXTBOOK) | PREDICATES == set(FORMULAS)
    assert all(FORMULAS[name].counts == {"cmp": 2, "logic": 1} for name in PREDICATES)


@pytest.mark.parametrize("name", TEXTBOOK)
@settings(max_examples=20)
@given(parts=st.lists(PART, min_size=4, max_size=4))
def test_formula(name, parts):
    counts = Counter()
    z, w = (tuple(Real(part, counts) for part in pair) for pair in (parts[:2], parts[2:]))
    got = TEXTBOOK[name](*((z, w) if name in PAIRS else (z,)))
    arrays = [np.asarray(complex(*pair)) for pair in (parts[:2], parts[2:])][: 1 + (name in PAIRS)]
    meter = Meter()
    result, charges = meter.priced(getattr(meter.xp, name), *arrays)
    want = complex(unwrap(meter, result))
    value = complex(*(part.value for part in got)) if isinstance(got, tuple) else got.value
    assert value == pytest.approx(want, rel=1e-6, abs=1e-9)
    assert totals(charges) == counts == FORMULAS[name].counts
    assert {dtype for _, dtype in charges} == {"float64"}


def reals(meter):
    return meter.put(np.array([1.0, 2.0], np.float32))


ORDERED = {
    **{
        name: (lambda m, z, name=name: getattr(m.xp, name)(z, z))
        for name in ("less", "less_equal", "greater", "greater_equal", "maximum", "minimum", "atan2")
    },
    **{
        name: (lambda m, z, name=name: getattr(m.xp, name)(z))
        for name in ("max", "min", "argmax", "argmin", "sort", "argsort", "signbit", "var", "std")
    },
    "clip": lambda m, z: m.xp.clip(z, 0.0, 1.0),
    "clip-bound": lambda m, z: m.xp.clip(reals(m), 0.0, 1j),
    "searchsorted": lambda m, z: m.xp.searchsorted(reals(m), z[0, :]),
    "hypot": lambda m, z: m.xp.hypot(z, 1.0),
    "copysign-number": lambda m, z: m.xp.copysign(reals(m), 1j),
    "imag-of-reals": lambda m, z: m.xp.imag(reals(m)),
    "to-real": lambda m, z: m.xp.astype(z, "float32"),
    "to-integer": lambda m, z: m.xp.astype(z, "int64"),
    "sum-to-real": lambda m, z: m.xp.sum(z, dtype="float32"),
    "set-real": lambda m, z: m.xp.zeros(2).__setitem__(slice(None), z[0, :]),
    "set-number": lambda m, z: m.xp.zeros(2).__setitem__(0, 1j),
    "full": lambda m, z: m.xp.full(3, 1j, dtype="float32"),
    "full-like": lambda m, z: m.xp.full_like(reals(m), 1j),
    "linspace": lambda m, z: m.xp.linspace(0.0, 1j, 3, dtype="float32"),
    "arange": lambda m, z: m.xp.arange(1j),
    "bitwise": lambda m, z: m.xp.bitwise_and(z, z),
    "index": lambda m, z: z[z],
}


@pytest.mark.parametrize("attack", ORDERED.values(), ids=ORDERED.keys())
def test_what_complex_numbers_do_not_have(attack):
    meter = Meter()
    with pytest.raises((TypeError, UncountedOperationError)):
        attack(meter, meter.begin(Z))
    assert meter.charges() == {}


def test_casts_and_stores():
    meter = Meter()
    z, x = meter.begin(Z), reals(meter)
    assert meter.xp.astype(z, "complex128").dtype == np.complex128
    assert meter.get(meter.xp.astype(x, "complex64")).tolist() == [1.0, 2.0]
    assert (x * 1j).dtype == (x + z[0, :]).dtype == np.complex64
    out = meter.xp.zeros(2, dtype="complex64")
    out[...] = x
    out[0] = 3j
    assert meter.get(out).tolist() == [3j, 2.0]
    assert meter.xp.sum(x, dtype="complex128").dtype == np.complex128
    assert meter.xp.full(2, 1j).dtype == meter.xp.linspace(0, 1j, 3).dtype == np.complex128
    assert (meter.xp.real(z).dtype, meter.xp.imag(z).dtype, abs(z).dtype) == (np.float32,) * 3


def test_components_are_copies_and_count_as_read():
    meter = Meter({"z": Z})
    meter.begin(np.zeros((1, 1)))
    meter.engine.loads.active = True
    part = meter.xp.imag(meter.params["z"][0, :])
    part[0] = 9.0
    assert meter.get(part).tolist() == [9.0, 0.25]
    assert meter.get(meter.params["z"])[0, 0] == Z[0, 0]
    assert (meter.engine.loads.elements(), meter.engine.loads.nbytes()) == (2, 16)


def test_a_truth_value_of_a_complex_number_is_paid_for():
    meter = Meter()
    z = meter.begin(Z)
    assert bool(meter.xp.any(z)) is True
    assert totals(meter.charges()) == {"cmp": 8, "logic": 4 + 3, "branch": 1}
    assert bool(z[0, 0]) is True
    assert meter.charges()["cmp", "float32"] == 8 + 2


@pytest.mark.parametrize("name", ["log", "sqrt"])
def test_negative_reals_give_nan_and_not_complex_numbers(name):
    meter = Meter()
    result = getattr(meter.xp, name)(meter.begin(np.array([-1.0, 4.0])))
    assert np.isnan(meter.get(result)).tolist() == [True, False]


RULES_OF_ROWS = {
    **{name: (lambda m, z, name=name: getattr(m.xp, name)(z)) for name in sorted(set(TEXTBOOK) - PAIRS)},
    **{name: (lambda m, z, name=name: getattr(m.xp, name)(z, z[:, ::-1])) for name in sorted(PAIRS)},
    "multiply-column": lambda m, z: z * z[:, :1],
    "multiply-number": lambda m, z: (0.3 - 0.7j) * z,
    "multiply-real": lambda m, z: m.xp.real(z) * z,
    "multiply-turned": lambda m, z: (z.T * m.params["v"][:, None]).T,
    "sum": lambda m, z: m.xp.sum(z, axis=1),
    "sum-first-axis": lambda m, z: m.xp.sum(z.T, axis=0),
    "prod": lambda m, z: m.xp.prod(z, axis=1),
    "prod-first-axis": lambda m, z: m.xp.prod(z.T, axis=0),
    "prod-one-column": lambda m, z: m.xp.prod(z[:, :, None], axis=1),
    "mean": lambda m, z: m.xp.mean(z, axis=1),
    "mean-first-axis": lambda m, z: m.xp.mean(z.T, axis=0),
    "cumulative-sum": lambda m, z: m.xp.cumulative_sum(z, axis=1),
    "cumulative-prod": lambda m, z: m.xp.cumulative_prod(z, axis=1),
    "cumulative-first-axis": lambda m, z: m.xp.cumulative_prod(z.T, axis=0).T,
    "diff": lambda m, z: m.xp.diff(z, axis=1),
}


@pytest.mark.parametrize("name", RULES_OF_ROWS)
@settings(max_examples=8)
@given(
    d=st.integers(1, 40), dtype=st.sampled_from([np.complex64, np.complex128]), seed=st.integers(0, 2**32 - 1)
)
def test_rows(name, d, dtype, seed):
    rng = np.random.default_rng(seed)
    draw = functools.partial(rng.standard_normal, dtype=np.dtype(dtype).char.lower())
    meter = Meter({"v": (draw((d,)) + 1j * draw((d,))).astype(dtype)})
    z = (draw((N, d)) + 1j * draw((N, d))).astype(dtype)

    def run(rows):
        return meter.get(RULES_OF_ROWS[name](meter, meter.begin(rows))).copy()

    whole, order = run(z), rng.permutation(N)
    np.testing.assert_array_equal(run(z[order]), whole[order])
    for part in (slice(0, 1), slice(N - 1, N), slice(13, 20)):
        np.testing.assert_array_equal(run(z[part]), whole[part])
