"""What all backends of all primitives must do, on calls drawn by annotations: see ``drawn``."""

from __future__ import annotations

import sys

import array_api_strict
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cuda.cases import by_primitive
from ops import drawn
from ops.alike import check_rows, same
from ops.on_cpu import agrees_with, as_tuple, worth
from sparsebench.ops import PRIMITIVES, backends

DRAWN = [made for made in PRIMITIVES.values() if drawn.can_draw(made)]
DECIDE = [made for made in DRAWN if drawn.decides(made)]
CPU = [(which, made) for made in DRAWN for which in backends.available(made) if which != "cuda"]
LEFT = by_primitive("LEFT_TO_THE_STEADY")
"""Calls that fast backends need not take, by primitive: a function of a call."""

SEEDS = st.integers(0, 2**32 - 1)
FLOATS = st.sampled_from([np.float32, np.float64])


def each(primitives):
    return pytest.mark.parametrize("primitive", primitives, ids=lambda made: made.name)


on_cpu = pytest.mark.parametrize(
    ("which", "primitive"), CPU, ids=[f"{which}-{made.name}" for which, made in CPU]
)
random_calls = settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])


def draw(primitive, seed, rows, width, dtype=np.float64, make=drawn.quarters):
    return drawn.draw(primitive, np.random.default_rng(seed), rows, width, dtype, make)


def laid_out(layout, args):
    return tuple(drawn.LAYOUTS[layout](one) if isinstance(one, np.ndarray) else one for one in args)


def equal(got, want):
    for one, other in zip(as_tuple(got), as_tuple(want), strict=True):
        same(one, other)


def by_definition(primitive, args, kwargs):
    """What the reference gives on arrays that have nothing but the standard: their sort is stable."""

    def held(value):
        return array_api_strict.asarray(value, copy=True) if isinstance(value, np.ndarray) else value

    with np.errstate(all="ignore"):
        made = primitive.reference(*map(held, args), **{name: held(value) for name, value in kwargs.items()})
    return tuple(map(np.asarray, as_tuple(made)))


# Fast backends ----------------------------------------------------------------------------------------


def check(which, primitive, args, kwargs):
    """A fast backend takes the arguments, and gives what the reference does."""
    with worth():
        got = primitive.caller(which)(*args, **kwargs)
    if got is NotImplemented:
        left = LEFT.get(primitive.name, lambda _: False)
        told = "write what it leaves into LEFT_TO_THE_STEADY of its family's specimens.py"
        assert left(primitive.parse(*args, **kwargs)), f"{primitive.name}: {which} took nothing: {told}"
        got = primitive.on_numpy_steadily(*args, **kwargs)
    agrees_with(primitive, got, by_definition(primitive, args, kwargs))


@on_cpu
@random_calls
@given(
    seed=SEEDS,
    dtype=FLOATS,
    n=st.one_of(st.integers(0, 130), st.sampled_from([500, 3000])),
    d=st.one_of(st.integers(1, 20), st.sampled_from([64, 100])),
    layout=st.sampled_from(sorted(drawn.LAYOUTS)),
)
def test_a_backend_gives_what_the_reference_does(which, primitive, seed, dtype, n, d, layout):
    if not drawn.decides(primitive):  # they are more work
        n, d = min(n, 150), min(d, 64)
    args, kwargs = draw(primitive, seed, n, d, dtype)
    check(which, primitive, laid_out(layout, args), kwargs)


@on_cpu
@pytest.mark.parametrize("seed", range(4))
def test_no_rows(which, primitive, seed):
    check(which, primitive, *draw(primitive, seed, 0, 5, np.float32))


@each([made for made in DRAWN if "numpy" in made.backends])
@pytest.mark.parametrize("seed", range(4))
def test_mixed_dtypes_and_the_policy(primitive, seed):
    """What Numba's backend does not take goes to the next one."""
    args, kwargs = draw(primitive, seed, 50, 6)
    real = next(place for place, one in enumerate(args) if getattr(one, "dtype", None) == np.float64)
    args = tuple(one.astype(np.float16) if place == real else one for place, one in enumerate(args))
    with backends.recorded() as record:
        got = primitive(*args, **kwargs)
    agrees_with(primitive, got, primitive.on_numpy_steadily(*args, **kwargs))
    assert (primitive.name, "numba") not in record
    if drawn.decides(primitive):
        assert (primitive.name, "numpy") in record


@each([made for made in DRAWN if "numpy" in made.backends and drawn.takes_integers(made)])
@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.uint8])
def test_integers(primitive, dtype):
    args, kwargs = draw(primitive, 5, 300, 9, dtype, drawn.whole)
    with backends.use("numpy"):
        agrees_with(primitive, primitive(*args, **kwargs), primitive.on_numpy_steadily(*args, **kwargs))


@on_cpu
def test_threads_do_not_change_bits(which, primitive, monkeypatch):
    rows = 30_001 if drawn.decides(primitive) else 3_000
    args, kwargs = draw(primitive, 13, rows, 64, np.float32, drawn.normal)
    made = []
    for threads in "124":
        monkeypatch.setenv("SPARSEBENCH_NUM_THREADS", threads)
        with worth():
            made.append(primitive.caller(which)(*args, **kwargs))
    assert made[0] is not NotImplemented
    equal(made[0], made[1])
    equal(made[0], made[2])


@each([made for made in DECIDE if "numba" in backends.available(made)])
def test_small_work_is_left_to_numpy(primitive):
    args, kwargs = draw(primitive, 14, 20, 6, np.float32)
    with backends.recorded() as record:
        primitive(*args, **kwargs)
    assert (primitive.name, "numpy") in record


# The steady one ---------------------------------------------------------------------------------------


def cut(primitive, args, kwargs):
    """A function of what has rows, one for each result, and what that is."""
    names = primitive.parser.signature.bind(*args, **kwargs).arguments
    given = [name for name in primitive.parser.by_rows if isinstance(names.get(name), np.ndarray)]

    def function(place, *rows):
        bound = primitive.parser.signature.bind(*args, **kwargs)
        bound.arguments.update(zip(given, rows, strict=True))
        return as_tuple(primitive.on_numpy_steadily(*bound.args, **bound.kwargs))[place]

    results = len(as_tuple(primitive.on_numpy_steadily(*args, **kwargs)))
    return [lambda *rows, place=place: function(place, *rows) for place in range(results)], [
        names[name] for name in given
    ]


@each([made for made in DRAWN if drawn.has_rows(made)])
@settings(max_examples=40)
@given(seed=SEEDS, dtype=FLOATS, n=st.sampled_from([33, 40]), d=st.integers(1, 140))
def test_a_row_does_not_see_its_neighbours(primitive, seed, dtype, n, d):
    functions, rows = cut(primitive, *draw(primitive, seed, n, d, dtype, drawn.normal))
    for function in functions:
        check_rows(function, *rows, seed=seed)


@each([made for made in DECIDE if drawn.has_rows(made)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_row_does_not_see_many_neighbours(primitive, dtype):
    functions, rows = cut(primitive, *draw(primitive, 3, 1037, 6, dtype, drawn.normal))
    for function in functions:
        check_rows(function, *rows)


@each([made for made in DRAWN if drawn.has_rows(made)])
def test_nothing_is_of_the_dtype_of_something(primitive):
    args, kwargs = draw(primitive, 2, 9, 4)
    functions, rows = cut(primitive, args, kwargs)
    for function in functions:
        none = function(*(part[:0] for part in rows))
        assert none.shape[0] == 0
        assert none.dtype == function(*rows).dtype


@each(DRAWN)
@settings(max_examples=15)
@given(seed=SEEDS, layout=st.sampled_from(sorted(drawn.LAYOUTS)), n=st.integers(0, 20))
def test_layouts_change_nothing(primitive, seed, layout, n):
    """But for last bits: a product sees the layout of a table. That of rows is always the same."""
    args, kwargs = draw(primitive, seed, n, 8)
    want = primitive.on_numpy_steadily(*args, **kwargs)
    got = primitive.on_numpy_steadily(*laid_out(layout, args), **kwargs)
    if drawn.decides(primitive):
        equal(got, want)
    else:
        agrees_with(primitive, got, want)


def set_chunks(monkeypatch, chunk):
    for name, module in list(sys.modules.items()):
        if name.startswith("sparsebench.ops.") and hasattr(module, "_CHUNK"):
            monkeypatch.setattr(module, "_CHUNK", chunk)


@pytest.mark.parametrize("chunk", [1, 7, 40, 1 << 22])
@each(DRAWN)
def test_pieces_change_nothing(monkeypatch, primitive, chunk):
    calls = [draw(primitive, seed, 9, 5, make=drawn.normal) for seed in range(5)]
    want = [primitive.on_numpy_steadily(*args, **kwargs) for args, kwargs in calls]
    set_chunks(monkeypatch, chunk)
    for (args, kwargs), whole in zip(calls, want, strict=True):
        equal(primitive.on_numpy_steadily(*args, **kwargs), whole)


@each(DRAWN)
def test_a_call_is_read_once_however_many_pieces_it_has(monkeypatch, primitive):
    args, kwargs = draw(primitive, 1, 9, 5)
    parse, read = primitive.parser.parse, []
    monkeypatch.setattr(primitive.parser, "parse", lambda *given: read.append(given) or parse(*given))
    set_chunks(monkeypatch, 1)
    primitive.on_numpy_steadily(*args, **kwargs)
    assert len(read) == 1


@each([made for made in DRAWN if drawn.all_named(made)])
@pytest.mark.parametrize("seed", range(3))
def test_arguments_may_be_given_by_name(primitive, seed):
    args, kwargs = draw(primitive, seed, 9, 5)
    named = primitive.parser.signature.bind(*args, **kwargs).arguments
    for call in (primitive, primitive.on_numpy_steadily, primitive.reference):
        equal(call(**named), call(*args, **kwargs))
    assert primitive.cost(**named) == primitive.cost(*args, **kwargs)
    assert primitive.elements(**named) == primitive.elements(*args, **kwargs)
