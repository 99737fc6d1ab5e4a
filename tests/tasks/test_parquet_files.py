from __future__ import annotations

import gc
import random
import resource
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from sparsebench.errors import IntegrityError, NotFoundError, UsageError
from sparsebench.tasks import load_task, parquet_values, parquet_writing
from sparsebench.tasks import parquet as module
from sparsebench.tasks.hashing import column_hashes
from sparsebench.tasks.parquet import read_batches, read_columns
from sparsebench.tasks.parquet_writing import to_table, write_batches, write_columns


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


@drawn(
    data=st.data(),
    dtype=st.sampled_from(["float32", "int64"]),
    rows=st.integers(0, 5),
    width=st.integers(1, 3),
)
def test_arrays_are_those_that_arrow_makes(data, dtype, rows, width):
    """Of whole columns and of slices of them, plain, in lists and in tensors: every bit, and read-only."""
    numbers = np.dtype(dtype)
    size = rows * width * numbers.itemsize
    flat = np.frombuffer(data.draw(st.binary(min_size=size, max_size=size)), numbers).copy()
    plain = pa.array(flat)
    lists = pa.FixedSizeListArray.from_arrays(plain, width)
    tensor = pa.ExtensionArray.from_storage(pa.fixed_shape_tensor(plain.type, [width, 1]), lists)
    begin = data.draw(st.integers(0, rows))
    for name, column in (("y", plain), ("x", lists), ("x", tensor)):
        part = column[begin : data.draw(st.integers(begin, len(column)))]
        got = parquet_values.values_of(Path("t.parquet"), name, part)
        values = part.storage.flatten() if column is tensor else part.flatten() if column is lists else part
        want = values.to_numpy(zero_copy_only=True).reshape(got.shape)
        assert (got.dtype, got.tobytes(), len(got)) == (want.dtype, want.tobytes(), len(part))
        assert not got.flags.writeable


def test_an_array_outlives_the_table_that_it_was_read_from(tmp_path):
    table = pa.table({"y": pa.array(np.arange(1000, dtype=np.float32))})
    got = parquet_values.values_of(tmp_path, "y", table["y"].combine_chunks())
    del table
    gc.collect()
    assert got.sum() == 499500


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

    monkeypatch.setattr(parquet_writing.pq, "write_table", broken)
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
        ("id", pa.array([0.0, 1.0]), "double"),
        ("id", pa.array(["a", "b"]), "string"),
        ("id", pa.array([[0], [1]]), "list<"),
        ("x", pa.array([1, 2], pa.float32()), "float"),
        ("x", pa.array([[1, 2], [3, 4]]), "list<.*int64"),
        ("x", pa.array([["a"], ["b"]]), "list<.*string"),
        ("y", pa.array([[0.0], [1.0]]), "list<"),
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
        ("x", pa.array([[1, 2], None], pa.list_(pa.float32())), 1),
        ("x", pa.array([[1, None], [None, 2]], pa.list_(pa.float32())), 2),
        ("x", pa.array([[[1], None], [[1], [2]]], pa.list_(pa.list_(pa.float32()))), 1),
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


def test_a_changed_value_is_refused_with_its_column_and_both_hashes(folder, columns):
    task = rewrite(folder, columns, y=columns["y"] + np.float32(1e-6))
    expected = task.instances["one"].files["learn.parquet"]["y"]
    with pytest.raises(
        IntegrityError, match=f"learn.parquet: column 'y': expected content {expected}, got sha256:"
    ) as caught:
        task.load("one")
    assert "a changed hash is a new version" in caught.value.help
    assert "sparsebench tasks verify" in caught.value.help


def test_the_order_of_columns_does_not_count(folder, columns):
    pq.write_table(to_table({name: columns[name] for name in ("y", "x", "id")}), folder / "learn.parquet")
    assert list(read_columns(folder / "learn.parquet")) == ["id", "x", "y"]
    np.testing.assert_array_equal(load_task(folder).load("one").train.x, columns["x"])


def test_a_column_of_tags_that_is_not_declared_is_refused(folder, columns):
    task = rewrite(folder, columns, tag=np.arange(5))
    with pytest.raises(IntegrityError, match="expected the columns id, x, y, got id, x, y, tag"):
        task.load("one")


@pytest.mark.parametrize(("name", "text"), [("y", "classes = 4"), ("tag", 'domains = ["a", "b", "c", "d"]')])
@pytest.mark.parametrize("wrong", [-1, 4])
def test_classes_and_domains_are_numbers_that_exist(folder, edit, columns, name, text, wrong):
    numbers = {"y": np.arange(5) % 4, "tag": np.arange(5) % 4}
    numbers[name] = np.array([0, 1, 2, 3, wrong])
    task = rewrite(folder, columns, **numbers)
    other = "domains = ['a', 'b', 'c', 'd']" if name == "y" else "classes = 4"
    manifest = edit(("small = true", f"small = true\n{text}\n{other}"), ('"float32"', '"int64"'))
    manifest.write_text(manifest.read_text().replace('y = "sha', f'tag = "sha256:{"0" * 64}", y = "sha'))
    with pytest.raises(IntegrityError, match=f"column '{name}': expected numbers from 0 to 3, got {wrong}"):
        load_task(manifest).load("one")
    assert task.ref == "tiny@1"


def frozen(manifest, files):
    """Write the hashes of files as they are into a manifest, whatever they say."""
    lines = manifest.read_text().splitlines()
    for number, line in enumerate(lines):
        if line.startswith('"'):
            hashes = column_hashes(read_columns(files / line.split('"')[1]))
            inner = ", ".join(f'{name} = "{value}"' for name, value in hashes.items())
            lines[number] = f"{line.partition(' = ')[0]} = {{ {inner} }}"
    manifest.write_text("\n".join(lines))
    return load_task(manifest)


@pytest.mark.parametrize("told", [3, 4])
def test_classes_are_as_many_as_train_has(folder, edit, columns, told):
    """So the hashes of the data bind numbers that a submission is told."""
    classes = {"y": np.arange(5) % 3}
    write_columns(folder / "learn.parquet", columns | classes)
    write_columns(folder / "test.parquet", columns | {"id": columns["id"] + 5} | classes)
    manifest = edit(("small = true", f"small = true\nclasses = {told}"), ('"float32"', '"int64"'))
    if told == 3:
        assert frozen(manifest, folder).load("one").train.y.max() == 2
    else:
        with pytest.raises(IntegrityError, match="classes: expected 3, as its train split has, got 4"):
            frozen(manifest, folder).load("one")


# In batches.


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 100])
def test_batches_are_the_whole(path, columns, rows):
    batches = list(read_batches(path, rows=rows))
    assert all(1 <= len(batch["id"]) <= rows for batch in batches)
    for name, values in columns.items():
        np.testing.assert_array_equal(np.concatenate([batch[name] for batch in batches]), values, strict=True)


def test_a_file_written_in_batches_is_the_file_written_at_once(tmp_path, columns):
    pieces = [{name: values[part] for name, values in columns.items()} for part in (slice(2), slice(2, 5))]
    write_batches(tmp_path / "t.parquet", pieces)
    back = read_columns(tmp_path / "t.parquet")
    for name, values in columns.items():
        np.testing.assert_array_equal(back[name], values, strict=True)


def test_no_batches_and_a_generator_that_breaks_leave_nothing(tmp_path, columns):
    def breaks():
        yield columns
        raise OSError("disk full")

    with pytest.raises(ValueError, match=r"t.parquet: expected batches of columns, got none"):
        write_batches(tmp_path / "t.parquet", [])
    with pytest.raises(OSError, match="disk full"):
        write_batches(tmp_path / "t.parquet", breaks())
    assert list(tmp_path.iterdir()) == []


def test_columns_of_few_values_are_stored_by_a_dictionary(tmp_path):
    levels = np.random.default_rng(0).integers(0, 16, size=(20_000, 8)).astype(np.float32) / 16
    write_columns(tmp_path / "t.parquet", {"id": np.arange(20_000), "x": levels, "y": levels[:, 0]})
    assert (tmp_path / "t.parquet").stat().st_size < 120_000, "about four bits a value"
    np.testing.assert_array_equal(read_columns(tmp_path / "t.parquet")["x"], levels)


def test_a_stream_checks_values_and_hashes(folder, columns):
    task = load_task(folder)
    assert [len(batch["id"]) for batch in task.stream("one", rows=2)] == [2, 2, 1]
    only = list(task.stream("one", "test", columns=("y",)))
    assert [list(batch) for batch in only] == [["y"]]
    np.testing.assert_array_equal(only[0]["y"], columns["y"] + 1)
    task = rewrite(folder, columns, x=columns["x"] * 2)
    read = task.stream("one", rows=4)
    assert len(next(read)["x"]) == 4
    assert len(next(read)["x"]) == 1
    with pytest.raises(IntegrityError, match=r"learn.parquet: column 'x': expected content sha256:"):
        next(read)
    task = rewrite(folder, columns, id=np.array([0, 1, 3, 2, 4]))
    with pytest.raises(IntegrityError, match="column 'id': expected ascending ids"):
        list(task.stream("one", rows=3))


def test_a_stream_refuses_names_that_there_are_not(folder):
    task = load_task(folder)
    for given, message in [
        (("two",), "unknown instance 'two'"),
        (("one", "exam"), "unknown split 'exam' in tiny@1/one"),
    ]:
        with pytest.raises(NotFoundError, match=message):
            task.stream(*given)
    with pytest.raises(NotFoundError, match=r"unknown column 'z' in learn.parquet"):
        task.stream("one", columns=("z",))
    with pytest.raises(UsageError, match="rows: expected at least 1, got 0"):
        task.stream("one", rows=0)


# Bombs: what a footer claims is held against what may be, before anything is decoded.


def varint(value):
    """Encode as Parquet's footers do: zigzag, seven bits a byte."""
    value, encoded = 2 * value, bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])


def claim(path, which, rows):
    """Put another number in place of the footer's number of 1,000 (rows, or values of a column)."""
    raw = path.read_bytes()
    length = int.from_bytes(raw[-8:-4], "little")
    before, footer = raw[: -8 - length], raw[-8 - length : -8]
    parts = footer.split(b"\x16" + varint(1000))  # a field of 64 bits
    assert len(parts) > which + 1
    joints = [varint(rows if place == which else 1000) for place in range(len(parts) - 1)]
    footer = parts[0] + b"".join(
        b"\x16" + joint + part for joint, part in zip(joints, parts[1:], strict=True)
    )
    path.write_bytes(before + footer + len(footer).to_bytes(4, "little") + raw[-4:])


def resident():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # KiB, the most so far


@pytest.mark.parametrize("rows", [999, 1001, 10**6, 10**9, 2**40])
@pytest.mark.parametrize("which", range(4))
def test_a_footer_that_claims_other_numbers(tmp_path, which, rows):
    """Of the file, of the values of two columns, of a group of rows: in turn."""
    written = {
        "id": np.arange(1000),
        "x": np.ones((1000, 2), np.float32),
        "y": np.ones(1000, np.float32),
    }
    write_columns(tmp_path / "t.parquet", written)
    claim(tmp_path / "t.parquet", which, rows)
    before = resident()
    for read in (read_columns, lambda path: next(read_batches(path, rows=1000))):
        with pytest.raises(IntegrityError, match=r"rows|readable Parquet file|1000 values in group 0, got"):
            read(tmp_path / "t.parquet")
    assert resident() - before < 200_000


def test_a_bomb_is_refused_before_it_goes_off(tmp_path):
    """A file of a few kilobytes that holds 2^24 rows of 64 zeros, 4 GiB."""
    schema = pa.schema([("id", pa.int64()), ("x", pa.list_(pa.float32(), 64)), ("y", pa.float32())])
    piece = 1 << 18
    block = pa.table(
        [
            pa.array(np.zeros(piece, np.int64)),
            vectors(np.zeros(64 * piece, np.float32), 64),
            pa.array(np.zeros(piece, np.float32)),
        ],
        schema=schema,
    )
    with pq.ParquetWriter(tmp_path / "t.parquet", schema, compression="zstd") as writer:
        for _ in range(16):
            writer.write_table(block)
    assert (tmp_path / "t.parquet").stat().st_size < 1_000_000
    before = resident()
    with pytest.raises(IntegrityError, match=r"at most 1073741824 bytes of values, got 1\d{9} bytes"):
        read_columns(tmp_path / "t.parquet")
    assert resident() - before < 100_000
