"""Indexing: free by position; if inputs decide, it is a selection by mask or a look-up by address."""

from __future__ import annotations

import math
from typing import Annotated, Any, NamedTuple

import numpy as np

from sparsebench.errors import UncountedOperationError
from sparsebench.meter.engine.memory import PER_HANDLE
from sparsebench.meter.rules.base import FREE, Plan, Rule, refuse_rounding
from sparsebench.meter.rules.complexes import charged
from sparsebench.meter.rules.kinds import Array, Operand
from sparsebench.ops.charges import (
    Charge,
    addressing,
    is_wired,
    lies_in_model,
    lookups,
    name_of,
    selections,
    writes,
)
from sparsebench.ops.core.kinds import INDEX, either, tuple_of

__all__ = ["RULES", "reading_plan"]

_Key = Annotated[Any, either(INDEX, tuple_of(INDEX, "a tuple of them"))]

_ADDRESS_BYTES = 8


def _parts(key: Any) -> tuple[Any, ...]:
    return key if isinstance(key, tuple) else (key,)


def _arrays(key: Any) -> list[Any]:
    return [part for part in _parts(key) if isinstance(part, np.ndarray)]


def _check(key: Any) -> None:
    """Refuse mixtures whose price would be ambiguous."""
    kinds = {array.dtype.kind for array in _arrays(key)}
    if not kinds <= {"b", "i", "u"}:
        raise TypeError(
            "an index must be integers or booleans; use ops.quantize to make an integer of a real number"
        )
    if "b" in kinds and len(_arrays(key)) > 1:
        raise TypeError("a boolean mask cannot be mixed with other index arrays; select in two steps")
    if "b" in kinds and any(isinstance(part, int) for part in _parts(key)):
        raise TypeError("a boolean mask cannot be mixed with integers; select in two steps")


def _is_mask(key: Any) -> bool:
    return any(array.dtype == np.bool_ for array in _arrays(key))


def _axes_taken(part: Any) -> int:
    """Return the number of axes of the indexed array to which a part of the key applies."""
    if isinstance(part, np.ndarray):
        return part.ndim if part.dtype == np.bool_ else 1
    return int(isinstance(part, int | slice))


class _Extent(NamedTuple):
    """The elements that ``x[key]`` reads for one address, or for one place of a mask."""

    before: int
    """Elements of the axes before the last indexed one that no index array stands for."""
    width: int
    """Elements of all axes that no index array stands for."""


def _extent(x: Any, key: Any) -> _Extent:
    """Measure what ``x[key]`` reads.

    Raises
    ------
    IndexError
        If the key has more parts than ``x`` has axes, or an integer or a mask does not fit its axis.
    """
    parts = _parts(key)
    taken = sum(map(_axes_taken, parts))
    dots = [place for place, part in enumerate(parts) if part is ...]
    if taken > x.ndim or len(dots) > 1:
        raise IndexError(f"an index of {taken} axes does not fit an array of shape {x.shape}")
    place = dots[0] if dots else len(parts)
    whole = (slice(None),) * (x.ndim - taken)
    before, width, axis = 1, 1, 0
    for part in (*parts[:place], *whole, *parts[place + 1 :]):
        lengths = x.shape[axis : axis + _axes_taken(part)]
        axis += len(lengths)
        if isinstance(part, slice):
            width *= len(range(*part.indices(lengths[0])))
        elif isinstance(part, int) and not -lengths[0] <= part < lengths[0]:
            raise IndexError(f"the position {part} is outside an axis of {lengths[0]}")
        elif isinstance(part, np.ndarray):
            before = width
            if part.dtype == np.bool_ and not _covers(part.shape, lengths):
                raise IndexError(f"a mask of shape {part.shape} does not fit axes of shape {lengths}")
    return _Extent(before, width)


def _covers(mask: tuple[int, ...], axes: tuple[int, ...]) -> bool:
    """Return whether a mask fits its axes. One of its axes without elements fits any: it selects nothing."""
    return all(length in {0, whole} for length, whole in zip(mask, axes, strict=True))


def _address_bytes(x: Any, key: Any) -> int:
    """Return the bytes of addresses that NumPy makes from a mask of some axes, or from narrow integers."""
    arrays = [array for array in _arrays(key) if array.shape != x.shape or array.dtype != np.bool_]
    each = sum(array.size * (array.ndim if array.dtype == np.bool_ else 1) for array in arrays)
    return int(each) * _ADDRESS_BYTES


def reading_plan(x: Any, key: Any, /) -> Plan:
    """Return the plan of reading ``x[key]``."""
    return _plan(x, key, writing=False)


def _plan(x: Any, key: Any, *, writing: bool) -> Plan:
    _check(key)
    extent = _extent(x, key)
    arrays = _arrays(key)
    if not arrays:
        return Plan(FREE, 0)
    if _is_mask(key):
        return Plan(_mask_charges(x, arrays[0], extent), x.nbytes + _address_bytes(x, key))
    addresses = math.prod(np.broadcast_shapes(*(array.shape for array in arrays)))
    charges = _address_charges(x, arrays, addresses, extent, writing=writing)
    return Plan(charges, addresses * extent.width * x.dtype.itemsize + _address_bytes(x, key))


def _mask_charges(x: Any, mask: Any, extent: _Extent) -> tuple[Charge, ...]:
    """Return a charge for every number under a mask: for each it is decided whether it is selected.

    A mask over no numbers still decides a length; then its own elements count.
    """
    if is_wired(mask):
        return FREE
    return selections(x.dtype, mask.size * max(extent.width, 1))


def _address_charges(
    x: Any, arrays: list[Any], addresses: int, extent: _Extent, *, writing: bool
) -> tuple[Charge, ...]:
    """Return the charges of look-ups, and of combining indices that inputs decide into addresses."""
    computed = [array for array in arrays if not is_wired(array)]
    if not computed:
        return FREE
    common = np.result_type(*(array.dtype for array in computed))
    dtype = name_of(common)
    joined = addressing(dtype, addresses, len(computed))
    if writing:
        return (*writes(common, x.dtype, addresses * extent.width), *joined)
    if lies_in_model(x):
        record = extent.width // extent.before if extent.before else 0
        return (*lookups(dtype, addresses, [(x, record)], times=extent.before), *joined)
    return (*lookups(dtype, addresses, [(x, extent.width)]), *joined)


def _getitem(x: Array, key: _Key, /) -> Any:
    if _arrays(key) or any(part is ... for part in _parts(key)):
        return x[key]
    return x[(*_parts(key), ...)]  # with the dots one element stays a view of its memory


def _getitem_touched(x: Any, key: Any, /) -> list[tuple[Any, Any]]:
    return [(x, key if _arrays(key) else None)]


def _getitem_secret_rows(_x: Any, key: Any, /) -> int:
    return int(_arrays(key)[0].size) if _is_mask(key) else 0


def _setitem(x: Array, key: _Key, value: Operand, /) -> None:
    x[key] = value


def _setitem_plan(x: Any, key: Any, value: Any, /) -> Plan:
    if not x.flags.writeable:
        raise ValueError(
            "parameters, inputs and broadcast arrays cannot be written to; use xp.asarray(x, copy=True)"
        )
    plan = _plan(x, key, writing=True)
    source = getattr(value, "dtype", None) or np.min_scalar_type(value)
    if source.kind == "c" and x.dtype.kind != "c":
        raise TypeError(
            f"setitem: from {source} to {x.dtype} the imaginary part would go; use xp.real(value)"
        )
    refuse_rounding("setitem", source, x.dtype)
    if isinstance(value, np.ndarray) and not _holds(x.dtype, source):
        raise UncountedOperationError(
            f"setitem from {source} to {x.dtype} is refused: it would change numbers without a charge",
            help="use xp.astype first, or an array of another dtype",
        )
    # NumPy first copies a value that may share memory with x, which a plan cannot know.
    copied = value.nbytes if isinstance(value, np.ndarray) else 0
    return Plan(plan.charges, _address_bytes(x, key) + copied)


def _holds(target: np.dtype[Any], source: np.dtype[Any]) -> bool:
    """Return whether numbers may be stored free of charge: as they are, or as real numbers."""
    return target.kind in "fc" or np.can_cast(source, target)


def _nonzero(x: Array, /) -> Any:
    return np.nonzero(x)


def _nonzero_plan(x: Any, /) -> Plan:
    if not x.ndim:
        raise ValueError("nonzero: expected at least one axis; compare instead")
    compared = FREE if x.dtype == np.bool_ else charged("not_equal", x.dtype, x.size)
    selected = FREE if is_wired(x) else selections(np.dtype(np.bool_), int(x.size))
    return Plan(compared + selected, x.ndim * (x.size * _ADDRESS_BYTES + PER_HANDLE))


RULES: tuple[Rule, ...] = (
    Rule(
        "getitem",
        _getitem,
        reading_plan,
        "0 by position and slice, and by an index or a mask of the model; by integer arrays 1 look-up per "
        "address (and element of the axes before the last indexed one) from the model, 1 per element from "
        "what was computed; of j index arrays j - 1 address operations per address; by a mask 1 selection "
        "per element that it lies over, at least 1 for each of its own; elements are loads",
        "x[mask], x[:, 0], table[index]",
        touched=_getitem_touched,
        wiring=True,
        moves=True,
        secret_rows=_getitem_secret_rows,
        hidden=True,
    ),
    Rule(
        "setitem",
        _setitem,
        _setitem_plan,
        "as reading the same elements of what was computed; the dtype of the array must hold the values as "
        "they are",
        "out[mask] = y",
        touched=lambda x, *_: ((x, None),),
        moves=True,
        hidden=True,
    ),
    Rule(
        "nonzero",
        _nonzero,
        _nonzero_plan,
        "1 selection per element, 0 where it is the model's; of numbers also 1 comparison",
        "xp.nonzero(x > 0.0)",
        secret_rows=lambda x, /: int(x.size),
        wiring=True,
        several=True,
    ),
)
"""The rules of indexing."""
