"""Rows into boards: points, scores, intervals, ranks, refusals; by hand and by property."""

import math
import random
from dataclasses import dataclass, replace
from typing import NamedTuple

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sparsebench.errors import UsageError
from sparsebench.leaderboard import build_board
from sparsebench.results import Audit, Row
from sparsebench.results.demanded import SCORED
from sparsebench.scoring import Rank, t_quantile


class StubBox(NamedTuple):
    log2_ops_low: float = 4.0
    log2_ops_high: float = 12.0


BOX = StubBox()


@dataclass(frozen=True)
class StubTask:
    ref: str
    hash: str = "h1"
    box: StubBox = BOX


NAMED = {"memorization@1": {"j", "i"}}
MEMO, LIP = StubTask("memorization@1"), StubTask("lipschitz-regression@1", box=StubBox(0.0, 10.0))


def made(submission="a", variant="v", seed=0, ops=2.0**8, quality=0.5, *, task=MEMO, instance="i", **changes):
    """Return a row; without quality, a failed one."""
    values = {
        "task": task.ref,
        "task_hash": task.hash,
        "instance": instance,
        "instance_hash": "x",
        "submission": submission,
        "submission_hash": "s",
        "variant": variant,
        "seed": seed,
        "harness_version": "0.1.0",
        "started": "2026-01-02T03:04:05.000000+00:00",
        "ended": "2026-01-02T03:04:06.000000+00:00",
        "sandbox": "files",
        "packages": "{}",
        "python": "3.11.7",
        "cpu": "a processor",
    }
    if quality is None:
        values |= {"status": "timeout", "reason": "too slow"}
    else:
        values |= {
            "status": "ok",
            "error": 1 - quality,
            "quality": quality,
            "ops": ops,
            "ops_router_free": ops / 2,
            "fresh_seed": 1,
            "fresh_inputs": 1024,
            "audits": tuple(Audit(name, "pass", "") for name in SCORED),
        }
    return Row(**values | changes)


def only(board, task=0):
    (entry,) = board.entries
    return entry.tasks[task]


def test_one_cell_by_hand():
    score = only(build_board([made()], [MEMO]))
    assert score.score == 0.25  # half the width, quality 0.5
    assert (score.low, score.high, score.seeds, score.instances) == (None, None, 1, ("i",))
    (point,) = score.points
    assert (point.ops, point.ops_router_free, point.log2_ops_mean) == (256.0, 128.0, 8.0)
    assert (point.quality_mean, point.error_mean, point.n_cells, point.n_failed) == (0.5, 0.5, 1, 0)
    assert point.statuses == (("ok", 1),)


def test_an_entry_uses_tags_where_a_row_of_it_does():
    rows = [made("a", uses_tags=True), made("b"), made("a", task=LIP)]
    board = build_board(rows, [MEMO, LIP])
    assert {entry.submission: entry.uses_tags for entry in board.entries} == {"a": True, "b": False}
    assert board.uses_tags
    assert not build_board(rows[1:2], [MEMO]).uses_tags


def test_mutual_information_is_a_mean_over_the_rows_that_have_it():
    rows = [made(seed=0, nmi=0.5), made(seed=1, nmi=1.0), made(seed=2), made(seed=3, quality=None)]
    board = build_board(rows, [MEMO])
    assert only(board).points[0].nmi == 0.75
    assert board.has_nmi
    assert not build_board(rows[2:], [MEMO]).has_nmi


def test_points_are_means_of_log2_over_instances_and_seeds():
    rows = [
        made(seed=0, instance="i", ops=2.0**6, quality=0.2),
        made(seed=0, instance="j", ops=2.0**8, quality=0.4),
        made(seed=1, instance="i", ops=2.0**10, quality=0.6),
        made(seed=1, instance="j", ops=0.0, quality=0.8),  # counts at the cheap edge, 2^4
    ]
    score = only(build_board(rows, [MEMO]))
    (point,) = score.points
    assert point.log2_ops_mean == (6 + 8 + 10 + 4) / 4
    assert point.quality_mean == pytest.approx(0.5)
    assert point.ops == (64 + 256 + 1024) / 4
    assert score.score == pytest.approx((12 - 7) / 8 * 0.5)
    by_seed = [(12 - 7) / 8 * 0.3, (12 - 7) / 8 * 0.7]
    half = t_quantile(0.975, 1) * (by_seed[1] - by_seed[0]) / math.sqrt(2) / math.sqrt(2)
    assert score.low == pytest.approx(score.score - half)
    assert score.high == pytest.approx(score.score + half)


def test_variants_trace_a_curve():
    rows = [made(variant="small", ops=2.0**6, quality=0.25), made(variant="big", ops=2.0**10, quality=0.75)]
    rows.append(made(variant="bad", ops=2.0**11, quality=0.5))
    score = only(build_board(rows, [MEMO]))
    assert score.score == pytest.approx(6 / 8 * 0.25 + 2 / 8 * 0.5)
    assert [point.variant for point in score.points] == ["bad", "big", "small"]


def test_a_failed_cell_counts_as_the_worst_value():
    rows = [made(seed=0, ops=2.0**6, quality=0.8), made(seed=1, quality=None)]
    score = only(build_board(rows, [MEMO]))
    (point,) = score.points
    assert (point.log2_ops_mean, point.quality_mean, point.n_cells, point.n_failed) == (9.0, 0.4, 2, 1)
    assert (point.ops, point.error_mean) == (64.0, pytest.approx(0.2))
    assert score.score == pytest.approx(3 / 8 * 0.4)
    assert point.statuses == (("ok", 1), ("timeout", 1))


def test_a_submission_that_only_fails_is_on_the_board_with_zero():
    score = only(build_board([made(quality=None)], [MEMO]))
    assert (score.score, score.points[0].ops, score.points[0].error_mean) == (0.0, None, None)


def test_a_missing_cell_counts_like_a_failed_one():
    rows = [made(seed=seed, instance=name, quality=0.8) for seed in (0, 1) for name in ("i", "j")]
    rows += [made(variant="w", seed=0, ops=2.0**5, quality=1.0)]  # only where it went well
    points = {point.variant: point for point in only(build_board(rows, [MEMO])).points}
    assert points["w"].n_cells == 4
    assert (points["w"].n_missing, points["w"].n_failed) == (3, 0)
    assert points["w"].quality_mean == 0.25
    assert points["w"].log2_ops_mean == (5 + 3 * 12) / 4
    assert points["v"].n_missing == 0
    assert any("3 cells without a row" in note for note in build_board(rows, [MEMO]).notes)


def test_an_instance_that_a_board_names_counts_where_it_has_no_row():
    rows = [made(instance="i", ops=2.0**6, quality=0.8), made("b", instance="i"), made("b", instance="j")]
    entries = build_board(rows, [MEMO], instances=NAMED).entries
    score, other = (entry.tasks[0] for entry in sorted(entries, key=lambda entry: entry.submission))
    (point,) = score.points
    assert (score.instances, other.instances) == (("i", "j"), ("i", "j"))
    assert (point.n_cells, point.n_missing, point.n_failed) == (2, 1, 0)
    assert (point.quality_mean, point.log2_ops_mean) == (0.4, (6 + 12) / 2)
    assert score.score == pytest.approx(3 / 8 * 0.4)
    free = {entry.submission: entry for entry in build_board(rows, [MEMO]).entries}["a"].tasks[0]
    assert (free.instances, free.score) == (("i",), pytest.approx(6 / 8 * 0.8))


def test_rows_of_instances_that_a_board_does_not_name_are_passed_over():
    rows = [made(instance="i"), made(instance="k", quality=1.0), made("z", instance="k", scoring_version=9)]
    board = build_board(rows, [MEMO], instances={MEMO.ref: ["i"]})
    assert board == build_board(rows[:1], [MEMO], instances={MEMO.ref: ["i"]})
    assert board.tasks[0].instances == ("i",)
    assert only(board).score == 0.25


def test_a_task_whose_instances_are_not_named_has_those_with_rows():
    rows = [made(), made(task=LIP, instance="x")]
    board = build_board(rows, [MEMO, LIP], instances=NAMED)
    assert [score.instances for score in board.entries[0].tasks] == [("i", "j"), ("x",)]


def test_the_board_score_is_the_unweighted_mean_and_an_absent_task_counts_zero():
    rows = [made("a"), made("a", task=LIP, ops=2.0**5, quality=1.0), made("b", quality=1.0)]
    board = build_board(rows, [MEMO, LIP], titles={"a": "An entry"})
    scores = {entry.submission: entry for entry in board.entries}
    assert scores["a"].score == (0.25 + 0.5) / 2
    assert scores["b"].score == 0.5 / 2
    assert scores["b"].tasks[1] is None
    assert (scores["a"].title, scores["b"].title) == ("An entry", None)
    assert [entry.submission for entry in board.entries] == ["a", "b"]
    assert (board.scoring_version, board.cost_model) == (1, 1)


def test_rows_of_other_tasks_are_passed_over():
    rows = [made(), made("z", task=LIP, scoring_version=9)]
    assert [entry.submission for entry in build_board(rows, [MEMO]).entries] == ["a"]


def test_no_rows_no_entries():
    board = build_board([], [MEMO])
    assert (board.entries, board.scoring_version, board.notes) == ((), None, ())


def test_the_newest_row_of_a_cell_counts_and_ok_comes_first():
    rows = [
        made(quality=0.1, ended="2026-01-02T03:04:07.000000+00:00"),
        made(quality=0.9, ended="2026-01-02T03:04:08.000000+00:00"),
        made(quality=None, ended="2026-01-02T03:04:09.000000+00:00"),
    ]
    for order in (rows, rows[::-1]):
        assert only(build_board(order, [MEMO])).points[0].quality_mean == 0.9


def test_only_the_newest_state_of_a_submissions_folder_is_shown():
    rows = [
        made(seed=1, quality=1.0, submission_hash="old"),
        made(seed=0, quality=0.5, submission_hash="new", ended="2026-02-02T03:04:06.000000+00:00"),
    ]
    board = build_board(rows, [MEMO])
    assert only(board).seeds == 1
    assert only(board).points[0].quality_mean == 0.5
    assert any("a: rows of 1 earlier" in note for note in board.notes)


@pytest.mark.parametrize(("name", "value"), [("scoring_version", 2), ("cost_model", 3)])
def test_versions_do_not_mix(name, value):
    with pytest.raises(UsageError, match=rf"{name} 1 and {value} cannot share a board") as caught:
        build_board([made(), made(seed=1, **{name: value})], [MEMO])
    assert "evaluate again" in caught.value.help


def test_task_hashes_do_not_mix():
    with pytest.raises(UsageError, match="task_hash h1 and h2 cannot share"):
        build_board([made(), made("b", task_hash="h2")], [MEMO])
    with pytest.raises(UsageError, match="have task_hash h1, but the task has h3"):
        build_board([made()], [replace(MEMO, hash="h3")])


def test_tasks_are_given_once_and_at_least_one():
    for tasks in ([], [MEMO, MEMO]):
        with pytest.raises(UsageError, match="one or more, each once"):
            build_board([made()], tasks)


def test_few_seeds_and_different_instances_are_noted():
    rows = [made("a", seed=seed) for seed in range(5)] + [made("b", seed=0, instance="j")]
    notes = build_board(rows, [MEMO]).notes
    assert "needs more seeds (fewer than 5): b" in notes
    assert any("different instances" in note for note in notes)


def ranks(rows, tasks):
    return {entry.submission: entry.rank for entry in build_board(rows, tasks).entries}


def test_clear_winners_have_ranks_of_their_own():
    rows = [
        made(name, seed=seed, quality=base + 0.01 * ((seed * step) % 5))
        for name, base, step in (("a", 0.9, 1), ("b", 0.5, 2), ("c", 0.1, 3))
        for seed in range(5)
    ]
    assert ranks(rows, [MEMO]) == {"a": Rank(1, 1), "b": Rank(2, 2), "c": Rank(3, 3)}


def test_what_no_test_tells_apart_shares_a_rank():
    qualities = {
        "a": [0.9, 0.1, 0.5, 0.7, 0.2],
        "b": [0.1, 0.9, 0.6, 0.4, 0.3],
        "c": [0.01, 0.0, 0.02, 0.01, 0.0],
    }
    rows = [made(name, seed=seed, quality=q) for name, row in qualities.items() for seed, q in enumerate(row)]
    found = ranks(rows, [MEMO])
    assert found["a"].best == found["b"].best == 1
    assert found["a"].worst >= 2
    assert found["c"].worst == 3


def test_one_common_cell_tells_nothing_apart():
    assert ranks([made("a", quality=0.9), made("b", quality=0.1)], [MEMO]) == {
        "a": Rank(1, 2),
        "b": Rank(1, 2),
    }


def test_a_specialist_does_not_stand_above_an_entry_that_leads_the_board():
    rows = [made("specialist", seed=seed, quality=0.9) for seed in range(5)]
    for seed in range(5):
        rows += [
            made("all-round", seed=seed, quality=0.8),
            made("all-round", seed=seed, quality=0.9, task=LIP),
        ]
    assert ranks(rows, [MEMO, LIP]) == {"specialist": Rank(1, 2), "all-round": Rank(1, 2)}
    assert ranks(rows, [MEMO]) == {"specialist": Rank(1, 1), "all-round": Rank(2, 2)}


cells = st.lists(
    st.builds(
        made,
        submission=st.sampled_from(["a", "b", "c"]),
        variant=st.sampled_from(["v", "w"]),
        seed=st.integers(0, 2),
        ops=st.sampled_from([0.0, 1.0, 7.0, 100.0, 5e3, 1e9]),
        quality=st.none() | st.sampled_from([0.0, 0.3, 0.7, 1.0]),
        task=st.sampled_from([MEMO, LIP]),
        instance=st.sampled_from(["i", "j"]),
        submission_hash=st.sampled_from(["s", "s", "s2"]),
    ),
    max_size=25,
)


def vectors(board):
    return {entry.submission: (entry.score, entry.tasks) for entry in board.entries}


@settings(max_examples=60, deadline=None)
@given(cells, st.sampled_from(["a", "b", "c"]))
def test_a_submissions_rows_never_change_anothers_score(rows, gone):
    tasks = [MEMO, LIP]
    everybody = vectors(build_board(rows, tasks))
    without = vectors(build_board([row for row in rows if row.submission != gone], tasks))
    everybody.pop(gone, None)
    assert without == everybody


@settings(max_examples=40, deadline=None)
@given(cells, st.integers(0, 10))
def test_the_order_of_rows_changes_nothing(rows, seed):
    shuffled = rows.copy()
    random.Random(seed).shuffle(shuffled)
    assert build_board(shuffled, [MEMO, LIP]) == build_board(rows, [MEMO, LIP])


@settings(max_examples=40, deadline=None)
@given(cells)
def test_scores_and_ranks_stay_in_their_ranges(rows):
    board = build_board(rows, [MEMO, LIP])
    for entry in board.entries:
        assert 0.0 <= entry.score <= 1.0
        assert 1 <= entry.rank.best <= entry.rank.worst <= len(board.entries)
    assert list(board.entries) == sorted(board.entries, key=lambda entry: (-entry.score, entry.submission))


@settings(max_examples=40, deadline=None)
@given(cells, st.integers(0, 100))
def test_dropping_a_cell_that_failed_never_helps(rows, pick):
    failed = [row for row in rows if row.status != "ok"]
    if failed:
        # The same cell may hold a success as well; drop the failure alone.
        fewer = [row for row in rows if row is not failed[pick % len(failed)]]
        before, after = vectors(build_board(rows, [MEMO, LIP])), vectors(build_board(fewer, [MEMO, LIP]))
        name = failed[pick % len(failed)].submission
        whole = {(r.task, r.variant) for r in rows} == {(r.task, r.variant) for r in fewer}
        grid = {(r.submission, r.task, r.instance) for r in rows} == {
            (r.submission, r.task, r.instance) for r in fewer
        }
        seeds = {(r.submission, r.task, r.seed) for r in rows} == {
            (r.submission, r.task, r.seed) for r in fewer
        }
        one_state = len({r.submission_hash for r in rows if r.submission == name}) == 1
        if whole and grid and seeds and one_state:
            assert after[name][0] <= before[name][0]


@settings(max_examples=60, deadline=None)
@given(cells, st.sampled_from(["a", "b", "c"]), st.sampled_from(["i", "j"]))
def test_on_named_instances_leaving_one_out_never_helps(rows, name, left_out):
    """Where a variant costs the same on all: points are means over cells, so leaving dear ones out helps."""
    costs = [
        {row.ops for row in rows if (row.submission, row.task, row.variant) == (name, task, variant)} - {None}
        for task, variant in {(row.task, row.variant) for row in rows}
    ]
    assume(all(len(each) <= 1 for each in costs))
    named = {MEMO.ref: {"i", "j"}, LIP.ref: {"i", "j"}}
    fewer = [row for row in rows if (row.submission, row.instance) != (name, left_out)]
    before, after = (
        {entry.submission: entry for entry in build_board(some, [MEMO, LIP], instances=named).entries}
        for some in (rows, fewer)
    )
    grid = [
        {(r.task, r.variant, r.seed, r.submission_hash) for r in some if r.submission == name}
        for some in (rows, fewer)
    ]
    if name in after and grid[0] == grid[1]:  # seeds and variants make the grid, too
        assert after[name].score <= before[name].score + 1e-12
