"""Rows as Arrow tables. The schema is generated from the row's annotations, so they cannot disagree."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from sparsebench.errors import IntegrityError
from sparsebench.results.building import array_of
from sparsebench.results.checks import columns, record_types
from sparsebench.results.columns import SCHEMA_VERSION, SCHEMA_VERSIONS, lacking
from sparsebench.results.row import Row

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["arrow_schema", "check_schema", "rows_from_table", "table_from_rows", "with_all_columns"]

_SCALARS = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}


@lru_cache(maxsize=len(SCHEMA_VERSIONS))
def arrow_schema(version: int = SCHEMA_VERSION) -> Any:
    """Return the ``pyarrow.Schema`` of a file of rows: the columns of ``Row``, nullable where allowed.

    Parameters
    ----------
    version
        One of :data:`sparsebench.results.row.SCHEMA_VERSIONS`.
    """
    left_out = lacking(version)
    return pa.schema(
        [
            pa.field(name, _arrow_type(kind), nullable=optional)
            for name, (kind, optional) in columns().items()
            if name not in left_out
        ]
    )


def _arrow_type(kind: type) -> Any:
    if kind in _SCALARS:
        return _SCALARS[kind]
    parts = record_types(kind)
    return pa.list_(pa.struct([pa.field(name, _SCALARS[part]) for name, part in parts.items()]))


def table_from_rows(rows: Iterable[Row]) -> Any:
    """Return a ``pyarrow.Table`` with one line per row and the schema of ``arrow_schema``."""
    schema, lines = arrow_schema(), [row.to_dict() for row in rows]
    made = [array_of([line[column.name] for line in lines], column.type) for column in schema]
    return pa.Table.from_arrays(made, schema=schema)


def rows_from_table(table: Any) -> list[Row]:
    """Return the rows of a table.

    Raises
    ------
    IntegrityError
        The table's columns are not those of ``arrow_schema``, or one of its rows does not validate.
    """
    check_schema(table.schema)
    return [Row.from_dict(line) for line in table.to_pylist()]


def with_all_columns(table: Any) -> Any:
    """Return a table of rows of an earlier version with the columns that it lacks, all null."""
    there = set(table.column_names)  # read once: pyarrow makes the list anew each time
    if there.issuperset(arrow_schema().names):
        return table
    made = [
        table.column(column.name) if column.name in there else pa.nulls(len(table), column.type)
        for column in arrow_schema()
    ]
    return pa.Table.from_arrays(made, schema=arrow_schema())


def check_schema(schema: Any, version: int = SCHEMA_VERSION) -> None:
    """Check that columns and types are those of ``arrow_schema`` of a version.

    Raises
    ------
    IntegrityError
        They are not; the error names the first column that differs.
    """
    expected = arrow_schema(version)
    if schema.equals(expected):
        return
    got = {column.name: column for column in schema}
    for column in expected:
        if column.name not in got:
            raise _not_rows(f"column {column.name} is missing")
        if got[column.name] != column:
            raise _not_rows(f"column {column.name} is {got[column.name].type}, expected {column.type}")
    raise _not_rows(f"columns are {schema.names[:3]}..., expected {expected.names[:3]}... and no others")


def _not_rows(what: str) -> IntegrityError:
    return IntegrityError(
        f"no table of rows: {what}", help="read it with the version of sparsebench that wrote it"
    )
