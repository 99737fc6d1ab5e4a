"""Sets: the distinct elements, whose number is a secret."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from meter.metered import Meter, furnished
from sparsebench.errors import FailedError

SHAPES = arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5)
DTYPES = st.sampled_from(["int8", "float32", "float64", "bool", "uint16"])
SMALL = st.sampled_from([0, 1, 2, 5])


@given(DTYPES.flatmap(lambda dtype: arrays.arrays(dtype, SHAPES, elements=SMALL.map(np.dtype(dtype).type))))
def test_parts_fit_together(x):
    meter = Meter()
    found = meter.xp.unique_all(meter.put(x))
    values, indices, inverse, counts = (meter.get(part) for part in found)
    assert found._fields == ("values", "indices", "inverse_indices", "counts")
    assert values.tolist() == sorted(set(x.reshape(-1).tolist()))
    assert values.dtype == x.dtype
    assert {part.dtype for part in (indices, inverse, counts)} == {np.dtype(np.int64)}
    np.testing.assert_array_equal(values[inverse], x)
    np.testing.assert_array_equal(x.reshape(-1)[indices], values)
    assert counts.tolist() == [int((x == value).sum()) for value in values]
    for value, index in zip(values, indices, strict=True):
        assert not (x.reshape(-1)[:index] == value).any()


def test_they_agree_with_each_other():
    meter = Meter()
    z = meter.put(np.array([1 + 1j, 0, 1 + 1j, 1 - 1j, 0], np.complex128))
    everything = [meter.get(part).tolist() for part in meter.xp.unique_all(z)]
    assert everything == [[0, 1 - 1j, 1 + 1j], [1, 3, 0], [2, 0, 2, 1, 0], [2, 1, 2]]
    assert meter.get(meter.xp.unique_values(z)).tolist() == everything[0]
    assert [meter.get(part).tolist() for part in meter.xp.unique_counts(z)] == everything[::3]
    assert [meter.get(part).tolist() for part in meter.xp.unique_inverse(z)] == everything[::2]
    assert meter.xp.unique_counts(z)._fields == ("values", "counts")
    assert meter.xp.unique_inverse(z)._fields == ("values", "inverse_indices")


def test_nan_is_distinct_from_nan_and_zeros_are_one():
    meter = Meter()
    x = meter.put(np.array([np.nan, -0.0, 0.0, np.nan]))
    values, counts = (meter.get(part) for part in meter.xp.unique_counts(x))
    assert np.isnan(values).tolist() == [False, True, True]
    assert counts.tolist() == [2, 1, 1]
    assert np.signbit(values[0])  # the first one's


@pytest.mark.parametrize("name", ["unique_all", "unique_counts", "unique_inverse", "unique_values"])
def test_how_many_is_told_for_its_bits(name):
    meter = furnished()
    found = getattr(meter.xp, name)(meter.x)
    values = found if name == "unique_values" else found.values
    assert values._about.shape is None
    assert meter.engine.ledger.count("branch") == 0
    assert values.shape == (4,)
    assert meter.engine.ledger.count("branch") == 3  # 0 to 4 rows: 3 bits
    if name != "unique_values":
        assert all(part.shape == (4,) for part in found)
        assert meter.engine.ledger.count("branch") == 3  # one secret is paid for once


def test_a_length_that_does_not_fit_ends_the_cell():
    meter = furnished()
    with pytest.raises(FailedError) as caught:
        meter.xp.unique_values(meter.x > 1.0) + meter.x
    assert "(2,)" not in caught.value.what


def test_nothing_has_no_secret():
    meter = furnished()
    assert meter.xp.unique_values(meter.x[:0]).shape == (0,)
    assert meter.engine.ledger.count("branch") == 0
