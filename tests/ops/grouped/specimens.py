"""Layers of the experts that an index names: what tests of all primitives know of them."""

from __future__ import annotations

import ml_dtypes
import numpy as np

from cuda.case import case, layers, taken
from meter.operands import INDEX, NO_ADDRESSES, NO_ROWS, NONE, F, N, X, model
from meter.scalars import common, inner
from meter.slow.arrays import Slow, filled
from meter.slow.indexing import part_of, rows
from meter.slow.primitives import joint_dtype, paired, through
from ops import strict
from ops.elementary.specimens import activate
from ops.specimen import Specimen

# Slow counts ------------------------------------------------------------------------------------------


def grouped_linear(x, index, weights, bias=None):
    dtype = common(x, weights)
    tables = (weights,) if bias is None else (weights, bias)
    each = int(np.prod(index.shape[1:]))
    numbers = []
    for address, (kernel, *shift) in enumerate(rows(index, *tables)):
        row = x.cells[address // each].tolist()
        made = [inner(plane, row, dtype) for plane in kernel.cells.tolist()]
        numbers += [one + other for one, other in zip(made, shift[0].flat(), strict=True)] if shift else made
    kinds = [dtype] if bias is None else [dtype, bias.dtype]
    return filled(numbers, (*index.shape, weights.shape[1]), np.result_type(*kinds))


def gather_matmul(x, index, weights):
    if weights.ndim == 3:
        return grouped_linear(x, index, weights)
    made = grouped_linear(x, index, part_of(weights, (slice(None), None)))
    return Slow(made.cells[..., 0], made.dtype)


def grouped_mlp(x, index, *layers, activation="relu", slope=0.25):
    tables = [table for table in layers if table is not None]
    each = int(np.prod(index.shape[1:]))
    numbers = []
    for address, records in enumerate(rows(index, *tables)):
        left = iter(records)
        own = [next(left) if table is not None else None for table in layers]
        row = x.cells[address // each].tolist()
        numbers += through(row, x.dtype, paired(own), activate(activation, slope))
    return filled(numbers, (*index.shape, paired(layers)[-1][0].shape[1]), joint_dtype(x, *tables))


# Records ----------------------------------------------------------------------------------------------

_NO_TERMS = "over no terms, nothing is computed"

SPECIMENS = (
    Specimen(
        name="grouped_linear",
        strict=(({}, (strict.X, strict.PAIRS, strict.EXPERTS, strict.EXPERTS[..., 0])),),
        slow=grouped_linear,
        prices=(
            (
                {},
                (X, INDEX[:2], model(np.ones((2, 4, 3), F)), model(np.ones((2, 4), F))),
                {
                    ("lookup", "int64"): 2,
                    ("load", F): 2 * 12 + 2 * 4,
                    ("mul", F): 24,
                    ("add", F): 2 * 4 * 2 + 8,
                    ("mac", F): 24,
                },
            ),
            (  # what was computed is moved number by number: a layer of 12 and a bias of 4
                {},
                (X, INDEX[:2], np.ones((2, 4, 3), F), np.ones((2, 4), F)),
                {
                    ("lookup", "int64"): 2 * (12 + 4),
                    ("load", F): 2 * 12 + 2 * 4,
                    ("mul", F): 24,
                    ("add", F): 2 * 4 * 2 + 8,
                    ("mac", F): 24,
                },
            ),
        ),
        free=_NO_TERMS,
        index=1,
        numbers={
            "experts": lambda ops, s: ops.grouped_linear(
                s.x, s.index, s.params["experts"], s.params["biases"]
            )
        },
        loads={
            "grouped": (
                12 + 2,
                lambda ops, m, w: ops.grouped_linear(
                    m.put(np.zeros((2, 6))), m.put([0, 1]), w[:, None, :], m.params["v"][:4, None]
                ),
            ),
        },
    ),
    Specimen(
        name="gather_matmul",
        strict=(
            ({}, (strict.X, strict.INDEX, strict.EXPERTS)),
            ({}, (strict.X, strict.PAIRS, strict.EXPERTS)),
            ({}, (strict.X, strict.INDEX, strict.EXPERTS[:, 0])),
            ({}, (strict.X, strict.PAIRS, strict.EXPERTS[:, 0])),
        ),
        slow=gather_matmul,
        prices=(
            (
                {},
                (X, N[:, :2] % 3, model(np.ones((3, 3), np.float32))),
                {("lookup", "int64"): 4, ("load", F): 12, ("mul", F): 12, ("add", F): 8, ("mac", F): 12},
            ),
        ),
        free=_NO_TERMS,
        index=1,
        numbers={
            "gather-matmul": lambda ops, s: s.x * ops.gather_matmul(s.x, s.index, s.params["table"])[:, None]
        },
    ),
    Specimen(
        name="grouped_mlp",
        strict=(
            ({}, (strict.X, strict.INDEX, strict.EXPERTS)),
            (
                {"activation": "swish"},
                (
                    strict.X,
                    strict.PAIRS,
                    strict.EXPERTS,
                    strict.EXPERTS[..., 0],
                    strict.EXPERTS[..., :3],
                    None,
                ),
            ),
            (
                {"activation": "prelu", "slope": 0.5},
                (strict.X, strict.INDEX, strict.EXPERTS, None, strict.EXPERTS[..., 1:]),
            ),
        ),
        slow=grouped_mlp,
        prices=(
            (  # 3 -> 4 -> 2 for two rows: one look-up each, 16 + 8 + 2 parameters
                {"activation": "prelu"},
                (
                    X,
                    INDEX[:2],
                    model(np.ones((2, 4, 3), F)),
                    None,
                    model(np.ones((2, 2, 4), F)),
                    model(np.ones((2, 2), F)),
                ),
                {
                    ("lookup", "int64"): 2,
                    ("load", F): 2 * (12 + 8 + 2),
                    ("mul", F): 2 * (12 + 4 + 8),
                    ("add", F): 2 * (4 * 2 + 2 * 3 + 2),
                    ("mac", F): 2 * (12 + 8),
                    ("cmp", F): 2 * 4,
                    ("select", F): 2 * 4,
                },
            ),
        ),
        rounded=True,
        free=_NO_TERMS,
        index=1,
        numbers={
            "perceptrons": lambda ops, s: ops.grouped_mlp(
                s.x,
                s.index,
                s.params["experts"],
                s.params["biases"],
                s.params["experts"],
                activation="swish",
            )
        },
        loads={
            "grouped-mlp": (
                2 * 6 + 3,
                lambda ops, m, w: ops.grouped_mlp(
                    m.put(np.zeros((3, 6))),
                    m.put([0, 1, 0]),
                    w[:, None, :],
                    m.params["v"][:4, None],
                    m.params["v"][1:5, None, None],
                ),
            ),
        },
        hidden=(
            ({"activation": "k_tanh"}, (NONE[:2], NO_ADDRESSES[:2], NONE[None], None, NO_ROWS[None])),
            ({"activation": "k_tanh"}, (NONE[:2], np.zeros(2, int), NONE[None], None, NO_ROWS[None])),
        ),
    ),
)

# What backends must agree on ----------------------------------------------------------------------------

BF16 = ml_dtypes.bfloat16


def _mlp(widths, experts=7, k=None, kind="even", dtype=np.float32, index=np.int64, bias=True):
    def make(rng, n):
        x = rng.standard_normal((n, widths[0])).astype(dtype)
        return x, taken(rng, n, experts, k, kind, index), *layers(rng, experts, widths, dtype, bias)

    return make


def _linear(*args, weights_only=False, **kwargs):
    made = _mlp(*args, **kwargs)
    return (lambda rng, n: made(rng, n)[:3]) if weights_only else made


def _vectors(d, experts, k):
    def make(rng, n):
        x = rng.standard_normal((n, d)).astype(np.float32)
        return x, taken(rng, n, experts, k, "even"), rng.standard_normal((experts, d)).astype(np.float32)

    return make


CASES = [
    case("grouped_linear", _linear((5, 3)), "small"),
    case("grouped_linear", _linear((5, 3), weights_only=True), "no bias"),
    case("grouped_linear", _linear((64, 64), experts=40, k=2), "two experts"),
    case("grouped_linear", _linear((0, 3)), "no features"),
    case("grouped_linear", _linear((200, 70), kind="skewed"), "wide"),
    case("grouped_linear", _linear((9, 4), dtype=np.float64, kind="one"), "float64"),
    case("grouped_linear", _linear((24, 10), dtype=np.float16), "float16"),
    case("grouped_linear", _linear((24, 10), dtype=BF16, index=np.uint8), "bfloat16"),
    case("grouped_linear", _linear((150, 8), dtype=BF16), "wide bfloat16"),
    case("gather_matmul", _linear((6, 4), k=3, weights_only=True), "matrices"),
    case("gather_matmul", _vectors(10, 6, None), "vectors"),
    case("grouped_mlp", _mlp((64, 64, 64), experts=12), "two layers"),
    case(
        "grouped_mlp", _mlp((30, 17, 9, 5), k=2, kind="skewed", index=np.int32), "prelu", activation="prelu"
    ),
    case("grouped_mlp", _mlp((20, 33, 1), bias=False), "no bias"),
    case("grouped_mlp", _mlp((3, 100, 120), kind="one"), "one expert"),
    case("grouped_mlp", _mlp((7, 140, 6), experts=3), "layer by layer", activation="swish"),
    case("grouped_mlp", _mlp((8, 8, 8), experts=9000), "many experts"),
    case("grouped_mlp", _mlp((12, 40, 3), dtype=np.float64), "float64", activation="swish"),
    case("grouped_mlp", _mlp((40, 24, 7), dtype=np.float16), "float16"),
    case("grouped_mlp", _mlp((64, 64, 64), dtype=BF16, k=2), "bfloat16"),
    case("grouped_mlp", _mlp((1, 1), dtype=np.float32), "one layer"),
    case("grouped_mlp", _mlp((256, 300, 136), experts=5, dtype=BF16), "large bfloat16", activation="prelu"),
    case("grouped_mlp", _mlp((131, 67, 257), experts=3, k=2, dtype=np.float16), "large float16"),
    case("grouped_mlp", _mlp((200, 129, 64), experts=4, kind="skewed"), "large"),
]

BY_ROWS = {"grouped_linear": ("x", "index"), "gather_matmul": ("x", "index"), "grouped_mlp": ("x", "index")}
"""The arguments that have a row for every row of the results."""
