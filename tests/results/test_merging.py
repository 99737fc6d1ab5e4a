"""Rows of several stores in one: each once, all or none, sources as they were."""

import shutil
from dataclasses import replace

import pyarrow.parquet as pq
import pytest

from results.test_store import row, time_at
from sparsebench.errors import IntegrityError, NotFoundError
from sparsebench.results import ResultStore
from sparsebench.results.merging import merge_stores

FIRST = row(seed=0)
SECOND = row(seed=1)
AGAIN = replace(FIRST, ops=11.0, ended=time_at(5))  # another run of the first cell, which says otherwise


@pytest.fixture
def stores(tmp_path):
    """Have two stores that share a row, and differ on a cell."""
    for name, rows in (("a", [FIRST, SECOND]), ("b", [FIRST, AGAIN])):
        for one in rows:
            ResultStore(tmp_path / name).write(one)
    return tmp_path / "a", tmp_path / "b", tmp_path / "into"


def files(*folders):
    return {file: file.read_bytes() for folder in folders for file in folder.rglob("*") if file.is_file()}


def test_every_row_is_kept_once_and_runs_that_differ_are_kept_all(stores):
    *sources, into = stores
    before = files(*sources)
    merged = merge_stores(sources, into)
    assert (merged.added, merged.already) == (3, 1)
    assert [merged.path] == list((into / "rows").iterdir())
    assert ResultStore(into).rows() == [FIRST, SECOND, AGAIN]
    assert ResultStore(into).latest() == [AGAIN, SECOND]
    assert files(*sources) == before


def test_rows_of_the_future_are_refused(stores, tmp_path):
    """Such a row would be the newest of its cell for ever."""
    *_, into = stores
    ResultStore(tmp_path / "c").write(replace(AGAIN, ended="9999-12-31T00:00:00.000000+00:00"))
    with pytest.raises(IntegrityError, match=r"ended at 9999-12-31T00.*, expected a time that is past"):
        merge_stores([tmp_path / "a", tmp_path / "c"], into)
    assert not into.exists()


def test_merging_again_adds_nothing(stores):
    *sources, into = stores
    merge_stores(sources, into)
    before = files(into)
    assert merge_stores(sources, into) == (None, 0, 4)
    assert files(into) == before


def test_rows_that_are_there_stay_in_their_files(stores):
    first, second, _ = stores
    before = files(first)
    assert merge_stores([second], first)[1:] == (1, 1)
    assert before.items() <= files(first).items()
    assert ResultStore(first).rows() == [FIRST, SECOND, AGAIN]


def test_a_store_among_its_own_sources_gets_nothing_twice(stores):
    first, *_ = stores
    assert merge_stores([first, first], first) == (None, 0, 4)


@pytest.mark.parametrize("where", ["a", "into"])
@pytest.mark.parametrize("fault", ["schema", "damage"])
def test_a_file_that_cannot_be_read_is_named_and_nothing_is_written(stores, tmp_path, where, fault):
    *sources, into = stores
    ResultStore(into).write(row(seed=7))
    file = next((tmp_path / where / "rows").iterdir())
    if fault == "schema":
        table = pq.read_table(file)
        column = table.schema.get_field_index("schema_version")
        newer = table.set_column(column, table.schema.field(column), [[99] * len(table)])
        pq.write_table(newer, file)
    else:
        file.write_bytes(file.read_bytes()[:-9])
    before = files(into)
    with pytest.raises(IntegrityError) as caught:
        merge_stores(sources, into)
    assert str(file) in caught.value.what
    assert "\n" not in caught.value.what
    assert files(into) == before


@pytest.mark.parametrize("made", [True, False])
def test_a_source_without_rows_is_named(stores, tmp_path, made):
    first, _, into = stores
    other = tmp_path / "other"
    if made:
        other.mkdir()
    with pytest.raises(NotFoundError, match="other: no rows there"):
        merge_stores([first, other], into)
    assert not into.exists()


def test_what_cannot_be_written_leaves_nothing(stores, monkeypatch):
    *sources, into = stores

    def broken(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("sparsebench.results.store._write_durably", broken)
    with pytest.raises(Exception, match="No space left"):
        merge_stores(sources, into)
    assert files(into) == {}


def test_merged_rows_of_a_compacted_store_are_the_same_rows(stores):
    first, second, into = stores
    shutil.copytree(first, into)
    ResultStore(into).compact()
    assert merge_stores([first, second], into)[1:] == (1, 3)
