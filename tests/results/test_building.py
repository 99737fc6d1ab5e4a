"""Arrow arrays that are made by their buffers are those that Arrow makes."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from sparsebench.results.arrow import arrow_schema
from sparsebench.results.building import array_of

VALUES = {
    pa.string(): st.text(),
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.float64(): st.floats(),
    pa.bool_(): st.booleans(),
}
RECORD = pa.struct(
    [("name", pa.string()), ("amount", pa.int64()), ("ok", pa.bool_()), ("share", pa.float64())]
)
RECORDS = st.fixed_dictionaries({field.name: st.none() | VALUES[field.type] for field in RECORD})
KINDS = VALUES | {RECORD: RECORDS, pa.list_(RECORD): st.lists(RECORDS, max_size=3)}


@given(data=st.data(), kind=st.sampled_from(list(KINDS)))
def test_arrays_are_those_that_arrow_makes(data, kind):
    values = data.draw(st.lists(st.none() | KINDS[kind], max_size=12))
    got, want = array_of(values, kind), pa.array(values, kind)
    got.validate(full=True)
    assert got.type == want.type
    assert got.null_count == want.null_count
    assert repr(got.to_pylist()) == repr(want.to_pylist())  # NaN is written alike, and equals nothing


def test_every_column_of_a_row_is_of_a_kind_that_can_be_made():
    made = [array_of([None], kind) for kind in arrow_schema().types]
    assert [column.type for column in made] == arrow_schema().types
