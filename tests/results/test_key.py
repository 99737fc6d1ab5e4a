"""The identity of a cell: one record, from which its key and its row's columns come."""

from dataclasses import fields, replace
from pathlib import Path
from typing import get_type_hints

from evaluate.tiny import ROOT
from sparsebench.evaluate.plan import Cell
from sparsebench.results import COLUMNS, ResultStore, cell_key
from sparsebench.results.columns import Columns
from sparsebench.results.key import Identity

MINE = Identity(
    task="t@1",
    task_hash="th",
    instance="i",
    instance_hash="ih",
    submission="s",
    submission_hash="sh",
    variant="v",
    seed=3,
    scoring_version=1,
    cost_model=1,
)


def test_a_row_has_every_field_of_the_identity_as_a_column_of_its_type():
    kinds, hints = get_type_hints(Columns), get_type_hints(Identity)
    assert set(hints) <= set(COLUMNS)
    assert hints == {name: kinds[name] for name in hints}


def test_a_cell_has_the_key_of_its_identity_whatever_else_it_takes_to_run_it():
    beside = {"task_folder": Path("a"), "path": Path("b"), "entry": "m:n", "settings": {}, "uses_tags": True}
    cell = Cell(**MINE.identity_columns, **beside)
    assert Identity.of(cell) == MINE
    assert cell.identity_columns == MINE.identity_columns
    assert cell.key == MINE.key == cell_key(**MINE.identity_columns)
    assert replace(cell, entry="other:name", settings={"hidden": 3}).key == MINE.key
    assert replace(cell, variant="w").key == replace(MINE, variant="w").key != MINE.key


def test_an_identity_has_no_more_fields_than_are_hashed():
    assert {field.name for field in fields(Identity)} == set(MINE.identity_columns)
    assert MINE.label == "s/v on t@1/i, seed 3"
    assert MINE.place == ("t@1", "i", "s", "v", 3)


def test_the_published_rows_have_the_keys_of_their_identities():
    rows = ResultStore(ROOT / "leaderboard" / "results").rows()
    assert rows
    assert [row.cell_key for row in rows] == [row.identity.key for row in rows]
