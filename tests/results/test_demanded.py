"""Rows with a score have the audits that it rests on: what a cell makes, and each way around it."""

from dataclasses import replace

import pytest

from evaluate.tiny import plain, run
from leaderboard.test_board import MEMO, StubTask, made
from sparsebench.errors import IntegrityError
from sparsebench.leaderboard import build_board
from sparsebench.results import Audit
from sparsebench.results.columns import lacking
from sparsebench.results.demanded import SCORED, demand_audits, missing_audits
from sparsebench.tasks import load_task

WITHOUT_FRESH = {"fresh_seed": None, "fresh_inputs": None}
NMSE = {"rmse": 0.5}


def audits(*names, verdict="pass"):
    return tuple(Audit(name, verdict, "") for name in names)


def earlier(version, **changes):
    """A row of an earlier version, with the audits of then."""
    values = dict.fromkeys(lacking(version)) | {"schema_version": version, "cost_model": 1}
    return made(**values | {"audits": audits("alone-as-in-batches", "order-invariance")} | changes)


def test_what_a_cell_makes_lacks_nothing(tmp_path):
    row = run(tmp_path / "mine", plain())
    assert (row.status, row.recall is None) == ("ok", False), row.reason
    assert missing_audits(row, metric="recall") == ()
    mine = {audit.name for audit in row.audits}
    assert set(SCORED) - mine == {"known-answers"}  # nobody can draw new inputs of memorization
    for name in mine & set(SCORED):
        rest = tuple(audit for audit in row.audits if audit.name != name)
        assert missing_audits(replace(row, audits=rest)) == (name,)
    for name in mine - set(SCORED):  # those of the trials and of the timing decide nothing
        rest = tuple(audit for audit in row.audits if audit.name != name)
        assert missing_audits(replace(row, audits=rest)) == ()


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"audits": ()}, SCORED),
        (
            {"audits": (), **NMSE},
            ("alone-as-in-batches", "order-invariance", "cost-in-batches", "known-answers"),
        ),
        (
            {"audits": (), **NMSE, **WITHOUT_FRESH},
            ("alone-as-in-batches", "order-invariance", "cost-in-batches"),
        ),
        ({"audits": (), "recall": 0.5, **NMSE, **WITHOUT_FRESH}, SCORED[:4]),
        ({"audits": audits(*SCORED[1:])}, SCORED[:1]),
        ({"audits": audits(*SCORED[1:], "repeats", "phases-add-up", "expert-poison")}, SCORED[:1]),
    ],
)
def test_audits_that_a_row_lacks_are_named(changes, missing):
    assert missing_audits(made(**changes)) == missing


def test_a_row_without_a_score_lacks_nothing():
    assert missing_audits(made(quality=None)) == ()


@pytest.mark.parametrize("version", [2, 3])
def test_rows_of_earlier_versions_have_the_audits_of_then(version):
    assert missing_audits(earlier(version, **NMSE)) == ()
    assert missing_audits(earlier(version, audits=(), **NMSE)) == ("alone-as-in-batches", "order-invariance")
    assert missing_audits(earlier(version, recall=0.5)) == ("counting-bound",)


# Ways around it -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SCORED)
@pytest.mark.parametrize("verdict", ["fail", "not-run"])
def test_an_audit_that_did_not_pass_is_missing(name, verdict):
    others = audits(*(each for each in SCORED if each != name))
    assert missing_audits(made(audits=(*others, Audit(name, verdict, "")))) == (name,)


@pytest.mark.parametrize("second", ["pass", "fail", "not-run"])
@pytest.mark.parametrize("first", ["pass", "fail", "not-run"])
def test_an_audit_that_is_there_twice_is_missing(first, second):
    twice = (Audit(SCORED[0], first, ""), *audits(*SCORED[1:]), Audit(SCORED[0], second, ""))
    assert missing_audits(made(audits=twice)) == SCORED[:1]


@pytest.mark.parametrize(
    "name", ["Order-invariance", "order-invariance ", "order_invariance", "all-is-well", ""]
)
def test_a_name_that_is_made_up_stands_for_nothing(name):
    rest = (each for each in SCORED if each != "order-invariance")
    assert missing_audits(made(audits=audits(*rest, name))) == ("order-invariance",)


def test_an_older_version_is_believed_with_an_older_cost_model_only():
    row = earlier(3, cost_model=2, **NMSE)
    assert missing_audits(row) == ("cost-in-batches",)
    assert missing_audits(row, fresh=True) == ("cost-in-batches", "known-answers")


def test_leaving_columns_out_leaves_no_audit_out():
    bare = made(audits=audits(*SCORED[:3]), **WITHOUT_FRESH)
    assert missing_audits(bare) == ("counting-bound",)  # nothing says that its metric is not recall
    other = replace(bare, rmse=0.5)
    assert missing_audits(other) == ()
    assert missing_audits(other, metric="recall", fresh=True) == ("counting-bound", "known-answers")


def test_a_failed_audit_counts_where_none_is_demanded():
    row = made(audits=(*audits(*SCORED[:4]), Audit("known-answers", "fail", "")), **WITHOUT_FRESH)
    assert missing_audits(row) == ("known-answers",)


# Boards ---------------------------------------------------------------------------------------------------


def test_a_board_refuses_a_row_without_its_audits():
    row = made(audits=audits(*SCORED[2:]))
    with pytest.raises(IntegrityError) as caught:
        build_board([made("b"), row], [MEMO])
    assert caught.value.what == (
        f"row {row.cell_key[:12]}... (a/v on memorization@1/i, seed 0) says ok without alone-as-in-batches, "
        "order-invariance, expected each of these audits once, with the verdict pass"
    )
    assert caught.value.help == "evaluate the cell again, or take the row out of the folder"


def test_names_in_the_refusal_are_printable():
    row = made("\x1b[2J\n" + "x" * 1000, audits=())
    with pytest.raises(IntegrityError, match=r"\(\?\[2J\?x{59}/v on ") as caught:
        build_board([row], [MEMO])
    assert caught.value.what.isprintable()


def test_a_row_that_was_evaluated_again_does_not_keep_a_board_from_being_made():
    older = made(audits=())
    newer = made(ended="2026-01-02T03:04:07.000000+00:00")
    assert build_board([older, newer], [MEMO]) == build_board([newer], [MEMO])
    other = StubTask("other@1")
    assert build_board([older, newer, made(task=other, audits=())], [MEMO]).entries  # of no task of the board


def test_the_task_says_what_is_demanded():
    tasks = {ref: load_task(ref) for ref in ("memorization@1", "lipschitz-regression@1")}
    memorization, lipschitz = tasks.values()
    row = made(task=memorization, instance="n256-r4", audits=audits(*SCORED[:3]), **WITHOUT_FRESH, **NMSE)
    demand_audits([row])
    with pytest.raises(IntegrityError, match="says ok without counting-bound, "):
        demand_audits([row], tasks)
    drawn = next(name for name, spec in lipschitz.instances.items() if spec.fresh)
    row = replace(row, task=lipschitz.ref, task_hash=lipschitz.hash, instance=drawn, cell_key="")
    demand_audits([row])
    with pytest.raises(IntegrityError, match="says ok without known-answers, "):
        build_board([row], [lipschitz])
    public = next(name for name, spec in lipschitz.instances.items() if spec.public_test)
    demand_audits([replace(row, instance=public, cell_key="")], tasks)
