"""Look-ups: one record from one or several tables, at a computed address."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from sparsebench.ops.charges import Charge, is_wired, lookups, name_of
from sparsebench.ops.core.arguments import DType, Whole, anything, integer, optional, real
from sparsebench.ops.core.on_numpy import ON_NUMPY
from sparsebench.ops.core.primitive import CONVENTION, primitive

if TYPE_CHECKING:
    from sparsebench.ops.core.call import Call

__all__ = ["gather", "gather_constant", "lookup_charges", "one_hot"]

_CHUNK = 1 << 22  # elements of gathered constants held at once by the steady backend


def _check_tables(call: Call) -> None:
    if not call.tables:
        raise TypeError("gather: expected at least one table, got none")


def lookup_charges(index: Any, *tables: Any) -> tuple[Charge, ...]:
    """Charge the look-ups of a call, and the elements that they read as loads.

    One look-up per address for all tables of the model together, one per element of what was computed, none
    where no input decides the index (:func:`sparsebench.ops.charges.lookups`).
    """
    if is_wired(index):
        return ()
    records = ((table, math.prod(table.shape[1:])) for table in tables)
    return lookups(name_of(index.dtype), int(index.size), records)


def _cost(call: Call) -> tuple[Charge, ...]:
    return lookup_charges(call.index, *call.tables)


def _elements(call: Call) -> int:
    return sum(call["..."] * math.prod(table.shape[1:]) for table in call.tables)


def _read(call: Call) -> Any:
    records = tuple(table[call.index] for table in call.tables)
    return records[0] if len(records) == 1 else records


@primitive(
    cost=_cost,
    elements=_elements,
    steady=_read,
    check=_check_tables,
    price="per address 1 look-up for all tables of the model together, whatever the width of the record, and "
    "1 per element of records that were computed; 0 where the index is the model's; elements are loads",
    example="values = ops.gather(index, table)",
    source=CONVENTION,
    base=True,
)
def gather(
    index: Annotated[Any, integer("...", below="E")], *tables: Annotated[Any, anything("E, ...", at="index")]
) -> Any:
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
    xp = index.__array_namespace__()
    flat = xp.reshape(xp.astype(index, xp.int64), (-1,))
    records = tuple(
        xp.reshape(xp.take(table, flat, axis=0), (*index.shape, *table.shape[1:])) for table in tables
    )
    return records[0] if len(records) == 1 else records


def _one_hot_cost(call: Call) -> tuple[Charge, ...]:
    if is_wired(call.index):
        return ()
    loads = Charge("load", name_of(_dtype(call.dtype)), call["..."] * call.classes)
    return (Charge("lookup", name_of(call.index.dtype), call["..."]), loads)


def _dtype(dtype: Any) -> np.dtype[Any]:
    return np.dtype(np.float32 if dtype is None else dtype)


def _one_hot_elements(call: Call) -> int:
    return max(call["..."], 1) * call["classes"]


def _one_hot_steady(call: Call) -> Any:
    """Compare instead: the identity of many classes takes memory."""
    return (np.asarray(call.index)[..., None] == np.arange(call.classes)).astype(_dtype(call.dtype))


@primitive(
    cost=_one_hot_cost,
    elements=_one_hot_elements,
    steady=_one_hot_steady,
    price="1 look-up per address: a row of the identity; 0 where the index is the model's; elements are "
    "loads",
    example="chosen = ops.one_hot(index, classes=8)",
)
def one_hot(
    index: Annotated[Any, integer("...", below="classes")],
    *,
    classes: Annotated[int, Whole(1)],
    dtype: Annotated[Any, DType()] = None,
) -> Annotated[Any, anything("..., classes")]:
    """Return for every index its row of the identity matrix.

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
    xp = index.__array_namespace__()
    return gather(index, xp.eye(classes, dtype=xp.float32 if dtype is None else dtype))


def _constant_cost(call: Call) -> tuple[Charge, ...]:
    n, many, width = call["n"], call["k"], call["h"]
    charges = lookup_charges(call.index, call.constants)
    dtype = name_of(call.promoted("constants", "gates"))
    if call.gates is not None:
        charges += (Charge("mul", dtype, n * many * width),)
    if call.has("k"):
        charges += (Charge("add", dtype, n * max(many - 1, 0) * width),)
    return charges


def _constant_elements(call: Call) -> int:
    values = call["n"] * call["h"]
    return values + 2 * call["k"] * call["h"] if values else 0


def _constant(xp: Any, index: Any, constants: Any, gates: Any) -> Any:
    made = gather(index, constants)
    if gates is not None:
        made = made * (gates if constants.ndim == 1 else gates[:, :, None])
    return made if index.ndim == 1 else xp.sum(made, axis=1)


def _constant_steady(call: Call) -> Any:
    """Go through the definition in chunks of rows."""
    index, constants, gates = call.index, call.constants, call.gates
    rows = max(1, _CHUNK // max(1, 2 * call["k"] * call["h"]))
    out = np.empty((call["n"], *constants.shape[1:]), dtype=call.promoted("constants", "gates"))
    for start in range(0, call["n"], rows):
        part = slice(start, start + rows)
        out[part] = _constant(ON_NUMPY, index[part], constants, None if gates is None else gates[part])
    return out


@primitive(
    cost=_constant_cost,
    elements=_constant_elements,
    steady=_constant_steady,
    price="k addresses, h numbers each: k look-ups, of computed constants hk; hk multiplications for gates; "
    "h(k - 1) additions",
    example="y = ops.gather_constant(buckets, constants, gates)",
)
def gather_constant(
    index: Annotated[Any, integer("n[, k]", below="E")],
    constants: Annotated[Any, real("E[, h]", at="index")],
    gates: Annotated[Any, optional(real("n, k"))] = None,
) -> Annotated[Any, real("n[, h]")]:
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
    return _constant(index.__array_namespace__(), index, constants, gates)
