from __future__ import annotations

import itertools

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sparsebench.tasks.hashing import ColumnHasher, canonical_hash, column_hashes, content_hash, hash_batches
from sparsebench.tasks.parquet import read_columns
from sparsebench.tasks.parquet_writing import to_table


@st.composite
def tables(draw):
    n = draw(st.integers(1, 24))
    inner = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    floats = st.floats(width=32, allow_nan=False, allow_infinity=False)
    columns = {
        "id": draw(hnp.arrays(np.int64, n)),
        "x": draw(hnp.arrays(np.float32, (n, *inner), elements=floats)),
        "y": draw(st.one_of(hnp.arrays(np.float32, n, elements=floats), hnp.arrays(np.int64, n))),
    }
    if draw(st.booleans()):
        columns["tag"] = draw(hnp.arrays(np.int64, n))
    return columns


def rechunk(table, sizes):
    parts, start = [], 0
    for size in sizes:
        parts.append(table.slice(start, size))
        start += size
    return pa.concat_tables([*parts, table.slice(start)])


@settings(max_examples=60, deadline=None)
@given(
    columns=tables(),
    codec=st.sampled_from(["none", "snappy", "gzip", "zstd"]),
    group=st.integers(1, 30),
    chunks=st.lists(st.integers(0, 6), max_size=5),
    dictionary=st.booleans(),
    version=st.sampled_from(["1.0", "2.0"]),
)
def test_the_way_of_storing_does_not_change_the_hash(
    tmp_path_factory, columns, codec, group, chunks, dictionary, version
):
    path = tmp_path_factory.mktemp("hash") / "t.parquet"
    table = rechunk(to_table(columns), chunks)
    pq.write_table(
        table,
        path,
        compression=codec,
        row_group_size=group,
        use_dictionary=dictionary,
        data_page_version=version,
    )
    back = read_columns(path)
    assert list(back) == list(columns)
    for name, values in columns.items():
        assert back[name].dtype == values.dtype
        np.testing.assert_array_equal(back[name], values)
    assert content_hash(back) == content_hash(columns)


@settings(max_examples=60, deadline=None)
@given(columns=tables(), data=st.data())
def test_any_flipped_bit_changes_the_hash(columns, data):
    before = content_hash(columns)
    name = data.draw(st.sampled_from(list(columns)))
    changed = columns[name].copy()
    raw = changed.reshape(-1).view(np.uint8)
    raw[data.draw(st.integers(0, raw.size - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert content_hash(columns | {name: changed}) != before


@settings(max_examples=40, deadline=None)
@given(columns=tables(), data=st.data())
def test_dtype_name_shape_and_length_change_the_hash(columns, data):
    before = content_hash(columns)
    name = data.draw(st.sampled_from(list(columns)))
    items = list(columns.items())
    other = np.dtype("int64" if columns[name].dtype == np.float32 else "float32")
    with np.errstate(all="ignore"):
        recast = np.zeros(columns[name].shape, other)
    variants = [
        columns | {name: recast},
        {("renamed" if key == name else key): values for key, values in items},
        {key: values[..., None] if key == name else values for key, values in items},
        {key: values[:-1] for key, values in items},
        dict(items[:-1]),
    ]
    hashes = {content_hash(variant) for variant in variants}
    assert before not in hashes
    assert len(hashes) == len(variants)


@settings(max_examples=40, deadline=None)
@given(columns=tables(), cuts=st.lists(st.integers(0, 24), max_size=4))
def test_neither_the_order_of_columns_nor_batches_change_the_hash(columns, cuts):
    assert content_hash(dict(list(columns.items())[::-1])) == content_hash(columns)
    n = len(columns["id"])
    edges = [0, *sorted(min(cut, n) for cut in cuts), n]
    batches = [{name: values[a:b] for name, values in columns.items()} for a, b in itertools.pairwise(edges)]
    assert hash_batches(batches) == column_hashes(columns)


@settings(max_examples=40, deadline=None)
@given(columns=tables(), data=st.data())
def test_a_change_shows_in_the_hash_of_its_column_alone(columns, data):
    name = data.draw(st.sampled_from(list(columns)))
    changed = columns[name].copy()
    changed.reshape(-1).view(np.uint8)[-1] ^= 1
    before, after = column_hashes(columns), column_hashes(columns | {name: changed})
    assert {key for key in before if before[key] != after[key]} == {name}


def test_batches_of_other_columns_dtypes_or_shapes_are_refused(columns):
    with pytest.raises(TypeError, match="expected the columns id, x, y in every batch, got id, x"):
        hash_batches([columns, {"id": columns["id"], "x": columns["x"]}])
    hasher = ColumnHasher("x")
    with pytest.raises(TypeError, match="column 'x': expected rows, got none"):
        hasher.hash()
    hasher.add(columns["x"])
    with pytest.raises(TypeError, match="column 'x': expected rows of"):
        hasher.add(columns["x"][:, :1])


def test_same_bits_in_another_dtype_are_another_table():
    ints = np.arange(4, dtype=np.int64)
    assert content_hash({"id": ints}) != content_hash({"id": ints.view(np.float32)})


def test_memory_layout_and_byte_order_do_not_count(columns):
    turned = {
        name: np.asfortranarray(values).astype(values.dtype.newbyteorder(">"))
        for name, values in columns.items()
    }
    assert content_hash(turned) == content_hash(columns)


def test_the_hash_itself_is_frozen(columns):
    assert content_hash(columns) == "sha256:4e8ec1e5c6ac74b46fca9147fbc3cef8f789df31fc0d62fd3f6a03c9587ed573"
    assert (
        canonical_hash({"b": [1, 2.5], "a": "é"})
        == "sha256:1d5aa48ef9cd2b6be14efd77e6aa32fc7767713b66a7abf3c772a7863e7c199a"
    )


def test_a_dtype_without_a_canonical_form_is_refused():
    with pytest.raises(TypeError, match="'y': expected float32 or int64, got float64"):
        content_hash({"y": np.zeros(3)})
