"""Look-ups that make vectors: one-hot rows, and products with gathered weights."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ops.alike import check_rows, random, same
from sparsebench import ops
from sparsebench.ops import PRIMITIVES
from sparsebench.ops.charges import Charge


@given(
    index=st.lists(st.integers(0, 6), max_size=9),
    classes=st.integers(7, 400),
    dtype=st.sampled_from([np.int64, np.uint8]),
)
def test_one_hot(index, classes, dtype):
    index = np.array(index, dtype=dtype)
    same(ops.one_hot(index, classes=classes), np.eye(classes, dtype=np.float32)[index])
    same(ops.one_hot(index, classes=classes, dtype="int8"), np.eye(classes, dtype=np.int8)[index])


def test_one_hot_of_any_shape():
    assert ops.one_hot(np.array(1), classes=3).tolist() == [0.0, 1.0, 0.0]
    assert ops.one_hot(np.zeros((0, 2), int), classes=3).shape == (0, 2, 3)
    assert ops.one_hot(np.zeros((4, 2), int), classes=3, dtype=np.bool_).dtype == np.bool_
    assert PRIMITIVES["one_hot"].elements(np.zeros((4, 2), int), classes=3) == 24


@pytest.mark.parametrize(
    ("error", "index", "classes"),
    [
        (IndexError, [3], 3),
        (IndexError, [-1], 3),
        (TypeError, [0.0], 3),
        (TypeError, [True], 3),
        (ValueError, [0], 0),
    ],
)
def test_one_hot_refuses(error, index, classes):
    with pytest.raises(error, match="one_hot"):
        ops.one_hot(np.array(index), classes=classes)


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**32 - 1),
    d=st.integers(0, 70),
    n=st.integers(0, 12),
    k=st.sampled_from([(), (1,), (3,)]),
    h=st.sampled_from([(), (0,), (1,), (4,)]),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_gather_matmul(seed, d, n, k, h, dtype):
    x, weights = random(seed, (n, d), dtype), random(seed + 1, (5, *h, d), dtype)
    index = np.random.default_rng(seed).integers(0, 5, (n, *k))
    got = ops.gather_matmul(x, index, weights)
    one = "nd,nhd->nh" if h else "nd,nd->n"
    several = "nd,nkhd->nkh" if h else "nd,nkd->nk"
    want = np.einsum(several if k else one, x, weights[index])
    assert (got.dtype, got.shape) == (dtype, (n, *k, *h))
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)
    if h:
        same(got, ops.grouped_linear(x, index, weights))
    assert PRIMITIVES["gather_matmul"].elements(x, index, weights) == got.size


@settings(max_examples=20)
@given(seed=st.integers(0, 99), d=st.integers(1, 70), dtype=st.sampled_from([np.float32, np.float64]))
def test_rows_are_independent(seed, d, dtype):
    x, weights = random(seed, (40, d), dtype), random(seed + 1, (9, 4, d), dtype)
    index = np.random.default_rng(seed).integers(0, 9, (40, 2))
    for table in (weights, weights[:, 1]):
        steadily = PRIMITIVES["gather_matmul"].on_numpy_steadily
        check_rows(lambda rows, own, table=table, of=steadily: of(rows, own, table), x, index)
        check_rows(lambda rows, own, table=table, of=steadily: of(rows, own[:, 0], table), x, index)


X, INDEX, W = np.ones((3, 2)), np.array([0, 1, 1]), np.ones((2, 4, 2))


def test_only_the_rows_at_addresses_are_read():
    assert PRIMITIVES["gather_matmul"].touched(X, INDEX, W)[0][0] is W
    assert PRIMITIVES["gather_matmul"].cost(X, INDEX, W[:, 0])[:2] == (
        Charge("lookup", "int64", 3),
        Charge("load", "float64", 6),
    )


@pytest.mark.parametrize(
    ("error", "arguments"),
    [
        (IndexError, (X, INDEX + 1, W)),
        (IndexError, (X, INDEX - 1, W[:, 0])),
        (ValueError, (X, INDEX, W[0, 0])),
        (ValueError, (X, INDEX, W[None])),
        (ValueError, (X, INDEX, W[..., :1])),
        (ValueError, (X, INDEX[:2], W)),
        (ValueError, (X, INDEX[:, None, None], W)),
        (ValueError, (X[0], INDEX, W)),
        (TypeError, (X, INDEX, W * 1j)),
        (TypeError, (X, INDEX / 1, W)),
    ],
)
def test_gather_matmul_refuses(error, arguments):
    with pytest.raises(error, match="gather_matmul"):
        ops.gather_matmul(*arguments)
