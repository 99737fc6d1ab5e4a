"""``sparsebench eval --traces`` and ``sparsebench results verify``."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest

from evaluate.tiny import plain, write
from sparsebench.cli import main
from sparsebench.results import ResultStore

SHIPPED = ("conditional-tree", "lsh-affine")
CELLS = ("--instances", "n256-r4,polynomial", "--seeds", "1", "--jobs", "1", "--traces")


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory):
    """A store with rows and traces: of shipped submissions, and of one whose folder is gone."""
    folder = tmp_path_factory.mktemp("evaluated")
    mine = write(folder / "mine", plain())
    variants = ("--variants", "v,share-4,planes-4", "--output", str(folder / "store"))
    with pytest.raises(SystemExit) as caught:
        main(["eval", str(mine), *SHIPPED, *CELLS, *variants])
    assert caught.value.code == 0
    shutil.rmtree(mine)
    return folder / "store"


@pytest.fixture
def keys(evaluated):
    """Submission -> the key of its row."""
    return {row.submission: row.cell_key for row in ResultStore(evaluated).latest()}


@pytest.fixture
def store(evaluated, tmp_path):
    """A copy of the store, to be changed."""
    return shutil.copytree(evaluated, tmp_path / "store")


@pytest.fixture
def verify(cli, evaluated):
    """Call the verb on the store."""
    return lambda *arguments: cli("results", "verify", *arguments, "--output", evaluated)


@pytest.mark.parametrize("submission", SHIPPED)
def test_what_was_evaluated_holds(verify, keys, submission):
    outcome = verify(keys[submission][:12], "--replay")
    assert (outcome.code, outcome.err) == (0, "")
    head, *checks, told = outcome.out.splitlines()
    assert told == "  agrees with its trace"
    assert head.startswith(f"{keys[submission][:12]} {submission}/")
    assert [line.split(":")[0].split() for line in checks] == [
        ["pass", name]
        for name in (
            *("row", "cell-key", "task", "submission", "prices", "audits"),
            *("trace", "sample", "counts", "loads", "predictions", "error"),
        )
    ]
    assert "predictions: all 256 are the same to the last bit" in outcome.out


def test_the_code_is_not_needed(verify, keys):
    outcome = verify(keys["mine"][:6], "--replay")
    assert outcome.code == 0
    assert "not run submission: mine is not at hand" in outcome.out
    assert "pass predictions: all 256 are the same" in outcome.out


def test_all_rows_as_json(verify, keys):
    outcome = verify("all", "--replay", "--json")
    assert (outcome.code, outcome.err) == (0, "")
    reports = json.loads(outcome.out)
    assert {report["cell_key"] for report in reports} == set(keys.values())
    for report in reports:
        assert list(report) == ["cell_key", "standing", "checks"]
        assert report["standing"] == "agrees with its trace"
        assert len(report["checks"]) == 12
        assert {check["verdict"] for check in report["checks"]} <= {"pass", "not-run"}
        assert set(report["checks"][0]) == {"name", "verdict", "detail"}


def test_without_replay_no_trace_is_read(cli, store, keys):
    shutil.rmtree(store / "traces")
    outcome = cli("results", "verify", keys["conditional-tree"], "--output", store)
    assert outcome.code == 0
    assert "prices" in outcome.out
    assert "predictions" not in outcome.out
    assert outcome.out.splitlines()[-1] == "  consistent by itself: neither a trace nor a rerun was checked"
    told = json.loads(cli("results", "verify", "all", "--json", "--output", store).out)
    assert {report["standing"] for report in told} == {"consistent by itself"}


def tamper(store, key):
    """Make a row better than it is, in a way that its own rules allow."""
    (row,) = (row for row in ResultStore(store).latest() if row.cell_key == key)
    better = replace(row, ops_single=row.ops_single - 1, ops_p50=row.ops_p50 - 1, ended="9" + row.ended[1:])
    ResultStore(store).write(better)


def test_a_tampered_row_does_not_hold(cli, store, keys):
    key = keys["conditional-tree"]
    tamper(store, key)
    assert cli("results", "verify", key, "--output", store).code == 0  # nothing in the row disagrees
    outcome = cli("results", "verify", key, "--replay", "--output", store)
    assert outcome.code == 4
    assert "FAIL counts: ops_p50: expected 24.0, got 25.0; ops_single: expected 24.0" in outcome.out
    assert outcome.out.splitlines()[-1] == "  does not hold"
    assert f"error[SB400]: 1 of 1 rows do not hold: {key[:12]}..." in outcome.err
    assert "docs/traces.md and docs/trust.md" in outcome.err
    outcome = cli("results", "verify", "all", "--replay", "--json", "--output", store)
    assert outcome.code == 4
    failed = [
        (report["cell_key"], check["name"])
        for report in json.loads(outcome.out)
        for check in report["checks"]
        if check["verdict"] == "fail"
    ]
    assert failed == [(key, "counts")]


def test_a_broken_trace_does_not_hold(cli, store, keys):
    path = store / "traces" / f"{keys['mine']}.sbtrace"
    path.write_bytes(path.read_bytes()[:-1])
    outcome = cli("results", "verify", keys["mine"], "--replay", "--output", store)
    assert outcome.code == 4
    assert "FAIL replay: " in outcome.out
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize(
    ("row", "message"),
    [("zzzzzz", "no row whose cell key begins with 'zzzzzz'"), ("ab", "expected at least 6 digits")],
)
def test_rows_that_are_not_there(verify, row, message):
    outcome = verify(row, "--replay")
    assert (outcome.code, outcome.out) == (2, "")
    assert message in outcome.err


def test_a_row_without_a_trace(cli, store, keys):
    (store / "traces" / f"{keys['mine']}.sbtrace").unlink()
    outcome = cli("results", "verify", keys["mine"], "--replay", "--output", store)
    assert outcome.code == 2
    assert "has no trace: there is no" in outcome.err
    assert "evaluate the cell again with --traces" in outcome.err


def test_a_row_without_a_trace_does_not_keep_the_others_from_their_check(cli, store, keys):
    (store / "traces" / f"{keys['conditional-tree']}.sbtrace").unlink()  # the first of three
    outcome = cli("results", "verify", "all", "--replay", "--output", store)
    assert outcome.code == 2
    assert outcome.out.count("pass predictions") == 2
    assert outcome.out.count("agrees with its trace") == 2
    assert outcome.out.count("consistent by itself: neither a trace nor a rerun was checked") == 1
    assert (
        f"1 of 3 rows lack what they were to be held to, the first: {keys['conditional-tree'][:12]}"
        in outcome.err
    )
    told = cli("results", "verify", "all", "--replay", "--json", "--output", store)
    assert (told.code, len(json.loads(told.out))) == (2, 3)
    (store / "traces" / f"{keys['mine']}.sbtrace").write_bytes(b"broken")
    outcome = cli("results", "verify", "all", "--replay", "--output", store)
    assert outcome.code == 4
    assert "1 of 3 rows do not hold" in outcome.err


@pytest.fixture(scope="module")
def again(tmp_path_factory):
    """A store of another run of the shipped submissions."""
    store = tmp_path_factory.mktemp("again") / "store"
    variants = ("--variants", "share-4,planes-4", "--output", str(store))
    with pytest.raises(SystemExit) as caught:
        main(["eval", *SHIPPED, *CELLS[:-1], *variants])
    assert caught.value.code == 0
    return store


def test_a_row_is_held_to_another_run(verify, keys, again):
    outcome = verify(keys["conditional-tree"], "--rerun", again)
    assert (outcome.code, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    assert [line.split(":")[0].strip() for line in lines[-6:-1]] == [
        f"pass {name}" for name in ("rerun", "same-counts", "same-scores", "same-model", "same-audits")
    ]
    assert lines[-1] == "  agrees with a rerun"
    both = json.loads(verify(keys["conditional-tree"], "--rerun", again, "--replay", "--json").out)
    assert [report["standing"] for report in both] == ["agrees with its trace and a rerun"]


def test_a_tampered_row_is_not_what_another_run_gives(cli, store, keys, again):
    key = keys["conditional-tree"]
    tamper(store, key)
    outcome = cli("results", "verify", key, "--rerun", again, "--output", store)
    assert outcome.code == 4
    assert "FAIL same-counts: ops_p50: expected 24.0, got 25.0; ops_single: expected 24.0" in outcome.out
    assert outcome.out.splitlines()[-1] == "  does not hold"


def test_rows_without_another_run(verify, keys, evaluated, again, here):
    outcome = verify("all", "--rerun", again)
    assert outcome.code == 2
    assert outcome.out.count("agrees with a rerun") == 2
    assert f"1 of 3 rows lack what they were to be held to, the first: {keys['mine'][:12]}" in outcome.err
    outcome = verify(keys["mine"], "--rerun", evaluated)
    assert outcome.code == 2
    assert "consistent by itself" in outcome.out
    assert "has no rerun: found only the row itself" in outcome.err
    outcome = verify("all", "--rerun", here / "nothing")
    assert (outcome.code, outcome.out) == (2, "")
    assert "or give --rerun" in outcome.err


def test_a_finished_row_gets_no_trace(cli, store, keys):
    shutil.rmtree(store / "traces")
    picked = ("conditional-tree", "--instances", "n256-r4", "--variants", "share-4", "--seeds", "1")
    outcome = cli("eval", *picked, "--traces", "--resume", "--output", store)
    assert outcome.code == 0
    assert "no trace: conditional-tree/share-4 on memorization@1/n256-r4, seed 0" in outcome.err
    assert not (store / "traces").exists()


def test_an_empty_store(cli, here):
    outcome = cli("results", "verify", "all")
    assert outcome.code == 2
    assert "no rows there" in outcome.err
