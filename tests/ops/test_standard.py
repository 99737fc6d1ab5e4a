"""References use the array API standard and nothing else: they run on arrays that have nothing else."""

from __future__ import annotations

import array_api_strict
import numpy as np
import pytest

from sparsebench import ops
from sparsebench.ops import PRIMITIVES

RNG = np.random.default_rng(0)
X = (RNG.integers(-8, 9, (5, 4)) / 4).astype(np.float32)
W = (RNG.integers(-8, 9, (4, 3)) / 4).astype(np.float32)
EXPERTS = (RNG.integers(-8, 9, (6, 3, 4)) / 4).astype(np.float32)
INDEX = np.array([5, 0, 2, 2, 1])
PAIRS = np.stack([INDEX, INDEX[::-1]], axis=1).astype(np.uint8)
ODD = np.array([[np.nan, 1.0, -np.inf, np.nan, 1.0], [np.inf, -0.0, 0.0, 3.0, np.inf]])
N = np.array([[-(2**63), 3, 3], [2**62, -1, 0]])
BITS = X > 0
CUBE = np.stack([X, X[::-1], 2 * X], axis=1)

NODES = np.array([3, 0, 2])
EDGES = np.sort(W[:, 0])

# A primitive, its arguments, and those by name.
CALLS = [
    ("axis_tree_route", (X, NODES, W[0]), {}),
    ("axis_tree_route", (X, NODES.astype(np.uint8), W[0]), {}),
    ("axis_tree_route", (X, NODES[:0], W[0, :0]), {}),
    ("einsum", ("nd,dh->nh", X, W), {}),
    ("einsum", ("dh,nd->nh", W, X), {}),
    ("einsum", ("iij,kj,j->ki", np.stack([W[:3], W[1:]]).reshape(2, 3, 3)[:, :2], W, W[0]), {}),
    ("einsum", ("...d,...e->de...", X, X[:1].repeat(5, axis=0)), {}),
    ("einsum", ("ij,k->", N, N[0]), {}),
    ("einsum", (",i", np.array(2.0), ODD[1]), {}),
    ("einsum", ("ij->ji", X[:0]), {}),
    ("erf", (ODD,), {}),
    ("erf", (X,), {}),
    ("gather", (INDEX, EXPERTS), {}),
    ("gather", (PAIRS, EXPERTS, EXPERTS[:, 0, 0]), {}),
    ("gather", (np.array(3, dtype=np.uint64), EXPERTS), {}),
    ("gather", (INDEX[:0].reshape(0, 2), EXPERTS), {}),
    ("convac_layer", (CUBE, EXPERTS[:2]), {}),
    ("convac_layer", (CUBE[:0], EXPERTS[:2]), {"stride": 2}),
    ("gather_constant", (INDEX, EXPERTS[:, 0, 0]), {}),
    ("gather_constant", (PAIRS, EXPERTS[:, 0]), {}),
    ("gather_constant", (PAIRS, EXPERTS[:, 0, 0], X[:, :2]), {}),
    ("gather_matmul", (X, INDEX, EXPERTS), {}),
    ("gather_matmul", (X, PAIRS, EXPERTS), {}),
    ("gather_matmul", (X, INDEX, EXPERTS[:, 0]), {}),
    ("gather_matmul", (X, PAIRS, EXPERTS[:, 0]), {}),
    ("gelu", (ODD,), {}),
    ("gelu", (X,), {"approximate": "none"}),
    ("gelu", (ODD,), {"approximate": "tanh"}),
    ("gelu", (X,), {"approximate": "tanh"}),
    ("grouped_linear", (X, PAIRS, EXPERTS, EXPERTS[..., 0]), {}),
    ("grouped_mlp", (X, INDEX, EXPERTS), {}),
    ("grouped_mlp", (X, PAIRS, EXPERTS, EXPERTS[..., 0], EXPERTS[..., :3], None), {"activation": "swish"}),
    ("grouped_mlp", (X, INDEX, EXPERTS, None, EXPERTS[..., 1:]), {"activation": "prelu", "slope": 0.5}),
    ("grouped_polynomial", (X[:, :2], PAIRS, EXPERTS.reshape(6, 2, 6)), {"degree": 2}),
    ("grouped_polynomial", (X, INDEX, EXPERTS[:, 0, :1]), {"degree": 0}),
    ("hyperplane_hash", (X, EXPERTS), {}),
    ("hyperplane_hash", (X, W.T, W[0]), {}),
    ("k_tanh", (ODD,), {}),
    ("k_tanh", (X,), {}),
    ("layer_norm", (X,), {}),
    ("layer_norm", (X, W[:, 0], W[:, 1]), {"eps": 0.5}),
    ("logsumexp", (ODD,), {}),
    ("logsumexp", (X,), {"axis": 0, "keepdims": True}),
    ("merge_linear", (X, X[:, :2] / 4, EXPERTS[:2], EXPERTS[:2, :, 0]), {}),
    ("merge_linear", (CUBE, X[:, :2] / 4, EXPERTS[:2]), {}),
    ("merged_mlp", (CUBE, X[:, :2], EXPERTS[:2], None, EXPERTS[2:4, :, 1:]), {"activation": "k_tanh"}),
    ("nearest_prototype", (X, X[:3]), {}),
    ("nearest_in_tree", (X, EXPERTS.reshape(18, 4)[:14]), {"arity": 2}),
    ("nearest_in_tree", (X, EXPERTS[:, 0]), {"arity": 6}),
    ("nearest_in_tree", (X, X[:0]), {"arity": 3}),
    ("oblique_tree_route", (X, W.T, W[0]), {}),
    ("oblique_tree_route", (X[:0], W.T[:1], W[0, :1]), {}),
    ("one_hot", (PAIRS,), {"classes": 300}),
    ("one_hot", (INDEX,), {"classes": 6, "dtype": "bool"}),
    ("pack_bits", (BITS, BITS[0], BITS), {}),
    ("prelu", (X, 0.25), {}),
    ("prelu", (X, X[0]), {}),
    ("pstable_hash", (X, EXPERTS, EXPERTS[..., 0]), {"levels": 6}),
    ("pstable_hash", (X, W.T, W[0]), {"levels": 1}),
    ("quantize", (ODD,), {"levels": 3}),
    ("quantize", (N,), {"levels": 2**53}),
    ("relu", (ODD,), {}),
    ("relu", (N,), {}),
    ("scatter_add", (EXPERTS[..., 0], INDEX, X[:, :3]), {}),
    ("scatter_add", (N[0], PAIRS[3:, 0], N[1, :2]), {}),
    ("searchsorted_route", (X, EDGES), {}),
    ("searchsorted_route", (X[0], EDGES[:0]), {}),
    ("segment_combine", (CUBE, X[:, :3]), {}),
    ("segment_combine", (X, X), {}),
    ("segment_sum", (X, INDEX), {"num_segments": 7}),
    ("segment_sum", (X[:0], INDEX[:0]), {"num_segments": 0}),
    ("sigmoid", (ODD,), {}),
    ("sigmoid", (X,), {}),
    ("softmax", (ODD,), {}),
    ("softmax", (X,), {"axis": 0}),
    ("swish", (ODD,), {}),
    ("swish", (X,), {}),
    ("top_k", (ODD, 5), {}),
    ("top_k", (N, 2), {}),
    ("top_k", (PAIRS, 2), {}),
    ("top_k", (BITS, 3), {}),
    ("top_k_gate", (X, EXPERTS[:, 0]), {"k": 6}),
    ("top_k_gate", (X, EXPERTS[:, 0], EXPERTS[:, 0, 0]), {"k": 2}),
    ("top_k_mask_linear", (X, W[:, 0]), {"k": 2}),
    ("top_k_mask_linear", (X, W, W[0]), {"k": 4}),
    ("tree_route", (X, W[:, 0][:3]), {}),
]


def test_every_primitive_is_tried():
    assert {call[0] for call in CALLS} == set(PRIMITIVES)


def held(value):
    return array_api_strict.asarray(value, copy=True) if isinstance(value, np.ndarray) else value


@pytest.mark.parametrize(("name", "arguments", "keywords"), CALLS)
def test_reference_on_strict_arrays(name, arguments, keywords):
    given = dict(keywords)
    if "dtype" in given:
        given["dtype"] = getattr(array_api_strict, given["dtype"])
    with (
        array_api_strict.ArrayAPIStrictFlags(
            api_version="2024.12", boolean_indexing=False, data_dependent_shapes=False
        ),
        np.errstate(all="ignore"),
    ):
        got = getattr(ops, name)(*map(held, arguments), **given)
    want = PRIMITIVES[name].on_numpy_steadily(*arguments, **keywords)
    got, want = (made if isinstance(made, tuple) else (made,) for made in (got, want))
    for its, expected in zip(got, want, strict=True):
        assert isinstance(its, array_api_strict._array_object.Array)
        assert np.asarray(its).dtype == expected.dtype
        np.testing.assert_allclose(np.asarray(its), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("error", "name", "arguments"),
    [
        (IndexError, "gather", (INDEX, X)),
        (IndexError, "gather", (INDEX - 3, EXPERTS)),
        (TypeError, "gather", (X, X)),
        (TypeError, "pack_bits", (X,)),
        (TypeError, "quantize", (X + 1j, 3)),
        (TypeError, "top_k", (X + 1j, 3)),
        (ValueError, "top_k", (X, 5)),
        (IndexError, "scatter_add", (X[:2], INDEX, X)),
        (IndexError, "gather_matmul", (X, INDEX - 1, EXPERTS)),
        (TypeError, "softmax", (N,)),
        (IndexError, "axis_tree_route", (X, NODES - 1, W[0])),
    ],
)
def test_errors_on_strict_arrays(error, name, arguments):
    keywords = {"levels": 3} if name == "quantize" else {}
    arguments = arguments[:1] if keywords else arguments
    with pytest.raises(error, match=name if name != "gather_matmul" else "gather"):
        getattr(ops, name)(*map(held, arguments), **keywords)
