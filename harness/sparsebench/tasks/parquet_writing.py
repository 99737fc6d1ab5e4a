"""Writing Parquet: a whole file, or nothing."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sparsebench.ground.replacing import replacing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    Columns = Mapping[str, NDArray[Any]]

__all__ = ["GROUP_ROWS", "to_table", "write_batches", "write_columns"]

GROUP_ROWS = 1 << 18
"""The most rows of a group: what a reader in batches has to hold at once."""

_FEW = 4096  # most distinct values for which a dictionary pays
_SMALLEST, _QUICKEST = 19, 1  # levels of zstd: for files in a repository, and in a cache


def to_table(columns: Columns) -> Any:
    """Turn columns into a ``pyarrow.Table``.

    ``(n,)`` arrays become plain columns, ``(n, d)`` fixed-size lists, and arrays with more axes the Arrow
    fixed-shape-tensor extension type.
    """
    return pa.table({name: _to_arrow(np.ascontiguousarray(values)) for name, values in columns.items()})


def _to_arrow(values: NDArray[Any]) -> Any:
    if values.ndim == 1:
        return pa.array(values)
    if values.ndim == 2:  # noqa: PLR2004 - (n, d)
        return pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), values.shape[1])
    return pa.FixedShapeTensorArray.from_numpy_ndarray(values)


def write_columns(path: Path, columns: Columns, *, quick: bool = False) -> None:
    """Write columns to a zstd-compressed Parquet file: the whole file, or nothing.

    Parameters
    ----------
    path
        The file; replaced if it exists.
    columns
        ``id`` ``(n,)`` int64, ``x`` ``(n, ...)`` float32, ``y`` ``(n,)`` float32 or int64, and perhaps
        ``tag`` ``(n,)`` int64, in that order.
    quick
        Whether to spend little time on making the file small: for a cache.
    """
    few = [name for name, values in columns.items() if _has_few_values(values)]
    with replacing(path, mode=0o644) as temporary:
        pq.write_table(
            to_table(columns), temporary, **_options(columns, few, _QUICKEST if quick else _SMALLEST)
        )


def write_batches(path: Path, batches: Iterable[Columns]) -> None:
    """Write columns that come in batches: the whole file, or nothing, in constant memory.

    Parameters
    ----------
    path
        The file; replaced if it exists.
    batches
        Columns as for `write_columns`, the same in all batches, in at most `GROUP_ROWS` rows each.

    Raises
    ------
    ValueError
        If there are no batches.
    """
    with replacing(path, mode=0o644) as temporary, contextlib.ExitStack() as stack:
        writer: Any = None
        for columns in batches:
            table = to_table(columns)
            if writer is None:
                options = _options(columns, [], _QUICKEST)
                writer = stack.enter_context(pq.ParquetWriter(temporary, table.schema, **options))
            writer.write_table(table, row_group_size=GROUP_ROWS)
        if writer is None:
            raise ValueError(f"{path.name}: expected batches of columns, got none")


def _has_few_values(values: NDArray[Any]) -> bool:
    """Return whether a dictionary makes a column smaller, as for inputs rounded to a few levels."""
    head = values[: _FEW * 4]  # avoids sorting columns in which nearly all values differ
    return values.dtype == np.float32 and np.unique(head).size <= _FEW and np.unique(values).size <= _FEW


def _options(columns: Columns, few: list[str], level: int) -> dict[str, Any]:
    leaves = {name: name if values.ndim == 1 else f"{name}.list.element" for name, values in columns.items()}
    encodings = {
        leaves[name]: "BYTE_STREAM_SPLIT" if values.dtype == np.float32 else "DELTA_BINARY_PACKED"
        for name, values in columns.items()
        if name not in few
    }
    return {
        "compression": "zstd",
        "compression_level": level,
        "use_dictionary": [leaves[name] for name in few] or False,
        "column_encoding": encodings,
        "write_page_checksum": True,
    }
