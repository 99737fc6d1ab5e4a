"""Slow indexing: by position and mask nothing is counted, by integer arrays every address is looked up."""

from __future__ import annotations

import itertools

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


def look_up(dtype, *records):
    """Count a look-up by an address of a dtype, and the elements of the records that it reads."""
    spend("lookup", dtype)
    for record in records:
        spend("load", record.dtype, record.size)


def _go_through(x, key):
    """Look at every address of a key of integer arrays, one after the other."""
    addresses = [part for part in _parts(key) if isinstance(part, Slow)]
    if not addresses or addresses[0].dtype.kind == "b":
        return
    shape = np.broadcast_shapes(*(part.shape for part in addresses))
    spread = {id(part): np.broadcast_to(part.values(), shape) for part in addresses}
    for place in np.ndindex(shape):
        where = tuple(int(spread[id(part)][place]) if id(part) in spread else part for part in _parts(key))
        look_up(common(*addresses), Slow(single(x.cells[where]), x.dtype))


def getitem(x, key):
    _go_through(x, key)
    return Slow(single(x.cells[_plain(key)]), x.dtype)


def setitem(x, key, value):
    _go_through(x, key)
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
        look_up(index.dtype, Slow(single(x.cells[where]), x.dtype))
        numbers.append(x.cells[where])
    return filled(numbers, shape, x.dtype)


def nonzero(x):
    found = [place for place, one in zip(np.ndindex(x.shape), x.flat(), strict=True) if truth(one)]
    columns = list(zip(*found, strict=True)) or [()] * x.ndim
    return tuple(filled([number(i, INDEX) for i in column], (len(column),), INDEX) for column in columns)


def rows(index, *tables):
    """The records at every address, one list of records per address."""
    for one in index.flat():
        records = [Slow(single(table.cells[int(one.value)]), table.dtype) for table in tables]
        look_up(index.dtype, *records)
        yield records


def gather(index, *tables):
    read = list(rows(index, *tables))
    made = [
        filled(
            list(itertools.chain.from_iterable(records[place].flat() for records in read)),
            (*index.shape, *table.shape[1:]),
            table.dtype,
        )
        for place, table in enumerate(tables)
    ]
    return made[0] if len(made) == 1 else tuple(made)


def astype(x, dtype, *, copy=True):
    return cast(x, dtype)


TABLE = {
    "astype": astype,
    "gather": gather,
    "getitem": getitem,
    "nonzero": nonzero,
    "setitem": setitem,
    "take": take,
    "take_along_axis": take_along_axis,
}
