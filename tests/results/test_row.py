"""Rows: invariants, round trips, keys."""

import json
import math
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparsebench.errors import IntegrityError
from sparsebench.results import (
    COLUMNS,
    COUNTS,
    MEASURED,
    OUTCOME,
    STATUSES,
    Audit,
    Bin,
    Count,
    Pair,
    Row,
    arrow_schema,
    cell_key,
    dearer,
    may_differ,
    rows_from_table,
    table_from_rows,
)
from sparsebench.results.columns import SCHEMA_VERSIONS, lacking

TIME = "2026-01-02T03:04:05.000006+00:00"
IDENTITY = {
    "task": "memorization@1",
    "task_hash": "t" * 64,
    "instance": "n256-r4",
    "instance_hash": "i" * 64,
    "submission": "conditional-tree",
    "submission_hash": "s" * 64,
    "variant": "default",
    "seed": 3,
}
BASE = IDENTITY | {
    "harness_version": "0.1.0",
    "started": TIME,
    "ended": TIME,
    "sandbox": "files",
    "packages": '{"numpy": "2.4.6"}',
    "python": "3.11.7",
    "cpu": "a processor",
}
TIMED = {"predict_seconds_cpu": 1e-6, "predict_backend_cpu": "numba+numpy"}
LEDGER = (Count("router", "compare", "float32", 2048), Count("experts", "gather", "float32", 256))
OK = BASE | {
    "status": "ok",
    "error": 0.0,
    "quality": 1.0,
    "recall": 1.0,
    "ops": 24.0,
    "ops_router": 23.0,
    "ops_experts": 1.0,
    "ops_counted": "batch",
    "stored_parameters": 1000,
    "counts": LEDGER,
    "audits": (Audit("counting bound", "pass", "15 >= 5.6"),),
}
ALONE = {
    "ops_counted": "one-by-one",
    "coupled": True,
    "ops_batch": 20.0,
    "ops_max": 70.0,
    "ops_histogram": (Bin(0, 1), Bin(4, 2), Bin(6, 1)),
    "sample_size": 4,
    "counted_inputs": 4,
    "test_inputs": 4,
    "sample_draw": 2**62,
}
KEPT = {
    "memory_bytes": 8000,
    "expert_domains": (Pair(0, 0, 3), Pair(0, 1, 1)),
    "fit_rows": 100,
    "blas": "openblas 0.3.31 SkylakeX",
    "cpu_model": "6-143-8",
}
FRESH = {"quality_fresh": 0.9, "fresh_seed": 2**62, "fresh_inputs": 1024}
FAILED = BASE | {"status": "failed", "reason": "fit raised ValueError: no"}

finite = st.floats(0, 1e15, allow_subnormal=False)
text = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)


@st.composite
def ok_rows(draw):
    router, experts = draw(finite), draw(finite)
    return Row(
        **OK
        | {
            "ops": router + experts,
            "ops_router": router,
            "ops_experts": experts,
            "quality": draw(st.floats(0, 1)),
            "error": draw(finite),
            "sup_error": draw(st.none() | finite),
            "experts_seen": draw(st.none() | st.integers(0, 2**63 - 1)),
            "variant": draw(text),
            "seed": draw(st.integers(0, 2**31)),
            "uses_tags": draw(st.booleans()),
            "accuracy": draw(st.none() | st.floats(0, 1)),
            "nmi": draw(st.none() | st.floats(0, 1)),
            "harness_dirty": draw(st.none() | st.booleans()),
            **draw(st.just({}) | st.fixed_dictionaries({"sample_draw": st.integers(0, 2**63 - 1)})),
            **draw(st.just({}) | st.just(FRESH)),
            "counts": draw(
                st.none()
                | st.lists(st.builds(Count, text, text, text, st.integers(0, 2**62)), max_size=3).map(tuple)
            ),
            "audits": draw(
                st.lists(
                    st.builds(Audit, text, st.sampled_from(["pass", "fail", "not-run"]), text), max_size=2
                ).map(tuple)
            ),
        }
    )


@given(ok_rows())
def test_rows_survive_dicts_json_and_arrow(row):
    assert Row.from_dict(row.to_dict()) == row
    assert Row.from_dict(json.loads(json.dumps(row.to_json_dict(), allow_nan=False))) == row
    assert rows_from_table(table_from_rows([row, row])) == [row, row]


def test_names_and_order_are_those_that_other_peoples_scripts_read():
    row = Row(**OK)
    assert tuple(row.to_dict()) == tuple(row.to_json_dict()) == COLUMNS == tuple(arrow_schema().names)
    fixed = (
        "task instance submission variant seed status reason error quality ops ops_p50 ops_p95 ops_max "
        "ops_router ops_experts ops_add_mul_cmp lookups macs ops_router_free bit_ops ops_dense "
        "loaded_parameters stored_parameters fit_seconds predict_seconds_cpu predict_seconds_gpu sandbox "
        "accuracy nmi uses_tags predict_backend_cpu predict_backend_gpu ops_batch "
        "coupled ops_histogram quality_fresh fresh_seed fresh_inputs sample_draw test_inputs"
    )
    assert set(fixed.split()) <= set(COLUMNS)


def test_schema_follows_from_the_annotations():
    schema = arrow_schema()
    assert schema.field("seed") == pa.field("seed", pa.int64(), nullable=False)
    assert schema.field("ops") == pa.field("ops", pa.float64())
    assert schema.field("harness_dirty").type == pa.bool_()
    assert schema.field("counts").type == pa.list_(
        pa.struct(
            {"phase": pa.string(), "kind": pa.string(), "dtype": pa.string(), "count": pa.int64()}.items()
        )
    )


def test_groups():
    assert {"ops", "counts", "stored_bytes", "ops_counted", "expert_entropy", "nmi"} <= COUNTS
    assert {"coupled", "ops_histogram", "test_inputs"} <= COUNTS
    fresh = {"quality_fresh"}
    assert {"error", "quality", "accuracy", "recall", "rmse", "nrmse", "sup_error"} | fresh == OUTCOME
    times = {"fit_seconds", "predict_seconds_cpu", "predict_seconds_gpu", "started", "ended"}
    faces = {"predict_backend_cpu", "predict_backend_gpu"}
    draws = {"sample_draw", "fresh_seed", "fresh_inputs"}
    assert times | faces | fresh | draws | {"peak_bytes", "ops_batch"} == MEASURED


def test_counts_may_differ_where_they_are_of_a_sample():
    exact, whole = Row(**OK), Row(**OK | ALONE)
    sampled = Row(**OK | ALONE | {"test_inputs": 5})
    assert may_differ(exact) == may_differ(whole) == may_differ(Row(**FAILED)) == MEASURED
    assert may_differ(sampled) == MEASURED | COUNTS | {"audits"}


def test_a_timed_row_names_the_backends_that_ran():
    row = Row(**OK | TIMED | {"predict_seconds_gpu": 1e-7, "predict_backend_gpu": "none"})
    assert (row.predict_backend_cpu, row.predict_backend_gpu) == ("numba+numpy", "none")
    assert rows_from_table(table_from_rows([row])) == [row]


@pytest.mark.parametrize("version", SCHEMA_VERSIONS[:-1])
def test_rows_of_earlier_versions_are_read_without_the_columns_that_they_lack(version):
    timed = TIMED if version > 2 else {"predict_seconds_cpu": 1e-6}
    counted = {"ops_batch": 100.0} if version < 4 else ALONE  # as it was then
    row = Row(**OK | timed | counted | {"schema_version": version})
    old = {name: value for name, value in row.to_dict().items() if name not in lacking(version)}
    assert Row.from_dict(old) == row
    assert {getattr(row, name) for name in lacking(version)} == {None}
    assert row.to_dict()["schema_version"] == version
    with pytest.raises(IntegrityError, match="lacks"):
        Row.from_dict(old | {"schema_version": version + 1})


@pytest.mark.parametrize("name", lacking(3))
def test_rows_of_earlier_versions_have_no_later_columns(name):
    value = (OK | ALONE | FRESH | KEPT | {"fit_variant": "other"})[name]
    with pytest.raises(IntegrityError, match=f"{name} is .*, expected null: rows of version 3 have none"):
        Row(**OK | {"schema_version": 3, name: value})


def test_a_row_of_inputs_alone():
    row = Row(**OK | ALONE | FRESH | KEPT)
    assert (row.coupled, row.ops_histogram[1]) == (True, Bin(4, 2))
    assert rows_from_table(table_from_rows([row])) == [row]
    assert row.to_json_dict()["ops_histogram"][0] == {"log2_ops": 0, "inputs": 1}
    # The draws are kept of a cell that has no score, so that anybody can make them again.
    assert Row(**FAILED | {"sample_draw": 1, "fresh_seed": 2, "fresh_inputs": 3}).fresh_seed == 2


@pytest.mark.parametrize(
    ("ops", "alone", "more"),
    [(101, 100, False), (101.1, 100, True), (2, 1, False), (2.1, 1, True), (1.5, 0.5, False), (1, 0, False)],
)
def test_dearer_is_by_more_than_a_hundredth_and_more_than_one(ops, alone, more):
    assert dearer(ops, alone) == more


def test_json_has_packages_as_an_object():
    assert Row(**OK).to_json_dict()["packages"] == {"numpy": "2.4.6"}


def test_numpy_scalars_become_python_numbers():
    row = Row(**OK | {"ops": np.float32(24), "seed": np.int64(3), "quality": 1})
    assert row == Row(**OK)
    assert type(row.ops) is float
    assert type(row.seed) is int
    assert type(row.quality) is float


def test_key_is_sha256_of_canonical_json_and_is_checked():
    row = Row(**OK)
    assert row.cell_key == cell_key(**IDENTITY, scoring_version=1, cost_model=1)
    assert row.cell_key == "dd5737891d957e21304275c45674d7b94d750d964227a9f1d7d4ac98b35fa5c1"
    with pytest.raises(IntegrityError, match="cell_key is 000"):
        replace(row, cell_key="0" * 64)


@given(st.sampled_from([*IDENTITY, "scoring_version", "cost_model"]))
def test_every_part_of_the_identity_changes_the_key(name):
    identity = IDENTITY | {"scoring_version": 1, "cost_model": 1}
    value = identity[name]
    assert cell_key(**identity | {name: value + 1 if isinstance(value, int) else value + "x"}) != cell_key(
        **identity
    )


def test_memory_holds_at_least_the_arrays():
    assert Row(**OK, stored_bytes=80, memory_bytes=80).memory_bytes == 80
    with pytest.raises(IntegrityError, match="memory_bytes is 79, expected at least stored_bytes = 80"):
        Row(**OK, stored_bytes=80, memory_bytes=79)


@pytest.mark.parametrize("status", [status for status in STATUSES if status != "ok"])
def test_a_cell_without_a_score_has_a_reason_and_nothing_else(status):
    assert Row(**FAILED | {"status": status}).quality is None
    with pytest.raises(IntegrityError, match="without a reason"):
        Row(**FAILED | {"status": status, "reason": ""})


@pytest.mark.parametrize("name", sorted(COUNTS | OUTCOME))
def test_metrics_and_counts_are_forbidden_beside_a_failure(name):
    value = {"counts": LEDGER, "ops_counted": "batch", "coupled": True}.get(name, 0)
    value = () if name in {"ops_histogram", "expert_domains"} else value
    with pytest.raises(IntegrityError, match=rf"status failed with \['{name}'\]"):
        Row(**FAILED | {name: value})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"quality": None}, r"without \['quality'\]"),
        ({"ops": None}, r"without \['ops'\]"),
        ({"reason": "but"}, "with a reason"),
        ({"status": "done"}, "status is 'done'"),
        ({"quality": 1.5}, r"quality is 1.5, expected a number in \[0, 1\]"),
        ({"error": math.nan}, "error is nan, expected a finite number"),
        ({"ops_p95": math.inf}, "ops_p95 is inf"),
        ({"lookups": -1}, "lookups is -1.0, expected at least 0"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": 1.5}, "seed is a float, expected int"),
        ({"seed": True}, "seed is a bool, expected int"),
        ({"seed": 2**63}, "expected a 64-bit integer"),
        ({"quality": "1"}, "quality is a str, expected float"),
        ({"task": 3}, "task is a int, expected str"),
        ({"harness_dirty": 1}, "harness_dirty is a int, expected bool"),
        ({"ops_router": 22.0}, "ops_router . ops_experts is 23.0, expected ops = 24.0"),
        ({"ops_counted": "both"}, "ops_counted is 'both', expected one of batch, one-by-one"),
        ({"sandbox": "yes"}, "sandbox is 'yes'"),
        ({"audits": (Audit("a", "maybe", ""),)}, "audits.verdict is 'maybe'"),
        ({"audits": [{"name": "a"}]}, "audits holds an item with"),
        ({"counts": (Count("a", "b", "c", -1),)}, "counts of b is -1"),
        ({"counts": 7}, "counts is a int"),
        ({"scoring_version": 0}, "scoring_version is 0"),
        ({"schema_version": 1}, "schema_version is 1, expected 2 or 3 or 4 or 5"),
        ({"schema_version": 6}, "schema_version is 6, expected 2 or 3 or 4 or 5"),
        (
            {"schema_version": 4, "fit_variant": "other"},
            "fit_variant is 'other', expected null: rows of version 4",
        ),
        ({"fit_variant": OK["variant"]}, "expected another variant than the row's, or null"),
        ({"fit_variant": ""}, "fit_variant is '', expected another variant"),
        (ALONE | {"ops_batch": 25.1}, "ops_batch is 25.1, expected at most 1 % or 1 more than ops = 24.0"),
        ({"ops_batch": 25.1}, "ops_batch is 25.1"),
        ({"coupled": True}, "coupled with ops_counted batch, expected one-by-one"),
        (ALONE | {"sample_size": 5}, "ops_histogram has 4 inputs, expected sample_size = 5"),
        (ALONE | {"ops_max": 128.0}, "ends with bin 6, expected that of ops_max = 128.0"),
        (ALONE | {"ops_histogram": (Bin(6, 3), Bin(4, 1))}, r"the bins \[6, 4\], expected each once"),
        (ALONE | {"ops_histogram": (Bin(4, 0), Bin(6, 4))}, "a bin without inputs"),
        (ALONE | {"ops_histogram": (), "sample_size": 0}, r"the bins \[\]"),
        (ALONE | {"ops_histogram": (Bin(-1, 1), Bin(6, 3))}, r"the bins \[-1, 6\]"),
        ({"sample_draw": -1}, "sample_draw is -1, expected at least 0"),
        (FRESH | {"fresh_seed": -1}, "fresh_seed is -1, expected at least 0"),
        (FRESH | {"fresh_seed": None}, "fresh_seed is None with fresh_inputs 1024, expected both"),
        (FRESH | {"fresh_inputs": 0}, "fresh_inputs is 0, expected at least 1"),
        ({"expert_domains": (Pair(1, 0, 0),)}, "expert_domains of expert 1 is 0, expected at least 1"),
        (FRESH | {"quality_fresh": 1.5}, "quality_fresh is 1.5"),
        ({"quality_fresh": 0.5}, "quality_fresh is 0.5 without fresh_seed"),
        ({"predict_seconds_cpu": 1e-6}, "predict_backend_cpu is None, expected a text beside a time"),
        ({"predict_backend_gpu": "cuda"}, "predict_backend_gpu is 'cuda', expected null"),
        ({"schema_version": 2} | TIMED, "predict_backend_cpu is 'numba.numpy', expected null"),
        (TIMED | {"predict_backend_cpu": "numpy+numba"}, "expected sorted names"),
        (TIMED | {"predict_backend_cpu": "numpy+numpy"}, "expected sorted names"),
        (TIMED | {"predict_backend_cpu": "Numpy"}, "expected sorted names"),
        ({"accuracy": 1.5}, "accuracy is 1.5"),
        ({"nmi": -0.5}, "nmi is -0.5"),
        ({"uses_tags": None}, "uses_tags is a NoneType, expected bool"),
        ({"uses_tags": 1}, "uses_tags is a int, expected bool"),
        ({"started": "yesterday"}, "started is 'yesterday', expected ISO 8601"),
        ({"packages": "numpy"}, "packages is no JSON"),
        ({"packages": '{"b": "1", "a": "1"}'}, "sorted keys"),
        ({"packages": "[]"}, "packages is no JSON object"),
    ],
)
def test_contradictions_name_the_field(change, message):
    with pytest.raises(IntegrityError, match=message) as caught:
        Row(**OK | change)
    assert caught.value.help


def test_missing_and_unknown_columns_are_named():
    values = Row(**OK).to_dict()
    with pytest.raises(IntegrityError, match=r"lacks .*'ops'"):
        Row.from_dict({name: value for name, value in values.items() if name != "ops"})
    with pytest.raises(IntegrityError, match=r"unknown .*'opps'"):
        Row.from_dict(values | {"opps": 1})
    with pytest.raises(IntegrityError):
        Row.from_dict(values | {"cell_key": ""})


def test_tables_with_other_columns_are_refused():
    table = table_from_rows([Row(**OK)])
    with pytest.raises(IntegrityError, match="column ops is missing"):
        rows_from_table(table.drop_columns(["ops"]))
    with pytest.raises(IntegrityError, match="column seed is string, expected int64"):
        rows_from_table(table.set_column(table.schema.get_field_index("seed"), "seed", pa.array(["3"])))
    with pytest.raises(IntegrityError, match="and no others"):
        rows_from_table(table.append_column("more", pa.array([1])))
