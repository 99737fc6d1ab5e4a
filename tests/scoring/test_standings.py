"""Welch's test, means over tasks, who beats whom, and the places that leaves."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sparsebench.errors import UsageError
from sparsebench.scoring import (
    Estimate,
    Rank,
    SeededScore,
    compare_entries,
    estimate_bounds,
    estimate_of,
    holm,
    mean_estimate,
    rank_entries,
    stand_over_tasks,
    welch_test,
)

values = st.floats(0, 1).map(lambda x: round(x, 6))
samples = st.lists(values, min_size=2, max_size=8).filter(lambda sample: np.ptp(sample) > 1e-4)


def scored(*qualities):
    """A score of one variant, whose pseudo-values are what its seeds give."""
    mean = math.fsum(qualities) / len(qualities)
    exact = len(qualities) > 1 and len(set(qualities)) == 1
    variance = float(np.var(qualities, ddof=1)) / len(qualities) if len(qualities) > 1 else None
    return SeededScore(mean, None, None, mean, exact, 0.0 if exact else variance, qualities)


def of(*qualities):
    return estimate_of(scored(*qualities))


def exact(score):
    return of(score, score)


def test_an_estimate_by_hand():
    assert of(0.2, 0.4, 0.6) == pytest.approx((0.4, 0.04 / 3, 2.0))
    assert exact(0.3) == (0.3, 0.0, math.inf)
    assert of(0.3) == (0.3, None, 0.0)


def test_no_variance_has_degrees_of_freedom_without_end():
    apart = SeededScore(0.0, 0.0, 0.0, 0.0, exact=False, variance=0.0, pseudo_values=(0.0, 0.0))
    assert estimate_of(apart) == (0.0, 0.0, math.inf)


@given(samples, samples)
def test_welch_agrees_with_scipy(a, b):
    ours = welch_test(of(*a), of(*b))
    assert ours == pytest.approx(stats.ttest_ind(a, b, equal_var=False).pvalue, rel=1e-7, abs=1e-12)
    assert welch_test(of(*b), of(*a)) == pytest.approx(ours, rel=1e-9)


@given(samples, values)
def test_beside_an_exact_score_welch_is_the_test_of_one_sample(a, score):
    ours = welch_test(of(*a), exact(score))
    assert ours == pytest.approx(stats.ttest_1samp(a, score).pvalue, rel=1e-7, abs=1e-12)


def test_where_there_is_no_test():
    assert welch_test(exact(0.1), exact(0.9)) is None
    assert welch_test(of(0.1), of(0.2, 0.3)) is None
    assert welch_test(of(0.2, 0.3), of(0.1)) is None


@given(samples)
def test_bounds_agree_with_scipy(a):
    low, high = stats.t.interval(0.9, len(a) - 1, loc=np.mean(a), scale=stats.sem(a))
    assert estimate_bounds(of(*a), 0.9) == pytest.approx((max(0, low), min(1, high)), abs=1e-9)


def test_bounds_without_a_spread():
    assert estimate_bounds(exact(0.3)) == (0.3, 0.3)
    assert estimate_bounds(of(0.3)) == (None, None)
    with pytest.raises(UsageError, match="expected 0 < level < 1"):
        estimate_bounds(exact(0.3), 1.0)


@given(st.lists(samples, min_size=1, max_size=4))
def test_a_mean_over_tasks_has_satterthwaites_degrees_of_freedom(tasks):
    variances = [np.var(sample, ddof=1) / len(sample) for sample in tasks]
    total = sum(variances)
    df = total**2 / sum(v**2 / (len(t) - 1) for v, t in zip(variances, tasks, strict=True))
    expected = (np.mean([np.mean(t) for t in tasks]), total / len(tasks) ** 2, df)
    assert mean_estimate([of(*t) for t in tasks]) == pytest.approx(expected, rel=1e-9, abs=1e-15)


@given(st.lists(samples, min_size=2, max_size=4))
def test_degrees_of_freedom_do_not_depend_on_what_is_combined_first(tasks):
    halves = [of(*t) for t in tasks]
    twice = mean_estimate([mean_estimate(halves), mean_estimate(halves)])
    assert twice.df == pytest.approx(2 * mean_estimate(halves).df, rel=1e-9)


def test_means_with_exact_scores_and_with_one_seed():
    noisy = of(0.2, 0.4, 0.6)
    assert mean_estimate([noisy, exact(0.6)]) == pytest.approx((0.5, noisy.variance / 4, 2.0))
    assert mean_estimate([exact(0.2), exact(0.6)]) == (0.4, 0.0, math.inf)
    assert mean_estimate([noisy, of(0.6)]) == (0.5, None, 0.0)
    with pytest.raises(UsageError, match="no scores"):
        mean_estimate([])


def test_tiny_variances_keep_their_degrees_of_freedom():
    tiny = Estimate(0.5, 1e-200, 4.0)
    assert mean_estimate([tiny, tiny]).df == pytest.approx(8.0)
    assert welch_test(tiny, Estimate(0.6, 1e-200, 4.0)) == pytest.approx(0.0, abs=1e-300)


def test_of_two_exact_scores_the_lead_decides():
    leads = {"a": exact(0.105), "b": exact(0.1), "c": exact(0.0959)}
    assert [verdict.winner for verdict in compare_entries(leads)] == ["a", "a", None]  # a-b, a-c, b-c
    assert rank_entries(leads) == {"a": Rank(1, 1), "b": Rank(2, 3), "c": Rank(2, 3)}


def test_a_small_lead_beats_nobody_however_sure():
    sure = {"a": of(0.5040001, 0.504, 0.5039999), "b": of(0.5000001, 0.5, 0.4999999)}
    (verdict,) = compare_entries(sure)
    assert verdict.adjusted < 1e-6
    assert verdict.winner is None
    assert rank_entries(sure) == {"a": Rank(1, 2), "b": Rank(1, 2)}


def test_a_large_lead_that_may_be_luck_beats_nobody():
    (verdict,) = compare_entries({"a": of(0.2, 0.8, 0.5), "b": of(0.1, 0.6, 0.2)})
    assert verdict.difference == pytest.approx(0.2)
    assert verdict.p > 0.05
    assert verdict.winner is None


def test_a_clear_lead_beats():
    clear = {"b": of(0.50, 0.51, 0.52), "a": of(0.30, 0.31, 0.32)}
    (verdict,) = compare_entries(clear)
    assert verdict[:2] == ("a", "b")
    assert verdict.winner == "b"
    assert rank_entries(clear) == {"a": Rank(2, 2), "b": Rank(1, 1)}


def test_with_one_seed_nobody_beats_anybody():
    assert set(rank_entries({"a": of(0.9), "b": of(0.1), "c": exact(0.5)}).values()) == {Rank(1, 3)}


def test_nobody_and_one():
    assert rank_entries({}) == {}
    assert compare_entries({"a": of(0.1)}) == ()
    assert rank_entries({"a": of(0.1)}) == {"a": Rank(1, 1)}


boards = st.dictionaries(
    st.sampled_from("abcdefg"), st.one_of(samples.map(lambda s: of(*s)), values.map(exact)), max_size=7
)


@given(boards)
def test_the_family_is_the_pairs_that_have_a_test(board):
    verdicts = compare_entries(board)
    assert len(verdicts) == math.comb(len(board), 2)
    tested = [verdict for verdict in verdicts if verdict.p is not None]
    np.testing.assert_array_equal([v.adjusted for v in tested], holm([v.p for v in tested]))
    for verdict in verdicts:
        a, b = board[verdict.first], board[verdict.second]
        assert (verdict.p is None) == (a.variance == b.variance == 0.0)
        if verdict.winner is not None:
            assert board[verdict.winner].score == max(a.score, b.score)
            assert verdict.adjusted is None or verdict.p <= verdict.adjusted < 0.05
            assert abs(verdict.difference) >= 0.005 - 1e-12


@given(boards, st.sampled_from("abcdefg"))
def test_another_entry_changes_no_difference_and_no_unadjusted_p(board, name):
    without = {entry: estimate for entry, estimate in board.items() if entry != name}
    kept = [verdict for verdict in compare_entries(board) if name not in verdict[:2]]
    assert [v[:4] for v in kept] == [v[:4] for v in compare_entries(without)]


@given(boards, st.randoms(use_true_random=False))
def test_the_order_of_entries_changes_nothing(board, random):
    names = list(board)
    random.shuffle(names)
    assert rank_entries({name: board[name] for name in names}) == rank_entries(board)


@given(boards)
def test_places_are_those_that_verdicts_leave(board):
    ranks, winners = rank_entries(board), [v.winner for v in compare_entries(board)]
    for name, rank in ranks.items():
        beaten = sum(v.winner not in {None, name} for v in compare_entries(board) if name in v[:2])
        assert rank == Rank(1 + beaten, len(board) - winners.count(name))
    if board:
        best = max(board, key=lambda name: board[name].score)
        assert ranks[best].best == 1


def all_tasks(name, *scores):
    return [{name: of(score, score + 0.01, score - 0.01)} for score in scores]


def board_of(*entries):
    return [{name: e for entry in entries for name, e in entry[k].items()} for k in range(3)]


def test_an_entry_with_one_task_of_three_has_no_overall_rank():
    """One task, where nothing but a free look-up is done, and six entries that enter all three."""
    alone = [{"one-task": exact(1.0)}, {}, {}]
    others = [all_tasks(f"all-{c}", 0.6, 0.6, 0.6) for c in "abcdef"]
    board = stand_over_tasks(board_of(alone, *others))
    assert board.by_task[0]["one-task"] == Rank(1, 1)
    assert "one-task" not in board.by_task[1]
    assert "one-task" not in board.overall
    assert "one-task" not in board.ranks
    assert set(board.ranks.values()) == {Rank(1, 6)}
    assert board.overall["all-a"].score == pytest.approx(0.6)
    assert board.overall["all-a"].df == pytest.approx(6.0)  # three variances of two degrees each


def test_over_all_tasks_a_lead_on_each_adds_up():
    """On no task are they told apart; over three they are."""
    leads = [{"a": of(0.52, 0.56, 0.54), "b": of(0.48, 0.52, 0.50)}] * 3
    shy = [{"a": of(0.52, 0.56, 0.54), "b": of(0.50, 0.54, 0.52)}] * 3
    board = stand_over_tasks(leads)
    assert board.by_task == ({"a": Rank(1, 2), "b": Rank(1, 2)},) * 3
    assert board.ranks == {"a": Rank(1, 1), "b": Rank(2, 2)}
    assert set(stand_over_tasks(shy).ranks.values()) == {Rank(1, 2)}


def test_another_class_has_no_places_and_moves_none():
    own, told = all_tasks("own", 0.3, 0.3, 0.3), all_tasks("told", 0.9, 0.9, 0.9)
    board = stand_over_tasks(board_of(own, told), unranked={"told"})
    assert board == stand_over_tasks(board_of(own))
    assert board.ranks == {"own": Rank(1, 1)}
    assert all("told" not in task for task in board.by_task)


def test_without_tasks_there_is_nothing_to_stand_on():
    assert stand_over_tasks([]) == ((), {}, {})


@given(st.lists(boards, min_size=1, max_size=3), st.sampled_from("abcdefg"))
def test_another_entry_changes_no_score_over_all_tasks(tasks, name):
    board = stand_over_tasks(tasks)
    alone = stand_over_tasks([{e: s for e, s in task.items() if e != name} for task in tasks])
    assert {e: s for e, s in board.overall.items() if e != name} == alone.overall
    assert board.overall.keys() == board.ranks.keys() == set.intersection(*map(set, tasks))
