"""Rows against themselves, what is at hand, and their traces: what holds, and each thing that does not."""

from __future__ import annotations

import dataclasses
import hashlib
import math
import shutil

import numpy as np
import pytest

from evaluate.tiny import cell_of, plain, write
from sparsebench.errors import NotFoundError, UsageError
from sparsebench.evaluate import cell as cell_module
from sparsebench.evaluate.cell import run_cell
from sparsebench.evaluate.passes.sample import sample_by_identity
from sparsebench.evaluate.plan import Limits
from sparsebench.evaluate.replay import verify_trace
from sparsebench.evaluate.replay.tracing import trace_path
from sparsebench.evaluate.replay.verify import find_rows, verify_row
from sparsebench.evaluate.replay.verify_trace import _check_error
from sparsebench.meter.traces.trace_file import write_trace
from sparsebench.meter.traces.trace_reader import read_trace
from sparsebench.results import Audit, Bin, Count
from sparsebench.results.columns import lacking
from sparsebench.tasks import load_task
from tasks.tiny import checked_out_with_crlf

BY_ITSELF = ["row", "cell-key", "task", "submission", "prices", "audits"]
BY_TRACE = ["trace", "sample", "counts", "loads", "predictions", "error"]

FIT_EDGE = """
first = np.sort(train.x[:, 0])
return {"w": np.zeros(4), "edge": first[-2:].mean(keepdims=True)}
"""
NAN_ALONE = """
y = x @ params["w"]
return y if len(x) > 1 else xp.where(x[:, 0] > params["edge"], xp.nan, y)
"""


class Evaluated:
    """A cell that was run, with its trace."""

    def __init__(self, folder, code):
        self.folder = write(folder / "mine", code)
        self.row = run_cell(cell_of(self.folder), Limits(traces=folder))
        self.path = trace_path(folder, self.row.cell_key)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    return Evaluated(tmp_path_factory.mktemp("plain"), plain())


@pytest.fixture
def verdicts(done, tmp_path):
    """Verify a changed row against a changed trace: name -> (verdict, detail)."""

    def call(row=None, trace=None, **changes):
        """Give a row, or changes of the good one; a trace's file, or changes of the good one."""
        row = row or dataclasses.replace(done.row, **changes)
        path = done.path
        if trace is not None:
            path = tmp_path / "changed.sbtrace"
            write_trace(path, trace)
        return {check.name: (check.verdict, check.detail) for check in verify_row(row, path)}

    return call


@pytest.fixture
def trace(done):
    return read_trace(done.path)


def verify_all(row):
    """Give what each check of a row by itself says: (name, detail)."""
    return ((check.name, check.detail) for check in verify_row(row))


def with_inputs(trace, **columns):
    return dataclasses.replace(trace, inputs=dataclasses.replace(trace.inputs, **columns))


# What holds -----------------------------------------------------------------------------------------------


def test_a_good_row_holds(done, verdicts):
    found = verdicts(done.row)
    assert list(found) == BY_ITSELF + BY_TRACE
    assert {name for name, (verdict, _) in found.items() if verdict != "pass"} == {"submission"}
    assert found["submission"][0] == "not-run"  # a test's folder is nowhere to be found by name
    assert found["predictions"] == ("pass", "all 256 are the same to the last bit")
    assert found["trace"][1] == f"{done.path.stat().st_size:,} bytes, 256 inputs, 1 streams"


def test_without_a_trace_nothing_is_replayed(done):
    assert [check.name for check in verify_row(done.row)] == BY_ITSELF


def test_a_row_without_a_trace(done, tmp_path):
    checks = verify_row(done.row, tmp_path / "none.sbtrace")
    assert [next(checks).name for _ in BY_ITSELF] == BY_ITSELF
    with pytest.raises(NotFoundError, match=r"has no trace: there is no .*none\.sbtrace"):
        next(checks)


def test_a_failed_row_has_nothing_to_replay(tmp_path):
    failed = Evaluated(tmp_path, plain(predict="return x"))
    assert failed.row.status == "failed"
    assert not failed.path.exists()
    found = {check.name: check for check in verify_row(failed.row, failed.path)}
    assert list(found) == [*BY_ITSELF, "trace"]
    assert {found[name].verdict for name in ("prices", "audits", "trace")} == {"not-run"}
    assert found["audits"].detail == "status failed: there is no score"
    assert found["trace"].detail == "status failed: such a row has no trace"


# What does not: the row -----------------------------------------------------------------------------------


def test_a_row_that_is_not_valid(done, verdicts):
    row = dataclasses.replace(done.row)
    object.__setattr__(row, "seed", 7)
    found = verdicts(row)
    assert found["row"][0] == "fail"
    assert found["cell-key"][0] == "fail"
    assert done.row.cell_key in found["cell-key"][1]


@pytest.mark.parametrize(
    ("changes", "verdict", "detail"),
    [
        ({"task_hash": "0" * 64}, "fail", "task_hash: expected "),
        ({"instance_hash": "0" * 64}, "fail", "instance_hash: expected "),
        ({"instance": "n1-r1"}, "fail", "instance_hash: expected no such instance, got "),
        ({"task": "nothing@1"}, "not-run", "nothing@1 is not at hand: "),
    ],
)
def test_other_tasks(verdicts, changes, verdict, detail):
    found = verdicts(**changes, cell_key="")
    assert found["task"][0] == verdict
    assert detail in found["task"][1]
    assert found["trace"][0] == verdict


def test_submissions_at_hand(done, verdicts, tmp_path, monkeypatch):
    shutil.copytree(done.folder, tmp_path / "mine")
    monkeypatch.chdir(tmp_path)
    here = {"submission": "./mine", "cell_key": ""}
    assert verdicts(**here)["submission"][0] == "pass"
    (tmp_path / "mine" / "submission.py").write_text("other = 1\n", encoding="utf-8")
    verdict, detail = verdicts(**here)["submission"]
    assert (verdict, detail[:25]) == ("fail", "submission_hash: expected")


def test_a_variant_that_no_submission_has_is_found(done, verdicts, tmp_path, monkeypatch):
    """A row of settings that were tried, under a name that boards let pass."""
    shutil.copytree(done.folder, tmp_path / "mine")
    monkeypatch.chdir(tmp_path)
    verdict, detail = verdicts(submission="./mine", variant="best", cell_key="")["submission"]
    assert (verdict, detail) == ("fail", "variant: expected one of its submission.toml, got best")


def test_a_checkout_with_crlf_is_the_submission_at_hand(done, verdicts, tmp_path, monkeypatch):
    folder = checked_out_with_crlf(done.folder, tmp_path / "mine")
    monkeypatch.chdir(tmp_path)
    here = {"submission": "./mine", "cell_key": ""}
    assert verdicts(**here)["submission"][0] == "pass"
    digest = hashlib.sha256()  # of the bytes that lie there, as earlier rows have it
    for path in sorted(folder.rglob("*.*")):
        content = path.read_bytes()
        digest.update(f"{path.name}\0{len(content)}\0".encode() + content)
    verdict, detail = verdicts(**here, submission_hash=digest.hexdigest())["submission"]
    assert verdict == "fail"
    assert "submission_hash: expected" in detail
    assert "; line ends alone differ: that hash is of text with CR LF" in detail


def test_prices_follow_from_counts(done, verdicts):
    assert verdicts(ops=9.0, ops_experts=9.0)["prices"] == (
        "fail",
        "ops: expected 8.0, got 9.0; ops_experts: expected 8.0, got 9.0",
    )
    assert verdicts(macs=0.0)["prices"] == ("fail", "macs: expected 4.0, got 0.0")
    half = tuple(dataclasses.replace(count, count=count.count // 2) for count in done.row.counts)
    assert "ops: expected 4.0, got 8.0" in verdicts(counts=half)["prices"][1]
    magic = (Count("experts", "magic", "float64", 1),)
    assert verdicts(counts=magic)["prices"] == (
        "fail",
        "counts: expected known kinds and dtypes, got 'magic'",
    )


def test_a_score_rests_on_its_audits(done, verdicts):
    scored = "alone-as-in-batches, order-invariance, cost-in-batches, counting-bound"
    assert verdicts()["audits"] == ("pass", f"the score rests on {scored}: each passed")
    told = "cost-in-batches: expected once, with the verdict pass, got "
    rest = tuple(audit for audit in done.row.audits if audit.name != "cost-in-batches")
    assert verdicts(audits=rest)["audits"] == ("fail", f"{told}none")
    twice = (*done.row.audits, Audit("cost-in-batches", "not-run", ""))
    assert verdicts(audits=twice)["audits"] == ("fail", f"{told}pass and not-run")


def test_the_task_says_which_audits_a_score_rests_on(done, verdicts):
    rest = tuple(audit for audit in done.row.audits if audit.name != "counting-bound")
    hidden = {"audits": rest, "recall": None, "rmse": 1.0}  # as if its metric were another one
    assert verdicts(**hidden)["audits"][1][:15] == "counting-bound:"
    assert verdicts(**hidden, task="nothing@1", cell_key="")["audits"][0] == "pass"
    lipschitz = load_task("lipschitz-regression@1")
    drawn = next(name for name, spec in lipschitz.instances.items() if spec.fresh)
    elsewhere = {"task": lipschitz.ref, "instance": drawn, "cell_key": ""}
    found = dict(verify_all(dataclasses.replace(done.row, **elsewhere)))
    assert found["audits"] == "known-answers: expected once, with the verdict pass, got none"


def test_another_cost_model_is_not_checked(verdicts):
    found = verdicts(cost_model=999, cell_key="")
    told = ("not-run", "counted by cost model 999; here is cost model 2")
    assert (found["prices"], found["trace"]) == (told, told)
    assert "counts" not in found


# What does not: row against trace -------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ops_p50", "ops_max", "ops_single", "loaded_parameters", "loaded_bytes"])
def test_other_counts_of_single_inputs(done, verdicts, name):
    value = getattr(done.row, name)
    assert verdicts(**{name: value + 1})["counts"] == ("fail", f"{name}: expected {value + 1}, got {value}")


def test_raw_counts_are_replayed_where_they_are_of_single_inputs(done, verdicts):
    assert verdicts(ops_counted="one-by-one")["counts"][0] == "pass"
    less = tuple(dataclasses.replace(count, count=count.count - 256) for count in done.row.counts)
    found = verdicts(ops_counted="one-by-one", counts=less)
    assert (found["counts"][0], found["counts"][1][:16]) == ("fail", "counts: expected")
    assert verdicts(counts=less)["counts"][0] == "pass"  # of the whole split: `prices` tells


def test_another_model(done, verdicts):
    found = verdicts(model_hash="0" * 64)
    assert found["trace"] == ("fail", f"model_hash: expected {'0' * 64}, got {done.row.model_hash}")


def test_another_draw(done, verdicts):
    verdict, detail = verdicts(sample_draw=done.row.sample_draw ^ 1)["sample"]
    told = "the inputs of the trace are not those that the row's sample_draw draws"
    assert (verdict, detail) == ("fail", told)


def test_a_row_of_an_earlier_version_drew_its_sample_by_its_identity(done, verdicts, trace):
    earlier = dict.fromkeys(lacking(3)) | {"schema_version": 3}
    assert verdicts(**earlier)["sample"] == (
        "fail",
        "the inputs of the trace are not those that the identity draws",
    )
    test = load_task(done.row.task).load(done.row.instance).test
    drawn = test.id[sample_by_identity(done.row, done.row.model_hash, len(test))].tolist()
    at = [trace.inputs.id.index(number) for number in drawn]
    columns = {name: [values[place] for place in at] for name, values in vars(trace.inputs).items()}
    found = verdicts(trace=with_inputs(trace, **columns), **earlier)
    assert {verdict for name, (verdict, _) in found.items() if name != "submission"} == {"pass"}


def test_a_row_of_inputs_alone_is_replayed_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(cell_module, "MOST_ALONE", 300)
    monkeypatch.setattr(verify_trace, "MOST_ALONE", 300)
    picked = "y = x[:, 0] + 0.0\nmine = y[x[:, 1] > 0.5]\nmine = mine * 2.0 * 2.0\nreturn y"
    folder = write(tmp_path / "mine", plain(fit="return {}", predict=picked))
    row = run_cell(cell_of(folder, instance="n4096-r4"), Limits(traces=tmp_path))
    assert (row.ops_counted, row.counted_inputs) == ("one-by-one", 300), row.reason
    path = trace_path(tmp_path, row.cell_key)
    trace = read_trace(path)
    assert (len(trace.inputs.id), len(trace.streams)) == (300, 1)
    found = {check.name: check for check in verify_row(row, path)}
    assert list(found) == BY_ITSELF + BY_TRACE
    assert "fail" not in {check.verdict for check in found.values()}, found
    assert "ops_histogram" in found["counts"].detail
    assert [each.log2_ops for each in row.ops_histogram] == [1, 2]  # 2 or 4 operations
    lying = dataclasses.replace(
        row, ops_histogram=(Bin(0, 300 - row.ops_histogram[-1].inputs), row.ops_histogram[-1])
    )
    (counts,) = (check for check in verify_row(lying, path) if check.name == "counts")
    assert (counts.verdict, counts.detail[:13]) == ("fail", "ops_histogram")


def test_a_trace_of_another_cell(verdicts, trace):
    other = dataclasses.replace(trace, cell_key="0" * 64, instance="n256-r5")
    verdict, detail = verdicts(trace=other)["trace"]
    assert verdict == "fail"
    assert "cell_key: expected " in detail
    assert "instance: expected n256-r4, got n256-r5" in detail


def test_other_inputs(verdicts, trace):
    ids = trace.inputs.id
    found = verdicts(trace=with_inputs(trace, id=[ids[1], ids[0], *ids[2:]]))
    assert found["sample"][0] == "fail"
    assert found["counts"][0] == "pass"  # this submission does the same for all
    for listed in ([*ids[:-1], 10**9], [*ids[:-1], -1]):
        found = verdicts(trace=with_inputs(trace, id=listed))
        assert found["replay"][0] == "fail"
        assert found["replay"][1].startswith("the trace lists 256 inputs, expected 1 to 256")


@pytest.mark.parametrize("often", [0, 2])
def test_as_many_inputs_as_a_cell_runs(verdicts, trace, often):
    columns = {name: values * often for name, values in vars(trace.inputs).items()}
    streams = trace.streams if often else ()
    found = verdicts(trace=dataclasses.replace(with_inputs(trace, **columns), streams=streams))
    assert found["sample"][0] == "fail"
    assert found["replay"][1].startswith(f"the trace lists {256 * often} inputs, expected 1 to 256")


def test_other_loads(verdicts, trace):
    loaded = [trace.inputs.loaded_bytes[0] + 8, *trace.inputs.loaded_bytes[1:]]
    found = verdicts(trace=with_inputs(trace, loaded_bytes=loaded))
    want = f"input {trace.inputs.id[0]}: expected 5 elements in 48 bytes, got 5 in 40"
    assert found["loads"] == ("fail", want)


@pytest.mark.parametrize(
    ("value", "verdict", "detail"),
    [
        (1e-9, "pass", "agree within 1e-06; 1 differ in their last digits"),
        (1e-3, "fail", ": expected 0.001"),
        (math.nan, "fail", ": expected nan, got 0"),
        (math.inf, "fail", ": expected inf, got 0"),
    ],
)
def test_other_predictions(verdicts, trace, value, verdict, detail):
    changed = [*trace.inputs.prediction[:-1], value]
    found = verdicts(trace=with_inputs(trace, prediction=changed))["predictions"]
    assert found[0] == verdict
    assert detail in found[1]
    assert verdict == "pass" or found[1].startswith(f"input {trace.inputs.id[-1]}: ")


def test_another_error(done, verdicts):
    verdict, detail = verdicts(error=done.row.error / 2)["error"]
    assert verdict == "fail"
    assert detail == f"error 1 on the 256 replayed inputs; the row has {done.row.error / 2:g} on 256"


def test_a_part_of_the_split_need_not_have_its_error(done):
    test = load_task(done.row.task).load(done.row.instance).test
    some = np.array([3, 1])
    assert _check_error(done.row, "nmse", test, some, np.zeros(2)).verdict == "pass"
    assert _check_error(done.row, "nmse", test, some[:1], np.zeros(1)).verdict == "not-run"


# What does not: the file ----------------------------------------------------------------------------------


def test_a_broken_file(done, tmp_path):
    path = tmp_path / "broken.sbtrace"
    path.write_bytes(done.path.read_bytes()[:-100])
    *_, last = verify_row(done.row, path)
    assert (last.name, last.verdict) == ("replay", "fail")
    assert "expected a plain zip archive" in last.detail
    assert last.detail.endswith("with the version of sparsebench that reads it")


def test_tampered_requests(verdicts, trace):
    stream = dataclasses.replace(trace.streams[0], answer={"h": 0})
    found = verdicts(trace=dataclasses.replace(trace, streams=(stream,)))
    assert list(found) == [*BY_ITSELF, "trace", "sample", "replay"]
    assert "predict: expected shape (n,)" in found["replay"][1]


def test_what_a_file_says_is_shown_in_printable_characters(verdicts, trace):
    other = dataclasses.replace(trace, task="\x1b[2J\n\ud800" + "x" * 10_000)
    _, detail = verdicts(trace=other)["trace"]
    assert r"task: expected memorization@1, got \x1b[2J\n\ud800xxx" in detail
    assert len(detail) < 600


def test_an_input_that_is_no_number_alone(tmp_path):
    odd = Evaluated(tmp_path, plain(fit=FIT_EDGE, predict=NAN_ALONE))
    assert odd.row.status == "ok", odd.row.reason  # one in 256 may differ
    found = {check.name: check.verdict for check in verify_row(odd.row, odd.path)}
    assert list(found) == BY_ITSELF + BY_TRACE
    assert (found["predictions"], found["error"]) == ("pass", "not-run")
    assert "fail" not in found.values()


# Naming rows ----------------------------------------------------------------------------------------------


def test_rows_are_named_by_the_beginning_of_their_keys(done):
    rows = [done.row, dataclasses.replace(done.row, seed=1, cell_key="")]
    first, second = (row.cell_key for row in rows)
    assert find_rows(rows, "all") == rows
    assert find_rows(rows, first[:8]) == [rows[0]]
    assert find_rows(rows, second.upper()) == [rows[1]]
    with pytest.raises(UsageError, match="expected at least 6 digits of a cell key, or all, got"):
        find_rows(rows, first[:5])
    with pytest.raises(NotFoundError, match="no row whose cell key begins with 'zzzzzz'"):
        find_rows(rows, "zzzzzz")
    alike = [done.row, dataclasses.replace(done.row)]
    with pytest.raises(UsageError, match=f"2 rows have a key that begins with '{first[:6]}'"):
        find_rows(alike, first[:6])
