"""Rows against another run of their cell: counts to the last digit, scores to rounding, and who made them."""

import dataclasses

import pytest

from evaluate.tiny import cell_of, plain, write
from sparsebench.errors import NotFoundError
from sparsebench.evaluate.cell import run_cell
from sparsebench.evaluate.plan import Limits
from sparsebench.evaluate.replay.verify import standing, verify_row
from sparsebench.evaluate.replay.verify_rerun import check_rerun, find_rerun
from sparsebench.results import COUNTS, MEASURED, OUTCOME, Audit, Count
from sparsebench.results.agreement import ROUNDED, agree
from sparsebench.results.columns import lacking

CHECKS = ["rerun", "same-counts", "same-scores", "same-model", "same-audits"]
LATER = "2036-01-01T00:00:00.000000+00:00"
MEAN = 'return {"w": np.zeros(4), "b": train.y.mean(keepdims=True)}'
ELSEWHERE = {"blas": "openblas 0.3.29 Haswell", "cpu": "another processor", "cpu_model": "6-79-1"}


@pytest.fixture(scope="module")
def cell(tmp_path_factory):
    return cell_of(write(tmp_path_factory.mktemp("rerun") / "mine", plain(fit=MEAN)))


@pytest.fixture(scope="module")
def row(cell):
    made = run_cell(cell, Limits())
    assert made.status == "ok", made.reason
    return dataclasses.replace(made, error=0.5, quality=0.25)


@pytest.fixture
def verdicts(row):
    """Hold the row, changed by ``mine``, to a rerun that has other values: name -> (verdict, detail)."""

    def call(mine=None, **changes):
        rerun = dataclasses.replace(row, **{"started": LATER, "ended": LATER} | changes)
        stored = dataclasses.replace(row, **mine or {})
        return {check.name: (check.verdict, check.detail) for check in check_rerun(stored, [stored, rerun])}

    return call


def failing(found):
    return {name for name, (verdict, _) in found.items() if verdict == "fail"}


# What holds -----------------------------------------------------------------------------------------------


def test_two_runs_of_a_cell_agree(cell):
    first, second = (run_cell(cell, Limits()) for _ in range(2))
    assert first.sample_draw != second.sample_draw
    found = list(verify_row(first, reruns=[second]))
    assert [check.name for check in found][-5:] == CHECKS
    assert {check.verdict for check in found} == {"pass", "not-run"}  # the folder cannot be found by name
    told = {check.name: check.detail for check in found}
    assert told["rerun"].startswith(f"run again {second.started}: BLAS ")
    assert told["rerun"].endswith(", both times")
    assert told["same-scores"] == "error, quality, recall agree to the last digit"
    assert told["same-model"] == f"the same arrays: {first.model_hash}"
    assert standing(found) == "agrees with a rerun"


def test_columns_that_are_compared_to_rounding():
    assert ROUNDED <= OUTCOME | COUNTS
    assert {"quality_fresh"} == OUTCOME - ROUNDED
    assert {"expert_entropy", "nmi"} == COUNTS & ROUNDED
    assert not ROUNDED & MEASURED


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (0.5, 0.5 * (1 + 9e-10), True),
        (0.5, 0.5 * (1 + 2e-9), False),
        (1e6, 1e6 * (1 - 9e-10), True),
        (1e6, 1e6 * (1 - 2e-9), False),
        (0.0, 9e-13, True),
        (0.0, 2e-12, False),
        (1e-4, 1e-4 + 9e-13, True),
        (1e-4, 1e-4 + 2e-12, False),
        (-1.0, 1.0, False),
        (None, None, True),
        (None, 0.0, False),
    ],
)
def test_figures_agree_to_a_relative_1e_9(first, second, same):
    assert agree(first, second) is agree(second, first) is same


# Scores ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["error", "quality"])
def test_scores_differ_by_rounding_at_most(verdicts, row, name):
    value = getattr(row, name)
    verdict, detail = verdicts(**{name: value * (1 + 5e-10)})["same-scores"]
    assert verdict == "pass"
    told = "error, quality, recall agree to a relative 1e-09, or 1e-12 near 0; the largest difference is "
    assert detail.startswith(told)
    found = verdicts(**{name: value * (1 + 5e-9)})
    assert failing(found) == {"same-scores"}
    assert found["same-scores"][1] == f"{name}: expected {value}, got {value * (1 + 5e-9)}"


def test_a_score_that_is_missing_is_a_difference(verdicts):
    assert failing(verdicts(recall=None)) == {"same-scores"}


def test_other_machines_are_named(verdicts, row):
    here = {"blas": "openblas 0.3.31 SkylakeX", "cpu": "a processor", "cpu_model": "6-143-8"}
    machines = (
        "made with BLAS openblas 0.3.31 SkylakeX, processor a processor (6-143-8); "
        "run again with BLAS openblas 0.3.29 Haswell, processor another processor (6-79-1)"
    )
    found = verdicts(here, **ELSEWHERE, error=0.51, model_hash="0" * 64, stored_bytes=1)
    assert found["rerun"] == ("pass", f"run again {LATER}: {machines}")
    assert failing(found) == {"same-counts", "same-scores", "same-model"}
    assert all(found[name][1].startswith(f"{machines}; ") for name in failing(found))
    amplifies = "training by gradient descent over many steps amplifies rounding: such a row verifies on the"
    assert f"; {amplifies} same BLAS and processor; error: expected 0.5, got 0.51" in found["same-scores"][1]
    alone = verdicts(here | {"blas": None, "cpu_model": None}, **ELSEWHERE)["rerun"][1]
    assert "made with BLAS unknown, processor a processor (model unknown); run again with BLAS" in alone


def test_fresh_answers_are_compared_where_the_seed_is_the_same(verdicts):
    mine = {"fresh_seed": 1, "fresh_inputs": 1024, "quality_fresh": 0.5}
    known = {"audits": ()}
    assert (
        "quality_fresh"
        not in verdicts(mine, **mine | {"fresh_seed": 2, "quality_fresh": 0.4})["same-scores"][1]
    )
    assert failing(verdicts(mine, **mine | {"quality_fresh": 0.5 + 1e-10})) <= {"same-audits"}
    assert "same-scores" in failing(verdicts(mine | known, **mine | {"quality_fresh": 0.4}))
    assert "same-scores" not in failing(verdicts(mine, **mine | {"fresh_inputs": 8, "quality_fresh": 0.4}))


# The model ------------------------------------------------------------------------------------------------


def test_another_hash_with_the_same_scores_is_rounding(verdicts, row):
    found = verdicts(model_hash="0" * 64, error=row.error * (1 + 5e-10), **ELSEWHERE)
    assert not failing(found)
    verdict, detail = found["same-model"]
    assert verdict == "pass"
    assert detail.startswith(
        "model differs in rounding: its hash is another, and error and quality agree to a relative 1e-09; "
        "models agree to a relative 1e-09 only, and hashes cannot; made with BLAS "
    )
    assert verdicts(model_hash="0" * 64)["same-model"][1].endswith("; BLAS and processor are the same")


def test_another_hash_with_other_scores_is_a_mismatch(verdicts, row):
    found = verdicts(model_hash="0" * 64, error=0.6)
    assert failing(found) == {"same-scores", "same-model"}
    assert found["same-model"][1] == f"model_hash: expected {row.model_hash}, got {'0' * 64}"


def test_rows_without_a_hash(verdicts):
    assert verdicts({"model_hash": None}, model_hash=None)["same-model"][0] == "not-run"
    assert verdicts({"model_hash": None})["same-model"][0] == "fail"


# Counts ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["macs", "ops_p95", "loaded_bytes", "stored_parameters", "test_inputs"])
def test_counts_agree_to_the_last_digit(verdicts, row, name):
    value = getattr(row, name)
    more = value + 1 if isinstance(value, int) else value * (1 + 1e-15)
    found = verdicts(**{name: more})
    assert failing(found) == {"same-counts"}
    assert found["same-counts"][1] == f"{name}: expected {value}, got {more}"


def test_raw_counts_agree_to_the_last_digit(verdicts, row):
    other = (*row.counts[:-1], dataclasses.replace(row.counts[-1], count=row.counts[-1].count + 1))
    assert failing(verdicts(counts=other)) == {"same-counts"}
    assert failing(verdicts(counts=(*row.counts, Count("experts", "add", "float32", 1)))) == {"same-counts"}


def test_the_dense_cost_hangs_on_the_models_hash(verdicts, row):
    dense = {"ops_dense": row.ops_dense * 2}
    assert failing(verdicts(**dense)) == {"same-counts"}
    found = verdicts(**dense, model_hash="0" * 64)
    assert not failing(found)
    assert "ops_dense is left out: the model's hash says" in found["same-counts"][1]
    within = tuple(
        dataclasses.replace(audit, verdict="pass") if audit.name == "executed-within-dense" else audit
        for audit in row.audits
    )
    found = verdicts(**dense, audits=within)
    assert not failing(found)
    assert "the audit executed-within-dense did not come to an end in both runs" in found["same-counts"][1]


def test_counts_of_a_sample_are_not_compared(verdicts):
    sampled = {"ops_counted": "one-by-one", "counted_inputs": 4, "test_inputs": 5}
    found = verdicts(sampled, **sampled, macs=1.0)
    assert not failing(found)
    told = "counts are of 4 of 5 inputs, which every run draws anew: only a replay of the row's trace tells"
    assert found["same-counts"] == ("not-run", told)
    checks = [Audit(name, verdict, detail) for name, (verdict, detail) in found.items()]
    assert standing(checks) == "agrees with a rerun but for its counts"
    assert failing(verdicts(sampled, **sampled, stored_bytes=1)) == {"same-counts"}


@pytest.mark.parametrize("claimed", [{"test_inputs": 10**6}, {"counted_inputs": 1}])
def test_a_row_cannot_say_that_its_counts_are_of_a_sample(verdicts, claimed):
    assert failing(verdicts({"ops_counted": "one-by-one", "macs": 1.0} | claimed)) == {"same-counts"}


# Audits and status ----------------------------------------------------------------------------------------


def test_audits_have_no_other_verdict(verdicts, row):
    def with_verdict(name, verdict):
        return tuple(
            dataclasses.replace(audit, verdict=verdict) if audit.name == name else audit
            for audit in row.audits
        )

    found = verdicts(audits=with_verdict("repeats", "fail"))
    assert failing(found) == {"same-audits"}
    assert found["same-audits"][1] == "repeats: expected pass, got fail"
    assert not failing(verdicts(audits=with_verdict("repeats", "not-run")))  # its time ran out
    assert not failing(verdicts(audits=with_verdict("timed-as-metered", "fail")))
    assert not failing(
        verdicts(audits=with_verdict("repeats", "fail"), model_hash="0" * 64)
    )  # of other inputs
    lacking = verdicts(audits=with_verdict("cost-in-batches", "not-run"))
    told = "cost-in-batches: expected pass in the rerun too, got another verdict"
    assert lacking["same-audits"] == ("fail", told)


def test_another_status_is_a_mismatch(verdicts, row):
    none = dict.fromkeys([*COUNTS, *OUTCOME, "predict_seconds_cpu", "predict_backend_cpu"])
    failed = none | {"status": "timeout", "reason": "too slow"}
    assert verdicts(**failed) == {"rerun": ("fail", "status: expected ok, got timeout")}
    both = verdicts(failed, **failed)
    assert (list(both), both["rerun"][0]) == (["rerun"], "pass")


def test_rows_of_earlier_versions_are_compared_in_what_they_have(verdicts):
    absent = dict.fromkeys(lacking(3))
    found = verdicts({"schema_version": 3} | absent)
    assert not failing(found)
    assert "made with BLAS unknown" in found["rerun"][1]


# Finding the other run ------------------------------------------------------------------------------------


def test_the_row_itself_is_no_other_run(row):
    copy = dataclasses.replace(row, ended=LATER)
    with pytest.raises(NotFoundError, match="has no rerun: found only the row itself") as caught:
        find_rerun(row, [row, copy])
    assert "sparsebench eval ... --output DIR" in caught.value.help


def test_the_newest_other_run_counts(row):
    second, third = (
        dataclasses.replace(row, started=f"{year}{LATER[4:]}", ended=f"{year}{LATER[4:]}")
        for year in (2037, 2038)
    )
    elsewhere = dataclasses.replace(third, seed=1, started=LATER, ended=f"2039{LATER[4:]}", cell_key="")
    assert find_rerun(row, [third, second, elsewhere, row]) is third
    with pytest.raises(NotFoundError, match="has no rerun: found no row of its cell"):
        find_rerun(row, [elsewhere])


def test_a_trace_that_is_missing_does_not_keep_a_rerun_from_being_checked(row, tmp_path):
    rerun = dataclasses.replace(row, started=LATER)
    checks = verify_row(row, tmp_path / "none.sbtrace", [rerun])
    assert [next(checks).name for _ in range(6 + len(CHECKS))][6:] == CHECKS
    with pytest.raises(NotFoundError, match="has no trace"):
        next(checks)


# What it comes to -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ((), "consistent by itself"),
        ((Audit("trace", "not-run", ""),), "consistent by itself"),
        ((Audit("trace", "pass", ""), Audit("predictions", "pass", "")), "agrees with its trace"),
        ((Audit("rerun", "pass", ""),), "agrees with a rerun"),
        (
            (Audit("predictions", "pass", ""), Audit("rerun", "pass", "")),
            "agrees with its trace and a rerun",
        ),
        ((Audit("rerun", "pass", ""), Audit("same-scores", "fail", "")), "does not hold"),
    ],
)
def test_what_checks_come_to(more, told):
    assert standing([Audit("row", "pass", ""), Audit("submission", "not-run", ""), *more]) == told
