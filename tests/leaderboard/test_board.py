"""Rows into boards: points, scores, intervals, ranks, refusals; by hand and by property."""

import math
import random
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparsebench.errors import UsageError
from sparsebench.leaderboard import build_board
from sparsebench.results import Audit, Row
from sparsebench.results.demanded import SCORED
from sparsebench.scoring import SCORING_VERSION, Rank, t_quantile


class StubBox(NamedTuple):
    log2_ops_low: float = 4.0
    log2_ops_high: float = 12.0


BOX = StubBox()


@dataclass(frozen=True)
class StubTask:
    ref: str
    hash: str = "h1"
    box: StubBox = BOX
    homes: dict[str, object] = field(default_factory=dict)


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
        "scoring_version": SCORING_VERSION,
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
            "memory_bytes": 1000,
            "fresh_seed": 1,
            "fresh_inputs": 1024,
            "audits": tuple(Audit(name, "pass", "") for name in SCORED),
        }
    return Row(**values | changes)


def only(board, task=0):
    (entry,) = board.entries
    return entry.tasks[task]


def by_name(board):
    return {entry.submission: entry for entry in board.entries}


def seeded(submission, qualities, **changes):
    """Give a row for each seed."""
    return [made(submission, seed=seed, quality=q, **changes) for seed, q in enumerate(qualities)]


def test_one_cell_by_hand():
    board = build_board([made()], [MEMO])
    score = only(board)
    assert score.score == score.plain == 0.25  # half the width, quality 0.5
    assert (score.low, score.high, score.exact, score.seeds) == (None, None, False, 1)
    assert (score.areas, score.values) == ((0.25,), (0.25,))
    assert (board.seeds, board.wanted_seeds, board.preliminary) == (1, 5, True)
    (point,) = score.points
    assert (point.ops, point.ops_router_free, point.memory_bytes) == (256.0, 128.0, 1000)
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


def test_a_score_is_the_mean_over_instances_of_areas_under_budget_curves():
    rows = [
        made(seed=0, instance="i", ops=2.0**6, quality=0.2),
        made(seed=0, instance="j", ops=2.0**8, quality=0.4),
        made(seed=1, instance="i", ops=2.0**10, quality=0.6),
        made(seed=1, instance="j", ops=0.0, quality=0.8),  # counts as one operation: all of the box
    ]
    score = only(build_board(rows, [MEMO]))
    first = (6 / 8 * 0.2 / 2 + 2 / 8 * 0.6 / 2, 4 / 8 * 0.4 / 2 + 0.8 / 2)
    assert score.areas == pytest.approx(first)
    assert score.plain == pytest.approx(sum(first) / 2)
    by_seed = [(6 / 8 * 0.2 + 4 / 8 * 0.4) / 2, (2 / 8 * 0.6 + 0.8) / 2]
    assert score.values == pytest.approx(by_seed)  # one variant: each seed by itself
    half = t_quantile(0.975, 1) * (by_seed[1] - by_seed[0]) / math.sqrt(2) / math.sqrt(2)
    assert score.low == pytest.approx(max(0.0, score.score - half))
    assert score.high == pytest.approx(min(1.0, score.score + half))
    (point,) = score.points
    assert (point.quality_mean, point.ops) == (pytest.approx(0.5), (64 + 256 + 1024) / 4)


def test_variants_trace_a_curve():
    rows = [made(variant="small", ops=2.0**6, quality=0.25), made(variant="big", ops=2.0**10, quality=0.75)]
    rows.append(made(variant="bad", ops=2.0**11, quality=0.5))
    score = only(build_board(rows, [MEMO]))
    assert score.score == pytest.approx(6 / 8 * 0.25 + 2 / 8 * 0.5)
    assert [point.variant for point in score.points] == ["bad", "big", "small"]


def test_a_failed_cell_buys_nothing():
    rows = [made(seed=0, ops=2.0**6, quality=0.8), made(seed=1, quality=None)]
    score = only(build_board(rows, [MEMO]))
    (point,) = score.points
    assert (point.quality_mean, point.n_cells, point.n_failed) == (0.4, 2, 1)
    assert (point.ops, point.error_mean) == (64.0, pytest.approx(0.2))
    assert score.score == pytest.approx(6 / 8 * 0.8 / 2)
    assert score.failed_share == 0.5
    assert point.statuses == (("ok", 1), ("timeout", 1))


def test_a_submission_that_only_fails_is_on_the_board_with_zero():
    score = only(build_board([made(quality=None)], [MEMO]))
    assert (score.score, score.points[0].ops, score.points[0].error_mean) == (0.0, None, None)
    assert (score.router_share, score.tail, score.failed_share) == (None, None, 1.0)


def test_a_missing_cell_counts_like_a_failed_one():
    rows = [made(seed=seed, instance=name, quality=0.8) for seed in (0, 1) for name in ("i", "j")]
    rows += [made(variant="w", seed=0, ops=2.0**5, quality=1.0)]  # only where it went well
    board = build_board(rows, [MEMO])
    points = {point.variant: point for point in only(board).points}
    assert points["w"].n_cells == 4
    assert (points["w"].n_missing, points["w"].n_failed) == (3, 0)
    assert points["w"].quality_mean == 0.25
    assert points["v"].n_missing == 0
    assert only(board).areas == pytest.approx((0.5 * 3 / 8 + 0.8 * 4 / 8, 0.8 * 4 / 8))
    assert any("3 cells without a row" in note for note in board.notes)


def test_all_entries_are_scored_on_all_instances_that_there_are_rows_of():
    rows = [made(instance="i", ops=2.0**6, quality=0.8), made("b", instance="i"), made("b", instance="j")]
    for board in (build_board(rows, [MEMO]), build_board(rows, [MEMO], instances={MEMO.ref: {"j", "i"}})):
        assert board.tasks[0].instances == ("i", "j")
        score = by_name(board)["a"].tasks[0]
        (point,) = score.points
        assert (point.n_cells, point.n_missing, point.n_failed) == (2, 1, 0)
        assert score.areas == (pytest.approx(6 / 8 * 0.8), 0.0)


def test_rows_of_instances_that_a_board_does_not_name_are_passed_over():
    rows = [made(instance="i"), made(instance="k", quality=1.0), made("z", instance="k", scoring_version=9)]
    board = build_board(rows, [MEMO], instances={MEMO.ref: ["i"]})
    assert board == build_board(rows[:1], [MEMO], instances={MEMO.ref: ["i"]})
    assert board.tasks[0].instances == ("i",)
    assert only(board).score == 0.25


# Seeds ------------------------------------------------------------------------------------------------------


def test_a_board_has_the_seeds_0_to_4_and_others_are_not_counted():
    honest = seeded("a", [0.5, 0.4, 0.6, 0.5, 0.5])
    more = [*honest, *(made("a", seed=seed, quality=1.0) for seed in (5, 11, 12))]
    board, other = build_board(more, [MEMO]), build_board(honest, [MEMO])
    assert board.entries == other.entries
    assert (board.seeds, board.preliminary) == (5, False)
    assert board.notes == ("rows of other seeds than 0 to 4 are not counted: a",)
    assert build_board(more, [MEMO], seeds=6).seeds == 6


def test_chosen_seeds_are_missing_ones():
    chosen = [made("a", seed=seed, quality=1.0) for seed in (2, 4, 7, 11, 13)]
    board = build_board(chosen, [MEMO])
    (point,) = only(board).points
    assert (board.seeds, only(board).seeds, point.n_missing) == (5, 2, 3)
    assert only(board).score == pytest.approx(2 / 5 * 0.5)
    nothing = only(build_board([made("a", seed=7)], [MEMO]))
    assert (nothing.score, nothing.seeds, nothing.points[0].n_missing) == (0.0, 0, 5)


def test_where_no_row_has_a_larger_seed_a_board_is_preliminary():
    board = build_board(seeded("a", [0.5, 0.6]) + seeded("b", [0.5, 0.6, 0.7]), [MEMO])
    assert (board.seeds, board.preliminary) == (3, True)
    assert by_name(board)["a"].tasks[0].points[0].n_missing == 1
    alone = build_board(seeded("a", [0.5, 0.6]), [MEMO], seeds=2)
    assert (alone.seeds, alone.preliminary) == (2, False)


def test_a_seed_that_fails_everywhere_costs_exactly_its_share():
    rows = [
        made("a", variant, seed, ops=2.0**cost, quality=quality + 0.02 * seed)
        for variant, cost, quality in (("v", 6, 0.3), ("w", 9, 0.6))
        for seed in range(4)
    ]
    failing = [made("a", variant, 4, quality=None) for variant in ("v", "w")]
    whole, less = only(build_board(rows + failing, [MEMO])), only(build_board(rows, [MEMO]))
    assert whole.score == pytest.approx(4 / 5 * less.score, abs=1e-15)
    assert whole.values[4] == pytest.approx(0.0, abs=1e-15)


def test_equal_seeds_make_a_score_exact():
    score = only(build_board(seeded("a", [0.5] * 3), [MEMO]))
    assert (score.exact, score.low, score.score, score.high) == (True, 0.25, 0.25, 0.25)


# Memory, variants, profiles ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "buys"),
    [({"memory_bytes": 16 << 20}, True), ({"memory_bytes": (16 << 20) + 1}, False)],
)
def test_a_model_that_is_too_large_is_shown_and_scores_nothing(size, buys):
    board = build_board([made(**size), made(seed=1)], [MEMO])
    (point,) = only(board).points
    assert (point.quality_mean, point.memory_bytes, point.n_large) == (
        0.5,
        size["memory_bytes"],
        int(not buys),
    )
    assert only(board).score == pytest.approx(0.25 if buys else 0.125)
    assert only(board).failed_share == 0.0
    note = "a/v: the models of 1 cells store more than 16 MiB: they are shown, and score nothing"
    assert (note in board.notes) is not buys


def test_a_model_that_nobody_has_measured_scores_nothing():
    """Whatever else a row says: who leaves the column out has no room in the box."""
    board = build_board([made(memory_bytes=None, stored_bytes=80)], [MEMO])
    assert (only(board).score, only(board).points[0].n_large) == (0.0, 1)


def test_there_are_16_variants_at_most():
    rows = [made(variant=f"v{number}") for number in range(16)]
    assert len(only(build_board(rows, [MEMO])).points) == 16
    board = build_board([*rows, made(variant="w", task=LIP), made("b")], [MEMO, LIP])
    assert set(by_name(board)) == {"b"}  # nobody can keep others from having their board
    assert "a: rows of 17 variants, expected at most 16: it is left out" in board.notes


def test_entries_can_be_scored_by_another_price_list():
    rows = [made(ops=2.0**8, ops_add_mul_cmp=2.0**6, ops_router_free=2.0**7)]
    scores = {
        profile: only(build_board(rows, [MEMO], profile=profile)).score
        for profile in ("ops", "add-mul-cmp", "paper-router-free", "macs")
    }
    assert scores == {"ops": 0.25, "add-mul-cmp": 0.375, "paper-router-free": 0.3125, "macs": 0.0}
    assert build_board(rows, [MEMO], profile="add-mul-cmp").profile == "add-mul-cmp"


def test_by_the_papers_price_nobody_has_a_place():
    """Who calls all of his work routing costs nothing there."""
    rows = seeded("a", [0.9] * 3) + seeded("b", [0.1] * 3)
    board = build_board(rows, [MEMO], profile="paper-router-free")
    assert [(entry.rank, entry.tasks[0].rank) for entry in board.entries] == [(None, None)] * 2
    assert board.pairs == ((),)
    assert by_name(board)["a"].tasks[0].score > by_name(board)["b"].tasks[0].score


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"seeds": 0}, "a board of 0 seeds, expected at least 1"),
        ({"profile": "luck"}, "no profile is called 'luck'"),
    ],
)
def test_choices_that_are_none_are_refused(choice, message):
    with pytest.raises(UsageError, match=message):
        build_board([made()], [MEMO], **choice)


def test_an_instance_that_is_named_twice_counts_once():
    rows = [made(instance="i"), made(instance="j", quality=1.0)]
    once, twice = (build_board(rows, [MEMO], instances={MEMO.ref: names}) for names in ("ij", "iij"))
    assert once == twice


# Names, and boards that are frozen --------------------------------------------------------------------------


def test_nobody_takes_anothers_place_by_having_its_name():
    """A later row, of a folder that is called the same: it counts only where no other state is known."""
    late = "2999-01-02T03:04:06.000000+00:00"
    rows = [*seeded("dense", [0.7] * 3, ops=2.0**9), *seeded("own", [0.7] * 3, ops=2.0**5)]
    impostor = made("dense", quality=1.0, ops=2.0**12, submission_hash="other", ended=late)
    states, references = {"dense": "s"}, {MEMO.ref: "dense"}
    before = build_board(rows, [MEMO], references=references, states=states)
    after = build_board([*rows, impostor], [MEMO], references=references, states=states)
    assert after.entries == before.entries
    assert after.notes == ("dense: rows of 1 other state(s) of its folder are left out",)
    alone = build_board([impostor], [MEMO], states=states)
    assert alone.notes == ("dense: another folder than the one of that name which comes with sparsebench",)


def test_a_cell_that_is_believed_at_the_second_try_is_told():
    tries = [made(), made(quality=None), made(seed=1)]
    tries[1] = replace(tries[1], status="invalid", reason="known-answers")
    board = build_board(tries, [MEMO])
    assert only(board).score == pytest.approx(0.25)
    assert "a: 1 cells were invalid in another run, and count by the one that was not" in board.notes


def test_runs_of_a_cell_that_disagree_are_told():
    """Who draws numbers of his own, or writes a row with a late date, does not go unseen."""
    late = made(quality=0.9, ended="9999-12-31T00:00:00.000000+00:00")
    board = build_board([made(), late], [MEMO])
    assert "a: 1 cells have runs of other quality than the newest, which counts" in board.notes
    same = build_board([made(), made(ended="2026-01-02T03:04:08.000000+00:00")], [MEMO])
    assert not any("other quality" in note for note in same.notes)


def test_entries_told_the_domains_can_be_left_out_by_what_they_are_now():
    old = made("was", uses_tags=True, submission_hash="old")
    new = made("was", submission_hash="new", ended="2026-02-02T03:04:06.000000+00:00")
    rows = [old, new, made("is", uses_tags=True)]
    assert set(by_name(build_board(rows, [MEMO], tags=False))) == {"was"}


def test_on_a_frozen_board_instances_and_seeds_depend_on_nobodys_rows():
    rows = seeded("a", [0.5, 0.6])
    stranger = [made("z", seed=4, quality=None), made("z", seed=2, instance="k", quality=None)]
    fixed = {"instances": {MEMO.ref: ["i", "j"]}, "seeds": 3, "frozen": True}
    before, after = (build_board(some, [MEMO], **fixed) for some in (rows, rows + stranger))
    assert (before.seeds, before.tasks[0].instances) == (3, ("i", "j"))
    assert by_name(before)["a"].tasks[0].score == by_name(after)["a"].tasks[0].score
    assert only(before).points[0].n_missing == 4


def test_the_routers_share_and_the_tail_are_means_over_the_cells_that_ran():
    rows = [
        made(seed=0, ops=100.0, ops_router=20.0, ops_experts=80.0, ops_p95=150.0),
        made(seed=1, ops=10.0, ops_router=4.0, ops_experts=6.0, ops_p95=10.0),
        made(seed=2, ops=0.0, ops_router=0.0, ops_experts=0.0, ops_p95=0.0),
        made(seed=3, quality=None),
    ]
    score = only(build_board(rows, [MEMO]))
    assert (score.router_share, score.tail) == (pytest.approx(0.3), pytest.approx(1.25))


# What a board is made of ------------------------------------------------------------------------------------


def test_a_mean_over_all_tasks_is_for_entries_that_enter_all():
    rows = [made("a"), made("a", task=LIP, ops=2.0**5, quality=1.0), made("b", quality=1.0)]
    board = build_board(rows, [MEMO, LIP], titles={"a": "An entry"})
    a, b = board.entries
    assert (a.score, a.rank) == ((0.25 + 0.5) / 2, Rank(1, 1))
    assert (b.score, b.rank, b.tasks[1]) == (None, None, None)
    assert b.tasks[0].rank == a.tasks[0].rank == Rank(1, 2)
    assert (a.title, b.title) == ("An entry", None)
    assert (board.scoring_version, board.cost_model) == (SCORING_VERSION, 1)


def test_rows_of_other_tasks_are_passed_over():
    rows = [made(), made("z", task=LIP, scoring_version=9)]
    assert [entry.submission for entry in build_board(rows, [MEMO]).entries] == ["a"]


def test_no_rows_no_entries():
    board = build_board([], [MEMO])
    assert (board.entries, board.scoring_version, board.seeds) == ((), None, 0)
    assert board.notes == ("memorization@1: no rows",)


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
    assert (board.seeds, only(board).seeds) == (1, 1)
    assert only(board).points[0].quality_mean == 0.5
    assert any("a: rows of 1 other state" in note for note in board.notes)


@pytest.mark.parametrize(
    ("name", "values"), [("scoring_version", (1, SCORING_VERSION)), ("cost_model", (1, 3))]
)
def test_versions_do_not_mix(name, values):
    first, second = values
    with pytest.raises(UsageError, match=rf"{name} {first} and {second} cannot share a board") as caught:
        build_board([made(seed=seed, **{name: value}) for seed, value in enumerate(values)], [MEMO])
    assert "evaluate again" in caught.value.help


def test_rows_are_scored_by_the_rules_that_they_were_made_for():
    with pytest.raises(
        UsageError, match=f"rows have scoring_version 1, expected {SCORING_VERSION}"
    ) as caught:
        build_board([made(scoring_version=1)], [MEMO])
    assert "build their board with the version of sparsebench that wrote them" in caught.value.help


def test_task_hashes_do_not_mix():
    with pytest.raises(UsageError, match="task_hash h1 and h2 cannot share"):
        build_board([made(), made("b", task_hash="h2")], [MEMO])
    with pytest.raises(UsageError, match="have task_hash h1, but the task has h3"):
        build_board([made()], [replace(MEMO, hash="h3")])


def test_tasks_are_given_once_and_at_least_one():
    for tasks in ([], [MEMO, MEMO]):
        with pytest.raises(UsageError, match="one or more, each once"):
            build_board([made()], tasks)


# Places -----------------------------------------------------------------------------------------------------


def ranks(rows, task=MEMO):
    board = build_board(rows, [task])
    return {entry.submission: entry.tasks[0].rank for entry in board.entries}


def test_clear_winners_have_ranks_of_their_own():
    rows = [
        made(name, seed=seed, quality=base + 0.01 * ((seed * step) % 5))
        for name, base, step in (("a", 0.9, 1), ("b", 0.5, 2), ("c", 0.1, 3))
        for seed in range(5)
    ]
    assert ranks(rows) == {"a": Rank(1, 1), "b": Rank(2, 2), "c": Rank(3, 3)}
    ((ab, ac, bc),) = build_board(rows, [MEMO]).pairs
    assert [(pair.first, pair.second, pair.winner) for pair in (ab, ac, bc)] == [
        ("a", "b", "a"), ("a", "c", "a"), ("b", "c", "b"),
    ]  # fmt: skip
    assert (ab.better, ab.worse, ab.difference > 0) == (1, 0, True)


def test_what_no_test_tells_apart_shares_a_rank():
    qualities = {
        "a": [0.9, 0.1, 0.5, 0.7, 0.2],
        "b": [0.1, 0.9, 0.6, 0.4, 0.3],
        "c": [0.01, 0.0, 0.02, 0.01, 0.0],
    }
    rows = [row for name, values in qualities.items() for row in seeded(name, values)]
    found = ranks(rows)
    assert found["a"].best == found["b"].best == 1
    assert found["a"].worst >= 2
    assert found["c"].worst == 3


def test_one_seed_tells_nothing_apart():
    rows = [made("a", quality=0.9), made("b", quality=0.1)]
    assert ranks(rows) == {"a": Rank(1, 2), "b": Rank(1, 2)}


def test_more_instances_buy_no_rank():
    """Two that are equal over instances, and differ on each: a test of cells would tell them apart."""
    rows = [
        made(name, seed=seed, instance=f"i{k}", quality=0.5 + 0.1 * sign * (-1) ** k + 0.01 * (seed + sign))
        for name, sign in (("a", 1), ("b", -1))
        for seed in range(5)
        for k in range(10)
    ]
    found = ranks(rows)
    assert found["a"].best == 1
    assert found == {"a": Rank(1, 2), "b": Rank(1, 2)}
    board = build_board(rows, [MEMO])
    assert by_name(board)["a"].tasks[0].ahead == (5, 10)


def test_an_entry_with_one_task_of_three_has_no_overall_rank():
    """The best on one task cannot be held against means over three: it has its place there, and no other."""
    third = StubTask("routed-classification@1")
    tasks = [MEMO, LIP, third]
    rows = [made("one-task", seed=seed, ops=1.0, quality=1.0) for seed in range(5)]
    rows += [
        made(f"all-{c}", seed=seed, ops=2.0**6, quality=0.95 - 0.01 * seed, task=task)
        for c in "abcdef"
        for task in tasks
        for seed in range(5)
    ]
    board = build_board(rows, tasks)
    entries = by_name(board)
    special = entries.pop("one-task")
    assert (special.score, special.rank, special.low) == (None, None, None)
    assert special.tasks[0].rank == Rank(1, 1)
    assert special.tasks[1:] == (None, None)
    assert {entry.rank for entry in entries.values()} == {Rank(1, 6)}
    assert {entry.tasks[0].rank for entry in entries.values()} == {Rank(2, 7)}
    assert board.entries[-1] == special
    assert [len(pairs) for pairs in board.pairs] == [21, 15, 15]


def test_who_is_told_the_domains_has_no_rank_and_takes_none():
    told = [made("told", seed=seed, quality=0.99, uses_tags=True) for seed in range(5)]
    own = seeded("a", [0.5, 0.51, 0.52, 0.5, 0.5]) + seeded("b", [0.1, 0.11, 0.12, 0.1, 0.1])
    board = build_board(own + told, [MEMO])
    assert {name: entry.tasks[0].rank for name, entry in by_name(board).items()} == {
        "a": Rank(1, 1),
        "b": Rank(2, 2),
        "told": None,
    }
    assert [entry.submission for entry, _ in board.ranked(0)] == ["a", "b", "told"]
    assert [(pair.first, pair.second) for pair in board.pairs[0]] == [("a", "b")]
    assert (by_name(board)["told"].score, by_name(board)["b"].tasks[0].ahead) == (None, None)


def test_entries_can_be_chosen_and_keep_their_scores():
    rows = [
        row for name, q in zip("abc", (0.9, 0.5, 0.1), strict=True) for row in seeded(name, [q, q + 0.01])
    ]
    whole, some = build_board(rows, [MEMO]), build_board(rows, [MEMO], submissions={"b", "c"})
    assert set(by_name(some)) == {"b", "c"}
    for name, entry in by_name(some).items():
        assert entry.tasks[0].score == by_name(whole)[name].tasks[0].score
        assert entry.tasks[0].rank.worst <= 2


# Operations at equal quality --------------------------------------------------------------------------------

REFERENCE = {MEMO.ref: "dense"}


def test_operations_are_compared_at_equal_quality_where_both_reach_it():
    rows = [
        *(row for k in "ij" for row in seeded("dense", [0.6] * 3, variant="s", ops=2.0**8, instance=k)),
        *(row for k in "ij" for row in seeded("dense", [0.8] * 3, variant="l", ops=2.0**10, instance=k)),
        *seeded("sparse", [0.75] * 3, ops=2.0**5, instance="i"),
        *seeded("sparse", [0.65] * 3, ops=2.0**6, instance="j"),
    ]
    board = build_board(rows, [MEMO], references=REFERENCE)
    half, seven, nine = by_name(board)["sparse"].tasks[0].ratios
    assert (half.times, half.low, half.high) == pytest.approx((2.0**2.5,) * 3)
    assert (half.instances, seven.instances, nine.instances) == (2, 1, 0)
    assert (seven.times, nine.times, nine.low) == (2.0**5, None, None)
    same = by_name(board)["dense"].tasks[0].ratios
    assert [(ratio.times, ratio.low, ratio.high) for ratio in same[:2]] == [(1.0, 1.0, 1.0)] * 2
    assert board.tasks[0].reference == "dense"


def test_a_quality_that_may_be_missed_has_a_wide_ratio():
    rows = [
        *seeded("dense", [0.7] * 3, ops=2.0**10),
        *seeded("sparse", [0.48, 0.52, 0.53], variant="s", ops=2.0**5),
        *seeded("sparse", [0.6, 0.61, 0.62], variant="l", ops=2.0**7),
    ]
    half, seven, _ = by_name(build_board(rows, [MEMO], references=REFERENCE))["sparse"].tasks[0].ratios
    assert (half.times, half.low, half.high) == (2.0**5, 2.0**3, 2.0**5)
    assert seven.times is None
    rows = [*seeded("dense", [0.7] * 3, ops=2.0**10), *seeded("sparse", [0.48, 0.52, 0.53], ops=2.0**5)]
    half = by_name(build_board(rows, [MEMO], references=REFERENCE))["sparse"].tasks[0].ratios[0]
    assert (half.times, half.low, half.high) == (2.0**5, None, 2.0**5)


def test_with_one_seed_a_ratio_has_no_interval():
    rows = [made("dense", ops=2.0**10), made("sparse", ops=2.0**5)]
    half = by_name(build_board(rows, [MEMO], references=REFERENCE))["sparse"].tasks[0].ratios[0]
    assert (half.times, half.low, half.high, half.instances) == (2.0**5, None, None, 1)


def test_without_rows_of_the_reference_there_are_no_ratios():
    board = build_board([made("sparse")], [MEMO], references=REFERENCE)
    assert (board.tasks[0].reference, only(board).ratios) == (None, ())


def test_a_reference_that_is_not_shown_is_still_compared_with():
    rows = [*seeded("dense", [0.7] * 2, ops=2.0**10), *seeded("sparse", [0.7] * 2, ops=2.0**5)]
    board = build_board(rows, [MEMO], references=REFERENCE, submissions={"sparse"})
    assert (only(board).ratios[0].times, board.tasks[0].reference) == (2.0**5, "dense")


# For any rows -----------------------------------------------------------------------------------------------


class Drawn(list):
    """Rows that say in a few words what they are."""

    def __repr__(self):
        names = ("submission", "variant", "task", "instance", "seed", "ops", "quality", "submission_hash")
        return "\n".join(", ".join(f"{name}={getattr(row, name)!r}" for name in names) for row in self)


def rows_of(drawn):
    names = ("submission", "variant", "seed", "ops", "quality")
    return Drawn(
        made(**dict(zip(names, some, strict=True)), task=task, instance=instance, submission_hash=state)
        for *some, task, instance, state in drawn
    )


cells = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from(["v", "w"]),
        st.integers(0, 2),
        st.sampled_from([0.0, 1.0, 7.0, 100.0, 5e3, 1e9]),
        st.none() | st.sampled_from([0.0, 0.3, 0.7, 1.0]),
        st.sampled_from([MEMO, LIP]),
        st.sampled_from(["i", "j"]),
        st.sampled_from(["s", "s", "s2"]),
    ),
    max_size=25,
).map(rows_of)


FROZEN = {"instances": {MEMO.ref: {"i", "j"}, LIP.ref: {"i", "j"}}, "seeds": 3}
ANCHOR = [made("z", seed=2), made("z", seed=2, task=LIP)]  # a board of three seeds, whoever else is there


def vectors(board):
    """Give what no other entry may change: everything but places and neighbours."""
    return {
        entry.submission: (
            entry.score if entry.rank is not None else None,
            [score and replace(score, rank=None, ahead=None) for score in entry.tasks],
        )
        for entry in board.entries
    }


def frozen(rows):
    return build_board(rows + ANCHOR, [MEMO, LIP], **FROZEN)


@settings(max_examples=60, deadline=None)
@given(cells, st.sampled_from(["a", "b", "c"]))
def test_a_submissions_rows_never_change_anothers_score(rows, gone):
    everybody, without = vectors(frozen(rows)), vectors(frozen([r for r in rows if r.submission != gone]))
    everybody.pop(gone, None)
    assert without == everybody


@settings(max_examples=40, deadline=None)
@given(cells, st.integers(0, 10))
def test_the_order_of_rows_changes_nothing(rows, seed):
    shuffled = list(rows)
    random.Random(seed).shuffle(shuffled)
    assert build_board(shuffled, [MEMO, LIP]) == build_board(rows, [MEMO, LIP])


@settings(max_examples=40, deadline=None)
@given(cells)
def test_scores_and_ranks_stay_in_their_ranges(rows):
    board = build_board(rows, [MEMO, LIP])
    for entry in board.entries:
        assert (entry.score is None) == (entry.rank is None)
        for score in (score for score in entry.tasks if score is not None):
            assert 0.0 <= score.score <= score.plain <= 1.0
            assert all(0.0 <= value <= 1.0 for value in (*score.areas, score.failed_share))
            assert score.low is None or 0.0 <= score.low <= score.score <= score.high <= 1.0
            assert 1 <= score.rank.best <= score.rank.worst <= len(board.entries)
            assert score.plain == pytest.approx(sum(score.areas) / len(score.areas), abs=1e-12)
            assert score.score == pytest.approx(sum(score.values) / len(score.values), abs=1e-12)
            for ratio in score.ratios:
                assert ratio.times is None or ratio.times > 0


@settings(max_examples=100, deadline=None)
@given(cells, st.data())
def test_a_variant_that_gives_up_cells_of_another_changes_no_score(rows, data):
    """It has some of the other's rows, and others fail, are missing, are dearer, or are worse."""
    mine = [row for row in rows if (row.submission, row.variant, row.submission_hash) == ("a", "v", "s")]
    rows = [row for row in rows if row.submission != "a" or row in mine]
    quits = []
    for row in {row.cell_key: row for row in mine}.values():
        how = data.draw(st.sampled_from(["same", "missing", "failed", "dear", "bad"]))
        changes = {"variant": "quits", "cell_key": ""}
        if row.status != "ok" or how == "failed":
            quits.append(made("a", "quits", row.seed, quality=None, task=_of(row), instance=row.instance))
        elif how == "dear":
            quits.append(replace(row, **changes, ops=row.ops * 2 + 1, ops_router_free=None))
        elif how == "bad":
            quits.append(replace(row, **changes, quality=row.quality / 2, error=1.0))
        elif how == "same":
            quits.append(replace(row, **changes))
    before, after = frozen(_once(rows)), frozen(_once(rows) + _once(quits))
    for entry in before.entries:
        other = by_name(after)[entry.submission]
        for score, same in zip(entry.tasks, other.tasks, strict=True):
            if score is not None:
                assert (same.areas, same.plain) == (score.areas, score.plain)
                if entry.submission != "a" or all(row.status != "ok" for row in quits):
                    assert same.score == score.score


def _of(row):
    return MEMO if row.task == MEMO.ref else LIP


def _once(rows):
    """Keep one row of a cell, so that no newer one takes its place."""
    return list({row.cell_key: row for row in rows}.values())


@settings(max_examples=60, deadline=None)
@given(cells, st.integers(0, 100))
def test_leaving_a_row_out_never_helps_unless_a_worse_one_stood_before_it(rows, pick):
    rows = [row for row in _once(rows) if row.submission_hash == "s"]
    if rows:
        gone = rows[pick % len(rows)]
        before, after = (by_name(frozen(some)) for some in (rows, [row for row in rows if row is not gone]))
        for name, entry in after.items():
            for score, same in zip(before[name].tasks, entry.tasks, strict=True):
                if same is not None:
                    assert same.plain <= score.plain + 1e-12


@settings(max_examples=60, deadline=None)
@given(cells, st.sampled_from(["i", "j"]))
def test_leaving_an_instance_out_never_helps(rows, left_out):
    rows = [row for row in rows if row.submission_hash == "s"]
    fewer = [row for row in rows if (row.submission, row.instance) != ("a", left_out)]
    before, after = by_name(frozen(rows)), by_name(frozen(fewer))
    for score, same in zip(before["a"].tasks, after["a"].tasks, strict=True) if "a" in after else ():
        if same is not None:
            assert same.plain <= score.plain + 1e-12


@settings(max_examples=60, deadline=None)
@given(cells, st.lists(st.integers(3, 30), max_size=5))
def test_rows_of_seeds_beyond_the_boards_change_nothing(rows, seeds):
    rows = [row for row in rows if row.submission_hash == "s"]
    some = [row for row in rows if row.status == "ok"]
    more = [replace(row, seed=seed, quality=1.0, ops=1.0, cell_key="") for row in some for seed in seeds]
    more = [replace(row, ops_router_free=0.5) for row in more]
    assert frozen(rows + more).entries == frozen(rows).entries


SECOND = StubTask("memorization@2", hash="h2", homes={"i": MEMO})
"""A version that continues the first: instance i came with that one."""


def test_a_board_of_a_later_version_takes_the_rows_of_what_came_with_an_earlier_one():
    rows = [made(quality=0.5), made(task=SECOND, instance="j", quality=1.0)]
    board = build_board(rows, [SECOND], instances={SECOND.ref: ["i", "j"]})
    assert only(board).areas == (0.25, 0.5)
    assert board.tasks[0].homes == {"i": (MEMO.ref, MEMO.hash)}


def test_a_row_counts_only_under_the_version_that_its_instance_came_with():
    """Or a cell could be tried twice, once under each name."""
    rows = [made(quality=0.5), made(task=SECOND, quality=1.0), made(instance="j", quality=1.0)]
    board = build_board(rows, [SECOND], instances={SECOND.ref: ["i", "j"]})
    assert only(board).areas == (0.25, 0.0)
    assert only(build_board(rows, [MEMO], instances={MEMO.ref: ["i"]})).areas == (0.25,)


@pytest.mark.parametrize("instance", ["i", "j"])
def test_rows_of_a_changed_version_are_refused_on_a_later_one_too(instance):
    rows = [made(), made(task=SECOND, instance="j")]
    rows.append(replace(rows[instance == "j"], task_hash="another", cell_key=""))
    with pytest.raises(UsageError, match="with task_hash"):
        build_board(rows, [SECOND])
    with pytest.raises(UsageError, match="have task_hash another, but the task has"):
        build_board(rows[2:], [SECOND])
