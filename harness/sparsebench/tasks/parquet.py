"""Reading Parquet: columns ``id``, ``x``, ``y`` and optionally ``tag``, as NumPy arrays.

A file may be damaged or hostile: its size, its types, and the numbers of rows and values in its footer are
checked before anything is decoded, columns are read one at a time, and every fault becomes an
`IntegrityError` that names the file and the column. Any program may have written it: `parquet_values` defines
what is read as the same values.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from sparsebench.tasks.parquet_faults import damaged, guarded
from sparsebench.tasks.parquet_footer import Group, groups_of
from sparsebench.tasks.parquet_values import EXPECTED, Kind, kind_of, ragged, values_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = [
    "COLUMNS",
    "MAX_BYTES",
    "MAX_ROWS",
    "MAX_STREAMED_ROWS",
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

_REQUIRED = COLUMNS[:3]


class _File(NamedTuple):
    """A file whose footer is consistent."""

    file: Any
    """What pyarrow reads it with."""
    kinds: dict[str, Kind]
    """Its columns, in their order in the file."""
    groups: list[Group]
    """What is claimed of each group of rows."""
    names: list[str]
    """Its columns, in the order of `COLUMNS`."""

    @property
    def rows(self) -> int:
        """The number of its rows."""
        return sum(group.rows for group in self.groups)


def read_columns(path: Path) -> dict[str, NDArray[Any]]:
    """Read a file's columns, in the order of `COLUMNS`, as read-only arrays.

    Returns
    -------
    dict
        ``id`` ``(n,)`` int64, ``x`` ``(n, ...)`` float32, ``y`` ``(n,)`` float32 or int64, and ``tag``
        ``(n,)`` int64 if the file has it. No nulls. Values are not checked: `loading` does that.

    Raises
    ------
    IntegrityError
        If the file is missing, too large or damaged, or has other columns, other types, nulls, lists of
        different lengths, or numbers that these types cannot represent.
    """
    _check_size(path, MAX_BYTES)
    with _opened(path, MAX_ROWS) as opened:
        _check_bytes(path, "", opened.groups, opened.kinds)
        return {name: _read_column(path, opened, name) for name in opened.names}


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
    with _opened(path, MAX_STREAMED_ROWS) as opened:
        for number, group in enumerate(opened.groups):
            _check_bytes(path, f"group {number}: ", [group], opened.kinds)
        wanted = [name for name in opened.names if columns is None or name in columns]
        seen, length = 0, None
        batches = opened.file.iter_batches(batch_size=rows, columns=wanted, use_threads=False)
        while (batch := guarded(path, None, lambda: next(batches, None))) is not None:
            if not batch.num_rows:
                continue
            if seen + batch.num_rows > opened.rows:
                raise damaged(path, None, f"{opened.rows} rows", "more rows")
            made = {name: values_of(path, name, batch.column(name)) for name in wanted}
            if "x" in made:
                length = _check_length(path, made["x"], seen, length)
            seen += batch.num_rows
            yield made
        if seen != opened.rows:
            raise damaged(path, None, f"{opened.rows} rows", f"{seen} rows")


def _check_length(path: Path, x: NDArray[Any], before: int, length: int | None) -> int:
    """Check that inputs are as long as those of earlier batches."""
    got = int(x[0].size)
    if length not in {None, got}:
        raise ragged(path, "x", got, before, length)
    return got


@contextlib.contextmanager
def _opened(path: Path, most_rows: int) -> Iterator[_File]:
    """Open a file, and check everything in its footer."""
    _check_size(path, None)
    # A mapped file could change under the arrays after its hash was checked.
    with contextlib.ExitStack() as stack:
        source = stack.enter_context(guarded(path, None, lambda: pa.OSFile(str(path))))
        file = stack.enter_context(
            guarded(
                path,
                None,
                lambda: pq.ParquetFile(source, pre_buffer=False, page_checksum_verification=True),
            )
        )
        kinds = _checked_kinds(path, guarded(path, None, lambda: file.schema_arrow))
        groups = guarded(path, None, lambda: groups_of(source))
        _check_rows(path, file.metadata, groups, most_rows)
        for number, group in enumerate(groups):
            _check_values(path, number, group, kinds)
        yield _File(file, kinds, groups, [name for name in COLUMNS if name in kinds])


def _check_size(path: Path, most: int | None) -> None:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise damaged(path, None, "a Parquet file", error.strerror or "no file") from error
    if most is not None and size > most:
        raise damaged(path, None, f"at most {most} bytes", f"{size} bytes")


def _checked_kinds(path: Path, schema: Any) -> dict[str, Kind]:
    for name in schema.names:
        if name not in EXPECTED or schema.names.count(name) > 1:
            raise damaged(path, name, f"each of {', '.join(EXPECTED)} at most once", ", ".join(schema.names))
    for name in _REQUIRED:
        if name not in schema.names:
            raise damaged(path, name, "the column", f"only {', '.join(schema.names) or 'no columns'}")
    kinds = {}
    for field in schema:
        kind = kind_of(field.name, field.type)
        if kind is None:
            raise damaged(path, field.name, EXPECTED[field.name], str(field.type))
        kinds[field.name] = kind
    return kinds


def _check_rows(path: Path, metadata: Any, groups: list[Group], most: int) -> None:
    """Check the numbers of rows in the footer: small enough, and consistent with one another."""
    rows = metadata.num_rows
    if not 1 <= rows <= most:
        raise damaged(path, None, f"1 to {most} rows", f"{rows} rows")
    claimed = [group.rows for group in groups]
    if sum(claimed) != rows or min(claimed) < 0:
        raise damaged(path, None, f"groups of {rows} rows in all", f"{sum(claimed)} rows")
    # pyarrow's numbers, and those that we have read: its accessors of columns could end the process.
    read = [metadata.row_group(index).num_rows for index in range(metadata.num_row_groups)]
    if read != claimed:
        raise damaged(path, None, f"groups of {read} rows", f"{claimed} rows")


def _check_values(path: Path, number: int, group: Group, kinds: dict[str, Kind]) -> None:
    """Check the stated number of values of a group of rows: Arrow allocates memory for so many."""
    if len(group.values) != len(kinds):
        raise damaged(path, None, f"{len(kinds)} columns in group {number}", f"{len(group.values)} columns")
    for (name, kind), values in zip(kinds.items(), group.values, strict=True):
        most = values if kind.width is None else group.rows * kind.width
        if not group.rows <= values <= most:  # an empty list, or a null, counts as one value
            raise damaged(path, name, f"{group.rows} to {most} values in group {number}", f"{values} values")


def _check_bytes(path: Path, place: str, groups: list[Group], kinds: dict[str, Kind]) -> None:
    sizes = [kind.itemsize for kind in kinds.values()]
    decoded = sum(size * values for group in groups for size, values in zip(sizes, group.values, strict=True))
    if decoded > MAX_BYTES:
        raise damaged(path, None, f"{place}at most {MAX_BYTES} bytes of values", f"{decoded} bytes")


def _read_column(path: Path, opened: _File, name: str) -> NDArray[Any]:
    column = guarded(
        path, name, lambda: opened.file.read(columns=[name], use_threads=False).column(0).combine_chunks()
    )
    if len(column) != opened.rows:
        raise damaged(path, name, f"{opened.rows} rows", f"{len(column)} rows")
    return values_of(path, name, column)
