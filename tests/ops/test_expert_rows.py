"""The experts' primitives: pieces, bits of rows, and what they refuse."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ops.alike import check_rows, random
from sparsebench.ops import PRIMITIVES
from sparsebench.ops.combining import definition as combining
from sparsebench.ops.grouped import definition as grouped
from sparsebench.ops.grouped import layers
from sparsebench.ops.lookup import definition as lookup
from sparsebench.ops.merging import definition as merging
from sparsebench.ops.polynomial import definition as polynomial

DTYPES = st.sampled_from([np.float32, np.float64])


def steadily(name, *given, **how):
    return lambda *rows: PRIMITIVES[name].on_numpy_steadily(*rows, *given, **how)


def experts(seed, d):
    shapes = (4, 7, d), (4, 7), (4, 3, 7), (4, 3)
    return [random(seed + place, shape) for place, shape in enumerate(shapes)]


def calls(seed=0, n=9, dtype=np.float64, d=5):
    """Every primitive as a function of rows, and the rows."""
    x, cube = random(seed, (n, d), dtype), random(seed + 1, (n, 3, d), dtype)
    gates, stack = random(seed + 2, (n, 4), dtype), [t.astype(dtype) for t in experts(seed, d)]
    pairs = np.random.default_rng(seed).integers(0, 4, (n, 2))
    readout, bias = random(seed + 3, (d, 3), dtype), random(seed + 4, 3, dtype)
    coefficients = random(seed + 5, (4, 3, math.comb(d + 2, 2)), dtype)
    how = {"activation": "swish"}
    return {
        "swish": (steadily("swish"), x),
        "k_tanh": (steadily("k_tanh"), cube),
        "grouped_linear": (steadily("grouped_linear", *stack[:2]), x, pairs),
        "grouped_mlp": (steadily("grouped_mlp", *stack, **how), x, pairs),
        "grouped_mlp-1": (steadily("grouped_mlp", *stack, activation="k_tanh"), x, pairs[:, 0]),
        "grouped_polynomial": (steadily("grouped_polynomial", coefficients, degree=2), x, pairs),
        "grouped_polynomial-1": (
            steadily("grouped_polynomial", coefficients[:, 0], degree=2),
            x,
            pairs[:, 1],
        ),
        "gather_constant": (lambda own, part: steadily("gather_constant", readout[:4], part)(own), pairs,
                            x[:, :2]),
        "segment_combine": (steadily("segment_combine"), cube, x[:, :3]),
        "segment_combine-1": (steadily("segment_combine"), x, x[:, ::-1]),
        "merge_linear": (steadily("merge_linear", *stack[:2]), x, gates),
        "merged_mlp": (steadily("merged_mlp", *stack, **how), cube, gates),
        "top_k_mask_linear": (steadily("top_k_mask_linear", readout, bias, k=3), x),
        "top_k_mask_linear-1": (steadily("top_k_mask_linear", readout[:, 0], k=2), x),
        "convac_layer": (steadily("convac_layer", random(seed + 6, (2, 4, d), dtype)), cube),
    }  # fmt: skip


@pytest.mark.parametrize("name", calls())
@settings(max_examples=15)
@given(seed=st.integers(0, 2**30), dtype=DTYPES, d=st.integers(4, 70))
def test_rows_are_independent(name, seed, dtype, d):
    function, *rows = calls(seed, 33, dtype, d)[name]
    check_rows(function, *rows, seed=seed)


@pytest.mark.parametrize("chunk", [1, 40, 1 << 22])
@pytest.mark.parametrize("name", calls())
def test_pieces_change_nothing(monkeypatch, name, chunk):
    function, *rows = calls()[name]
    want = function(*rows)
    for module in (combining, grouped, lookup, merging, polynomial):
        monkeypatch.setattr(module, "_CHUNK", chunk)
    np.testing.assert_array_equal(function(*rows), want)


def test_blocks():
    assert list(layers.blocks((5,), 2, 4)) == [(slice(0, 2),), (slice(2, 4),), (slice(4, 6),)]
    assert list(layers.blocks((2, 3), 2, 4)) == [
        (slice(row, row + 1), slice(first, first + 2)) for row in (0, 1) for first in (0, 2)
    ]
    assert not list(layers.blocks((0, 3), 2, 4))
    assert not list(layers.blocks((3, 0), 2, 4))


def test_noncontiguous_tables_are_planned_for():
    x, gates, weights = np.ones((2, 3)), np.ones((2, 4)), np.ones((4, 5, 3))
    turned = np.ones((3, 5, 4)).T
    elements = PRIMITIVES["merge_linear"].elements
    assert elements(x, gates, turned) == elements(x, gates, weights) + 60
    assert elements(x[:0], gates[:0], weights) == 0


X, INDEX, P = np.ones((2, 3)), np.array([0, 1]), np.array([[0, 1], [1, 1]])
W, B = np.ones((2, 4, 3)), np.ones((2, 4))
WRONG = {
    "swish-integers": (TypeError, "swish", (INDEX,), {}),
    "k_tanh-integers": (TypeError, "k_tanh", (INDEX,), {}),
    "k_tanh-complex": (TypeError, "k_tanh", (X * 1j,), {}),
    "mlp-no-layers": (ValueError, "grouped_mlp", (X, INDEX), {}),
    "mlp-four-layers": (ValueError, "grouped_mlp", (X, INDEX, *[W, B] * 4), {}),
    "mlp-no-weights": (TypeError, "grouped_mlp", (X, INDEX, None, B), {}),
    "mlp-integers": (TypeError, "grouped_mlp", (X, INDEX, W.astype(int)), {}),
    "mlp-integer-rows": (TypeError, "grouped_mlp", (X.astype(int), INDEX, W), {}),
    "mlp-real-index": (TypeError, "grouped_mlp", (X, X[:, 0], W), {}),
    "mlp-activation": (ValueError, "grouped_mlp", (X, INDEX, W), {"activation": "tanh"}),
    "mlp-complex-slope": (TypeError, "grouped_mlp", (X, INDEX, W), {"slope": 1j}),
    "mlp-array-slope": (TypeError, "grouped_mlp", (X, INDEX, W), {"slope": np.float64(0.5)}),
    "mlp-rows": (ValueError, "grouped_mlp", (X[:1], INDEX, W), {}),
    "mlp-cube": (ValueError, "grouped_mlp", (W, INDEX, W), {}),
    "mlp-index": (ValueError, "grouped_mlp", (X, P[None], W), {}),
    "mlp-features": (ValueError, "grouped_mlp", (X[:, :2], INDEX, W), {}),
    "mlp-widths": (ValueError, "grouped_mlp", (X, INDEX, W, B, W), {}),
    "mlp-experts": (ValueError, "grouped_mlp", (X, INDEX, W, B, np.ones((3, 1, 4))), {}),
    "mlp-bias": (ValueError, "grouped_mlp", (X, INDEX, W, B[:, :1]), {}),
    "mlp-flat": (ValueError, "grouped_mlp", (X, INDEX, W[0]), {}),
    "mlp-number": (ValueError, "grouped_mlp", (X, INDEX, np.array(1.0)), {}),
    "mlp-out-of-range": (IndexError, "grouped_mlp", (X, INDEX + 1, W), {}),
    "mlp-negative": (IndexError, "grouped_mlp", (X, INDEX - 1, W), {}),
    "polynomial-degree": (ValueError, "grouped_polynomial", (X, INDEX, B), {"degree": -1}),
    "polynomial-large-degree": (ValueError, "grouped_polynomial", (X, INDEX, B), {"degree": 33}),
    "polynomial-monomials": (ValueError, "grouped_polynomial", (X, INDEX, B), {"degree": 2}),
    "polynomial-rows": (ValueError, "grouped_polynomial", (X[:1], INDEX, B), {"degree": 1}),
    "polynomial-cube": (ValueError, "grouped_polynomial", (W, INDEX, B), {"degree": 1}),
    "polynomial-integers": (TypeError, "grouped_polynomial", (X, INDEX, B.astype(int)), {"degree": 1}),
    "polynomial-out-of-range": (IndexError, "grouped_polynomial", (X, INDEX + 1, B), {"degree": 1}),
    "constant-real-index": (TypeError, "gather_constant", (X, X), {}),
    "constant-integers": (TypeError, "gather_constant", (P, INDEX), {}),
    "constant-gates-of-one": (ValueError, "gather_constant", (INDEX, X, X[:, 0]), {}),
    "constant-gates": (ValueError, "gather_constant", (P, X, X), {}),
    "constant-shape": (ValueError, "gather_constant", (P, W), {}),
    "constant-number": (ValueError, "gather_constant", (np.array(1), X), {}),
    "constant-out-of-range": (IndexError, "gather_constant", (P + 1, X), {}),
    "combine-shapes": (ValueError, "segment_combine", (X, X[:, :2]), {}),
    "combine-axes": (ValueError, "segment_combine", (X[:, 0], X[:, 0]), {}),
    "combine-many-axes": (ValueError, "segment_combine", (W[None], W[0]), {}),
    "combine-integers": (TypeError, "segment_combine", (X, P), {}),
    "mask-k": (ValueError, "top_k_mask_linear", (X, X[0]), {"k": 4}),
    "mask-none": (ValueError, "top_k_mask_linear", (X, X[0]), {"k": 0}),
    "mask-readout": (ValueError, "top_k_mask_linear", (X, X), {"k": 1}),
    "mask-bias": (ValueError, "top_k_mask_linear", (X, X[0], X[0]), {"k": 1}),
    "mask-rows": (ValueError, "top_k_mask_linear", (X[0], X[0]), {"k": 1}),
    "mask-integers": (TypeError, "top_k_mask_linear", (X, X[0], INDEX), {"k": 1}),
    "merge-gates": (ValueError, "merge_linear", (X, X, W), {}),
    "merge-rows": (ValueError, "merge_linear", (X, X[:1, :2], W), {}),
    "merge-flat": (ValueError, "merge_linear", (X[0], X[:, :2], W), {}),
    "merge-integers": (TypeError, "merge_linear", (X, P, W), {}),
    "merge-no-weights": (TypeError, "merge_linear", (X, X[:, :2], None, B), {}),
    "merged-layers": (ValueError, "merged_mlp", (X, X[:, :2]), {}),
    "merged-activation": (ValueError, "merged_mlp", (X, X[:, :2], W), {"activation": ""}),
    "convac-window": (ValueError, "convac_layer", (W[:, :1], W), {}),
    "convac-no-window": (ValueError, "convac_layer", (W, W[:0]), {}),
    "convac-channels": (ValueError, "convac_layer", (W, W[..., :2]), {}),
    "convac-no-channels": (ValueError, "convac_layer", (W[..., :0], W[..., :0]), {}),
    "convac-stride": (ValueError, "convac_layer", (W, W), {"stride": 0}),
    "convac-flat": (ValueError, "convac_layer", (X, W), {}),
    "convac-integers": (TypeError, "convac_layer", (W, W.astype(int)), {}),
}


@pytest.mark.parametrize(("error", "name", "arguments", "keywords"), WRONG.values(), ids=WRONG.keys())
def test_what_does_not_fit_is_told_in_one_line(error, name, arguments, keywords):
    primitive = PRIMITIVES[name]
    faces = [primitive.on_numpy_steadily, primitive.reference]
    faces += [] if error is IndexError else [primitive.cost]  # a price looks at no values
    for face in faces:
        with pytest.raises(error, match=f"{name}|gather") as told:
            face(*arguments, **keywords)
        assert "\n" not in str(told.value)
