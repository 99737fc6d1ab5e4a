"""The closed forms of factorizations count what the textbook algorithms do, number by number."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from sparsebench.meter.rules import factorization_counts as closed
from sparsebench.meter.rules.arithmetic import tally
from sparsebench.meter.rules.factorizations import reflections

DTYPES = [np.dtype(np.float64), np.dtype(np.complex128)]


class Real:
    """A number that counts what is done to it."""

    def __init__(self, value, counted):
        self.value, self.counted = value, counted

    def _made(self, kind, value):
        self.counted[kind] += 1
        return Real(value, self.counted)

    def __add__(self, other):
        return self._made("add", self.value + other.value)

    def __sub__(self, other):
        return self._made("add", self.value - other.value)

    def __neg__(self):
        return self._made("add", -self.value)

    def __mul__(self, other):
        return self._made("mul", self.value * other.value)

    def __truediv__(self, other):
        return self._made("div", self.value / other.value)

    def __abs__(self):
        return self._made("cmp", abs(self.value))

    def __lt__(self, other):
        self.counted["cmp"] += 1
        return self.value < getattr(other, "value", other)

    def __gt__(self, other):
        self.counted["cmp"] += 1
        return self.value > getattr(other, "value", other)

    def sqrt(self):
        return self._made("sqrt", math.sqrt(self.value))

    def log(self):
        return self._made("special", math.log(self.value))

    def sign(self, _absolute):
        """1, 0 or -1, by comparing with 0 twice."""
        return Real(int(self > 0) - int(self < 0), self.counted)

    def squared(self):
        return self * self

    def reciprocal(self):
        return Real(1.0, self.counted) / self

    size = __abs__
    plus_real = __add__
    over_real = __truediv__

    def conj(self):
        return self

    @property
    def real(self):
        return self


class Complex:
    """Two of them. A conjugate is a matter of signs within the next multiplication: it is free."""

    def __init__(self, real, imag):
        self.real, self.imag = real, imag

    @property
    def value(self):
        return complex(self.real.value, self.imag.value)

    def __add__(self, other):
        return Complex(self.real + other.real, self.imag + other.imag)

    def __sub__(self, other):
        return Complex(self.real - other.real, self.imag - other.imag)

    def __neg__(self):
        return Complex(-self.real, -self.imag)

    def __mul__(self, other):
        a, b, c, d = self.real, self.imag, other.real, other.imag
        return Complex(a * c - b * d, a * d + b * c)

    def __truediv__(self, other):
        a, b, c, d = self.real, self.imag, other.real, other.imag
        below = other.squared()
        return Complex((a * c + b * d) / below, (b * c - a * d) / below)

    def __abs__(self):
        return self.squared().sqrt()

    def sign(self, absolute):
        return self.over_real(absolute)

    def size(self):
        return abs(self.real) + abs(self.imag)

    def squared(self):
        return self.real * self.real + self.imag * self.imag

    def reciprocal(self):
        counted = self.real.counted
        return Complex(Real(1.0, counted), Real(0.0, counted)) / self

    def plus_real(self, other):
        return Complex(self.real + other, self.imag)

    def over_real(self, other):
        return Complex(self.real / other, self.imag / other)

    def conj(self):
        return Complex(self.real, Real(-self.imag.value, self.real.counted))


def numbers(array, counted):
    if array.dtype.kind == "c":
        return [[Complex(Real(z.real, counted), Real(z.imag, counted)) for z in row] for row in array]
    return [[Real(x, counted) for x in row] for row in array]


def values(rows, shape, dtype):
    return np.array([[x.value for x in row] for row in rows], dtype).reshape(shape)


def accumulated(terms):
    found, *others = terms
    for term in others:
        found = found + term
    return found


def eliminate(a, n, counted):
    """Gaussian elimination of the first n columns with partial pivoting. Gives which steps exchanged rows."""
    exchanged = []
    for k in range(n - 1):
        sizes = [a[i][k].size() for i in range(k, n)]
        chosen = k
        for i in range(k + 1, n):
            if sizes[i - k] > sizes[chosen - k]:
                chosen = i
        counted["lookup"] += 1
        counted["load"] += len(a[k]) - k
        a[k], a[chosen] = a[chosen], a[k]
        exchanged.append(chosen != k)
        for i in range(k + 1, n):
            factor = a[i][k] / a[k][k]
            for j in range(k + 1, len(a[i])):
                a[i][j] = a[i][j] - factor * a[k][j]
    return exchanged


def solve(a, n, counted):
    eliminate(a, n, counted)
    found = [row[n:] for row in a]
    for column in range(len(found[0]) if n else 0):
        for i in reversed(range(n)):
            for j in range(i + 1, n):
                found[i][column] = found[i][column] - a[i][j] * found[j][column]
            found[i][column] = found[i][column] / a[i][i]
    return found


def signed_product(factors, exchanged, counted):
    found = factors[0]
    for k, factor in enumerate(factors):
        found = found * factor if k else found
        if k < len(exchanged):
            counted["cmp"] += 1  # whether the rows are two
            negated = -found
            found = negated if exchanged[k] else found
    return found


def cholesky(a, n):
    lower = [[None] * n for _ in range(n)]
    for j in range(n):
        pivot = a[j][j].real
        for k in range(j):
            pivot = pivot - lower[j][k].squared()
        root = pivot.sqrt()
        for i in range(j + 1, n):
            rest = a[i][j]
            for k in range(j):
                rest = rest - lower[i][k] * lower[j][k].conj()
            lower[i][j] = rest.over_real(root)
        lower[j][j] = root
    return lower


def apply(v, tau, columns, k, start, m):
    """Apply I - tau v v^H, v = (1, v...) from row k on, to all columns from one on."""
    for j in range(start, len(columns[k]) if columns else 0):
        along = columns[k][j]
        for i in range(k + 1, m):
            along = along + v[i].conj() * columns[i][j]
        along = tau * along
        columns[k][j] = columns[k][j] - along
        for i in range(k + 1, m):
            columns[i][j] = columns[i][j] - v[i] * along


def householder(r, m, q, steps):
    done = []
    for k in range(steps):
        norm = accumulated([r[i][k].squared() for i in range(k, m)]).sqrt()
        negated = -norm
        signed = negated if r[k][k].real < 0 else norm
        head = r[k][k].plus_real(signed)
        tau = head.over_real(signed)
        scale = head.reciprocal()
        v = {i: r[i][k] * scale for i in range(k + 1, m)}
        beta = -signed
        apply(v, tau.conj(), r, k, k + 1, m)
        r[k][k] = beta
        done.append((k, v, tau))
    for k, v, tau in reversed(done):
        apply(v, tau, q, k, k + 1, m)
        # Column k is still that of the identity.
        negated = -tau
        q[k][k] = q[k][k] + negated
        for i in v:
            q[i][k] = v[i] * negated


def as_charges(counted):
    """Without amounts of nothing, and without dtypes."""
    return {kind: amount for kind, amount in counted.items() if amount}


def charged(dtype, counts):
    return {charge.kind: charge.amount for charge in tally(dtype, **counts)}


def drawn(dtype, *shape, definite=False):
    rng = np.random.default_rng(sum(shape))
    x = rng.standard_normal(shape) + (1j * rng.standard_normal(shape) if dtype.kind == "c" else 0)
    return (x @ x.conj().T + np.eye(len(x))) if definite else x


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", range(7))
@pytest.mark.parametrize("k", range(4))
def test_solve(n, k, dtype):
    counted = Counter()
    a, b = drawn(dtype, n, n), drawn(dtype, n, k)
    found = solve(numbers(np.concatenate((a, b), axis=1), counted), n, counted)
    np.testing.assert_allclose(values(found, (n, k), dtype), np.linalg.solve(a, b), atol=1e-9)
    assert as_charges(counted) == charged(dtype, closed.solve(n, k))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", range(7))
def test_determinant(n, dtype):
    counted = Counter()
    x = drawn(dtype, n, n)
    a = numbers(x, counted)
    exchanged = eliminate(a, n, counted)
    if n:
        found = signed_product([a[k][k] for k in range(n)], exchanged, counted)
        np.testing.assert_allclose(found.value, np.linalg.det(x))
    assert as_charges(counted) == charged(dtype, closed.determinant(n))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", range(7))
def test_log_determinant(n, dtype):
    counted = Counter()
    x = drawn(dtype, n, n)
    a = numbers(x, counted)
    exchanged = eliminate(a, n, counted)
    if n:
        absolute = [abs(a[k][k]) for k in range(n)]
        signs = [a[k][k].sign(absolute[k]) for k in range(n)]
        sign = signed_product(signs, exchanged, counted)
        log = accumulated([size.log() for size in absolute])
        np.testing.assert_allclose((sign.value, log.value), np.linalg.slogdet(x))
    assert as_charges(counted) == charged(dtype, closed.log_determinant(n))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", range(7))
def test_cholesky(n, dtype):
    counted = Counter()
    x = drawn(dtype, n, n, definite=True)
    lower = cholesky(numbers(x, counted), n)
    want = np.linalg.cholesky(x)
    for i, j in zip(*np.tril_indices(n), strict=True):
        np.testing.assert_allclose(lower[i][j].value, want[i, j])
    assert as_charges(counted) == charged(dtype, closed.cholesky(n))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("complete", [False, True])
@pytest.mark.parametrize("m", range(6))
@pytest.mark.parametrize("n", range(6))
def test_householder(m, n, complete, dtype):
    counted = Counter()
    x = drawn(dtype, m, n)
    columns = m if complete else min(m, n)
    r, q = numbers(x, counted), numbers(np.eye(m, columns, dtype=dtype), counted)
    steps = reflections(m, n, dtype)
    householder(r, m, q, steps)
    upper = np.triu(values(r, (m, n), dtype))[:columns]
    got = values(q, (m, columns), dtype)
    np.testing.assert_allclose(got @ upper, x, atol=1e-9)
    np.testing.assert_allclose(got.conj().T @ got, np.eye(columns), atol=1e-9)
    assert as_charges(counted) == charged(dtype, closed.householder(m, n, columns, steps))
