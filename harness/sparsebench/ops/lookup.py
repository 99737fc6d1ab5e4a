"""Look-ups: one record from one or several tables, at a computed address."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sparsebench.ops.charges import Charge
from sparsebench.ops.primitive import primitive

__all__ = ["check_index", "gather", "lookup_charges"]


def check_index(name: str, index: Any, rows: int) -> None:
    """Refuse an index that is not an integer (TypeError) or does not address ``rows`` rows (IndexError)."""
    if not np.issubdtype(index.dtype, np.integer):
        raise TypeError(
            f"{name}: expected an integer index, got {index.dtype}; use ops.quantize or ops.pack_bits"
        )
    if index.size and (index.min() < 0 or index.max() >= rows):
        raise IndexError(f"{name}: an index is outside [0, {rows})")


def lookup_charges(index: Any, *tables: Any) -> tuple[Charge, ...]:
    """Charge one look-up per address, and the elements that it reads from all the tables.

    Raises
    ------
    TypeError
        If the index is not an integer array, or there is no table.
    ValueError
        If a table has no rows, or the tables have different numbers of them.
    """
    if not np.issubdtype(index.dtype, np.integer):
        raise TypeError(f"expected an integer index, got {index.dtype}; use ops.quantize or ops.pack_bits")
    if not tables:
        raise TypeError("gather: expected at least one table, got none")
    if len({table.shape[:1] for table in tables}) > 1 or not tables[0].ndim:
        shapes = [tuple(table.shape) for table in tables]
        raise ValueError(f"gather: the tables must have one number of rows, got shapes {shapes}")
    loads = (Charge("load", table.dtype.name, index.size * math.prod(table.shape[1:])) for table in tables)
    return (Charge("lookup", index.dtype.name, index.size), *loads)


def _elements(index: Any, *tables: Any) -> int:
    return sum(int(index.size) * math.prod(table.shape[1:]) for table in tables)


def _touched(index: Any, *tables: Any) -> list[tuple[Any, Any]]:
    return [(table, index) for table in tables]


@primitive(
    cost=lookup_charges,
    elements=_elements,
    touched=_touched,
    price="1 look-up per address, whatever the width of the record; its elements are counted as loads",
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
    lookup_charges(index, *tables)
    check_index("gather", index, tables[0].shape[0])
    records = tuple(table[index] for table in tables)
    return records[0] if len(records) == 1 else records
