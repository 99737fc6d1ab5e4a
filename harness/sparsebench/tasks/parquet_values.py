"""From columns of any writer to arrays: equal logical values become equal bits, whatever their stored type.

Whole numbers of any width become int64. Real numbers become float32; those of another width must have exactly
a float32 value: nothing is rounded. Inputs are lists of one length, even if a writer's list type has no fixed
length, and nested lists if there are more axes.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from sparsebench.tasks.parquet_faults import damaged, guarded

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["EXPECTED", "Kind", "kind_of", "ragged", "values_of"]

EXPECTED = {
    "id": "int64, or other integers",
    "x": "fixed_size_list<float32> or fixed_shape_tensor<float32>, or lists of one length",
    "y": "float32 or int64, or others of the same values",
    "tag": "int64, or other integers",
}
"""The allowed kinds of each column."""

_MOST_AXES = 8
_WHOLE, _REAL = np.dtype(np.int64), np.dtype(np.float32)

# Before version 22, Arrow's to_pandas_dtype imports pandas, which takes longer than reading an instance.
_DTYPES = {pa.from_numpy_dtype(dtype): dtype for dtype in map(np.dtype, "bhilBHILefd")}


class Kind(NamedTuple):
    """A type that a column may have."""

    itemsize: int
    """Bytes that a value takes in an array, at most."""
    width: int | None
    """The number of values of a row, 1 if it is not a list; None if the type does not say."""


def kind_of(name: str, stored: Any) -> Kind | None:
    """Return the kind of an Arrow type; None if the column of that name cannot have it."""
    leaf, axes = _taken_apart(stored)
    dtype = _DTYPES.get(leaf)
    if dtype is None or bool(axes) != (name == "x") or len(axes) > _MOST_AXES or 0 in axes:
        return None
    if dtype.kind not in {"id": "iu", "x": "f", "y": "iuf", "tag": "iu"}[name]:
        return None
    lengths = [length for length in axes if length is not None]
    width = math.prod(lengths) if len(lengths) == len(axes) else None
    return Kind(max(dtype.itemsize, 4 if name == "x" else 8), width)


def values_of(path: Path, name: str, column: Any) -> NDArray[Any]:
    """Turn an Arrow array into one of NumPy, sharing its memory where the types are the same.

    Parameters
    ----------
    path, name
        The file and the column, for errors.
    column
        An array of a type for which `kind_of` returns a kind.

    Returns
    -------
    ndarray
        ``(n, ...)`` int64 or float32, read-only.

    Raises
    ------
    IntegrityError
        If it is damaged, has nulls or lists of different lengths, or a number that int64 or float32 cannot
        represent.
    """
    guarded(path, name, lambda: column.validate(full=True))
    shape = [len(column)]
    tensor = column.type.shape if isinstance(column.type, pa.FixedShapeTensorType) else None
    flat = column.storage if tensor else column
    while _is_list(flat.type):
        _check_nulls(path, name, flat)
        shape.append(_length_of_lists(path, name, flat))
        flat = flat.flatten()
    _check_nulls(path, name, flat)
    if pa.types.is_dictionary(flat.type):
        flat = flat.dictionary_decode()
        _check_nulls(path, name, flat)
    numbers = _of_one_width(path, name, _shared(flat))
    return numbers.reshape([len(column), *tensor] if tensor else shape)


def ragged(path: Path, name: str, odd: int, before: int, length: int) -> Exception:
    """Build the error for lists of different lengths: one of ``odd`` values after some of ``length``."""
    got = f"one of {odd} values after {before} of {length}"
    return damaged(path, name, "lists of one length", got, "write as many values for every row")


def _taken_apart(stored: Any) -> tuple[Any, list[int | None]]:
    """Return the type of the numbers, and the lengths of the lists around them, None where unknown."""
    if isinstance(stored, pa.FixedShapeTensorType):
        # In a permuted tensor the values are in another order than the shape says.
        axes = list(range(len(stored.shape)))
        return (
            (stored.value_type, list(stored.shape))
            if list(stored.permutation or axes) == axes
            else (None, [])
        )
    lengths: list[int | None] = []
    while _is_list(stored):
        lengths.append(stored.list_size if pa.types.is_fixed_size_list(stored) else None)
        stored = stored.value_type
    return stored.value_type if pa.types.is_dictionary(stored) and not lengths else stored, lengths


def _is_list(stored: Any) -> bool:
    kinds = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    return any(is_kind(stored) for is_kind in kinds)


def _check_nulls(path: Path, name: str, column: Any) -> None:
    if column.null_count:
        raise damaged(path, name, "no nulls", f"{column.null_count} nulls")


def _length_of_lists(path: Path, name: str, lists: Any) -> int:
    if pa.types.is_fixed_size_list(lists.type):
        return int(lists.type.list_size)
    lengths = np.diff(_shared(lists.offsets))
    if not (lengths.size and lengths[0]):
        raise damaged(path, name, "lists of at least one value", "an empty one", "write the inputs' values")
    odd = np.flatnonzero(lengths != lengths[0])
    if odd.size:
        raise ragged(path, name, int(lengths[odd[0]]), int(odd[0]), int(lengths[0]))
    return int(lengths[0])


def _of_one_width(path: Path, name: str, numbers: NDArray[Any]) -> NDArray[Any]:
    """Return whole numbers as int64 and real ones as float32; refuse numbers that do not fit."""
    wanted = _REAL if numbers.dtype.kind == "f" else _WHOLE
    if numbers.dtype == wanted:
        return numbers
    with np.errstate(over="ignore"):
        same: NDArray[Any] = numbers.astype(wanted)
    if numbers.dtype.itemsize >= wanted.itemsize:  # a narrower number fits always
        # A uint64 that is too large for int64 is below zero there.
        wrong = (same < 0) if wanted == _WHOLE else (same != numbers) & ~np.isnan(numbers)
        if wrong.any():
            got = f"{numbers[wrong][0].item()} of {numbers.dtype.name}"
            raise damaged(path, name, f"values of {wanted.name}", got, f"write the column as {wanted.name}")
    same.flags.writeable = False
    return same


def _shared(flat: Any) -> NDArray[Any]:
    """Return a read-only view of the memory of an Arrow array of numbers without nulls.

    Arrow's own ``to_numpy`` imports pandas first, where that is installed.
    """
    dtype = _DTYPES[flat.type]
    values = np.frombuffer(flat.buffers()[1], dtype, len(flat), flat.offset * dtype.itemsize)
    values.flags.writeable = False  # the buffer of a freshly read array may be writable
    return values
