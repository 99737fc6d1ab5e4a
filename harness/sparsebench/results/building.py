"""Arrow arrays of Python values, made from buffers.

``pyarrow.array`` first checks whether its argument is of pandas, and imports pandas for that, which takes
longer than all other work of writing a row.
"""

from __future__ import annotations

from itertools import accumulate, chain
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["array_of"]

_NUMBERS = {pa.int64(): np.int64, pa.float64(): np.float64}


def array_of(values: Sequence[Any], kind: Any) -> Any:
    """Make an Arrow array.

    Parameters
    ----------
    values
        Python values; None for null.
    kind
        ``pyarrow.string()``, ``int64()``, ``float64()``, ``bool_()``, a struct of such, or a list of structs;
        structs as dictionaries with all the fields.
    """
    there = [value is not None for value in values]
    valid = None if all(there) else _bits(there)
    children = []
    if pa.types.is_string(kind):
        texts = [b"" if value is None else value.encode() for value in values]
        buffers = [_offsets(texts), pa.py_buffer(b"".join(texts))]
    elif pa.types.is_list(kind):
        parts = [value or () for value in values]
        buffers, children = [_offsets(parts)], [array_of(list(chain(*parts)), kind.value_type)]
    elif pa.types.is_struct(kind):
        buffers = []
        children = [array_of([None if v is None else v[f.name] for v in values], f.type) for f in kind]
    elif pa.types.is_boolean(kind):
        buffers = [_bits([bool(value) for value in values])]
    else:
        filled = [0 if value is None else value for value in values]
        buffers = [pa.py_buffer(np.array(filled, _NUMBERS[kind]))]
    return pa.Array.from_buffers(kind, len(values), [valid, *buffers], children=children)


def _bits(flags: Sequence[bool]) -> Any:
    return pa.py_buffer(np.packbits(np.array(flags, bool), bitorder="little"))


def _offsets(parts: Sequence[Any]) -> Any:
    """Return the offsets at which each part begins and the last one ends."""
    return pa.py_buffer(np.array(list(accumulate(map(len, parts), initial=0)), np.int32))
