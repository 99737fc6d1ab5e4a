"""Linear algebra under the meter: NumPy's answers, row by row, and errors that tell nothing."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from meter.metered import Meter, assert_no_value, furnished, totals, unwrap
from sparsebench.errors import FailedError, UncountedOperationError

DTYPES = ["float32", "float64", "complex64", "complex128"]
TOLERANCE = {"float32": 3e-3, "complex64": 3e-3, "float64": 1e-9, "complex128": 1e-9}


def drawn(seed, shape, dtype, *, definite=False):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape)
    if dtype.startswith("complex"):
        x = x + 1j * rng.standard_normal(shape)
    if definite:
        x = x @ np.conj(x.mT) + np.eye(shape[-1])
    return x.astype(dtype)


def close(got, want, dtype):
    """Equal up to rounding, and of the same shape and dtype."""
    assert got.shape == want.shape
    assert got.dtype == want.dtype
    np.testing.assert_allclose(got, want, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])


def called(name, *arrays, **keywords):
    """The values of a call under a fresh meter, and its charges by kind."""
    meter = Meter()
    meter.begin(np.zeros((1, 1)))
    held = [meter.put(x) if isinstance(x, np.ndarray) else x for x in arrays]
    answer = meter.xp.call(name, *held, **keywords)
    return unwrap(meter, answer), totals(meter.charges())


# What NumPy says ----------------------------------------------------------------------------------------

LENGTHS = st.integers(0, 6)
STACKS = st.sampled_from([(), (0,), (1,), (3,), (2, 2)])
SEEDS = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize("dtype", DTYPES)
@settings(max_examples=15)
@given(n=LENGTHS, k=LENGTHS, stack=STACKS, seed=SEEDS)
@example(n=0, k=3, stack=(), seed=0)
def test_square_matrices(dtype, n, k, stack, seed):
    a = drawn(seed, (*stack, n, n), dtype) + 4 * np.eye(n, dtype=dtype)
    b = drawn(seed + 1, (*stack, n, k), dtype)
    close(called("linalg.inv", a)[0], np.linalg.inv(a), dtype)
    close(called("linalg.solve", a, b)[0], np.linalg.solve(a, b), dtype)
    close(called("linalg.det", a / 4)[0], np.asarray(np.linalg.det(a / 4)), dtype)
    for got, want in zip(called("linalg.slogdet", a)[0], np.linalg.slogdet(a), strict=True):
        close(got, np.asarray(want), dtype)
    definite = drawn(seed, (*stack, n, n), dtype, definite=True)
    for upper in (False, True):
        close(
            called("linalg.cholesky", definite, upper=upper)[0],
            np.linalg.cholesky(definite, upper=upper),
            dtype,
        )
    for power in (-2, -1, 0, 1, 2, 3, 5, 6):
        close(called("linalg.matrix_power", a / 4, power)[0], np.linalg.matrix_power(a / 4, power), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("mode", ["reduced", "complete"])
@settings(max_examples=20)
@given(m=LENGTHS, n=LENGTHS, stack=STACKS, seed=SEEDS)
def test_qr(dtype, mode, m, n, stack, seed):
    x = drawn(seed, (*stack, m, n), dtype)
    (q, r), _ = called("linalg.qr", x, mode=mode)
    want = np.linalg.qr(x, mode=mode)
    assert (q.shape, r.shape) == (want.Q.shape, want.R.shape)
    close(q, want.Q, dtype)
    close(r, want.R, dtype)
    diagonal = np.diagonal(r, axis1=-2, axis2=-1)
    np.testing.assert_array_equal(diagonal.imag, 0)
    np.testing.assert_array_equal(r, np.triu(r))


def test_qr_of_columns_that_are_clear_already():
    x = np.array([[[-2.0, 1.0], [0.0, 3.0], [0.0, 0.0]], [[0.0, 1.0], [0.0, 3.0], [0.0, 4.0]]])
    (q, r), _ = called("linalg.qr", x)
    np.testing.assert_allclose(q @ r, x, atol=1e-15)
    np.testing.assert_allclose(q.mT @ q, np.broadcast_to(np.eye(2), (2, 2, 2)), atol=1e-15)
    assert r[0, 0, 0] == -2.0


def test_solve_broadcasts_stacks_and_takes_one_vector_for_all():
    a = drawn(0, (3, 1, 4, 4), "float32") + 4 * np.eye(4, dtype="float32")
    b = drawn(1, (2, 4, 5), "float64")
    close(called("linalg.solve", a, b)[0], np.linalg.solve(a, b), "float64")
    vector = drawn(2, (4,), "float32")
    close(called("linalg.solve", a, vector)[0], np.linalg.solve(a, vector), "float32")


def test_pivots_that_vanish():
    singular = np.array([[[1.0, 2.0], [2.0, 4.0]], [[0.0, 1.0], [0.0, 2.0]], [[0.0, 2.0], [3.0, 1.0]]])
    for dtype in ("float64", "complex128"):
        x = singular.astype(dtype)
        np.testing.assert_allclose(called("linalg.det", x)[0], [0, 0, -6])
        (sign, log), _ = called("linalg.slogdet", x)
        np.testing.assert_allclose(sign, [0, 0, -1])
        np.testing.assert_allclose(log, [-math.inf, -math.inf, math.log(6.0)])


@pytest.mark.parametrize("dtype", [*DTYPES, "int64", "uint8"])
@pytest.mark.parametrize("axes", [0, 1, 2, ((1,), (0,)), ((0, -1), (1, 0)), ((), ())])
def test_tensordot(dtype, axes):
    a, b = (np.rint(3 * drawn(seed, (3, 3, 3), "float64").real + 5).astype(dtype) for seed in (0, 1))
    got = called("tensordot", a, b, axes=axes)[0]
    want = np.tensordot(a, b, axes=axes)
    np.testing.assert_array_equal(got, want)
    assert got.dtype == want.dtype
    swapped = called("tensordot", np.moveaxis(a, 0, -1), b[:, ::-1], axes=axes)[0]
    np.testing.assert_array_equal(swapped, np.tensordot(np.moveaxis(a, 0, -1), b[:, ::-1], axes=axes))


def test_tensordot_of_nothing():
    got = called("tensordot", np.zeros((2, 0)), np.zeros((0, 3)), axes=1)[0]
    np.testing.assert_array_equal(got, np.zeros((2, 3)))
    assert called("tensordot", np.zeros((0, 2)), np.zeros((2, 3)), axes=1)[0].shape == (0, 3)


@pytest.mark.parametrize(
    ("left", "right"), [*itertools.product([*DTYPES, "int64"], ["complex64", "float32"])]
)
def test_products_of_mixed_dtypes(left, right):
    a, b = (
        np.rint(4 * drawn(seed, (5, 3), "complex128" if dtype.startswith("c") else "float64")).astype(dtype)
        for seed, dtype in enumerate((left, right))
    )
    for name, arrays, want in (
        ("matmul", (a, b.T), a @ b.T),
        ("matmul", (a[0], b.T), a[0] @ b.T),
        ("matmul", (a, b[0]), a @ b[0]),
        ("matmul", (a[0], b[0]), a[0] @ b[0]),
        ("vecdot", (a, b), np.vecdot(a, b)),
        ("vecdot", (a, b[0]), np.vecdot(a, b[0])),
        ("linalg.outer", (a[0], b[1]), np.outer(a[0], b[1])),
        ("linalg.cross", (a, b), np.cross(a, b)),
    ):
        got = called(name, *arrays)[0]
        np.testing.assert_array_equal(got, want)
        assert got.dtype == want.dtype


def test_vecdot_keeps_small_integers():
    x = np.array([100, 100], np.int8)
    got = called("vecdot", x, x)[0]
    assert got.dtype == np.int8
    assert got == np.vecdot(x, x)
    complexes = np.zeros((2, 0), "complex64")
    np.testing.assert_array_equal(called("vecdot", complexes, complexes)[0], np.zeros(2, "complex64"))


def test_cross_along_another_axis_and_broadcast():
    a, b = drawn(0, (3, 4), "float64"), drawn(1, (2, 3, 1), "float64")
    np.testing.assert_allclose(called("linalg.cross", a, b, axis=-2)[0], np.cross(a, b, axis=-2))


ORDERS = [2, 1, 0, -1, -2, 3, 0.5, -3.5, math.inf, -math.inf, True]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("axis", [None, 0, -1, (0, 2)])
@pytest.mark.parametrize("keepdims", [False, True])
def test_vector_norm(dtype, order, axis, keepdims):
    x = drawn(0, (3, 4, 2), dtype)
    got = called("linalg.vector_norm", x, axis=axis, ord=order, keepdims=keepdims)[0]
    want = np.linalg.vector_norm(x, axis=axis, ord=order, keepdims=keepdims)
    close(got, np.asarray(want, x.real.dtype), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("order", ["fro", None, 1, -1, math.inf, -math.inf])
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("shape", [(3, 4), (2, 4, 3)])
def test_matrix_norm(dtype, order, keepdims, shape):
    x = drawn(0, shape, dtype)
    got = called("linalg.matrix_norm", x, ord=order, keepdims=keepdims)[0]
    want = np.linalg.matrix_norm(x, ord="fro" if order is None else order, keepdims=keepdims)
    close(got, np.asarray(want, x.real.dtype), dtype)


@pytest.mark.parametrize("order", ["fro", 1, math.inf])
@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
def test_norms_of_nothing(order, shape):
    assert called("linalg.matrix_norm", np.zeros(shape), ord=order)[0] == 0.0
    if order != "fro":
        np.testing.assert_array_equal(called("linalg.vector_norm", np.zeros((2, 0)), axis=1, ord=order)[0], 0)


@pytest.mark.parametrize("offset", [0, 1, -2, 9])
@pytest.mark.parametrize("dtype", ["float32", "complex64", "int8", "uint16", "int64"])
def test_trace_and_diagonal(offset, dtype):
    x = (3 * drawn(0, (2, 3, 4), "float64")).astype(dtype)
    np.testing.assert_array_equal(
        called("linalg.diagonal", x, offset=offset)[0], np.linalg.diagonal(x, offset=offset)
    )
    got, want = called("linalg.trace", x, offset=offset)[0], np.linalg.trace(x, offset=offset)
    np.testing.assert_allclose(got, want, rtol=1e-6)
    assert got.dtype == want.dtype


def test_trace_in_a_wider_dtype():
    x = np.full((2, 2), 100, np.int8)
    assert called("linalg.trace", x, dtype="float32")[0] == np.float32(200)


def test_a_trace_in_a_narrower_dtype_pays_for_the_cast():
    """As a sum does: cutting bits off is a logical operation, 3 of 4 columns stand on the diagonals."""
    x = np.ones((2, 3, 4), np.int64)
    assert called("linalg.trace", x, dtype="int32")[1] == {"add": 2 * 2, "logic": 2 * 3}


# What it costs ------------------------------------------------------------------------------------------


def test_a_stack_costs_as_much_as_its_matrices():
    a, b = drawn(0, (5, 4, 4), "float32"), drawn(1, (4, 3), "float32")
    for name, arrays in (("linalg.inv", (a,)), ("linalg.det", (a,)), ("linalg.solve", (a, b))):
        one = called(name, a[0], *arrays[1:])[1]
        assert called(name, *arrays)[1] == {kind: 5 * amount for kind, amount in one.items()}


@pytest.mark.parametrize(
    ("power", "products"), [(0, 0), (1, 0), (2, 1), (3, 2), (5, 3), (6, 3), (31, 8), (32, 5)]
)
def test_powers_cost_their_products(power, products):
    x = np.eye(3)
    _, one = called("matmul", x, x)
    charges = {kind: products * amount for kind, amount in one.items() if products}
    assert called("linalg.matrix_power", x, power)[1] == charges
    _, inverse = called("linalg.inv", x)
    both = {kind: charges.get(kind, 0) + inverse.get(kind, 0) for kind in {*charges, *inverse}}
    if power:
        assert called("linalg.matrix_power", x, -power)[1] == both


def test_complex_products_are_real_operations():
    a, b = drawn(0, (2, 5), "complex64"), drawn(1, (5, 3), "complex128")
    assert called("matmul", a, b)[1] == {"mul": 120, "add": 6 * 18, "mac": 120}
    assert called("tensordot", a, b, axes=1)[1] == {"mul": 120, "add": 6 * 18, "mac": 120}
    assert called("vecdot", b, b, axis=-2)[1] == {"mul": 60, "add": 3 * (18 + 5), "mac": 60}
    meter = Meter()
    meter.begin(np.zeros(1))
    assert set(meter.priced(lambda x: x @ x, np.ones((2, 2), "complex64"))[1]) == {
        (kind, "float32") for kind in ("mul", "add", "mac")
    }


# A row's bits -------------------------------------------------------------------------------------------

N = 40
RULES_OF_ROWS = {
    "inv": lambda m, x: m.xp.linalg.inv(x),
    "det": lambda m, x: m.xp.linalg.det(x),
    "log": lambda m, x: m.xp.linalg.slogdet(x).logabsdet,
    "solve": lambda m, x: m.xp.linalg.solve(x, x[:, :, :1]),
    "solve-for-rows": lambda m, x: m.xp.linalg.solve(m.params["w"], x[:, :, 0].T).T,
    "solve-by-rows": lambda m, x: m.xp.linalg.solve(m.params["w"], x[:, :, :2]),
    "cholesky": lambda m, x: m.xp.linalg.cholesky(x + m.params["w"]),
    "q": lambda m, x: m.xp.linalg.qr(x).Q,
    "r": lambda m, x: m.xp.linalg.qr(x[:, :, :3]).R,
    "power": lambda m, x: m.xp.linalg.matrix_power(x, 3),
    "norm": lambda m, x: m.xp.linalg.matrix_norm(x),
    "vector-norm": lambda m, x: m.xp.linalg.vector_norm(x, axis=(1, 2), ord=3),
    "absolute": lambda m, x: m.xp.linalg.vector_norm(x, axis=1, ord=1),
    "trace": lambda m, x: m.xp.linalg.trace(x),
    "tensordot": lambda m, x: m.xp.tensordot(x, m.params["w"], axes=((1,), (1,))),
    "matmul": lambda m, x: x @ m.params["w"],
    "vecdot": lambda m, x: m.xp.vecdot(x, m.params["w"]),
}


@pytest.mark.parametrize("name", RULES_OF_ROWS)
@settings(max_examples=8)
@given(
    n=st.integers(1, 20),
    dtype=st.sampled_from(DTYPES),
    layout=st.sampled_from(["C", "F", "strided"]),
    seed=SEEDS,
)
def test_rows(name, n, dtype, layout, seed):
    meter = Meter({"w": drawn(seed, (n, n), dtype, definite=True) + 9 * n * np.eye(n, dtype=dtype)})
    x = drawn(seed + 1, (N, n, n), dtype)
    if name == "cholesky":
        x = drawn(seed, (N, n, n), dtype, definite=True)

    def run(rows):
        if layout == "F":
            rows = np.asfortranarray(rows)
        if layout == "strided":
            rows = np.repeat(rows, 2, axis=-1)[..., ::2]
        meter.begin(np.zeros(1))
        # What an engine holds of inputs may have any layout, after operations on them.
        held = meter.xp.wrap(meter.engine._shelf.store(rows))
        return meter.get(RULES_OF_ROWS[name](meter, held)).copy()

    whole, order = run(x), np.random.default_rng(seed).permutation(N)
    np.testing.assert_array_equal(run(x[order]), whole[order])
    for part in (slice(0, 1), slice(N - 1, N), slice(13, 20)):
        np.testing.assert_array_equal(run(x[part]), whole[part])


# Errors -------------------------------------------------------------------------------------------------

X = np.ones((2, 3))
S = np.eye(3)
WRONG_SHAPES = {
    **{
        f"{name}-{what}": (f"linalg.{name}", (x,), {})
        for name in ("inv", "det", "slogdet", "cholesky")
        for what, x in (("not-square", X), ("vector", X[0]))
    },
    "power": ("linalg.matrix_power", (X, 2), {}),
    "qr": ("linalg.qr", (X[0],), {}),
    "solve": ("linalg.solve", (X, X), {}),
    "solve-length": ("linalg.solve", (S, X), {}),
    "solve-number": ("linalg.solve", (S, np.ones(())), {}),
    "solve-stacks": ("linalg.solve", (np.stack([S, S]), np.ones((3, 3, 1))), {}),
    "solve-vectors": ("linalg.solve", (np.stack([S, S]), X), {}),
    "outer": ("linalg.outer", (X, X[0]), {}),
    "cross": ("linalg.cross", (X, X), {"axis": -2}),
    "cross-axis": ("linalg.cross", (X, X), {"axis": 1}),
    "diagonal": ("linalg.diagonal", (X[0],), {}),
    "trace": ("linalg.trace", (X[0],), {}),
    "matrix-norm": ("linalg.matrix_norm", (X[0],), {}),
    "matrix-norm-order": ("linalg.matrix_norm", (X,), {"ord": 3}),
    "least-of-nothing": ("linalg.matrix_norm", (X[:0],), {"ord": -math.inf}),
    "least-vector-of-nothing": ("linalg.vector_norm", (X[:0],), {"ord": -math.inf}),
    "vector-norm-axis": ("linalg.vector_norm", (X,), {"axis": 2}),
    "tensordot": ("tensordot", (X, X), {"axes": 1}),
    "tensordot-too-many": ("tensordot", (X, X), {"axes": 3}),
    "tensordot-negative": ("tensordot", (X, X), {"axes": -1}),
    "tensordot-uneven": ("tensordot", (X, X), {"axes": ((0, 1), (0,))}),
    "tensordot-twice": ("tensordot", (S, S), {"axes": ((0, 0), (0, 1))}),
    "matmul": ("matmul", (X, X), {}),
    "vecdot": ("vecdot", (X, X[0]), {"axis": -2}),
}


@pytest.mark.parametrize(("name", "arrays", "keywords"), WRONG_SHAPES.values(), ids=WRONG_SHAPES.keys())
def test_wrong_shapes_are_told(name, arrays, keywords):
    with pytest.raises(ValueError) as caught:
        called(name, *arrays, **keywords)
    assert not isinstance(caught.value, FailedError)


def test_a_wrong_shape_says_what_was_expected_and_got():
    with pytest.raises(
        ValueError, match=r"linalg.inv: expected square matrices \(..., n, n\), got .*\(2, 3\)"
    ):
        called("linalg.inv", X)


@pytest.mark.parametrize("dtype", ["int64", "bool"])
@pytest.mark.parametrize("name", ["inv", "det", "slogdet", "cholesky", "qr", "vector_norm", "matrix_norm"])
def test_integers_are_cast_first(name, dtype):
    with pytest.raises(TypeError, match="expected a floating dtype"):
        called(f"linalg.{name}", S.astype(dtype))


WRONG_DTYPES = {
    "solve": ("linalg.solve", (S, X[0].astype(int)), {}),
    "power": ("linalg.matrix_power", (S.astype(int), 2), {}),
    "outer": ("linalg.outer", (X[0] > 0, X[0] > 0), {}),
    "cross": ("linalg.cross", (X > 0, X > 0), {}),
    "trace": ("linalg.trace", (X > 0,), {}),
    "trace-bool": ("linalg.trace", (S.astype(int),), {"dtype": "bool"}),
    "trace-real": ("linalg.trace", (S.astype(complex),), {"dtype": "float64"}),
    "axes": ("tensordot", (X, X), {"axes": ((0,), 0)}),
    "power-real": ("linalg.matrix_power", (S, 2.0), {}),
    "order": ("linalg.vector_norm", (X,), {"ord": "fro"}),
    "mode": ("linalg.qr", (X,), {"mode": "r"}),
}


@pytest.mark.parametrize(("name", "arrays", "keywords"), WRONG_DTYPES.values(), ids=WRONG_DTYPES.keys())
def test_wrong_kinds_are_told(name, arrays, keywords):
    with pytest.raises(TypeError):
        called(name, *arrays, **keywords)


def test_a_trace_does_not_round():
    with pytest.raises(UncountedOperationError):
        called("linalg.trace", X, dtype="int64")


@pytest.mark.parametrize("order", [2, -2, "nuc"])
def test_norms_by_singular_values_are_refused(order):
    with pytest.raises(UncountedOperationError, match="iterative") as caught:
        called("linalg.matrix_norm", X, ord=order)
    assert "qr" in caught.value.help


@pytest.mark.parametrize("name", ["eigh", "eigvalsh", "svd", "svdvals", "pinv", "matrix_rank"])
def test_iterations_are_refused(name):
    meter = furnished()
    with pytest.raises(UncountedOperationError, match="depends on the values") as caught:
        getattr(meter.xp.linalg, name)(meter.params["w"])
    assert "fit" in caught.value.help


BREAKING = {
    "inv": lambda m, x: m.xp.linalg.inv(x),
    "solve": lambda m, x: m.xp.linalg.solve(x, x),
    "power": lambda m, x: m.xp.linalg.matrix_power(x, -1),
    "cholesky": lambda m, x: m.xp.linalg.cholesky(x),
}


@pytest.mark.parametrize("attack", BREAKING.values(), ids=BREAKING.keys())
@pytest.mark.parametrize("dtype", ["float32", "complex128"])
def test_a_matrix_that_breaks_it_ends_the_cell(attack, dtype):
    meter = furnished()
    flat = meter.xp.astype(meter.x, dtype)[:2, None] * meter.xp.ones((1, 2), dtype=dtype)
    with pytest.raises(FailedError) as caught:
        attack(meter, flat)
    assert_no_value([caught.value.what + caught.value.help])
    assert not isinstance(caught.value, ValueError)
    with pytest.raises(FailedError):
        attack(meter, flat)


def test_named_results_and_names_of_the_main_namespace():
    meter = furnished()
    xp = meter.xp
    q, r = meter.xp.linalg.qr(meter.params["w"])
    np.testing.assert_allclose(meter.get(xp.linalg.matmul(q, r)), meter.get(meter.params["w"]), atol=1e-12)
    assert meter.xp.linalg.slogdet(xp.eye(2)).sign.shape == ()
    assert meter.get(xp.linalg.tensordot(meter.params["w"], meter.params["w"])) == 55.0
    assert meter.get(xp.linalg.vecdot(meter.params["w"][0], meter.params["w"][0])) == 5.0
    assert xp.linalg.matrix_transpose(meter.params["w"]).shape == (3, 2)


def test_a_diagonal_cannot_be_written_to():
    meter = furnished()
    square = meter.xp.linalg.diagonal(meter.xp.zeros((3, 3)))
    with pytest.raises(ValueError):
        square[0] = 1.0
