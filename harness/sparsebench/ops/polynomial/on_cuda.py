"""Polynomials of buckets on a GPU: ``polynomial.cu``."""

from __future__ import annotations

import functools
import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.ops.gpu.arguments import FLOATS, common_dtype
from sparsebench.ops.gpu.device import c_type
from sparsebench.ops.gpu.dispatch import INDICES, dense_index
from sparsebench.ops.polynomial import definition

if TYPE_CHECKING:
    from sparsebench.ops.core.call import Call
    from sparsebench.ops.gpu.device import Device

__all__ = ["INSTANCES", "grouped_polynomial"]

_THREADS, _BLOCKS = 128, 16  # of a block, as in polynomial.cu; of a multiprocessor
_HELD = 48 << 10  # bytes of monomials that a block may hold

INSTANCES = [
    (
        "polynomial.cu",
        tuple(
            f"grouped_polynomial<{c_type(dtype)}, {c_type(index)}>" for dtype in FLOATS for index in INDICES
        ),
    )
]


@definition.grouped_polynomial.on("cuda")
def grouped_polynomial(device: Device, call: Call) -> Any:
    """Do what :func:`sparsebench.ops.grouped_polynomial` does, where a row's monomials take up to 48 KiB."""
    x, index, coefficients, degree = call.x, call.index, call.coefficients, call.degree
    n, d, k, h, monomials = (call[axis] for axis in ("n", "d", "k", "h", "M"))
    dtype = common_dtype(FLOATS, x, coefficients)
    if dtype is None or index.dtype.name == "uint64":
        return NotImplemented
    if common_dtype(FLOATS, x) != dtype or monomials * dtype.itemsize > _HELD:
        return NotImplemented  # monomials are made in the dtype of x
    out = device.empty((*index.shape, *coefficients.shape[1:-1]), dtype)
    if 0 in out.shape:
        return out
    index = dense_index(device, index)
    args = (
        *(device.dense(x, dtype), index, device.dense(coefficients, dtype)),
        *_recipe_there(device, d, degree),  # type: ignore[arg-type]  # devices are hashed as objects are
        *(out, np.int64(n), *(np.int32(part) for part in (d, k, h, monomials, degree))),
        np.int64(call["E"]),
    )
    kernel = f"grouped_polynomial<{c_type(dtype)}, {c_type(index.dtype)}>"
    grid = min(n, _BLOCKS * device.multiprocessors)
    device.launch("polynomial.cu", kernel, grid, _THREADS, args, monomials * dtype.itemsize)
    return out


@functools.lru_cache(maxsize=64)
def _recipe_there(device: Device, d: int, degree: int) -> tuple[Any, ...]:
    """Copy the recipe to a device, once: the copy waits for the device."""
    return tuple(device.dense(device.put(table)) for table in _recipe(d, degree))


@functools.lru_cache(maxsize=64)
def _recipe(d: int, degree: int) -> tuple[np.ndarray[Any, Any], ...]:
    """Return for every monomial its divisor and the feature it is a multiple of, and where degrees begin."""
    place: dict[tuple[int, ...], int] = {(): 0}
    parent, factor, begins = [0], [0], [0, 1]
    for grade in range(1, degree + 1):
        for features in itertools.combinations_with_replacement(range(d), grade):
            place[features] = len(parent)
            parent.append(place[features[:-1]])
            factor.append(features[-1])
        begins.append(len(parent))
    return tuple(np.array(table, dtype=np.int32) for table in (parent, factor, begins))
