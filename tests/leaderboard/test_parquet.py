"""A board as Parquet: typed columns, the words of strangers as they are, and the same bytes each time."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leaderboard.test_board import LIP, MEMO, made, seeded
from leaderboard.test_tables import EMPTY, HOSTILE, board
from sparsebench.leaderboard import build_board
from sparsebench.leaderboard.parquet import parquet
from sparsebench.leaderboard.sheets import AREA_COLUMNS, POINT_COLUMNS, SCORE_COLUMNS, sheets_of

ARROW = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
RICH = build_board(
    [
        *seeded("a", [0.9, 0.8, 0.9], nmi=0.5, ops_router=8.0, ops_p95=300.0),
        *seeded("b", [0.5, 0.6, 0.9]),
        *seeded("a", [0.9, 0.8, 0.9], task=LIP),
        *seeded("b", [0.5, 0.6, 0.9], task=LIP),
        made("b", seed=3, quality=None),
    ],
    [MEMO, LIP],
    references={MEMO.ref: "b"},
    titles={"a": "A title"},
)


def tables(made_board):
    return [pq.read_table(BytesIO(file)) for file in parquet(made_board)]


@pytest.mark.parametrize("shown", [RICH, board(), board(HOSTILE, HOSTILE, HOSTILE)])
def test_columns_have_the_types_of_their_values(shown):
    for table, sheet in zip(tables(shown), sheets_of(shown), strict=True):
        assert table.to_pylist() == sheet.records
        for name in sheet.columns:
            kinds = {type(record[name]) for record in sheet.records} - {type(None)}
            assert {ARROW[kind] for kind in kinds} <= {table.schema.field(name).type}, name


def test_nearly_all_columns_have_values_there():
    """So that the types of all of them are looked at above."""
    empty = {
        name
        for sheets in zip(sheets_of(RICH), sheets_of(board()), strict=True)
        for name in sheets[0].columns
        if all(record[name] is None for sheet in sheets for record in sheet.records)
    }
    assert empty == set()


def test_an_empty_board_has_columns_all_the_same():
    columns = [tuple(table.column_names) for table in tables(EMPTY)]
    assert columns == [SCORE_COLUMNS, POINT_COLUMNS, AREA_COLUMNS]
    assert [table.schema for table in tables(EMPTY)] == [table.schema for table in tables(RICH)]


def test_names_and_titles_are_as_they_are():
    scores, points, _ = tables(board(HOSTILE, "@variant", "=title"))
    assert scores["submission"][0].as_py() == HOSTILE
    assert scores["title"][0].as_py() == "=title"
    assert "@variant" in points["variant"].to_pylist()


@pytest.mark.parametrize("prices", ["mine", "title", "seeds"])
def test_a_price_list_is_a_number_whatever_it_is_called(prices):
    made_board = replace(board(), prices=prices)
    scores, points, _ = tables(made_board)
    assert points.schema.field(prices).type == pa.float64()
    assert scores["title"][0].as_py() == "A tree"


def test_the_same_board_makes_the_same_bytes():
    assert parquet(board()) == parquet(board())
    assert parquet(board()) != parquet(board("other"))
