"""The fast faces of routing primitives, on NumPy and compiled by Numba, agree with the references."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_info

from sparsebench.ops import PRIMITIVES, backends, jit
from sparsebench.ops.cpu import pool, twins
from sparsebench.ops.gating import definition as gating
from sparsebench.ops.hashing import definition as hashing
from sparsebench.ops.prototype import definition as prototype
from sparsebench.ops.selection import definition as selection
from sparsebench.ops.tree import definition as tree

NUMBA = pytest.mark.skipif(not backends.has_numba(), reason="Numba, of the extra 'fast', is not installed")
FACES = ["numpy", pytest.param("numba", marks=NUMBA)]
FAMILIES = (gating, hashing, prototype, selection, tree)  # registers their primitives
LAYOUTS = {
    "C": np.ascontiguousarray,
    "F": np.asfortranarray,
    "strided": lambda x: np.repeat(x, 2, axis=-1)[..., ::2],
    "reversed": lambda x: np.ascontiguousarray(x[::-1])[::-1],
    "read-only": lambda x: np.frombuffer(x.tobytes(), dtype=x.dtype).reshape(x.shape),
}


@pytest.fixture(autouse=True)
def always_worth(monkeypatch):
    monkeypatch.setattr(jit, "WORTH", 0)


def fast(which, name, *args, **kwargs):
    """Run a fast face, which must take the arguments."""
    primitive = PRIMITIVES[name]
    made = backends.face(which, primitive.family, name)(*args, **kwargs)
    assert made is not NotImplemented
    return made


def same(got, want):
    got, want = (x if isinstance(x, tuple) else (x,) for x in (got, want))
    assert len(got) == len(want)
    for one, other in zip(got, want, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


def quarters(rng, shape, dtype):
    """Small multiples of a quarter: products and sums of them are exact, and many are equal."""
    return (rng.integers(-8, 9, shape) / 4).astype(dtype)


def skewed(rng, x):
    """Let most rows be one row."""
    x[rng.random(len(x)) < 0.8] = x[0] if len(x) else 0
    return x


def offsets_of(rng, shape, dtype):
    return quarters(rng, shape, dtype) if rng.random() < 0.7 else None


def planes(rng, x):
    tables, k = int(rng.integers(4)), int(rng.integers(1, 63))
    shape = (tables, k) if tables else (k,)
    return (x, quarters(rng, (*shape, x.shape[1]), x.dtype), offsets_of(rng, shape, x.dtype)), {}


def directions(rng, x):
    tables, levels = int(rng.integers(4)), int(rng.integers(1, 40))
    k = int(rng.integers(1, 1 + int(62 / np.log2(max(levels, 2)))))
    shape = (tables, k) if tables else (k,)
    offsets = quarters(rng, shape, x.dtype) + x.dtype.type(levels / 2)
    return (x, quarters(rng, (*shape, x.shape[1]), x.dtype), offsets), {"levels": levels}


def nodes(rng, x):
    return quarters(rng, 2 ** int(rng.integers(0, 7)) - 1, x.dtype)


def points(rng, x):
    return (x, quarters(rng, (int(rng.integers(1, 70)), x.shape[1]), x.dtype)), {}


def tree_of_points(rng, x):
    arity = int(rng.integers(2, 5))
    rows = sum(arity**level for level in range(1, int(rng.integers(1, 5))))
    return (x, quarters(rng, (rows, x.shape[1]), x.dtype)), {"arity": arity}


def axes(rng, x):
    thresholds = nodes(rng, x)
    kind = [np.int64, np.int32, np.uint8][int(rng.integers(3))]
    return (x, rng.integers(0, x.shape[1], len(thresholds)).astype(kind), thresholds), {}


def normals(rng, x):
    thresholds = nodes(rng, x)
    return (x, quarters(rng, (len(thresholds), x.shape[1]), x.dtype), thresholds), {}


def edges(rng, x):
    return (x, np.sort(quarters(rng, int(rng.integers(0, 70)), x.dtype))), {}


def experts(rng, x):
    (_, weights), _ = points(rng, x)
    many = len(weights)
    return (x, weights, offsets_of(rng, many, x.dtype)), {"k": int(rng.integers(1, min(many, 32) + 1))}


MAKERS = {
    "axis_tree_route": axes,
    "hyperplane_hash": planes,
    "nearest_in_tree": tree_of_points,
    "nearest_prototype": points,
    "oblique_tree_route": normals,
    "pstable_hash": directions,
    "searchsorted_route": edges,
    "top_k": lambda rng, x: ((x,), {"k": int(rng.integers(1, x.shape[1] + 1))}),
    "top_k_gate": experts,
    "tree_route": lambda rng, x: ((x, nodes(rng, x)), {}),
}


def example(name, rng, dtype, n, d):
    """Arguments of a primitive, of which all arithmetic is exact."""
    return MAKERS[name](rng, skewed(rng, quarters(rng, (n, d), dtype)))


COMPILED = sorted({*MAKERS} - {"top_k"})
BOTH = [("numpy", name) for name in (*COMPILED, "top_k")]
BOTH += [pytest.param("numba", name, marks=NUMBA) for name in COMPILED]


def definition(name, args, kwargs):
    """What the reference gives; NumPy's sort is not stable unless told, as the standard's is."""
    primitive = PRIMITIVES[name]
    given = primitive.on_numpy_steadily if name.startswith("top_k") else primitive.reference
    return given(*args, **kwargs)


def check(which, name, args, kwargs):
    got = fast(which, name, *args, **kwargs)
    want = definition(name, args, kwargs)
    if name == "top_k_gate":
        same(got[0], want[0])
        assert got[1].dtype == want[1].dtype
        np.testing.assert_allclose(got[1], want[1], rtol=1e-5 if got[1].dtype == np.float32 else 1e-12)
    else:
        same(got, want)


@pytest.mark.parametrize(("which", "name"), BOTH)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 2**32 - 1),
    dtype=st.sampled_from([np.float32, np.float64]),
    n=st.one_of(st.integers(0, 130), st.sampled_from([500, 3000])),
    d=st.one_of(st.integers(1, 20), st.sampled_from([64, 100])),
    layout=st.sampled_from(sorted(LAYOUTS)),
)
def test_exact(which, name, seed, dtype, n, d, layout):
    args, kwargs = example(name, np.random.default_rng(seed), dtype, n, d)
    args = tuple(None if part is None else LAYOUTS[layout](part) for part in args)
    check(which, name, args, kwargs)


@pytest.mark.parametrize(("which", "name"), BOTH)
def test_no_rows(which, name):
    check(which, name, *example(name, np.random.default_rng(3), np.float32, 0, 5))


@pytest.mark.parametrize("name", [*COMPILED, "top_k"])
def test_mixed_dtypes_and_the_policy(name):
    """What Numba's face does not take goes to the next one."""
    args, kwargs = example(name, np.random.default_rng(4), np.float64, 50, 6)
    args = (args[0].astype(np.float16), *args[1:])
    with backends.recorded() as record:
        got = PRIMITIVES[name](*args, **kwargs)
    if name == "top_k_gate":
        same(got[0], definition(name, args, kwargs)[0])
    else:
        same(got, definition(name, args, kwargs))
    assert (name, "numpy") in record


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.uint8])
@pytest.mark.parametrize(
    "name", ["hyperplane_hash", "nearest_in_tree", "oblique_tree_route", "pstable_hash", "top_k"]
)
def test_integers(name, dtype):
    args, kwargs = example(name, np.random.default_rng(5), np.float64, 300, 9)
    args = tuple(
        part if part is None or part.dtype.kind != "f" else np.abs(part).astype(dtype) for part in args
    )
    same(fast("numpy", name, *args, **kwargs), definition(name, args, kwargs))


@pytest.mark.parametrize("which", FACES)
def test_sides_differ_only_within_rounding(which):
    rng = np.random.default_rng(6)
    x, planes = rng.standard_normal((20_000, 64)), rng.standard_normal((3, 11, 64))
    offsets = rng.standard_normal((3, 11))
    narrow = (part.astype(np.float32) for part in (x, planes, offsets))
    code = fast(which, "hyperplane_hash", *narrow)
    projected = np.einsum("nd,skd->nsk", x, planes) - offsets
    bits = code[..., None] >> np.arange(10, -1, -1) & 1
    assert bits.any(axis=0).all()
    wrong = bits != (projected > 0)
    assert wrong.mean() < 1e-4
    assert np.abs(projected[wrong]).max(initial=0.0) < 1e-4


@pytest.mark.parametrize("which", FACES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shift", [0.0, 100.0])
def test_nearest_is_the_reference_s_also_where_rounding_decides(which, dtype, shift):
    rng = np.random.default_rng(7)
    centres = rng.standard_normal((20, 30))
    points = (np.repeat(centres, 5, axis=0) + shift).astype(dtype)  # equal ones,
    points[::2] *= dtype(1) + rng.integers(-2, 3, points[::2].shape).astype(dtype) * np.finfo(dtype).eps
    x = (centres[rng.integers(0, 20, 1000)] + shift + 0.1 * rng.standard_normal((1000, 30))).astype(dtype)
    x[:100] = points
    same(fast(which, "nearest_prototype", x, points), prototype.nearest_prototype.reference(x, points))


@pytest.mark.parametrize("which", FACES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@np.errstate(all="ignore")
def test_nearest_where_numbers_are_at_their_ends(which, dtype):
    rng = np.random.default_rng(8)
    facts = np.finfo(dtype)
    for scale in (np.sqrt(facts.max) / 4, np.sqrt(facts.tiny), facts.smallest_subnormal * 9, facts.max / 2):
        points = (rng.standard_normal((40, 7)) * scale).astype(dtype)
        x = (rng.standard_normal((200, 7)) * scale).astype(dtype)
        same(fast(which, "nearest_prototype", x, points), prototype.nearest_prototype.reference(x, points))
    x, points = rng.standard_normal((200, 7)).astype(dtype), rng.standard_normal((40, 7)).astype(dtype)
    x[3, 2], x[5, 1], x[7, 0] = np.nan, np.inf, -np.inf
    same(fast(which, "nearest_prototype", x, points), prototype.nearest_prototype.reference(x, points))
    points[11, 3], points[12, 4] = np.nan, np.inf
    same(fast(which, "nearest_prototype", x, points), prototype.nearest_prototype.reference(x, points))
    same(
        fast(which, "nearest_in_tree", x, points[:30], arity=5),
        prototype.nearest_in_tree.reference(x, points[:30], arity=5),
    )


@pytest.mark.parametrize("which", FACES)
@np.errstate(all="ignore")
def test_nan_and_infinity(which):
    rng = np.random.default_rng(9)
    x = rng.standard_normal((300, 6)).astype(np.float32)
    x[rng.random(x.shape) < 0.1] = np.nan
    x[rng.random(x.shape) < 0.1] = np.inf
    planes, few = rng.standard_normal((9, 6)).astype(np.float32), np.zeros(7, dtype=np.float32)
    check(which, "hyperplane_hash", (x, planes), {})
    check(which, "pstable_hash", (x, planes, planes[:, 0]), {"levels": 5})
    check(which, "searchsorted_route", (x, np.asarray([-1, 0, 0.5, np.inf, np.nan], np.float32)), {})
    check(which, "tree_route", (x, few), {})
    check(which, "axis_tree_route", (x, np.arange(7) % 6, few), {})
    check(which, "oblique_tree_route", (x, planes[:7], few), {})
    bias = planes[:, 1].copy()
    bias[4], bias[5], bias[6] = np.nan, -np.inf, np.inf
    for k in (1, 3, 9):
        check(which, "top_k_gate", (np.nan_to_num(x, posinf=1), planes, bias), {"k": k})


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int8, np.uint64, np.bool_])
@pytest.mark.parametrize("width", [1, 5, 40, 300])
def test_top_k_of_equal_numbers(dtype, width):
    rng = np.random.default_rng(10)
    for x in (rng.integers(0, 2, (60, width)), rng.integers(0, 9, (60, width)), np.zeros((5, 2, width))):
        for k in {1, 2, 7, width} & set(range(1, width + 1)):
            check("numpy", "top_k", (x.astype(dtype), k), {})


@pytest.mark.parametrize("k", [1, 2, 5, 64])
def test_top_k_with_nan_and_infinity(k):
    x = np.random.default_rng(11).standard_normal((500, 64))
    for value in (np.nan, np.inf, -np.inf):
        x[np.random.default_rng(12).random(x.shape) < np.linspace(0, 1.01, 500)[:, None]] = value
        check("numpy", "top_k", (x.astype(np.float32), k), {})


WRONG = [
    ("hyperplane_hash", (np.zeros((3, 2)), np.zeros((4, 3))), {}),
    ("hyperplane_hash", (np.zeros((3, 2), complex), np.zeros((4, 2))), {}),
    ("hyperplane_hash", (np.zeros((3, 2)), np.zeros((63, 2))), {}),
    ("pstable_hash", (np.zeros((3, 2)), np.zeros((4, 2)), np.zeros(3)), {"levels": 2}),
    ("pstable_hash", (np.zeros((3, 2)), np.zeros((9, 2)), np.zeros(9)), {"levels": 1000}),
    ("pstable_hash", (np.zeros((3, 2)), np.zeros((1, 2)), np.zeros(1)), {"levels": 2**60}),
    ("nearest_prototype", (np.zeros((3, 2)), np.zeros((0, 2))), {}),
    ("nearest_in_tree", (np.zeros((3, 2)), np.zeros((5, 2))), {"arity": 2}),
    ("tree_route", (np.zeros(3), np.zeros(4)), {}),
    ("axis_tree_route", (np.zeros((3, 2)), np.full(3, 2), np.zeros(3)), {}),
    ("axis_tree_route", (np.zeros((3, 2)), np.full(3, -1), np.zeros(3)), {}),
    ("axis_tree_route", (np.zeros((3, 2)), np.zeros(3), np.zeros(3)), {}),
    ("oblique_tree_route", (np.zeros((3, 2)), np.zeros((3, 3)), np.zeros(3)), {}),
    ("searchsorted_route", (np.zeros(3), np.zeros((2, 2))), {}),
    ("top_k_gate", (np.zeros((3, 2)), np.zeros((4, 2))), {"k": 5}),
    ("top_k_gate", (np.zeros((3, 2)), np.zeros((4, 2)), np.zeros(3)), {"k": 1}),
]


@pytest.mark.parametrize("which", FACES)
@pytest.mark.parametrize(("name", "args", "kwargs"), [*WRONG, ("top_k", (np.zeros(3),), {"k": 4})])
def test_errors(which, name, args, kwargs):
    if which == "numba" and name == "top_k":
        return  # it has no such face
    with pytest.raises((TypeError, ValueError, IndexError)) as wanted:
        PRIMITIVES[name].reference(*args, **kwargs)
    with pytest.raises(type(wanted.value)) as told:
        fast(which, name, *args, **kwargs)
    assert str(told.value) == str(wanted.value)


@pytest.mark.parametrize(("which", "name"), BOTH)
def test_threads_do_not_change_bits(which, name, monkeypatch):
    rng = np.random.default_rng(13)
    args, kwargs = example(name, rng, np.float32, 30_001, 64)
    args = tuple(
        part + rng.standard_normal(part.shape).astype(np.float32) / 9
        if part is not None and part.dtype.kind == "f" and name != "searchsorted_route"
        else part
        for part in args
    )
    made = []
    for threads in "124":
        monkeypatch.setenv("SPARSEBENCH_NUM_THREADS", threads)
        made.append(fast(which, name, *args, **kwargs))
    same(made[0], made[1])
    same(made[0], made[2])


@NUMBA
def test_small_work_is_left_to_numpy(monkeypatch):
    monkeypatch.undo()
    for name in COMPILED:
        args, kwargs = example(name, np.random.default_rng(14), np.float32, 20, 6)
        with backends.recorded() as record:
            PRIMITIVES[name](*args, **kwargs)
        assert (name, "numpy") in record


FORKING = """
import itertools
import os
import numpy as np
from sparsebench.ops import backends, jit
from sparsebench.ops.hashing import definition as hashing
from sparsebench.ops.prototype import definition as prototype
jit.WORTH = 0
x = np.random.default_rng(0).standard_normal((40_000, 16)).astype(np.float32)
policies = ["numpy", "numba"] if backends.has_numba() else ["numpy"]
def use():
    made = []
    for policy in policies:
        with backends.use(policy):
            made += [hashing.hyperplane_hash(x, x[:12]), prototype.nearest_prototype(x[:2000], x[:99])]
    return made
before = use()
child = os.fork()
if not child:
    os._exit(0 if all(map(np.array_equal, before, use())) else 3)
_, status = os.waitpid(child, 0)
assert all(map(np.array_equal, before, use()))
raise SystemExit(os.waitstatus_to_exitcode(status))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_child_goes_on():
    environment = {**os.environ, "SPARSEBENCH_NUM_THREADS": "2"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKING],
        timeout=120,
        check=False,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def blas_threads():
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]


def test_several_callers_at_once(monkeypatch):
    monkeypatch.setenv("SPARSEBENCH_NUM_THREADS", "2")
    before = blas_threads()
    x = np.random.default_rng(15).standard_normal((20_000, 16)).astype(np.float32)
    want = hashing.hyperplane_hash.reference(x, x[:9])
    wrong = []

    def call():
        for _ in range(20):
            for policy in ("numpy", "auto"):
                with backends.use(policy):
                    if (hashing.hyperplane_hash(x, x[:9]) != want).mean() > 1e-3:
                        wrong.append(policy)

    callers = [threading.Thread(target=call) for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert not wrong
    assert set(blas_threads()) == set(before)  # Numba may have loaded another BLAS meanwhile


def test_chunks():
    assert list(pool.chunks(0, 4)) == []
    assert list(pool.chunks(9, 4)) == [(0, 4), (4, 8), (8, 9)]


def test_pool_calls_every_range_once_and_may_be_used_inside(monkeypatch):
    monkeypatch.setenv("SPARSEBENCH_NUM_THREADS", "3")
    called = np.zeros(100, dtype=int)

    def inner(start, stop):
        called[start:stop] += 1

    pool.run(
        lambda start, stop: pool.run(inner, ((i, i + 1) for i in range(start, stop))), pool.chunks(100, 7)
    )
    assert (called == 1).all()


def test_pool_hands_over_what_was_raised_and_the_error_state(monkeypatch):
    monkeypatch.setenv("SPARSEBENCH_NUM_THREADS", "2")
    before = blas_threads()

    def fail(start, stop):
        if start == 50:
            raise RuntimeError("no such row")

    with pytest.raises(RuntimeError, match="no such row"):
        pool.run(fail, pool.chunks(100, 10))
    assert blas_threads() == before
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        pool.run(lambda start, stop: np.ones(stop - start) / 0.0, pool.chunks(100, 10))
    with np.errstate(divide="ignore"):
        pool.run(lambda start, stop: np.ones(stop - start) / 0.0, pool.chunks(100, 10))


def with_twins(rng, shape, dtype):
    """Vectors some of which are equal; each one's first twin."""
    vectors = rng.standard_normal(shape).astype(dtype)
    first = np.arange(shape[0])
    for place in range(1, shape[0]):
        if rng.random() < 0.5:
            first[place] = first[rng.integers(place)]
    return vectors[first], first


@pytest.mark.parametrize("which", [*FACES, "steady"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 2**32),
    dtype=st.sampled_from([np.float32, np.float64]),
    n=st.sampled_from([1, 2, 3, 7, 33, 200]),
    many=st.sampled_from([2, 3, 5, 9, 17, 40, 130]),
    d=st.sampled_from([1, 3, 8, 17, 64, 100]),
)
def test_of_equal_experts_the_lower_is_chosen(which, seed, dtype, n, many, d):
    """Where rows of a router are equal, so are their logits, at whatever edge of a tile they lie."""
    rng = np.random.default_rng(seed)
    x, (weights, first) = rng.standard_normal((n, d)).astype(dtype), with_twins(rng, (many, d), dtype)
    k = int(rng.integers(1, min(many, 32) + 1))  # more are not chosen by a compiled loop
    made = PRIMITIVES["top_k_gate"].on_numpy_steadily if which == "steady" else None
    experts, gates = made(x, weights, k=k) if made else fast(which, "top_k_gate", x, weights, k=k)
    for row, its_gates in zip(experts, gates, strict=True):
        for place, expert in enumerate(row):
            lower = [other for other in range(expert) if first[other] == first[expert]]
            assert set(lower) <= set(row[:place])
        for one, other in itertools.pairwise(range(k)):
            assert first[row[one]] != first[row[other]] or its_gates[one] == its_gates[other]


@pytest.mark.parametrize("which", [*FACES, "steady"])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 2**32),
    dtype=st.sampled_from([np.float32, np.float64]),
    n=st.sampled_from([1, 2, 33, 200]),
    many=st.sampled_from([2, 3, 5, 9, 17, 40]),
    d=st.sampled_from([1, 3, 17, 100]),
)
def test_equal_planes_and_directions_have_equal_digits_and_of_equal_prototypes_the_first_is_nearest(
    which, seed, dtype, n, many, d
):
    rng = np.random.default_rng(seed)
    vectors, first = with_twins(rng, (many, d), dtype)
    x = rng.standard_normal((n, d)).astype(dtype)
    limits = (vectors @ x[0]).astype(dtype)[first]  # where rounding decides

    def run(name, *args, **kwargs):
        if which == "steady":
            return PRIMITIVES[name].on_numpy_steadily(*args, **kwargs)
        return fast(which, name, *args, **kwargs)

    bits = (run("hyperplane_hash", x, vectors, limits)[:, None] >> np.arange(many)[::-1]) & 1
    np.testing.assert_array_equal(bits, bits[:, first])
    digits = run("pstable_hash", x, vectors, -limits, levels=2)
    bits = (digits[:, None] >> np.arange(many)[::-1]) & 1
    np.testing.assert_array_equal(bits, bits[:, first])
    nearest = run("nearest_prototype", x, vectors)
    np.testing.assert_array_equal(first[nearest], nearest)


def test_twins_are_found_also_among_sums_that_are_equal_by_chance(monkeypatch):
    monkeypatch.setattr(np.random, "default_rng", lambda _: SimpleNamespace(standard_normal=np.zeros))
    vectors = np.array([[1.0, 2.0], [3.0, 4.0], [3.0, 4.0], [np.nan, 0.0], [np.nan, 0.0], [1.0, 2.0]])
    assert twins._first_equal(vectors).tolist() == [0, 1, 1, 3, 4, 0]
