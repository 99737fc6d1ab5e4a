"""The store: immutable files, newest rows, damage."""

import os
import signal
import sys
import time
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sparsebench.errors import IntegrityError, UsageError
from sparsebench.results import (
    ResultStore,
    Row,
    arrow_schema,
    bytes_of_rows,
    provenance_fields,
    store,
    table_from_rows,
)
from sparsebench.results.columns import ADDED, lacking


def time_at(second):
    return f"2026-01-02T03:04:{second:02d}.000000+00:00"


def row(*, second=0, **changes):
    values = {
        "task": "memorization@1",
        "task_hash": "t",
        "instance": "n256-r4",
        "instance_hash": "i",
        "submission": "tree",
        "submission_hash": "s",
        "variant": "v",
        "seed": 0,
        "status": "ok",
        "error": 0.5,
        "quality": 0.5,
        "ops": 10,
        "harness_version": "0.1.0",
        "started": time_at(0),
        "ended": time_at(second),
        "sandbox": "files",
        "packages": "{}",
        "python": "3.11.7",
        "cpu": "a processor",
    }
    if changes.get("status", "ok") != "ok":
        values |= {"error": None, "quality": None, "ops": None, "reason": "it broke"}
    return Row(**values | changes)


@pytest.fixture
def results(tmp_path):
    return ResultStore(tmp_path / "out")


def test_nothing_is_made_before_the_first_row(results):
    assert results.rows() == results.latest() == []
    assert results.finished() == set()
    assert not results.exists()
    assert not results.path.exists()


def test_rows_come_back_as_written_with_one_file_each(results):
    written = [row(seed=seed) for seed in range(5)]
    paths = [results.write(one) for one in written]
    assert results.exists()
    assert results.rows() == written
    assert sorted(paths) == paths == sorted((results.path / "rows").iterdir())
    assert all(
        path.suffix == ".parquet" and one.cell_key[:12] in path.name
        for path, one in zip(paths, written, strict=True)
    )


def test_the_same_row_twice_is_two_files(results):
    assert results.write(row()) != results.write(row())
    assert len(results.rows()) == 2


def test_latest_takes_ok_before_failed_and_then_the_newest(results):
    for one in (
        row(second=1, error=0.1),
        row(second=9, status="failed"),
        row(second=5, error=0.2),
        row(second=3, error=0.3),
        row(second=2, seed=1, status="timeout"),
        row(second=4, seed=1, status="failed"),
    ):
        results.write(one)
    assert [(one.seed, one.status, one.ended, one.error) for one in results.latest()] == [
        (0, "ok", time_at(5), 0.2),
        (1, "failed", time_at(4), None),
    ]


def test_latest_has_a_stable_order(results):
    names = [("b@1", "i", "s", "v"), ("a@1", "j", "s", "v"), ("a@1", "i", "t", "v"), ("a@1", "i", "s", "w")]
    for task, instance, submission, variant in names:
        for seed in (10, 2):
            results.write(
                row(task=task, instance=instance, submission=submission, variant=variant, seed=seed)
            )
    order = [(one.task, one.instance, one.submission, one.variant, one.seed) for one in results.latest()]
    assert order == sorted((*name, seed) for name in names for seed in (2, 10))


def test_finished_are_the_keys_with_status_ok(results):
    done, broken = row(), row(seed=1, status="failed")
    results.write(done)
    results.write(broken)
    results.write(row(second=8, status="failed"))
    assert results.finished() == {done.cell_key}


@pytest.mark.skipif(sys.platform != "linux", reason="files without names are Linux's")
def test_who_is_killed_while_it_writes_leaves_nothing(results):
    results.write(row())
    before = {file.name for file in results.directory.iterdir()}
    pid = os.fork()
    if not pid:
        store._write_durably = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        try:
            results.write(row(seed=1))
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
    assert {file.name for file in results.directory.iterdir()} == before


@pytest.mark.parametrize("missing", ["no files without names", "no /proc"])
def test_where_files_have_names_from_the_start_a_row_is_written_as_well(results, monkeypatch, missing):
    if missing == "no /proc":
        monkeypatch.setattr(os, "link", _not_there)
    else:
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    path = results.write(row())
    assert [file.name for file in results.directory.iterdir()] == [path.name]
    assert results.rows() == [row()]


def _not_there(*_, **__):
    raise FileNotFoundError


def test_leftover_temporary_files_are_ignored(results):
    results.write(row())
    (results.directory / ".20260101T000000.000000Z-abc.parquet.tmp").write_bytes(b"half a r")
    assert len(results.rows()) == 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("notes.txt", b"hello"),
        ("damaged.parquet", b"PAR1 is how it begins"),
        ("empty.parquet", b""),
    ],
)
def test_foreign_files_are_named(results, name, content):
    results.write(row())
    (results.directory / name).write_bytes(content)
    with pytest.raises(IntegrityError, match=name) as caught:
        results.rows()
    assert "\n" not in caught.value.what
    assert "move it" in caught.value.help


def test_a_row_cut_short_is_named(results):
    results.write(row())
    path = results.write(row(seed=1))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(IntegrityError, match=path.name):
        results.rows()


def test_a_parquet_file_of_something_else_is_named(results):
    results.write(row())
    pq.write_table(pa.table({"x": [1]}), results.directory / "other.parquet")
    with pytest.raises(IntegrityError, match=r"other.parquet is no file of rows: .*missing"):
        results.latest()


def test_a_file_whose_row_was_changed_is_named(results):
    results.write(row())
    path = results.write(row(seed=1))
    table = pq.read_table(path)
    at = table.schema.get_field_index("quality")
    pq.write_table(table.set_column(at, "quality", pa.array([7.0])), path)
    with pytest.raises(IntegrityError, match=rf"{path.name} is no file of rows: row: quality is 7.0"):
        results.finished()


def of_version(path, version, *dropped):
    """Make a file's row one of another version, which lacks some columns."""
    table = pq.read_table(path).drop_columns(list(dropped))
    at = table.schema.get_field_index("schema_version")
    column = pa.field("schema_version", pa.int64(), nullable=False)
    pq.write_table(table.set_column(at, column, pa.array([version])), path)


@pytest.mark.parametrize(("version", "dropped"), [(1, ["uses_tags", "accuracy", "nmi"]), (6, ["ops"])])
def test_rows_of_another_version_are_told_with_the_mend(results, version, dropped):
    results.write(row())
    path = results.write(row(seed=1))
    of_version(path, version, *dropped)
    with pytest.raises(
        IntegrityError, match=rf"{path.name} holds rows of schema version {version}"
    ) as caught:
        results.latest()
    assert "\n" not in caught.value.what
    assert "evaluate again" in caught.value.help


BACKENDS = ADDED[3]
TIMED = {"predict_seconds_cpu": 1e-6}
OLD = {
    2: row(**TIMED, schema_version=2),
    3: row(**TIMED, schema_version=3, predict_backend_cpu="numpy", seed=1, ops_batch=20.0),
    4: row(**TIMED, schema_version=4, predict_backend_cpu="numpy", seed=3, coupled=False),
}
NEW = row(
    **TIMED,
    predict_backend_cpu="numpy",
    seed=2,
    fresh_seed=7,
    fresh_inputs=8,
    quality_fresh=0.5,
    fit_variant="other",
)


def as_it_was_written(results, old):
    """Store a row of an earlier version with the columns of that version alone."""
    path = results.write(old)
    of_version(path, old.schema_version, *lacking(old.schema_version))
    assert not set(lacking(old.schema_version)) & set(pq.read_schema(path).names)
    return path


@pytest.mark.parametrize("versions", [(2,), (3,), (4,), (2, 3), (3, 2), (4, 2, 3)])
def test_a_store_of_several_versions_is_read_and_compacted(results, versions):
    written = [OLD[version] for version in versions]
    for old in written:
        as_it_was_written(results, old)
    results.write(NEW)
    expected = sorted([*written, NEW], key=lambda one: one.seed)
    assert results.latest() == expected
    together = results.compact()
    assert results.latest() == expected
    assert pq.read_schema(together).equals(arrow_schema())


def test_an_older_compacted_file_has_newer_columns_than_some_of_its_rows(results):
    path = results.write(OLD[2])
    three = table_from_rows([OLD[2], OLD[3]]).drop_columns(list(lacking(3)))
    pq.write_table(three, path)
    assert results.latest() == [OLD[2], OLD[3]]


@pytest.mark.parametrize(
    ("version", "first"), [(3, "predict_backend_cpu"), (4, "quality_fresh"), (5, "fit_variant")]
)
def test_a_file_of_earlier_columns_may_not_claim_a_later_version(results, version, first):
    path = results.write(row())
    of_version(path, version, *lacking(version - 1))
    with pytest.raises(IntegrityError, match=f"column {first} is missing"):
        results.rows()


def test_a_row_of_another_version_with_our_columns_is_named(results):
    path = results.write(row())
    of_version(path, 1)
    with pytest.raises(IntegrityError, match=rf"{path.name} is no file of rows: row: schema_version is 1"):
        results.rows()


def test_columns_are_told_where_no_version_is(results):
    path = results.write(row())
    table = pq.read_table(path)
    for columns in (table.drop_columns(["schema_version"]), table.drop_columns(["ops"])):
        pq.write_table(columns, path)
        with pytest.raises(IntegrityError, match=rf"{path.name} is no file of rows: .* is missing"):
            results.rows()


def test_a_folder_inside_is_named(results):
    results.write(row())
    (results.directory / "deeper.parquet").mkdir()
    with pytest.raises(IntegrityError, match=r"deeper\.parquet"):
        results.rows()


def test_a_file_in_the_place_of_the_folder(tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(UsageError, match="cannot write a row"):
        ResultStore(tmp_path / "out").write(row())
    with pytest.raises(UsageError, match="cannot read rows"):
        ResultStore(tmp_path / "out").rows()
    assert (tmp_path / "out").read_text() == "mine"


def test_a_write_that_breaks_off_leaves_nothing(results, monkeypatch):
    results.write(row())
    with monkeypatch.context() as patch:
        patch.setattr(store.os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, os.strerror(28))))
        with pytest.raises(UsageError, match="No space left"):
            results.write(row(seed=1))
    assert len(list(results.directory.iterdir())) == 1
    assert len(results.rows()) == 1


def test_a_file_may_hold_several_rows(results):
    results.write(row())
    more = results.write(row(seed=1))
    pq.write_table(pa.concat_tables([pq.read_table(more)] * 2), more)
    assert [one.seed for one in results.rows()] == [0, 1, 1]


def test_many_rows_are_read_quickly(results):
    source = results.write(row(**provenance_fields())).read_bytes()
    for index in range(499):
        (results.directory / f"copy-{index}.parquet").write_bytes(source)
    begin = time.process_time()
    assert len(results.rows()) == 500
    assert time.process_time() - begin < 3.0  # an order of magnitude of room: 0.3 s is usual


def test_rows_cannot_be_changed_in_memory():
    with pytest.raises(AttributeError):
        row().quality = 1.0
    assert replace(row(), quality=1.0).quality == 1.0


def test_rows_as_bytes_are_a_file_of_a_store(tmp_path):
    rows = [row(second=second, seed=second) for second in range(3)]
    content = bytes_of_rows(rows)
    assert content == bytes_of_rows(rows)
    (tmp_path / "rows").mkdir()
    (tmp_path / "rows" / "all.parquet").write_bytes(content)
    assert ResultStore(tmp_path).rows() == rows


def test_compacting_keeps_every_row(tmp_path):
    kept = ResultStore(tmp_path)
    for seed in range(5):
        kept.write(row(seed=seed))
    before = kept.latest()
    made = kept.compact()
    assert [made] == list(kept.directory.iterdir())
    assert kept.latest() == before
    assert kept.compact() is None


def test_compacting_beside_a_foreign_file_removes_nothing(tmp_path):
    kept = ResultStore(tmp_path)
    for seed in range(2):
        kept.write(row(seed=seed))
    (kept.directory / "x.parquet").write_bytes(b"not a file of rows")
    with pytest.raises(IntegrityError, match=r"x\.parquet"):
        kept.compact()
    assert len(list(kept.directory.iterdir())) == 3


def test_two_that_compact_at_once_keep_every_row(tmp_path, monkeypatch):
    kept = ResultStore(tmp_path)
    for seed in range(3):
        kept.write(row(seed=seed))
    before, read = kept.latest(), kept.rows

    def read_while_another_compacts():
        monkeypatch.undo()
        rows = read()
        assert ResultStore(tmp_path).compact() is not None
        return rows

    monkeypatch.setattr(kept, "rows", read_while_another_compacts)
    assert kept.compact().exists()
    assert kept.latest() == before
    assert len(list(kept.directory.iterdir())) == 2


def listing_first(monkeypatch, results, *gone):
    """Have the store list files that have gone when it is asked for the first time."""
    told, asked = results._names, []

    def names():
        asked.append(None)
        return sorted([*told(), *gone]) if len(asked) == 1 else told()

    monkeypatch.setattr(results, "_names", names)
    return asked


def test_files_that_go_while_they_are_read_are_read_where_they_are_now(results, monkeypatch):
    for seed in range(3):
        results.write(row(seed=seed))
    asked = listing_first(monkeypatch, results, "0-gone.parquet", "9-gone.parquet")
    assert [one.seed for one in results.rows()] == [0, 1, 2]
    assert len(asked) >= 2


def test_files_that_go_do_not_hide_one_that_is_damaged(results, monkeypatch):
    results.write(row())
    (results.directory / "damaged.parquet").write_bytes(b"PAR1 is how it begins")
    listing_first(monkeypatch, results, "0-gone.parquet")
    with pytest.raises(IntegrityError, match=r"damaged\.parquet is no file of rows"):
        results.rows()
