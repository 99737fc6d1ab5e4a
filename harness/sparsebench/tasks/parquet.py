"""Reading Parquet: columns ``id``, ``x``, ``y`` and perhaps ``tag``, as NumPy arrays.

A file is treated as something that may be damaged or hostile: its size, its rows and its types are
checked before anything is decoded, columns are read one at a time, and whatever is wrong with it
becomes an `IntegrityError` that names the file and the column.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sparsebench.errors import IntegrityError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = [
    "COLUMNS",
    "MAX_BYTES",
    "MAX_ROWS",
    "MAX_STREAMED_ROWS",
    "RESTORE",
    "damaged",
    "read_batches",
    "read_columns",
]

COLUMNS = ("id", "x", "y", "tag")
"""The columns that a file may have, in their order."""

MAX_ROWS = 1 << 24
"""The most rows that a file may declare, where it is read at once."""

MAX_STREAMED_ROWS = 1 << 28
"""The most rows that a file may declare, where it is read in batches."""

MAX_BYTES = 1 << 30
"""The most bytes of the arrays decoded from a file, and of the file, where it is read at once; of a group of
rows, where it is read in batches."""

RESTORE = "restore the file from its release, or make it again with `sparsebench tasks generate`"
"""The mend for a file that is broken."""

_REQUIRED = COLUMNS[:3]
_EXPECTED = {
    "id": "int64",
    "x": "fixed_size_list<float32> or fixed_shape_tensor<float32>",
    "y": "float32 or int64",
    "tag": "int64",
}


def damaged(path: Path, column: str | None, expected: str, got: str, mend: str = RESTORE) -> IntegrityError:
    """Build the error for a file that is not what it should be."""
    place = f"{path}: column {column!r}" if column else str(path)
    return IntegrityError(f"{place}: expected {expected}, got {got}", help=mend)


def read_columns(path: Path) -> dict[str, NDArray[Any]]:
    """Read a file's columns, in the order of `COLUMNS`, as read-only arrays.

    Returns
    -------
    dict
        ``id`` ``(n,)`` int64, ``x`` ``(n, ...)`` float32, ``y`` ``(n,)`` float32 or int64, and ``tag``
        ``(n,)`` int64 if the file has it. No nulls. Values are not looked at: `loading` does that.

    Raises
    ------
    IntegrityError
        If the file is missing, too large, damaged, or has other columns, types, or nulls.
    """
    _check_size(path, MAX_BYTES)
    with _opened(path, MAX_ROWS) as (file, names):
        rows = file.metadata.num_rows
        _check_bytes(path, "", rows, file.schema_arrow)
        return {name: _read_column(path, file, name, rows) for name in names}


def read_batches(
    path: Path, *, rows: int, columns: Sequence[str] | None = None
) -> Iterator[dict[str, NDArray[Any]]]:
    """Read a file's columns in batches of at most so many rows, in constant memory.

    Parameters
    ----------
    path
        The file.
    rows
        Rows of a batch.
    columns
        Which columns; all if None.

    Yields
    ------
    dict
        As `read_columns` gives, for the rows of the batch.

    Raises
    ------
    IntegrityError
        As `read_columns`; the limits are those for reading in batches.
    """
    with _opened(path, MAX_STREAMED_ROWS) as (file, names):
        for group in range(file.metadata.num_row_groups):
            _check_bytes(path, f"group {group}: ", file.metadata.row_group(group).num_rows, file.schema_arrow)
        wanted = [name for name in names if columns is None or name in columns]
        total, seen = file.metadata.num_rows, 0
        batches = file.iter_batches(batch_size=rows, columns=wanted, use_threads=False)
        while (batch := _guard(path, None, lambda: next(batches, None))) is not None:
            seen += batch.num_rows
            if seen > total:
                break
            yield {name: _values(path, name, batch.column(name)) for name in wanted}
        if seen != total:
            raise damaged(path, None, f"{total} rows", f"{'more' if seen > total else seen} rows")


@contextlib.contextmanager
def _opened(path: Path, most_rows: int) -> Iterator[tuple[Any, list[str]]]:
    """Open a file and check all that its footer says; give it and the names of its columns, in our order."""
    _check_size(path, None)
    # A mapped file could change under the arrays after its hash was checked.
    opened = _guard(
        path,
        None,
        lambda: pq.ParquetFile(path, memory_map=False, pre_buffer=False, page_checksum_verification=True),
    )
    with opened as file:
        schema = _guard(path, None, lambda: file.schema_arrow)
        _check_schema(path, schema)
        _check_rows(path, file.metadata, most_rows)
        yield file, [name for name in COLUMNS if name in schema.names]


def _guard(path: Path, column: str | None, action: Callable[[], Any]) -> Any:
    try:
        return action()
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
        lines = str(error).splitlines() or [type(error).__name__]
        raise damaged(path, column, "a readable Parquet file", lines[0]) from error


def _check_size(path: Path, most: int | None) -> None:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise damaged(path, None, "a Parquet file", error.strerror or "no file") from error
    if most is not None and size > most:
        raise damaged(path, None, f"at most {most} bytes", f"{size} bytes")


def _check_schema(path: Path, schema: Any) -> None:
    for name in schema.names:
        if name not in _EXPECTED or schema.names.count(name) > 1:
            raise damaged(path, name, f"each of {', '.join(_EXPECTED)} at most once", ", ".join(schema.names))
    for name in _REQUIRED:
        if name not in schema.names:
            raise damaged(path, name, "the column", f"only {', '.join(schema.names) or 'no columns'}")
    for field in schema:
        if not _type_fits(field.name, field.type):
            raise damaged(path, field.name, _EXPECTED[field.name], str(field.type))


def _type_fits(name: str, kind: Any) -> bool:
    if name == "x":
        return bool(_width(kind)) and kind.value_type == pa.float32()
    return kind == pa.int64() or (name == "y" and kind == pa.float32())


def _width(kind: Any) -> int:
    """Count the values in one row; 0 for a type that has no fixed number of them."""
    if isinstance(kind, pa.FixedShapeTensorType):
        # Permuted, the values would lie in another order than the shape says.
        axes = list(range(len(kind.shape)))
        return int(np.prod(kind.shape)) if list(kind.permutation or axes) == axes else 0
    return int(kind.list_size) if pa.types.is_fixed_size_list(kind) else 0


def _check_rows(path: Path, metadata: Any, most: int) -> None:
    """Check what the footer says of rows: few enough, and the same in all places that tell of them."""
    rows = metadata.num_rows
    if not 1 <= rows <= most:
        raise damaged(path, None, f"1 to {most} rows", f"{rows} rows")
    # What it says of columns is left alone: pyarrow's accessors of those crash on some damaged footers.
    groups = [metadata.row_group(index).num_rows for index in range(metadata.num_row_groups)]
    if sum(groups) != rows or min(groups) < 0:
        raise damaged(path, None, f"groups of {rows} rows in all", f"{sum(groups)} rows")


def _check_bytes(path: Path, place: str, rows: int, schema: Any) -> None:
    decoded = rows * (4 * _width(schema.field("x").type) + 8 * (len(schema.names) - 1))
    if not 0 <= decoded <= MAX_BYTES:
        raise damaged(path, None, f"{place}at most {MAX_BYTES} bytes of values", f"{decoded} bytes")


def _read_column(path: Path, file: Any, name: str, rows: int) -> NDArray[Any]:
    column = _guard(
        path, name, lambda: file.read(columns=[name], use_threads=False).column(0).combine_chunks()
    )
    if len(column) != rows:
        raise damaged(path, name, f"{rows} rows", f"{len(column)} rows")
    return _values(path, name, column)


def _values(path: Path, name: str, column: Any) -> NDArray[Any]:
    """Turn an Arrow array into one of NumPy, sharing its memory."""
    _guard(path, name, lambda: column.validate(full=True))
    shape: tuple[int, ...] = (len(column),)
    if name == "x":
        tensor = isinstance(column.type, pa.FixedShapeTensorType)
        shape += tuple(column.type.shape) if tensor else (column.type.list_size,)
        storage = column.storage if tensor else column
        flat = storage.flatten()  # drops the values of null rows, which are counted next
        nulls = column.null_count + flat.null_count
    else:
        flat, nulls = column, column.null_count
    if nulls:
        raise damaged(path, name, "no nulls", f"{nulls} nulls")
    return _shared(flat).reshape(shape)


# Arrow's own to_pandas_dtype imports pandas before version 22, which takes longer than to read an instance.
_DTYPES = {pa.from_numpy_dtype(dtype): dtype for dtype in map(np.dtype, "bhilBHILefd")}


def _shared(flat: Any) -> NDArray[Any]:
    """Look at the memory of an Arrow array of numbers without nulls: read-only, and for as long as it lives.

    Arrow's own ``to_numpy`` imports pandas first, where that is installed.
    """
    dtype = _DTYPES[flat.type]
    values = np.frombuffer(flat.buffers()[1], dtype, len(flat), flat.offset * dtype.itemsize)
    values.flags.writeable = False  # of what was just read, the buffer may be written to
    return values
