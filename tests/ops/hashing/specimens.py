"""Hashes of planes and of cells: what tests of all primitives know of them."""

from __future__ import annotations

import ml_dtypes
import numpy as np

from cuda.case import case, quarters
from meter.operands import EDGES, NONE, F, X, Y
from meter.scalars import common, inner
from meter.slow.arrays import Slow, filled
from meter.slow.reductions import INDEX
from ops import strict
from ops.elementary.specimens import pack_bits, quantize
from ops.specimen import Specimen


def hyperplane_hash(x, planes, offsets=None):
    dtype = common(x, planes)
    sides = planes.shape[:-1]
    flat = [planes.cells[side].tolist() for side in np.ndindex(sides)]
    limits = [0.0] * len(flat) if offsets is None else offsets.flat()
    bits = [
        inner(row, plane, dtype) > limit
        for row in x.cells.tolist()
        for plane, limit in zip(flat, limits, strict=True)
    ]
    laid = filled(bits, (x.shape[0], *sides), bool)
    return pack_bits(*(Slow(laid.cells[..., plane], bool) for plane in range(sides[-1])))


def _cell(one, levels):
    (cell,) = quantize(filled([one], (1,), one.dtype), levels=levels).flat()
    return cell


def pstable_hash(x, directions, offsets, *, levels):
    dtype = common(x, directions)
    tables = directions.shape[:-2]
    numbers = []
    for row in x.cells.tolist():
        for table in np.ndindex(tables):
            pairs = zip(directions.cells[table].tolist(), offsets.cells[table].tolist(), strict=True)
            address, *rest = (_cell(inner(row, one, dtype) + offset, levels) for one, offset in pairs)
            for cell in rest:
                address = levels * address + cell
            numbers.append(address)
    return filled(numbers, (x.shape[0], *tables), INDEX)


SPECIMENS = (
    Specimen(
        name="hyperplane_hash",
        strict=(({}, (strict.X, strict.EXPERTS)), ({}, (strict.X, strict.W.T, strict.W[0]))),
        slow=hyperplane_hash,
        prices=(
            (
                {},
                (X, Y),
                {("mul", F): 12, ("add", F): 8, ("mac", F): 12, ("cmp", F): 4, ("address", "int64"): 2},
            ),
        ),
        addresses={"hash": lambda ops, s: ops.hyperplane_hash(s.x, s.params["planes"])},
    ),
    Specimen(
        name="pstable_hash",
        strict=(
            ({"levels": 6}, (strict.X, strict.EXPERTS, strict.EXPERTS[..., 0])),
            ({"levels": 1}, (strict.X, strict.W.T, strict.W[0])),
        ),
        slow=pstable_hash,
        prices=(
            (
                {"levels": 5},
                (X, Y, EDGES[:2]),
                {
                    ("mul", F): 12,
                    ("add", F): 8 + 4,
                    ("mac", F): 12,
                    ("cmp", F): 4 * 3,
                    ("address", "int64"): 4 * 2,
                    ("mul", "int64"): 2,
                    ("add", "int64"): 2,
                },
            ),
        ),
        free="of no numbers or to one level, a constant",
        addresses={
            "cells": lambda ops, s: ops.pstable_hash(s.x, s.params["planes"], s.params["offsets"], levels=2)
        },
        hidden=(({"levels": 9}, (NONE, NONE[:2], np.zeros(2))),),
    ),
)

# What backends must agree on ----------------------------------------------------------------------------

BF16 = ml_dtypes.bfloat16


def _hash(d, shape, dtype=np.float32):
    def make(rng, n):
        return (
            quarters(rng, (n, d), dtype, 4),
            quarters(rng, (*shape, d), dtype, 4),
            quarters(rng, shape, dtype),
        )

    return make


CASES = [
    *(
        case("hyperplane_hash", _hash(64, (10,), dtype), np.dtype(dtype).name)
        for dtype in (np.float16, BF16, np.float32, np.float64)
    ),
    case("hyperplane_hash", _hash(32, (16,), BF16), "16 planes"),
    case("hyperplane_hash", _hash(128, (1, 3), np.float16), "one table"),
    case("hyperplane_hash", _hash(30, (4, 7)), "tables"),
    case("hyperplane_hash", _hash(1000, (40,)), "long"),
    *(
        case("pstable_hash", _hash(48, (2, 6), dtype), np.dtype(dtype).name, levels=9)
        for dtype in (np.float16, BF16, np.float32, np.float64)
    ),
    case("pstable_hash", _hash(11, (20,)), "many", levels=8),
]

BY_ROWS = {"hyperplane_hash": ("x",), "pstable_hash": ("x",)}
"""The arguments that have a row for every row of the results."""
