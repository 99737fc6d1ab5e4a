"""Indexing: free by position and by paid-for mask, a look-up by computed address."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sparsebench.errors import UncountedOperationError
from sparsebench.meter.engine.memory import PER_HANDLE
from sparsebench.meter.rules.base import FREE, Plan, Rule, refuse_rounding
from sparsebench.meter.rules.complexes import charged
from sparsebench.ops.charges import Charge

__all__ = ["RULES", "reading_plan"]

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
    """How many axes of the indexed array a part of the key stands for."""
    if isinstance(part, np.ndarray):
        return part.ndim if part.dtype == np.bool_ else 1
    return int(isinstance(part, int | slice))


def _width(x: Any, key: Any) -> int:
    """Elements that ``x[key]`` reads per address: those of the axes that no index array stands for.

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
    width, axis = 1, 0
    for part in (*parts[:place], *whole, *parts[place + 1 :]):
        lengths = x.shape[axis : axis + _axes_taken(part)]
        axis += len(lengths)
        if isinstance(part, slice):
            width *= len(range(*part.indices(lengths[0])))
        elif isinstance(part, int) and not -lengths[0] <= part < lengths[0]:
            raise IndexError(f"the position {part} is outside an axis of {lengths[0]}")
        elif isinstance(part, np.ndarray) and part.dtype == np.bool_ and not _covers(part.shape, lengths):
            raise IndexError(f"a mask of shape {part.shape} does not fit axes of shape {lengths}")
    return width


def _covers(mask: tuple[int, ...], axes: tuple[int, ...]) -> bool:
    """Whether a mask fits its axes. An axis of it without elements fits any: it selects nothing there."""
    return all(length in {0, whole} for length, whole in zip(mask, axes, strict=True))


def _address_bytes(x: Any, key: Any) -> int:
    """Bytes of the addresses that NumPy makes of a mask of some axes, or of narrow integers."""
    arrays = [array for array in _arrays(key) if array.shape != x.shape or array.dtype != np.bool_]
    each = sum(array.size * (array.ndim if array.dtype == np.bool_ else 1) for array in arrays)
    return int(each) * _ADDRESS_BYTES


def reading_plan(x: Any, key: Any, /) -> Plan:
    """Price reading or writing ``x[key]``."""
    _check(key)
    width = _width(x, key)
    if not _arrays(key):
        return Plan(FREE, 0)
    if _is_mask(key):
        return Plan(FREE, x.nbytes + _address_bytes(x, key))
    addresses = math.prod(np.broadcast_shapes(*(array.shape for array in _arrays(key))))
    dtype = np.result_type(*(array.dtype for array in _arrays(key))).name
    charges = (Charge("lookup", dtype, addresses), Charge("load", x.dtype.name, addresses * width))
    return Plan(charges, addresses * width * x.dtype.itemsize + _address_bytes(x, key))


def _getitem(x: Any, key: Any, /) -> Any:
    if _arrays(key) or any(part is ... for part in _parts(key)):
        return x[key]
    return x[(*_parts(key), ...)]  # the dots keep one element a look at the memory that it lies in


def _getitem_touched(x: Any, key: Any, /) -> list[tuple[Any, Any]]:
    return [(x, key if _arrays(key) else None)]


def _getitem_secret_rows(_x: Any, key: Any, /) -> int:
    return int(_arrays(key)[0].size) if _is_mask(key) else 0


def _setitem(x: Any, key: Any, value: Any, /) -> None:
    x[key] = value


def _setitem_plan(x: Any, key: Any, value: Any, /) -> Plan:
    if not x.flags.writeable:
        raise ValueError(
            "parameters, inputs and broadcast arrays cannot be written to; use xp.asarray(x, copy=True)"
        )
    plan = reading_plan(x, key)
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
    # NumPy copies a value first that may share memory with x: of that, a plan knows nothing.
    copied = value.nbytes if isinstance(value, np.ndarray) else 0
    return Plan(plan.charges, _address_bytes(x, key) + copied)


def _holds(target: np.dtype[Any], source: np.dtype[Any]) -> bool:
    """Whether numbers may be stored without a charge: as they are, or as real numbers."""
    return target.kind in "fc" or np.can_cast(source, target)


def _nonzero(x: Any, /) -> Any:
    return np.nonzero(x)


def _nonzero_plan(x: Any, /) -> Plan:
    if not x.ndim:
        raise ValueError("nonzero: expected at least one axis; compare instead")
    charges = FREE if x.dtype == np.bool_ else charged("not_equal", x.dtype, x.size)
    return Plan(charges, x.ndim * (x.size * _ADDRESS_BYTES + PER_HANDLE))


RULES: tuple[Rule, ...] = (
    Rule(
        "getitem",
        _getitem,
        reading_plan,
        "0 by position, slice or mask; 1 look-up per address of integer arrays, its elements are loads",
        "x[mask], x[:, 0], table[index]",
        touched=_getitem_touched,
        secret_rows=_getitem_secret_rows,
        hidden=True,
    ),
    Rule(
        "setitem",
        _setitem,
        _setitem_plan,
        "as reading the same elements; the dtype of the array must hold the values as they are",
        "out[mask] = y",
        touched=lambda x, *_: ((x, None),),
        hidden=True,
    ),
    Rule(
        "nonzero",
        _nonzero,
        _nonzero_plan,
        "0 for booleans, which were paid for; else 1 comparison per element",
        "xp.nonzero(x > 0.0)",
        secret_rows=lambda x, /: int(x.size),
        several=True,
    ),
)
"""The rules of indexing."""
