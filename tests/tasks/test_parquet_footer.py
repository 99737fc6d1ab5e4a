"""What a footer claims, read without pyarrow: what it says, and nothing that Arrow would read otherwise."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparsebench.tasks.parquet_footer import Group, _Reader, groups_of


@given(
    rows=st.integers(1, 40),
    size=st.integers(1, 40),
    width=st.integers(1, 5),
    notes=st.dictionaries(st.text(max_size=5), st.text(max_size=30), max_size=20),
)
def test_it_says_what_pyarrow_says(rows, size, width, notes):
    x = pa.FixedSizeListArray.from_arrays(pa.array(np.zeros(rows * width, np.float32)), width)
    table = pa.table({"id": np.arange(rows), "x": x, "s": ["a"] * rows, "b": [True] * rows})
    file = io.BytesIO()
    pq.write_table(
        table.replace_schema_metadata(notes),
        file,
        row_group_size=size,
        write_page_index=True,
        sorting_columns=[pq.SortingColumn(0)],
    )
    told = pq.ParquetFile(file).metadata
    groups = [told.row_group(index) for index in range(told.num_row_groups)]
    assert groups_of(file) == [
        Group(group.num_rows, tuple(group.column(index).num_values for index in range(4))) for group in groups
    ]


def file_of(footer):
    return io.BytesIO(b"PAR1" + footer + len(footer).to_bytes(4, "little") + b"PAR1")


CHUNK = b"\x3c\x56\x0e\x00\x00"  # field 3, a structure: field 5, an i64: 7
GOOD = b"\x49\x1c\x19\x1c" + CHUNK + b"\x26\x0e\x00\x00"


def test_the_least_footer():
    assert groups_of(file_of(GOOD)) == [Group(7, (7,))]


@pytest.mark.parametrize(
    ("footer", "said"),
    [
        (b"\x00", "without the numbers"),
        (b"\x46\x02\x00", "without the numbers"),
        (GOOD[:-1], "ends too early"),
        (GOOD[:-1] + b"\x09\x08\x0c\x00", "a field 4 that it may not have"),
        (b"\x06\xfe\xff\x03\x00\x66\x00" + GOOD, "a field 32773 that it may not have"),
        (b"\x06\x01\x00\x00", "a field -1 that it may not have"),
        (b"\x49\xfc\xff\xff\xff\xff\x0f", "ends too early"),
        (b"\x1b\xff\xff\xff\xff\x0f\x88", "ends too early"),
        (b"\x1d\x00", "unknown kind 13"),
        (b"\x16" + b"\xff" * 10 + b"\x00", "too many bits"),
        (b"\x1c" * 40, "too many levels"),
        (b"\x19\x19" * 1 + b"\x19" * 40, "too many levels"),
        (b"\x49\x1c\x19\x1c\x3c\x58\x017\x00\x00\x26\x0e\x00\x00", "without the numbers"),
    ],
)
def test_what_is_no_footer(footer, said):
    with pytest.raises(ValueError, match=said):
        groups_of(file_of(footer))


@pytest.mark.parametrize(
    "content", [b"", b"PAR1", b"PAR1\x05\0\0\0PAR1", b"PAR1\xff\xff\xff\x7fPAR1", b"x" * 20]
)
def test_what_is_no_file(content):
    with pytest.raises(ValueError, match="no footer of at most"):
        groups_of(io.BytesIO(content))


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(content):
    with contextlib.suppress(ValueError):
        groups_of(file_of(content))


def test_all_kinds_of_values_are_passed_over():
    """A truth value in a field and in a list, a byte, a double, text, a set, maps, and a long list."""
    fields = (
        b"\x11\x12\x13\x7f\x17" + b"8" * 8 + b"\x18\x02ab\x1a\x21\x01\x02\x1b\x00\x1b\x01\x85\x01a\x02"
        b"\x19\xf3\x10" + b"c" * 16 + b"\x1c\x00\x00"
    )
    told = _Reader(fields).structure()
    assert (told[1], told[2], told[3], told[5], told[6]) == (True, False, 127, b"ab", [1, 2])
    assert told[9] == list(b"c" * 16)
    assert told[10] == {}
