"""Look-ups: one record from one or several tables, at a computed address."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sparsebench.ops.charges import Charge, is_wired, lookups, name_of
from sparsebench.ops.core.checks import INTEGER, REAL, check_dtypes
from sparsebench.ops.core.on_numpy import ON_NUMPY
from sparsebench.ops.core.primitive import CONVENTION, primitive

__all__ = ["check_constants", "check_index", "gather", "gather_constant", "lookup_charges", "one_hot"]

_CHUNK = 1 << 22  # elements of gathered constants held at once by the steady face

_INTEGER_WORDS = "an integer index (ops.quantize or ops.pack_bits make one)"


def check_index(name: str, index: Any, rows: int) -> None:
    """Refuse an index that is not an integer (TypeError) or does not address ``rows`` rows (IndexError)."""
    check_dtypes(name, INTEGER, _INTEGER_WORDS, index)
    xp = index.__array_namespace__()
    if index.size and (int(xp.min(index)) < 0 or int(xp.max(index)) >= rows):
        raise IndexError(f"{name}: an index is outside [0, {rows})")


def _check_tables(index: Any, tables: tuple[Any, ...]) -> None:
    """Refuse an index that is not an integer, and tables that do not belong together."""
    check_dtypes("gather", INTEGER, _INTEGER_WORDS, index)
    if not tables:
        raise TypeError("gather: expected at least one table, got none")
    if len({tuple(table.shape[:1]) for table in tables}) > 1 or not tables[0].ndim:
        shapes = [tuple(table.shape) for table in tables]
        raise ValueError(f"gather: the tables must have one number of rows, got shapes {shapes}")


def lookup_charges(index: Any, *tables: Any) -> tuple[Charge, ...]:
    """Charge the look-ups of a call, and the elements that they read as loads.

    One look-up per address for all tables of the model together, one per element of what was computed, none
    where no input decides the index (:func:`sparsebench.ops.charges.lookups`).

    Raises
    ------
    TypeError
        If the index is not an integer array, or there is no table.
    ValueError
        If a table has no axis of rows, or the tables have different numbers of them.
    """
    _check_tables(index, tables)
    if is_wired(index):
        return ()
    records = ((table, math.prod(table.shape[1:])) for table in tables)
    return lookups(name_of(index.dtype), int(index.size), records)


def _elements(index: Any, *tables: Any) -> int:
    return sum(int(index.size) * math.prod(table.shape[1:]) for table in tables)


def _touched(index: Any, *tables: Any) -> list[tuple[Any, Any]]:
    return [(table, index) for table in tables]


def _read(index: Any, *tables: Any) -> Any:
    _check_tables(index, tables)
    check_index("gather", index, tables[0].shape[0])
    records = tuple(table[index] for table in tables)
    return records[0] if len(records) == 1 else records


@primitive(
    cost=lookup_charges,
    elements=_elements,
    steady=_read,
    touched=_touched,
    price="per address 1 look-up for all tables of the model together, whatever the width of the record, and "
    "1 per element of records that were computed; 0 where the index is the model's; elements are loads",
    example="values = ops.gather(index, table)",
    source=CONVENTION,
    base=True,
)
def gather(index: Any, *tables: Any) -> Any:
    """Read the records at ``index`` from one or several tables.

    Parameters
    ----------
    index
        Integer array ``(...)`` with values in ``[0, E)``; negative values are out of range.
    *tables
        Arrays ``(E, ...)`` with one number of rows E.

    Returns
    -------
    array or tuple of arrays
        ``table[index]`` of shape ``index.shape + table.shape[1:]``; a tuple if several tables were given.

    Raises
    ------
    TypeError
        If the index is not an integer array, or no table is given.
    ValueError
        If the tables have different numbers of rows.
    IndexError
        If an index is out of range.
    """
    _check_tables(index, tables)
    check_index("gather", index, tables[0].shape[0])
    xp = index.__array_namespace__()
    flat = xp.reshape(xp.astype(index, xp.int64), (-1,))
    records = tuple(
        xp.reshape(xp.take(table, flat, axis=0), (*index.shape, *table.shape[1:])) for table in tables
    )
    return records[0] if len(records) == 1 else records


def _one_hot_cost(index: Any, *, classes: int, dtype: Any = None) -> tuple[Charge, ...]:
    _check_classes(classes)
    check_dtypes("one_hot", INTEGER, _INTEGER_WORDS, index)
    if is_wired(index):
        return ()
    loads = Charge("load", name_of(_dtype(dtype)), index.size * classes)
    return (Charge("lookup", name_of(index.dtype), index.size), loads)


def _check_classes(classes: int) -> None:
    if classes < 1:
        raise ValueError(f"one_hot: expected at least 1 class, got {classes}")


def _dtype(dtype: Any) -> np.dtype[Any]:
    return np.dtype(np.float32 if dtype is None else dtype)


def _one_hot_elements(index: Any, *, classes: int, dtype: Any = None) -> int:  # noqa: ARG001
    return max(int(index.size), 1) * classes


def _one_hot_steady(index: Any, *, classes: int, dtype: Any = None) -> Any:
    """Compare instead: the identity of many classes takes memory."""
    _check_classes(classes)
    check_index("one_hot", index, classes)
    return (np.asarray(index)[..., None] == np.arange(classes)).astype(_dtype(dtype))


@primitive(
    cost=_one_hot_cost,
    elements=_one_hot_elements,
    steady=_one_hot_steady,
    price="1 look-up per address: a row of the identity; 0 where the index is the model's; elements are "
    "loads",
    example="chosen = ops.one_hot(index, classes=8)",
)
def one_hot(index: Any, *, classes: int, dtype: Any = None) -> Any:
    """Give every index its row of the identity matrix.

    Parameters
    ----------
    index
        Integer array ``(...)`` with values in ``[0, classes)``; negative values are out of range.
    classes
        How many there are, at least 1.
    dtype
        Dtype of the result; float32 if None.

    Returns
    -------
    array ``(..., classes)``
        1 at the index, 0 elsewhere.

    Raises
    ------
    TypeError
        If the index is not an integer array.
    ValueError
        If there are no classes.
    IndexError
        If an index is out of range.
    """
    _check_classes(classes)
    xp = index.__array_namespace__()
    return gather(index, xp.eye(classes, dtype=xp.float32 if dtype is None else dtype))


def check_constants(index: Any, constants: Any, gates: Any) -> None:
    """Say what does not fit :func:`gather_constant`."""
    check_dtypes("gather_constant", INTEGER, _INTEGER_WORDS, index)
    check_dtypes(
        "gather_constant", REAL, "real numbers", *(constants,) if gates is None else (constants, gates)
    )
    fits = index.ndim in (1, 2) and constants.ndim in (1, 2)
    if not fits or (gates is not None and (index.ndim == 1 or tuple(gates.shape) != tuple(index.shape))):
        got = [None if part is None else tuple(part.shape) for part in (index, constants, gates)]
        expected = "index (n[, k]), constants (E[, h]) and, for an index (n, k) alone, gates (n, k)"
        raise ValueError(f"gather_constant: expected {expected}; got {got}")


def _constant_dtype(constants: Any, gates: Any) -> np.dtype[Any]:
    return np.result_type(constants.dtype, *(() if gates is None else (gates.dtype,)))


def _constant_cost(index: Any, constants: Any, gates: Any = None) -> tuple[Charge, ...]:
    check_constants(index, constants, gates)
    charges = lookup_charges(index, constants)
    dtype, width = name_of(_constant_dtype(constants, gates)), math.prod(constants.shape[1:])
    if gates is not None:
        charges += (Charge("mul", dtype, int(index.size) * width),)
    if index.ndim > 1:
        charges += (Charge("add", dtype, index.shape[0] * max(index.shape[1] - 1, 0) * width),)
    return charges


def _constant_elements(index: Any, constants: Any, gates: Any = None) -> int:  # noqa: ARG001 - the signature
    values = math.prod((index.shape[0], *constants.shape[1:]))
    return values + 2 * math.prod((*index.shape[1:], *constants.shape[1:])) if values else 0


def _constant_touched(index: Any, constants: Any, gates: Any = None) -> list[tuple[Any, Any]]:  # noqa: ARG001
    return [(constants, index)]


def _constant(xp: Any, index: Any, constants: Any, gates: Any) -> Any:
    made = gather(index, constants)
    if gates is not None:
        made = made * (gates if constants.ndim == 1 else gates[:, :, None])
    return made if index.ndim == 1 else xp.sum(made, axis=1)


def _constant_steady(index: Any, constants: Any, gates: Any = None) -> Any:
    """Go through the reference in chunks of rows."""
    check_constants(index, constants, gates)
    check_index("gather_constant", index, constants.shape[0])
    rows = max(1, _CHUNK // max(1, 2 * math.prod((*index.shape[1:], *constants.shape[1:]))))
    out = np.empty((index.shape[0], *constants.shape[1:]), dtype=_constant_dtype(constants, gates))
    for start in range(0, index.shape[0], rows):
        part = slice(start, start + rows)
        out[part] = _constant(ON_NUMPY, index[part], constants, None if gates is None else gates[part])
    return out


@primitive(
    cost=_constant_cost,
    elements=_constant_elements,
    touched=_constant_touched,
    steady=_constant_steady,
    price="k addresses, h numbers each: k look-ups, of computed constants hk; hk multiplications for gates; "
    "h(k - 1) additions",
    example="y = ops.gather_constant(buckets, constants, gates)",
)
def gather_constant(index: Any, constants: Any, gates: Any = None) -> Any:
    """Look constants up, and sum those of a row: buckets with a number each (Baykal et al. 2022, section 3).

    Parameters
    ----------
    index
        Integer array ``(n,)`` or ``(n, k)`` with values in ``[0, E)``; negative values are out of range.
    constants
        Real array ``(E,)`` or ``(E, h)``.
    gates
        Real array ``(n, k)``: what constants are multiplied by before they are summed; or None.

    Returns
    -------
    real array ``(n,)`` or ``(n, h)``
        0 where k is 0.

    Raises
    ------
    TypeError
        If the index is not an integer array, or another one is not real.
    ValueError
        If the shapes do not fit, or gates are given for an index ``(n,)``.
    IndexError
        If an index is out of range.
    """
    check_constants(index, constants, gates)
    return _constant(index.__array_namespace__(), index, constants, gates)
