"""The fast faces of experts on the CPU do what the references do."""

from __future__ import annotations

import math
import os
import threading

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sparsebench import ops
from sparsebench.ops import PRIMITIVES, backends, jit
from sparsebench.ops.cpu import dispatch
from sparsebench.ops.polynomial.on_numpy import runs_of

NO_NUMBA = "Numba (the extra `fast`) is not installed"
FACES = [
    "numpy",
    pytest.param(
        "numba",
        marks=pytest.mark.skipif(not backends.has_numba(), reason=NO_NUMBA),
    ),
]
DTYPES = [np.float32, np.float64]
ROUTINGS = ["uniform", "zipf", "one", "few"]
random_calls = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(autouse=True)
def _everything_is_worth_it(monkeypatch):
    monkeypatch.setattr(jit, "WORTH", 0)


class Draw:
    """Small multiples of 1/4, in layouts of all kinds."""

    def __init__(self, seed, dtype):
        self.rng, self.dtype = np.random.default_rng(seed), dtype

    def real(self, *shape):
        x = (self.rng.integers(-8, 9, shape) / 4).astype(self.dtype)
        layout = self.rng.integers(3)
        if layout == 1:
            return np.asfortranarray(x)
        return np.repeat(x, 2, axis=-1)[..., ::2] if layout == 2 and x.ndim else x

    def index(self, routing, experts, *shape):
        dtype = self.rng.choice([np.int64, np.int32, np.uint8])
        experts = min(experts, 256 if dtype == np.uint8 else experts)
        weights = {
            "uniform": np.ones(experts),
            "zipf": 1 / np.arange(1, experts + 1),
            "one": np.arange(experts) == experts - 1,
            "few": np.arange(experts) % 3 == 0,
        }[routing]
        return self.rng.choice(experts, size=shape, p=weights / weights.sum()).astype(dtype)


def agree(face, name, *args, runs=None, **kwargs):
    """A face gives what the reference does, and it is that face which ran."""
    with backends.use("steady"):
        want = PRIMITIVES[name].reference(*args, **kwargs)
    with backends.use(face), backends.recorded() as record:
        got = PRIMITIVES[name](*args, **kwargs)
    assert (name, runs or face) in record
    assert (got.dtype, got.shape) == (want.dtype, want.shape)
    limit = 1e-5 if want.dtype == np.float32 else 1e-12
    assert np.linalg.norm(got - want) <= limit * np.linalg.norm(want)


cases = given(
    seed=st.integers(0, 2**32 - 1),
    dtype=st.sampled_from(DTYPES),
    routing=st.sampled_from(ROUTINGS),
    n=st.sampled_from([0, 1, 5, 64, 150]),
    k=st.sampled_from([(), (1,), (3,)]),
    experts=st.sampled_from([1, 4, 40, 300]),
    d=st.integers(0, 40),
    h=st.integers(0, 80),
)


@pytest.mark.parametrize("face", FACES)
@random_calls
@cases
def test_linear(face, seed, dtype, routing, n, k, experts, d, h):
    draw = Draw(seed, dtype)
    x, index, weights = draw.real(n, d), draw.index(routing, experts, n, *k), draw.real(experts, h, d)
    agree(face, "grouped_linear", x, index, weights, draw.real(experts, h))
    agree(face, "grouped_linear", x, index, weights)
    agree(face, "gather_matmul", x, index, weights)
    agree(face, "gather_matmul", x, index, draw.real(experts, d))


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("activation", ["relu", "prelu", "swish", "k_tanh"])
@settings(random_calls, max_examples=8)
@cases
def test_mlp(face, layers, activation, seed, dtype, routing, n, k, experts, d, h):
    draw = Draw(seed, dtype)
    x, index = draw.real(n, d), draw.index(routing, experts, n, *k)
    stack = []
    for width, outputs in zip((d, h, 7), (h, 7, 18), strict=True):
        bias = draw.real(experts, outputs) if draw.rng.integers(2) else None
        stack += [draw.real(experts, outputs, width) / 4, bias]
    stack = stack[: 2 * layers]
    agree(face, "grouped_mlp", x, index, *stack, activation=activation, slope=0.5)
    if stack[-1] is None:
        agree(face, "grouped_mlp", x, index, *stack[:-1], activation=activation, slope=0.5)


@pytest.mark.parametrize("face", FACES)
@random_calls
@cases
@pytest.mark.parametrize("degree", [0, 1, 2, 3])
def test_polynomial(face, degree, seed, dtype, routing, n, k, experts, d, h):
    draw, d = Draw(seed, dtype), d % 6
    x, index = draw.real(n, d) / 4, draw.index(routing, experts, n, *k)
    monomials = math.comb(d + degree, degree)
    ran = "steady" if monomials == 1 else None  # a constant: there is nothing to multiply
    agree(face, "grouped_polynomial", x, index, draw.real(experts, monomials), degree=degree, runs=ran)
    agree(face, "grouped_polynomial", x, index, draw.real(experts, h % 9, monomials), degree=degree, runs=ran)


def test_monomials_are_in_the_order_of_the_primitive():
    made = [()]
    for feature, begin, length, end in runs_of(3, 4).tolist():
        assert end == len(made)
        made += [(feature, *made[place]) for place in range(begin, begin + length)]
    assert made == sorted(made, key=lambda monomial: (len(monomial), monomial))
    assert len(set(made)) == math.comb(7, 4)


@pytest.mark.parametrize("face", FACES)
@random_calls
@cases
def test_constants_and_sums(face, seed, dtype, routing, n, k, experts, d, h):
    draw = Draw(seed, dtype)
    index = draw.index(routing, experts, n, *k)
    agree(face, "gather_constant", index, draw.real(experts, h))
    agree(face, "gather_constant", index, draw.real(experts))
    if k:
        gates = draw.real(*index.shape)
        agree(face, "gather_constant", index, draw.real(experts, h), gates)
        agree(face, "segment_combine", draw.real(*index.shape, h), gates)
        agree(face, "segment_combine", draw.real(*index.shape), gates)


@pytest.mark.parametrize("face", FACES)
@random_calls
@cases
def test_mask(face, seed, dtype, routing, n, k, experts, d, h):
    draw, width = Draw(seed, dtype), h + 1
    most = draw.rng.integers(1, width + 1)
    units = draw.real(n, width)
    agree(face, "top_k_mask_linear", units, draw.real(width, 5), draw.real(5), k=int(most))
    agree(face, "top_k_mask_linear", units, draw.real(width), k=int(most))


@pytest.mark.parametrize("face", FACES)
def test_units_that_are_not_kept_are_not_read(face):
    readout = np.array([[1.0, 2.0], [np.inf, np.nan]])
    with backends.use(face):
        out = ops.top_k_mask_linear(np.array([[2.0, 1.0], [3.0, -1.0]]), readout, k=1)
    assert out.tolist() == [[2.0, 4.0], [3.0, 6.0]]


@pytest.mark.parametrize("positions", [(), (1,), (4,)])
@random_calls
@cases
def test_merged(positions, seed, dtype, routing, n, k, experts, d, h):
    draw, experts = Draw(seed, dtype), experts % 9
    x, gates = draw.real(n, *positions, d), draw.real(n, experts)
    weights, bias, last = draw.real(experts, h, d), draw.real(experts, h), draw.real(experts, 3, h)
    agree("numpy", "merge_linear", x, gates, weights, bias)
    agree("numpy", "merged_mlp", x, gates, weights, bias, last, activation="prelu")


@pytest.mark.parametrize("face", FACES)
@random_calls
@cases
def test_convac(face, seed, dtype, routing, n, k, experts, d, h):
    draw = Draw(seed, dtype)
    window, stride = draw.rng.integers(1, 5), int(draw.rng.integers(1, 4))
    x = draw.real(n, window + draw.rng.integers(6), d + 1) / 4
    agree(face, "convac_layer", x, draw.real(window, h, d + 1) / 4, stride=stride)


@pytest.mark.parametrize("face", FACES)
def test_nan_stays(face):
    x = np.array([[np.nan], [1.0], [-1.0], [-np.inf]] * 20)
    one = np.ones((2, 8, 1))
    with backends.use(face):
        out = ops.grouped_mlp(x, np.arange(80) % 2, one, None, one.transpose(0, 2, 1))
    np.testing.assert_array_equal(out[:4, 0], [np.nan, 8.0, 0.0, 0.0])


def large(face="numpy"):
    draw = Draw(3, np.float32)
    x, index = draw.rng.standard_normal((3000, 24), dtype=np.float32), draw.index("zipf", 30, 3000, 2)
    with backends.use(face):
        return ops.grouped_mlp(x, index, draw.real(30, 40, 24), draw.real(30, 40), draw.real(30, 20, 40))


@pytest.mark.parametrize("face", FACES)
def test_threads_do_not_matter(face, monkeypatch):
    monkeypatch.setenv("SPARSEBENCH_NUM_THREADS", "1")
    want = large(face)
    for threads in ("2", "5"):
        monkeypatch.setenv("SPARSEBENCH_NUM_THREADS", threads)
        np.testing.assert_array_equal(large(face), want)
    made = [None] * 3
    callers = [threading.Thread(target=lambda i=i: made.__setitem__(i, large(face))) for i in range(3)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    for got in made:
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("face", FACES)
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_fork_may_use_them_too(face, monkeypatch):
    monkeypatch.setenv("SPARSEBENCH_NUM_THREADS", "2")
    want = large(face)
    reading, writing = os.pipe()
    child = os.fork()
    if not child:  # nothing of the parent's tests may run on here
        os.write(writing, bytes([np.array_equal(large(face), want)]))
        os._exit(0)
    os.close(writing)
    told = os.read(reading, 1)
    os.close(reading)
    assert os.waitpid(child, 0)[1] == 0
    assert told == b"\1"


X, INDEX, W, B = np.ones((8, 2)), np.arange(8) % 2, np.ones((2, 3, 2)), np.ones((2, 3))


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize(
    ("error", "name", "args", "kwargs"),
    [
        (IndexError, "grouped_linear", (X, INDEX + 1, W), {}),
        (TypeError, "grouped_linear", (X, INDEX / 1, W), {}),
        (ValueError, "grouped_linear", (X, INDEX, W, B[:1]), {}),
        (IndexError, "gather_matmul", (X, INDEX - 1, B[:, :2]), {}),
        (IndexError, "grouped_mlp", (X, INDEX + 1, W), {}),
        (ValueError, "grouped_mlp", (X, INDEX, W), {"activation": "tanh"}),
        (TypeError, "grouped_mlp", (X, INDEX, None), {}),
        (IndexError, "grouped_polynomial", (X, INDEX + 1, B), {"degree": 1}),
        (ValueError, "grouped_polynomial", (X, INDEX, B), {"degree": 2}),
        (IndexError, "gather_constant", (INDEX - 1, B), {}),
        (ValueError, "gather_constant", (INDEX, B, INDEX / 1), {}),
        (ValueError, "segment_combine", (X, X.T), {}),
        (ValueError, "top_k_mask_linear", (X, B), {"k": 3}),
        (ValueError, "merge_linear", (X, X, B), {}),
        (ValueError, "merged_mlp", (X, X, W, B, W), {}),
        (ValueError, "convac_layer", (W, W), {"stride": 0}),
    ],
)
def test_errors_are_those_of_the_reference(face, error, name, args, kwargs):
    with backends.use(face), pytest.raises(error, match=name):
        PRIMITIVES[name](*args, **kwargs)


@pytest.mark.parametrize("face", FACES)
def test_other_dtypes_are_left_to_the_steady_face(face):
    for x, weights in ((X.astype(np.float32), W), (X.astype(np.float16), W.astype(np.float16))):
        agree(face, "grouped_linear", x, INDEX, weights, runs="steady")
        agree(face, "grouped_mlp", x, INDEX, weights, runs="steady")


@pytest.mark.parametrize("rows", [1, 7, 100])
@pytest.mark.parametrize("routing", ROUTINGS)
def test_pieces_cut_sorted_addresses(rows, routing):
    index = Draw(0, np.float64).index(routing, 20, 500)
    order, bounds = dispatch.group(index, 20)
    np.testing.assert_array_equal(order, np.argsort(index, kind="stable"))
    made = list(dispatch.pieces(bounds, rows))
    assert [start for start, _ in made] == [0, *(stop for _, stop in made[:-1])]
    assert made[-1][1] == 500
    assert all(0 < stop - start <= 2 * rows for start, stop in made)


@pytest.mark.skipif(not backends.has_numba(), reason=NO_NUMBA)
@pytest.mark.parametrize("routing", ROUTINGS)
def test_both_sorts_agree(routing):
    from sparsebench.ops.jit.dispatch import group

    index = Draw(0, np.float64).index(routing, 20, 500)
    for got, want in zip(group(index, 20), dispatch.group(index, 20), strict=True):
        np.testing.assert_array_equal(got, want)
