"""Parquet of any writer: the same logical values have one identity, and what has others is refused."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sparsebench.errors import IntegrityError
from sparsebench.tasks import load_task, parquet_faults
from sparsebench.tasks.hashing import column_hashes
from sparsebench.tasks.parquet import read_batches, read_columns
from sparsebench.tasks.parquet_writing import write_columns
from tasks.tiny import hashes

INTEGERS = [np.dtype(code) for code in "bhilBHIL"]
REALS = [np.dtype(code) for code in "efd"]


def integers(data, n):
    """Whole numbers, and the types that have all of them."""
    values = data.draw(
        st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(0, 99), min_size=n, max_size=n)
    )
    fit = [
        kind for kind in INTEGERS if np.iinfo(kind).min <= min(values) and max(values) <= np.iinfo(kind).max
    ]
    return np.array(values, np.int64), pa.array(values, pa.from_numpy_dtype(data.draw(st.sampled_from(fit))))


def reals(data, n):
    """Real numbers as float32, and stored by one of the types."""
    kind = data.draw(st.sampled_from(REALS))
    drawn = st.floats(width=16 if kind.itemsize == 2 else 32, allow_nan=False)
    values = np.array(data.draw(st.lists(drawn, min_size=n, max_size=n)), np.float32)
    return values, pa.array(values.astype(kind))


def nested(data, flat, lengths):
    """Put numbers into lists within lists, of fixed lengths, of large ones or of any."""
    for length in reversed(lengths):
        n = len(flat) // length
        offsets = np.arange(n + 1) * length
        flat = data.draw(
            st.sampled_from(
                [
                    pa.FixedSizeListArray.from_arrays(flat, length),
                    pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), flat),
                    pa.LargeListArray.from_arrays(pa.array(offsets, pa.int64()), flat),
                ]
            )
        )
    return flat


def stored(data, array):
    if array.type == pa.float16() or data.draw(st.booleans()):  # some versions have no dictionaries of those
        return array
    return array.dictionary_encode()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data(), n=st.integers(1, 6), lengths=st.lists(st.integers(1, 3), min_size=1, max_size=3))
def test_the_same_values_have_one_hash_whoever_wrote_them(tmp_path, data, n, lengths):
    want, written = {}, {}
    for name in ("id", "tag", "y"):
        kind = data.draw(st.sampled_from([integers, reals])) if name == "y" else integers
        want[name], array = kind(data, n)
        written[name] = stored(data, array)
    flat, array = reals(data, n * int(np.prod(lengths)))
    want["x"], written["x"] = flat.reshape(n, *lengths), nested(data, array, lengths)
    order = data.draw(st.permutations(list(written)))
    path = tmp_path / "t.parquet"
    pq.write_table(
        pa.table({name: written[name] for name in order}),
        path,
        store_schema=data.draw(st.booleans()),
        row_group_size=data.draw(st.integers(1, n)),
        data_page_version=data.draw(st.sampled_from(["1.0", "2.0"])),
        compression=data.draw(st.sampled_from(["none", "snappy", "zstd"])),
        use_dictionary=data.draw(st.booleans()),
    )
    got = read_columns(path)
    assert list(got) == ["id", "x", "y", "tag"]
    assert column_hashes(got) == {name: column_hashes(want)[name] for name in got}
    assert not any(values.flags.writeable for values in got.values())
    batches = list(read_batches(path, rows=data.draw(st.integers(1, n))))
    together = {name: np.concatenate([batch[name] for batch in batches]) for name in got}
    assert column_hashes(together) == column_hashes(got)


def store(path, **changes):
    """Write two rows, some of their columns otherwise."""
    rows = len(next(iter(changes.values())))
    x = pa.array([[1.0, 2.0]] * rows, pa.list_(pa.float32()))
    arrays = {"id": pa.array(np.arange(rows)), "x": x, "y": pa.array(np.ones(rows, np.float32))}
    pq.write_table(pa.table(arrays | changes), path, store_schema=False)
    return path


def both(path):
    """Read a file at once, and in batches."""
    yield lambda: read_columns(path)
    yield lambda: list(read_batches(path, rows=1))


LISTS = pa.list_(pa.float32())


@pytest.mark.parametrize(
    ("name", "array", "said", "mend"),
    [
        (
            "x",
            pa.array([[1, 2], [3, 4], [5]], LISTS),
            "expected lists of one length, got one of 1 values after 2 of 2",
            "write as many values for every row",
        ),
        (
            "x",
            pa.array([[[1], [2]], [[3], [4, 5]]], pa.list_(LISTS)),
            "expected lists of one length, got one of 2 values after [13] of 1",
            "write as many values for every row",
        ),
        (
            "x",
            pa.array([[1], []], LISTS),
            "expected lists of one length, got one of 0 values after 1 of 1|lists of at least one value",
            "",
        ),
        (
            "x",
            pa.array([[], []], LISTS),
            "expected lists of at least one value, got an empty one",
            "write the",
        ),
        (
            "x",
            pa.array([[1.0, 0.1], [0.5, 1.0]]),
            r"expected values of float32, got 0\.1 of float64",
            "write the column as float32",
        ),
        (
            "x",
            pa.array([[1.0], [1e300]]),
            r"expected values of float32, got 1e\+300 of float64",
            "write the column as float32",
        ),
        (
            "y",
            pa.array([0.1, 1.0]),
            r"expected values of float32, got 0\.1 of float64",
            "write the column as",
        ),
        (
            "id",
            pa.array([1, 2**63], pa.uint64()),
            f"expected values of int64, got {2**63} of uint64",
            "write the column as int64",
        ),
        (
            "tag",
            pa.array([2**64 - 1, 1], pa.uint64()),
            f"got {2**64 - 1} of uint64",
            "write the column as int64",
        ),
    ],
)
def test_what_has_other_values_is_refused_in_one_line(tmp_path, name, array, said, mend):
    for read in both(store(tmp_path / "t.parquet", **{name: array})):
        with pytest.raises(IntegrityError, match=rf"t\.parquet: column '{name}': .*({said})") as caught:
            read()
        assert mend in caught.value.help
        assert len(str(caught.value.what).splitlines()) == 1


def test_nan_and_infinity_of_doubles_are_told_as_those_of_floats_are(tmp_path):
    y = read_columns(store(tmp_path / "t.parquet", y=pa.array([np.nan, -np.inf, -0.0])))["y"]
    np.testing.assert_array_equal(y, np.array([np.nan, -np.inf, -0.0], np.float32), strict=True)
    assert np.signbit(y[2])


def test_ids_of_the_whole_range(tmp_path):
    ids = pa.array([0, 2**63 - 1], pa.uint64())
    assert list(read_columns(store(tmp_path / "t.parquet", id=ids))["id"]) == [0, 2**63 - 1]


def test_lists_of_many_values_are_stopped_before_decoding(tmp_path, monkeypatch):
    path = store(tmp_path / "t.parquet", x=pa.array([np.zeros(10_000, np.float32)] * 4, LISTS))
    monkeypatch.setattr("sparsebench.tasks.parquet.MAX_BYTES", 100_000)
    for read, place in zip(both(path), ("", "group 0: "), strict=True):
        with pytest.raises(IntegrityError, match=f"{place}at most 100000 bytes of values, got 160064 bytes"):
            read()


def test_a_tensor_whose_writer_kept_no_shape(folder, edit, columns):
    """DuckDB and pandas write the list of its values: the task says which axes they have."""
    tensors = columns | {"x": np.arange(20, dtype=np.float32).reshape(5, 2, 2)}
    manifest = edit(("input_shape = [2]", "input_shape = [2, 2]"))
    lines = [line for line in manifest.read_text().splitlines() if not line.startswith('"')]
    files = {"learn.parquet": tensors, "test.parquet": tensors | {"id": columns["id"] + 5}}
    manifest.write_text("\n".join([*lines, *(f'"{file}" = {hashes(made)}' for file, made in files.items())]))
    for file, made in files.items():
        write_columns(folder / file, made)
    want = load_task(folder).load("one")
    for file in files:
        pq.write_table(pq.read_table(folder / file), folder / file, store_schema=False)
    assert pq.read_schema(folder / "learn.parquet").field("x").type.value_type == pa.float32()
    np.testing.assert_array_equal(load_task(folder).load("one").train.x, want.train.x, strict=True)
    (batch,) = load_task(folder).stream("one")
    np.testing.assert_array_equal(batch["x"], want.train.x, strict=True)


def test_a_file_whose_line_ends_were_changed_is_told(tmp_path):
    path = tmp_path / "t.parquet"
    write_columns(path, {"id": np.arange(999), "x": np.ones((999, 10), np.float32), "y": np.arange(999) * 10})
    whole = path.read_bytes()
    assert b"\n" in whole
    path.write_bytes(whole.replace(b"\n", b"\r\n"))
    with pytest.raises(
        IntegrityError, match=r"expected a readable .*, got one in which each LF has become CR LF"
    ) as it:
        read_columns(path)
    assert "*.parquet binary" in it.value.help
    path.write_bytes(whole[:-20] + b"\r\n" + whole[-20:])
    with pytest.raises(IntegrityError) as caught:
        read_columns(path)
    assert "CR LF" not in caught.value.what
    assert not parquet_faults._has_other_line_ends(tmp_path / "none")
