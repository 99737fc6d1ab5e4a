"""Parquet in and out: columns ``id``, ``x``, ``y`` and perhaps ``tag``, as NumPy arrays.

A file is treated as something that may be damaged or hostile: its size, its rows and its types are
checked before anything is decoded, columns are read one at a time, and whatever is wrong with it
becomes an `IntegrityError` that names the file and the column.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sparsebench.errors import IntegrityError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

__all__ = ["MAX_BYTES", "MAX_ROWS", "RESTORE", "damaged", "read_columns", "to_table", "write_columns"]

MAX_ROWS = 1 << 24
"""The most rows that a file may declare."""

MAX_BYTES = 1 << 30
"""The most bytes of a file, and of the arrays decoded from it."""

RESTORE = "restore the file from its release, or make it again with `sparsebench tasks generate`"
"""The mend for a file that is broken."""

_REQUIRED = ("id", "x", "y")
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


def to_table(columns: Mapping[str, NDArray[Any]]) -> Any:
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


def write_columns(path: Path, columns: Mapping[str, NDArray[Any]]) -> None:
    """Write columns to a zstd-compressed Parquet file: all of it, or nothing.

    Parameters
    ----------
    path
        The file; replaced if it exists.
    columns
        ``id`` ``(n,)`` int64, ``x`` ``(n, ...)`` float32, ``y`` ``(n,)`` float32 or int64, and perhaps
        ``tag`` ``(n,)`` int64, in that order.
    """
    encodings = {
        leaf: "BYTE_STREAM_SPLIT" if values.dtype == np.float32 else "DELTA_BINARY_PACKED"
        for name, values in columns.items()
        for leaf in [name if values.ndim == 1 else f"{name}.list.element"]
    }
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    os.close(handle)
    try:
        pq.write_table(
            to_table(columns),
            temporary,
            compression="zstd",
            compression_level=19,
            use_dictionary=False,
            column_encoding=encodings,
            write_page_checksum=True,
        )
        Path(temporary).chmod(0o644)  # mkstemp's 0600 would follow the file into a wheel
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)


def read_columns(path: Path) -> dict[str, NDArray[Any]]:
    """Read a file's columns, in the file's order, as read-only arrays.

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
    _check_size(path)
    # A mapped file could change under the arrays after its hash was checked.
    opened = _guard(
        path, None, lambda: pq.ParquetFile(path, memory_map=False, page_checksum_verification=True)
    )
    with opened as file:
        schema = _guard(path, None, lambda: file.schema_arrow)
        rows = file.metadata.num_rows
        _check_schema(path, schema)
        _check_rows(path, schema, rows)
        return {name: _read_column(path, file, name, rows) for name in schema.names}


def _guard(path: Path, column: str | None, action: Callable[[], Any]) -> Any:
    try:
        return action()
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
        lines = str(error).splitlines() or [type(error).__name__]
        raise damaged(path, column, "a readable Parquet file", lines[0]) from error


def _check_size(path: Path) -> None:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise damaged(path, None, "a Parquet file", error.strerror or "no file") from error
    if size > MAX_BYTES:
        raise damaged(path, None, f"at most {MAX_BYTES} bytes", f"{size} bytes")


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


def _check_rows(path: Path, schema: Any, rows: int) -> None:
    if not 1 <= rows <= MAX_ROWS:
        raise damaged(path, None, f"1 to {MAX_ROWS} rows", f"{rows} rows")
    decoded = rows * (4 * _width(schema.field("x").type) + 8 * (len(schema.names) - 1))
    if decoded > MAX_BYTES:
        raise damaged(path, None, f"at most {MAX_BYTES} bytes of values", f"{decoded} bytes")


def _read_column(path: Path, file: Any, name: str, rows: int) -> NDArray[Any]:
    column = _guard(
        path, name, lambda: file.read(columns=[name], use_threads=False).column(0).combine_chunks()
    )
    _guard(path, name, lambda: column.validate(full=True))
    if len(column) != rows:
        raise damaged(path, name, f"{rows} rows", f"{len(column)} rows")
    shape: tuple[int, ...] = (rows,)
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
    values: NDArray[Any] = flat.to_numpy(zero_copy_only=True)
    return values.reshape(shape)
