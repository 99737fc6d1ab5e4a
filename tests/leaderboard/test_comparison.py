"""Two entries side by side: mirrored, the board's own verdicts and ratios, and words that say what is so."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leaderboard.test_board import LIP, MEMO, made, seeded
from leaderboard.test_tables import HOSTILE
from sparsebench.errors import NotFoundError, UsageError
from sparsebench.leaderboard import build_board
from sparsebench.leaderboard.comparison import compare, comparison_document
from sparsebench.leaderboard.comparison_text import comparison_text

COSTS = st.sampled_from([2.0**5, 2.0**7, 2.0**9, 2.0**11])
SEEDS = 3


@st.composite
def rows(draw):
    """Draw rows of three entries on two tasks, with several variants and failing cells."""
    drawn = []
    for name in ("a", "b", "c"):
        for task in (MEMO, LIP):
            for variant in ("v", "w")[: draw(st.integers(1, 2))]:
                same = {"variant": variant, "ops": draw(COSTS), "task": task}
                for instance in ("i", "j"):
                    values = draw(st.lists(st.none() | st.floats(0, 1), min_size=SEEDS, max_size=SEEDS))
                    drawn += seeded(name, values, instance=instance, **same)
    return drawn


def text(comparison):
    return " ".join(comparison_text(comparison).split())


@settings(max_examples=40)
@given(rows())
def test_the_other_way_round_it_is_mirrored(drawn):
    board = build_board(drawn, [MEMO, LIP])
    one, other = compare(board, "a", "b"), compare(board, "b", "a")
    assert (one.first, one.second, one.only_first) == (other.second, other.first, other.only_second)
    for mine, theirs in zip(one.tasks, other.tasks, strict=True):
        assert (mine.first, mine.second) == (theirs.second, theirs.first)
        assert (mine.task, mine.verdict) == (theirs.task, theirs.verdict)
        assert mine.difference == -theirs.difference
        assert mine.ahead == tuple(
            tuple(replace(lead, first=lead.second, second=lead.first) for lead in leads)
            for leads in theirs.ahead[::-1]
        )
        for ratio, inverse in zip(mine.ratios, theirs.ratios, strict=True):
            assert (ratio.quality, ratio.instances) == (inverse.quality, inverse.instances)
            for end, back in (
                (ratio.times, inverse.times),
                (ratio.low, inverse.high),
                (ratio.high, inverse.low),
            ):
                assert end is None if back is None else end == pytest.approx(1 / back)


@settings(max_examples=40)
@given(rows())
def test_scores_verdicts_and_ratios_are_the_boards_own(drawn):
    board = build_board(drawn, [MEMO, LIP], references={MEMO.ref: "b", LIP.ref: "b"})
    by_name = {entry.submission: entry for entry in board.entries}
    for first, second in (("a", "b"), ("b", "c"), ("c", "a")):
        for number, task in enumerate(compare(board, first, second).tasks):
            own, theirs = (by_name[name].tasks[number] for name in (first, second))
            assert (task.first.score, task.first.low, task.first.high) == (own.score, own.low, own.high)
            assert (task.second.router_share, task.second.tail) == (theirs.router_share, theirs.tail)
            (pair,) = (pair for pair in board.pairs[number] if {pair.first, pair.second} == {first, second})
            assert (task.verdict.p, task.verdict.adjusted, task.verdict.winner) == (
                pair.p,
                pair.adjusted,
                pair.winner,
            )
            sign, ahead = (1, (0, 1)) if pair.first == first else (-1, (1, 0))
            assert task.difference == sign * pair.difference
            assert [len(task.ahead[k]) for k in ahead] == [pair.better, pair.worse]
            if first == "b":  # the reference's operations over those of the second
                assert task.ratios == theirs.ratios
    referred = build_board(drawn, [MEMO], references={MEMO.ref: "a"})
    (again,) = (entry for entry in referred.entries if entry.submission == "c")
    assert compare(board, "a", "c").tasks[0].ratios == again.tasks[0].ratios


def test_a_comparison_in_words():
    rows = [
        *seeded("a", [0.75, 0.75], ops=2.0**8, ops_router=2.0**7, ops_p95=2.0**9),
        *seeded("a", [0.5, 0.5], ops=2.0**8, ops_router=2.0**7, ops_p95=2.0**9, instance="j"),
        *seeded("b", [0.75, 0.75], ops=2.0**10),
        *seeded("b", [0.75, 0.75], ops=2.0**10, instance="j"),
        *seeded("b", [0.75, 0.75], task=LIP),
    ]
    said = comparison_text(compare(build_board(rows, [MEMO, LIP], seeds=2), "a", "b"))
    assert (
        said
        == """\
a and b on 1 task that both enter, with 2 seeds.

memorization@1
  Score: a 0.312 (exact), place 1; b 0.188 (exact), place 2.
  a beats b by 0.125 (both scores are exact).
  Ahead: a on 2 of 2 instances, i (0.375 to 0.188), j (0.250 to 0.188); b on 0 of 2 instances.
  Quality 0.5: a takes 4.00 times fewer operations than b, on 2 of 2 instances.
  Quality 0.7: a takes 4.00 times fewer operations than b, on 1 of 2 instances.
  Quality 0.9: there is no instance on which both reach it.
  Router: a 50 %, b not known of the operations.
  Dear inputs, at the 95th percentile, over the mean: a 2.00, b not known.
  Memory of the largest model: a 1000 B, b 1000 B.

Not said here: how they compare on other instances, which no interval covers; how they do with other
seeds than 0 to 1, further than the intervals go; what a quality costs on the instances where one of
them does not reach it; anything of lipschitz-regression@1, which only b enters.
"""
    )


def test_what_no_test_tells_apart_is_said():
    close = [*seeded("a", [0.7, 0.8, 0.75]), *seeded("b", [0.75, 0.7, 0.8])]
    said = text(compare(build_board(close, [MEMO]), "a", "b"))
    assert "Not told apart: they differ by 0.000 (Welch's p 1, after Holm's correction 1)." in said
    assert "that they are equal on memorization@1, where they are not told apart" in said
    assert "takes 1.00 (" in said or "takes 1.00 times the operations of b" in said
    assert "which is preliminary" in said
    one = text(compare(build_board([made("a"), made("b", quality=0.9)], [MEMO]), "b", "a"))
    assert "Not told apart: they differ by 0.200, and with one seed there is no test." in one
    assert "with other seeds than 0: there are no intervals" in one
    exact = text(compare(build_board(seeded("a", [0.7, 0.7]) + seeded("b", [0.7, 0.7]), [MEMO]), "b", "a"))
    assert "both scores are exact, and differ by less than 0.005" in exact
    small = [*seeded("a", [0.7, 0.7]), *seeded("b", [0.70401, 0.70402])]
    said = text(compare(build_board(small, [MEMO]), "b", "a"))
    assert "they differ by 0.002, less than the 0.005 that count (Welch's p" in said


def test_entries_that_are_told_the_domain_get_no_verdict():
    told = [*seeded("a", [0.7, 0.8], uses_tags=True), *seeded("b", [0.6, 0.6])]
    comparison = compare(build_board(told, [MEMO]), "b", "a")
    assert comparison.tasks[0].verdict is None
    assert "No verdict: a is told the domain" in text(comparison)
    assert "a 0.375 (0.057 to 0.693), without a place" in text(comparison)
    assert "that they are equal" not in text(comparison)
    both = compare(build_board([*told, *seeded("c", [0.5, 0.5], uses_tags=True)], [MEMO]), "c", "a")
    assert "No verdict: c and a are told the domain" in text(both)


def test_cells_that_failed_and_the_boards_notes_are_told():
    rows = [*seeded("a", [0.7, None]), *seeded("b", [0.6, 0.6]), made("b", seed=0, instance="j")]
    comparison = compare(build_board(rows, [MEMO], seeds=2), "a", "b")
    assert "Cells that failed: a 75.0 %, b 25.0 %." in text(comparison)
    assert comparison.notes == (
        "a: 2 cells without a row count as failed: run with --resume",
        "b: 1 cells without a row count as failed: run with --resume",
    )
    assert "note: a: 2 cells without a row" in text(comparison)


def test_the_dearer_one_is_named_second():
    rows = [*seeded("a", [0.75, 0.75], ops=2.0**10), *seeded("b", [0.75, 0.75], ops=2.0**8)]
    board = build_board(rows, [MEMO])
    assert compare(board, "a", "b").tasks[0].ratios[0].times == 4.0
    sentence = "b takes 4.00 times fewer operations than a, on 1 of 1 instances"
    assert sentence in text(compare(board, "a", "b"))
    assert sentence in text(compare(board, "b", "a"))


def test_names_of_strangers_are_shown_and_do_nothing():
    rows = [
        *seeded(HOSTILE, [0.7, 0.7], instance="i\x1b[31m"),
        *seeded("b", [0.6, 0.6], instance="i\x1b[31m"),
    ]
    said = comparison_text(compare(build_board(rows, [MEMO]), HOSTILE, "b"))
    assert {c for c in said if not c.isprintable()} == {"\n"}
    assert "calc" in said


@pytest.mark.parametrize(
    ("names", "what", "mend"),
    [
        (
            ("tree-one", "tre-two"),
            "no entry of this board is called 'tre-two'",
            "did you mean 'tree-two'? there are: ",
        ),
        (
            ("zzz", "tree-one"),
            "no entry of this board is called 'zzz'",
            "there are: other, tree-one, tree-two",
        ),
        (
            ("tree-one", "other"),
            "'tree-one' and 'other' enter no task of this board together",
            "tree-one enters memorization@1; other enters lipschitz-regression@1",
        ),
    ],
)
def test_names_that_cannot_be_compared_are_refused(names, what, mend):
    rows = [made("tree-one"), made("tree-two"), made("other", task=LIP)]
    with pytest.raises(NotFoundError) as caught:
        compare(build_board(rows, [MEMO, LIP]), *names)
    assert caught.value.what == what
    assert caught.value.help.startswith(mend)


def test_an_entry_is_not_compared_with_itself():
    with pytest.raises(UsageError, match="expected two entries, got 'a' twice"):
        compare(build_board([made("a")], [MEMO]), "a", "a")


def test_it_is_a_document():
    rows = [*seeded("a", [0.7, 0.8]), *seeded("b", [0.6, 0.6])]
    document = comparison_document(compare(build_board(rows, [MEMO]), "a", "b"))
    assert json.loads(json.dumps(document, allow_nan=False))["tasks"][0]["instances"] == [
        {"instance": "i", "first": pytest.approx(0.375), "second": pytest.approx(0.3)}
    ]
