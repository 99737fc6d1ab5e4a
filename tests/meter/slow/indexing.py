"""Slow indexing: by position nothing is counted, by what inputs decide every address and every place is."""

from __future__ import annotations

import numpy as np

from meter.scalars import common, number, spend
from meter.slow.arrays import Slow, axes_of, cast, filled, single
from meter.slow.reductions import INDEX, truth


def _parts(key):
    return key if isinstance(key, tuple) else (key,)


def _plain(key):
    """The key with NumPy arrays in it."""
    parts = tuple(part.values() if isinstance(part, Slow) else part for part in _parts(key))
    return parts if isinstance(key, tuple) else parts[0]


def move(kind, dtype, record):
    """Count the numbers of a record as moved; a complex one is two."""
    spend(kind, dtype, record.size * (2 if record.dtype.kind == "c" else 1))


def look_up(dtype, *records):
    """Count looking up records at one address: those of a model lie there, all others are moved."""
    if any(record.constant for record in records):
        spend("lookup", dtype)
    for record in records:
        spend("load", record.dtype, record.size)
        if not record.constant:
            move("lookup", dtype, record)


def part_of(x, place):
    """Some of an array: it lies where the array does."""
    return Slow(single(x.cells[place]), x.dtype, constant=x.constant)


def _lengths_before(x, key):
    """How many places the axes have that stand before the last indexed one and are not indexed."""
    parts = list(_parts(key))
    takes = sum(1 for part in parts if part is not None and part is not ...)
    if any(part is ... for part in parts):
        (dots,) = (place for place, part in enumerate(parts) if part is ...)
        parts[dots : dots + 1] = [slice(None)] * (x.ndim - takes)
    parts = [part for part in parts if part is not None]
    last = max(place for place, part in enumerate(parts) if isinstance(part, Slow))
    many = 1
    for axis, part in enumerate(parts[:last]):
        if isinstance(part, slice):
            many *= len(range(x.shape[axis])[part])
    return many


def _read_of_model(x, key, dtype, record):
    """Follow one address once for every place of the axes before it."""
    spend("load", record.dtype, record.size)
    spend("lookup", dtype, _lengths_before(x, key))


def _go_through(x, key, *, writes=False):
    """Look at every address of a key of integer arrays, or every place of a mask, one after the other."""
    arrays = [part for part in _parts(key) if isinstance(part, Slow)]
    computed = [part for part in arrays if not part.constant]
    if not computed:
        return
    if computed[0].dtype.kind == "b":
        _go_under(x, key, computed[0])
        return
    shape = np.broadcast_shapes(*(part.shape for part in arrays))
    spread = {id(part): np.broadcast_to(part.values(), shape) for part in arrays}
    dtype = common(*computed)
    for place in np.ndindex(shape):
        where = tuple(int(spread[id(part)][place]) if id(part) in spread else part for part in _parts(key))
        spend("address", dtype, len(computed) - 1)
        record = part_of(x, where)
        if x.constant and not writes:
            _read_of_model(x, key, dtype, record)
        else:
            spend("load", record.dtype, record.size)
            move("lookup", dtype, record)


def _go_under(x, key, mask):
    """Ask at every number that a mask lies over whether it is chosen; at every place, where it has none."""
    for place in np.ndindex(mask.shape):
        at = [place if part is mask else (part,) for part in _parts(key)]
        at = at if mask.ndim else [(None,) if part is mask else (part,) for part in _parts(key)]
        part = part_of(x, tuple(one for parts in at for one in parts))
        move("select", x.dtype, part if part.size else filled([0], (1,), x.dtype))


def getitem(x, key):
    _go_through(x, key)
    return Slow(single(x.cells[_plain(key)]), x.dtype)


def setitem(x, key, value):
    _go_through(x, key, writes=True)
    value = cast(value, x.dtype) if isinstance(value, Slow) else filled([number(value, x.dtype)], (), x.dtype)
    # A place of object arrays that one position names would take an array as it is.
    x.cells[_plain(key)] = value.cells if value.ndim else value.cells[()]


def take(x, index, *, axis=None):
    (along,) = axes_of(axis, x.ndim)
    return getitem(x, (*[slice(None)] * along, index))


def take_along_axis(x, index, *, axis=-1):
    (along,) = axes_of(axis, x.ndim)
    shape = [
        index.shape[place]
        if place == along
        else max(index.shape[place], x.shape[place])
        if index.shape[place] and x.shape[place]
        else 0
        for place in range(x.ndim)
    ]
    addresses = np.broadcast_to(index.values(), shape)
    numbers = []
    for place in np.ndindex(*shape):
        where = tuple(
            int(addresses[place]) if axis_ == along else step * (x.shape[axis_] > 1)
            for axis_, step in enumerate(place)
        )
        if not index.constant:
            look_up(index.dtype, part_of(x, where))
        numbers.append(x.cells[where])
    return filled(numbers, shape, x.dtype)


def nonzero(x):
    if not x.constant:
        spend("select", bool, x.size)
    found = [place for place, one in zip(np.ndindex(x.shape), x.flat(), strict=True) if truth(one)]
    columns = list(zip(*found, strict=True)) or [()] * x.ndim
    return tuple(filled([number(i, INDEX) for i in column], (len(column),), INDEX) for column in columns)


def rows(index, *tables):
    """The records at every address, one list of records per address."""
    for one in index.flat():
        records = [part_of(table, int(one.value)) for table in tables]
        if not index.constant:
            look_up(index.dtype, *records)
        yield records


def astype(x, dtype, *, copy=True):
    return cast(x, dtype)


TABLE = {
    "astype": astype,
    "getitem": getitem,
    "nonzero": nonzero,
    "setitem": setitem,
    "take": take,
    "take_along_axis": take_along_axis,
}
