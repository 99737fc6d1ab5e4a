"""References use the array API standard and nothing else: they run on arrays that have nothing else."""

from __future__ import annotations

import array_api_strict
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ops import drawn
from ops.specimen import having
from sparsebench.ops import PRIMITIVES
from sparsebench.ops.core.arguments import Array

CALLS = [(name, *call) for name, calls in having("strict").items() for call in calls]


def held(value):
    return array_api_strict.asarray(value, copy=True) if isinstance(value, np.ndarray) else value


def check(primitive, arguments, keywords, rtol=1e-6, atol=0.0):
    given_ = {name: held(value) for name, value in keywords.items()}
    if given_.get("dtype") is not None:
        given_["dtype"] = getattr(array_api_strict, given_["dtype"])
    with (
        array_api_strict.ArrayAPIStrictFlags(
            api_version="2024.12", boolean_indexing=False, data_dependent_shapes=False
        ),
        np.errstate(all="ignore"),
    ):
        got = primitive(*map(held, arguments), **given_)
    want = primitive.on_numpy_steadily(*arguments, **keywords)
    got, want = (made if isinstance(made, tuple) else (made,) for made in (got, want))
    for its, expected in zip(got, want, strict=True):
        assert isinstance(its, array_api_strict._array_object.Array)
        assert np.asarray(its).dtype == expected.dtype
        np.testing.assert_allclose(np.asarray(its), expected, rtol=rtol, atol=atol)


@pytest.mark.parametrize(("name", "keywords", "arguments"), CALLS)
def test_reference_on_strict_arrays(name, keywords, arguments):
    check(PRIMITIVES[name], arguments, keywords)


DRAWN = [made for made in PRIMITIVES.values() if drawn.can_draw(made)]


@pytest.mark.parametrize("primitive", DRAWN, ids=lambda made: made.name)
@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(0, 20), d=st.integers(1, 8))
def test_reference_on_strict_arrays_of_any_shape(primitive, seed, n, d):
    arguments, keywords = drawn.draw(primitive, np.random.default_rng(seed), n, d, np.float64)
    check(primitive, arguments, keywords, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("primitive", DRAWN, ids=lambda made: made.name)
def test_what_is_refused_on_numpy_is_refused_on_strict_arrays(primitive):
    """Checks look at the array's own namespace: other dtypes, and indices out of range."""
    arguments, keywords = drawn.draw(primitive, np.random.default_rng(0), 3, 4, np.float64)
    tried = 0
    for place, name in zip(range(len(arguments)), primitive.parser.arguments, strict=False):
        told = primitive.parser.arguments[name]
        if not isinstance(told, Array) or not isinstance(arguments[place], np.ndarray):
            continue
        wrong = []
        if told.kinds:
            wrong.append((TypeError, arguments[place].astype(np.complex128)))
        if told.below is not None and arguments[place].size:
            wrong += [
                (IndexError, np.full(arguments[place].shape, 1 << 40)),
                (IndexError, np.full(arguments[place].shape, -1)),
            ]
        for error, array in wrong:
            given = (*arguments[:place], array, *arguments[place + 1 :])
            with pytest.raises(error, match=f"^{primitive.name}: "):
                primitive(*map(held, given), **keywords)
            tried += 1
    assert tried or not any(isinstance(told, Array) for told in primitive.parser.arguments.values())
