"""A board's sheets as Parquet: the records that CSV has, with types, as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from sparsebench.leaderboard.sheets import POINT_COLUMNS, sheets_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from sparsebench.leaderboard.board import Board
    from sparsebench.leaderboard.sheets import Sheet

__all__ = ["ParquetSheets", "parquet"]

_TEXTS = frozenset(("submission", "title", "task", "instance", "variant", "statuses", "profile", "task_hash"))
_FLAGS = frozenset(("uses_tags", "exact"))
_WHOLE = frozenset(
    (
        *("rank_best", "rank_worst", "overall_rank_best", "overall_rank_worst"),
        *("fewer_at_50_instances", "fewer_at_70_instances", "fewer_at_90_instances"),
        *("ahead", "instances", "seeds", "board_seeds", "scoring_version", "cost_model"),
        *("memory_bytes", "n_cells", "n_failed", "n_missing", "n_too_large"),
    )
)


class ParquetSheets(NamedTuple):
    """Three Parquet files, with the columns of the CSV texts. Null means that there is no value."""

    scores: bytes
    """One row per submission and task that it enters."""
    points: bytes
    """One row per submission, task and variant."""
    areas: bytes
    """One row per submission, task and instance."""


def parquet(board: Board) -> ParquetSheets:
    """Return the board as Parquet files.

    Text is not escaped: names and titles are what their authors wrote. The same board makes the same bytes
    with the same version of pyarrow; with another version, the same values.
    """
    scores, points, areas = sheets_of(board)
    own = set(points.columns) - set(POINT_COLUMNS)  # a price list, whatever it is called
    return ParquetSheets(_file(scores), _file(points, prices=own), _file(areas))


def _file(sheet: Sheet, *, prices: Collection[str] = ()) -> bytes:
    schema = pa.schema([(name, pa.float64() if name in prices else _kind(name)) for name in sheet.columns])
    out = pa.BufferOutputStream()
    pq.write_table(
        pa.Table.from_pylist(sheet.records, schema=schema), out, compression="zstd", write_page_checksum=True
    )
    content: bytes = out.getvalue().to_pybytes()
    return content


def _kind(name: str) -> pa.DataType:
    if name in _TEXTS:
        return pa.string()
    if name in _FLAGS:
        return pa.bool_()
    return pa.int64() if name in _WHOLE else pa.float64()
