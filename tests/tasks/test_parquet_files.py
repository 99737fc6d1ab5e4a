from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sparsebench.errors import IntegrityError
from sparsebench.tasks import load_task
from sparsebench.tasks import parquet as module
from sparsebench.tasks.parquet import read_columns, to_table, write_columns


@pytest.fixture
def path(tmp_path, columns):
    place = tmp_path / "rows.parquet"
    write_columns(place, columns)
    return place


def store(path, **arrays):
    pq.write_table(pa.table(arrays), path)
    return path


def vectors(values, width=2):
    return pa.FixedSizeListArray.from_arrays(pa.array(values, pa.float32()), width)


def good():
    return {"id": pa.array([0, 1]), "x": vectors([1, 2, 3, 4]), "y": pa.array([0, 1], pa.float32())}


def test_round_trip_with_tag_and_tensor_inputs(tmp_path):
    written = {
        "id": np.array([3, -1, 2]),
        "x": np.arange(24, dtype=np.float32).reshape(3, 2, 4),
        "y": np.array([5, 6, 7]),
        "tag": np.array([0, 1, 0]),
    }
    write_columns(tmp_path / "t.parquet", written)
    back = read_columns(tmp_path / "t.parquet")
    assert list(back) == ["id", "x", "y", "tag"]
    for name, values in written.items():
        np.testing.assert_array_equal(back[name], values, strict=True)


def test_a_permuted_tensor_is_refused(tmp_path):
    kind = pa.fixed_shape_tensor(pa.float32(), [1, 2], permutation=[1, 0])
    x = pa.ExtensionArray.from_storage(kind, vectors([1, 2, 3, 4]))
    with pytest.raises(IntegrityError, match="column 'x': expected fixed_size_list<float32> or"):
        read_columns(store(tmp_path / "t.parquet", **good() | {"x": x}))


def test_arrays_are_read_only(path):
    assert not any(values.flags.writeable for values in read_columns(path).values())


def test_a_failed_write_leaves_the_old_file_and_nothing_else(path, columns, monkeypatch):
    before = path.read_bytes()

    def broken(table, where, **_):
        Path(where).write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(module.pq, "write_table", broken)
    with pytest.raises(OSError, match="disk full"):
        write_columns(path, columns)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("keep", [0, 3, 8, 200, -1, -8])
def test_a_truncated_file_is_an_integrity_error(path, keep):
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(
        IntegrityError, match=r"rows.parquet: expected a readable Parquet file, got .+"
    ) as caught:
        read_columns(path)
    assert "sparsebench tasks generate" in caught.value.help


def test_no_damage_to_a_file_goes_unseen_or_raises_something_else(path, columns):
    raw, draw = path.read_bytes(), random.Random(5)
    seen = 0
    for _ in range(250):
        damaged = bytearray(raw)
        damaged[draw.randrange(len(raw))] ^= 1 << draw.randrange(8)
        path.write_bytes(damaged)
        try:
            back = read_columns(path)
        except IntegrityError:
            seen += 1
        else:  # bytes that mean nothing: the writer's name, statistics
            assert list(back) == list(columns)
            for name, values in columns.items():
                np.testing.assert_array_equal(back[name], values)
    assert seen > 125


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(IntegrityError, match="expected a Parquet file, got No such file"):
        read_columns(tmp_path / "none.parquet")
    with pytest.raises(IntegrityError, match="expected a readable Parquet file"):
        read_columns(tmp_path)


@pytest.mark.parametrize("name", ["id", "x", "y"])
def test_missing_column(tmp_path, name):
    arrays = good()
    del arrays[name]
    with pytest.raises(IntegrityError, match=f"column '{name}': expected the column, got only"):
        read_columns(store(tmp_path / "t.parquet", **arrays))


def test_unknown_and_repeated_columns(tmp_path):
    with pytest.raises(IntegrityError, match="column 'z': expected each of id, x, y, tag at most once"):
        read_columns(store(tmp_path / "t.parquet", **good(), z=pa.array([1, 2])))
    twice = pa.table([*good().values(), pa.array([1, 2])], names=["id", "x", "y", "id"])
    pq.write_table(twice, tmp_path / "u.parquet")
    with pytest.raises(IntegrityError, match="column 'id': expected each of"):
        read_columns(tmp_path / "u.parquet")


@pytest.mark.parametrize(
    ("name", "array", "got"),
    [
        ("id", pa.array([0, 1], pa.int32()), "int32"),
        ("id", pa.array(["a", "b"]), "string"),
        ("x", pa.array([[1.0, 2.0], [3.0]], pa.list_(pa.float32())), "list<"),
        ("x", pa.array([1, 2], pa.float32()), "float"),
        ("x", pa.FixedSizeListArray.from_arrays(pa.array([1.0, 2, 3, 4]), 2), "fixed_size_list<.*double"),
        ("y", pa.array([0.0, 1.0]), "double"),
        ("y", pa.array([True, False]), "bool"),
        ("tag", pa.array([0, 1], pa.float32()), "float"),
    ],
)
def test_wrong_type(tmp_path, name, array, got):
    with pytest.raises(IntegrityError, match=f"column '{name}': expected .*(int64|float32).*, got {got}"):
        read_columns(store(tmp_path / "t.parquet", **good() | {name: array}))


@pytest.mark.parametrize(
    ("name", "array", "nulls"),
    [
        ("id", pa.array([0, None]), 1),
        ("y", pa.array([None, None], pa.float32()), 2),
        ("tag", pa.array([None, 1]), 1),
        ("x", vectors([1, None, 3, 4]), 1),
        ("x", pa.array([[1, 2], None], pa.list_(pa.float32(), 2)), 1),
    ],
)
def test_nulls(tmp_path, name, array, nulls):
    # Some pyarrow versions cannot read a null list of a fixed size back at all.
    got = f"(no nulls, got {nulls} nulls|a readable Parquet file, got Expected all lists)"
    with pytest.raises(IntegrityError, match=f"column '{name}': expected {got}"):
        read_columns(store(tmp_path / "t.parquet", **good() | {name: array}))


def test_no_rows(tmp_path):
    empty = {name: array.slice(0, 0) for name, array in good().items()}
    with pytest.raises(IntegrityError, match=r"expected 1 to \d+ rows, got 0 rows"):
        read_columns(store(tmp_path / "t.parquet", **empty))


def test_caps(path, monkeypatch):
    size = path.stat().st_size
    monkeypatch.setattr(module, "MAX_BYTES", size - 1)
    with pytest.raises(IntegrityError, match=f"expected at most {size - 1} bytes, got {size} bytes"):
        read_columns(path)
    monkeypatch.undo()
    monkeypatch.setattr(module, "MAX_ROWS", 4)
    with pytest.raises(IntegrityError, match="expected 1 to 4 rows, got 5 rows"):
        read_columns(path)


def test_a_small_file_of_many_values_is_stopped_before_decoding(tmp_path, monkeypatch):
    zeros = {
        "id": np.zeros(4096, np.int64),
        "x": np.zeros((4096, 8), np.float32),
        "y": np.zeros(4096, np.int64),
    }
    write_columns(tmp_path / "t.parquet", zeros)
    monkeypatch.setattr(module, "MAX_BYTES", 100_000)
    with pytest.raises(IntegrityError, match="at most 100000 bytes of values, got 196608 bytes"):
        read_columns(tmp_path / "t.parquet")


# Values: what a file of the right form may not hold.


def rewrite(folder, columns, **changes):
    write_columns(folder / "learn.parquet", columns | changes)
    return load_task(folder)


def test_repeated_ids(folder, columns):
    task = rewrite(folder, columns, id=np.array([0, 1, 2, 1, 4]))
    with pytest.raises(IntegrityError, match="column 'id': expected distinct ids, got 1 more than once"):
        task.load("one")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["x", "y"])
def test_values_that_are_not_finite(folder, columns, name, value):
    broken = columns[name].copy()
    broken.reshape(-1)[-1] = value
    task = rewrite(folder, columns, **{name: broken})
    with pytest.raises(IntegrityError, match=f"column '{name}': expected finite values, got 1 that are NaN"):
        task.load("one")


def test_shape_and_dtype_must_be_as_declared(folder, columns):
    task = rewrite(folder, columns, x=np.zeros((5, 3), np.float32))
    with pytest.raises(IntegrityError, match=r"'x': expected inputs of shape \(2,\) .*, got \(3,\)"):
        task.load("one")
    task = rewrite(folder, columns, y=np.arange(5))
    with pytest.raises(IntegrityError, match=r"'y': expected float32 as task.toml says, got int64"):
        task.load("one")


def test_a_changed_value_is_refused_with_both_hashes(folder, columns):
    task = rewrite(folder, columns, y=columns["y"] + np.float32(1e-6))
    expected = task.instances["one"].files["learn.parquet"]
    with pytest.raises(
        IntegrityError, match=f"learn.parquet: expected content {expected}, got sha256:"
    ) as caught:
        task.load("one")
    assert "a changed hash is a new version" in caught.value.help
    assert "sparsebench tasks verify" in caught.value.help


def test_another_order_of_columns_is_another_content(folder, columns):
    pq.write_table(to_table({name: columns[name] for name in ("y", "x", "id")}), folder / "learn.parquet")
    with pytest.raises(IntegrityError, match="expected content"):
        load_task(folder).load("one")
