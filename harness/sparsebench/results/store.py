"""A folder of immutable Parquet files, one per row until compacted. It needs no server and no lock."""

from __future__ import annotations

import contextlib
import io
import os
import secrets
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from sparsebench.errors import IntegrityError, SparsebenchError, UsageError
from sparsebench.ground.replacing import replacing
from sparsebench.results.arrow import (
    arrow_schema,
    check_schema,
    rows_from_table,
    table_from_rows,
    with_all_columns,
)
from sparsebench.results.columns import SCHEMA_VERSION, SCHEMA_VERSIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sparsebench.results.row import Row

__all__ = ["RESULTS_DIRECTORY", "ResultStore", "bytes_of_rows"]

RESULTS_DIRECTORY = "sparsebench-results"
"""Name of the folder that rows are written to where no other is given."""

_ROWS = "rows"
_SUFFIX = ".parquet"
_READERS = 4  # more threads would only wait for one another


class ResultStore:
    """The rows in one folder.

    Nothing is made on disk before the first row is written.

    Parameters
    ----------
    path
        The folder. Rows lie in ``path/rows``.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.directory = self.path / _ROWS

    def exists(self) -> bool:
        """Return whether any row was written here."""
        return self.directory.is_dir()

    def write(self, row: Row) -> Path:
        """Write one row as a new file: the whole file or nothing, also after a crash.

        Returns
        -------
        pathlib.Path
            The new file. Its name begins with the time of writing, by which names sort, then comes the cell's
            key.

        Raises
        ------
        UsageError
            The file cannot be written (no permission, no space, or a file instead of the folder).
        """
        row.validate()
        return self._add([row], row.cell_key[:12])

    def add(self, rows: list[Row]) -> Path:
        """Write several rows as one new file: the whole file or nothing.

        Returns
        -------
        pathlib.Path
            The new file.

        Raises
        ------
        UsageError
            As ``write``.
        """
        for row in rows:
            row.validate()
        return self._add(rows, "merge")

    def compact(self) -> Path | None:
        """Write the rows of all files into one new file, then remove the old files.

        After a crash in between, rows are there twice, but are read once. Files that others write meanwhile
        stay.

        Returns
        -------
        pathlib.Path or None
            The new file; None if there are fewer than two files.

        Raises
        ------
        IntegrityError
            As ``rows``; nothing is removed then.
        UsageError
            As ``write``.
        """
        names = self._names()
        if len(names) < 2:  # noqa: PLR2004 - nothing to put together
            return None
        target = self._add(self.rows(), "compact")
        for name in names:
            (self.directory / name).unlink(missing_ok=True)  # another process may be compacting, too
        return target

    def _add(self, rows: list[Row], label: str) -> Path:
        if self.directory.parent.name == "rows" and any(self.directory.parent.glob(f"*{_SUFFIX}")):
            raise UsageError(
                f"cannot write rows into {self.directory}: it is inside of another store's rows",
                help=f"give the store itself: {self.directory.parent.parent}",
            )
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        name = f"{moment}-{label}-{secrets.token_hex(8)}{_SUFFIX}"
        target = self.directory / name
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            table = table_from_rows(rows)
            if not _write_nameless(table, target):
                with replacing(target) as temporary, temporary.open("xb") as file:
                    _write_durably(table, file)
            _sync(self.directory)
        except OSError as fault:
            raise UsageError(
                f"cannot write a row under {self.path}: {fault.strerror or fault}",
                help="give another --output, or free the space and run again with --resume",
            ) from fault
        return target

    def rows(self) -> list[Row]:
        """Return all rows, those of the oldest file first. A missing folder has no rows.

        Names that begin with a dot, such as temporary files of a killed run, are ignored.

        Raises
        ------
        IntegrityError
            Something in the folder is not a file of rows; the error names it.
        """
        names = self._names()
        try:
            with ThreadPoolExecutor(_READERS) as pool:
                tables = list(pool.map(self._table, names))
        except IntegrityError:
            if set(names) <= set(self._names()):
                raise
            return self.rows()  # a file was removed meanwhile: its rows are in a compacted one now
        if not tables:
            return []
        try:
            return rows_from_table(pa.concat_tables(tables))
        except SparsebenchError as fault:
            broken = next(name for name, table in zip(names, tables, strict=True) if not _is_sound(table))
            raise _foreign(self.directory / broken, fault.what) from fault

    def latest(self) -> list[Row]:
        """Return one row per cell: the newest by ``ended``, where status ``ok`` goes before any other.

        Returns
        -------
        list of Row
            Sorted by task, instance, submission, variant and seed.

        Raises
        ------
        IntegrityError
            As ``rows``.
        """
        return _latest(self.rows())

    def finished(self) -> set[str]:
        """Return the keys of the cells that have a row with status ``ok``.

        Raises
        ------
        IntegrityError
            As ``rows``.
        """
        return {row.cell_key for row in self.rows() if row.status == "ok"}

    def _names(self) -> list[str]:
        try:
            found = sorted(path.name for path in self.directory.iterdir() if not path.name.startswith("."))
        except FileNotFoundError:
            return []
        except OSError as fault:
            raise UsageError(
                f"cannot read rows under {self.path}: {fault.strerror}", help="give the folder of a run"
            ) from fault
        for name in found:
            if not name.endswith(_SUFFIX):
                raise _foreign(self.directory / name, f"its name does not end in {_SUFFIX}")
        return found

    def _table(self, name: str) -> Any:
        path = self.directory / name
        try:
            with pq.ParquetFile(path, memory_map=False, pre_buffer=False) as file:
                version = _schema_version(file)
                if version in SCHEMA_VERSIONS:
                    check_schema(file.schema_arrow, version)
                    return with_all_columns(file.read(use_threads=False))
        except (SparsebenchError, OSError, pa.ArrowException) as fault:
            raise _foreign(path, str(fault).splitlines()[0]) from fault
        known = " or ".join(map(str, SCHEMA_VERSIONS))
        raise IntegrityError(
            f"{path} holds rows of schema version {version}, expected {known}",
            help="another version of sparsebench made them: evaluate again into a new --output folder",
        )


def _schema_version(file: Any) -> int:
    """Return the schema version of a file: the newest of its rows, or ours if they state none.

    A compacted file may have the columns of a newer version than any of its rows.
    """
    schema = file.schema_arrow
    if schema.equals(arrow_schema()) or "schema_version" not in schema.names:
        return SCHEMA_VERSION
    told = file.read(["schema_version"], use_threads=False)["schema_version"].to_pylist()
    newest = max((version for version in told if type(version) is int), default=SCHEMA_VERSION)
    fitting = (version for version in SCHEMA_VERSIONS if version >= newest)
    return next((version for version in fitting if schema.equals(arrow_schema(version))), newest)


def _is_sound(table: Any) -> bool:
    try:
        rows_from_table(table)
    except SparsebenchError:
        return False
    return True


def _latest(rows: Iterable[Row]) -> list[Row]:
    newest: dict[str, Row] = {}
    for row in rows:
        held = newest.get(row.cell_key)
        if held is None or _recency(row) >= _recency(held):
            newest[row.cell_key] = row
    return sorted(newest.values(), key=_place)


def _recency(row: Row) -> tuple[bool, str]:
    return row.status == "ok", row.ended


def _place(row: Row) -> tuple[object, ...]:
    return *row.identity.place, row.cell_key


def _foreign(path: Path, why: str) -> IntegrityError:
    return IntegrityError(
        f"{path} is no file of rows: {why}", help="move it out of the folder, then evaluate its cell again"
    )


def _write_nameless(table: Any, target: Path) -> bool:
    """Write a file that has no name until it is complete, so that a killed process leaves nothing.

    False if the system or the file system cannot do that.
    """
    try:
        descriptor = os.open(target.parent, os.O_WRONLY | os.O_TMPFILE, 0o666)
    except (AttributeError, OSError):  # not Linux, or a network file system
        return False
    with os.fdopen(descriptor, "wb") as file, _opened(target.parent) as directory:
        _write_durably(table, file)
        try:  # Python follows the link to the file only if it is given a directory.
            os.link(f"/proc/self/fd/{file.fileno()}", target.name, dst_dir_fd=directory)
        except FileNotFoundError:  # no /proc
            return False
    return True


def bytes_of_rows(rows: Iterable[Row]) -> bytes:
    """Return rows, in their order, as the bytes of one Parquet file: a file of a store."""
    file = io.BytesIO()
    _write_table(table_from_rows(rows), file)
    return file.getvalue()


def _write_durably(table: Any, file: Any) -> None:
    _write_table(table, file)
    file.flush()
    os.fsync(file.fileno())


def _write_table(table: Any, file: Any) -> None:
    # One row is not worth compression, and statistics and dictionaries would only lengthen the footer.
    many = len(table) > 1
    codec = "zstd" if many else "none"
    pq.write_table(table, file, compression=codec, use_dictionary=many, write_statistics=False)


def _sync(directory: Path) -> None:
    with _opened(directory) as handle:
        os.fsync(handle)


@contextlib.contextmanager
def _opened(directory: Path) -> Iterator[int]:
    handle = os.open(directory, os.O_RDONLY)
    try:
        yield handle
    finally:
        os.close(handle)
