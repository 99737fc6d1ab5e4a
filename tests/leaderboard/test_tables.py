"""Tables that strangers' names cannot break, and that agree with one another."""

import csv as csv_reader
import html
import re
from dataclasses import replace
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparsebench.leaderboard import Board, BoardTask, Entry, Point, TaskScore, csv, markdown, terminal
from sparsebench.leaderboard.escape import for_csv, for_markdown, for_terminal
from sparsebench.scoring import Rank

TASKS = (
    BoardTask(ref="memorization@1", hash="sha256:abcdef0123456789", log2_ops_low=4, log2_ops_high=12),
    BoardTask(ref="other@1", hash="f" * 16, log2_ops_low=0, log2_ops_high=10),
)
HOSTILE = '=cmd|"/c calc"|<script>alert(1)</script>\n| x | \x1b[31m \u202e [l](http://e.vil) `c` www.e.vil'


def board(name="tree", variant="default", title="A tree", notes=("needs more seeds (fewer than 5): tree",)):
    point = Point(
        variant=variant,
        ops=1024.0,
        ops_router_free=2.5,
        log2_ops_mean=10.0,
        quality_mean=0.123456789,
        error_mean=0.5,
        n_cells=4,
        n_failed=1,
        n_missing=1,
        statuses=(("ok", 2), ("timeout", 1)),
    )
    bare = Point(
        variant="zero",
        ops=None,
        ops_router_free=None,
        log2_ops_mean=12.0,
        quality_mean=0.0,
        error_mean=None,
        n_cells=1,
        n_failed=1,
        n_missing=0,
        statuses=(("failed", 1),),
    )
    score = TaskScore(
        task="memorization@1",
        score=0.5,
        low=-0.25,
        high=1.25,
        instances=("i",),
        seeds=5,
        points=(bare, point),
    )
    single = TaskScore(
        task="other@1", score=1 / 3, low=None, high=None, instances=("i",), seeds=1, points=(point,)
    )
    entries = (
        Entry(submission=name, title=title, score=5 / 12, rank=Rank(1, 2), tasks=(score, single)),
        Entry(submission="plain", title=None, score=0.25, rank=Rank(2, 2), tasks=(score, None)),
    )
    return Board(tasks=TASKS, entries=entries, scoring_version=1, cost_model=1, notes=notes)


EMPTY = Board(tasks=TASKS, entries=(), scoring_version=None, cost_model=None, notes=())


def cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


def table_lines(text):
    return [line for line in text.splitlines() if line.startswith("|")]


def test_markdown_shows_scores_intervals_ranks_and_both_prices():
    text = markdown(board())
    first, rule, tree, plain, *variants = map(cells, table_lines(text))
    assert first == ["rank", "submission", "mean", "memorization@1", "other@1", "seeds"]
    assert set("".join(rule)) == {"-", ":"}
    assert tree == [
        "1-2",
        "tree - A tree",
        "0.417",
        "0.500 (-0.250 to 1.250)",
        "0.333 (n/a)",
        "1, needs more seeds",
    ]
    assert plain == ["2", "plain", "0.250", "0.500 (-0.250 to 1.250)", "-", "5"]
    assert variants[0][3:5] == ["ops", "ops (router-free)"]
    assert variants[2] == [
        "tree", "default", "memorization@1", "1,024", "2.5", "0.123", "0.5", "2 ok, 1 timeout, 1 missing",
    ]  # fmt: skip
    assert variants[3] == ["tree", "zero", "memorization@1", "-", "-", "0.000", "-", "1 failed"]
    assert "'-' means no rows on that task, which counts 0" in text
    assert "- needs more seeds" in text
    assert "Scoring version 1, cost model 1, tasks memorization@1 (abcdef012345), other@1" in text


def test_terminal_shows_the_same_cells():
    text = terminal(board())
    for cell in (
        "tree - A tree",
        "0.500 (-0.250 to 1.250)",
        "0.333 (n/a)",
        "1,024",
        "2 ok, 1 timeout, 1 missing",
    ):
        assert cell in text
    assert "note: needs more seeds" in text


def told_of_tags():
    """Give a board whose first entry uses tags and has a router."""
    plain = board()
    tree, other = plain.entries
    points = tuple(replace(point, nmi=0.75) if point.ops else point for point in tree.tasks[0].points)
    score = replace(tree.tasks[0], points=points)
    return replace(plain, entries=(replace(tree, tasks=(score, None), uses_tags=True), other))


def test_entries_that_use_tags_are_marked_and_the_mark_is_explained():
    first, _, tree, plain, *variants = map(cells, table_lines(markdown(told_of_tags())))
    assert first == ["rank", "submission", "tags", "mean", "memorization@1", "other@1", "seeds"]
    assert (tree[2], plain[2]) == ("yes", "-")
    assert variants[0][:5] == ["submission", "variant", "tags", "task", "ops"]
    assert [line[2] for line in variants[2:]] == ["yes", "yes", "-", "-"]
    for text in (markdown(told_of_tags()), terminal(told_of_tags())):
        assert "Tags: the entries with 'yes' are told the domain" in text
    for text in (markdown(board()), terminal(board())):
        assert "tags" not in text.lower()


def test_routing_is_shown_where_a_row_tells_of_it():
    *_, heads, _, first, zero, other, _ = map(cells, table_lines(markdown(told_of_tags())))
    place = heads.index("nmi")
    assert heads[place - 1 :] == ["error", "nmi", "cells"]
    assert (first[place], zero[place], other[place]) == ("0.750", "-", "-")
    for text in (markdown(told_of_tags()), terminal(told_of_tags())):
        assert "nmi: mutual information of an input's expert" in text
    for text in (markdown(board()), terminal(board())):
        assert "nmi" not in text


def test_sheets_always_say_who_uses_tags():
    for made, told, nmi in ((told_of_tags(), "True", "0.75"), (board(), "False", "")):
        sheets = csv(made)
        scores, points = (list(csv_reader.DictReader(StringIO(sheet))) for sheet in sheets)
        assert [line["uses_tags"] for line in scores] == [told, told, "False", "False"]
        assert {line["uses_tags"] for line in points if line["submission"] == "tree"} == {told}
        assert points[1]["nmi"] == nmi


def test_an_empty_board_says_so():
    assert "No rows yet." in markdown(EMPTY)
    assert "No rows yet." in terminal(EMPTY)
    assert csv(EMPTY).scores.count("\n") == csv(EMPTY).points.count("\n") == 1


def test_markdown_of_hostile_names_keeps_its_shape_and_is_inert():
    text = markdown(board(HOSTILE, HOSTILE, HOSTILE, (HOSTILE,)))
    assert all(len(cells(line)) in {6, 8} for line in table_lines(text))
    assert len(table_lines(text)) == len(table_lines(markdown(board())))
    for bad in ("<script", "\x1b", "\u202e", "[l]", "`c`", "http://", "www.e", "\n| x"):
        assert bad not in text


def test_terminal_of_hostile_names_has_no_control_characters():
    text = terminal(board(HOSTILE, HOSTILE, HOSTILE, (HOSTILE,)))
    assert not {c for c in text if not c.isprintable()} - {"\n"}
    assert len(text.splitlines()) == len(terminal(board()).splitlines())


def test_csv_of_hostile_names_is_no_formula():
    sheets = csv(board(HOSTILE, "@sum", "+1", ()))
    for sheet in sheets:
        for line in csv_reader.reader(StringIO(sheet)):
            assert not [cell for cell in line if cell.startswith(("=", "+", "@"))]
    (line,) = [
        line for line in csv_reader.DictReader(StringIO(sheets.scores)) if line["score"] == repr(1 / 3)
    ]
    assert line["submission"].startswith("'=cmd|")
    assert line["title"] == "'+1"


def test_csv_numbers_keep_all_digits_and_missing_is_empty():
    sheets = csv(board())
    scores = list(csv_reader.DictReader(StringIO(sheets.scores)))
    assert [(line["submission"], line["task"]) for line in scores] == [
        ("tree", "memorization@1"), ("tree", "other@1"), ("plain", "memorization@1"), ("plain", "other@1"),
    ]  # fmt: skip
    assert float(scores[1]["score"]) == 1 / 3
    assert float(scores[0]["low"]) == -0.25
    assert (scores[1]["low"], scores[3]["score"], scores[3]["title"]) == ("", "", "")
    points = list(csv_reader.DictReader(StringIO(sheets.points)))
    assert len(points) == 5
    assert float(points[1]["quality_mean"]) == 0.123456789
    assert (points[1]["ops"], points[1]["ops_router_free"], points[1]["statuses"]) == (
        "1024.0",
        "2.5",
        "ok:2 timeout:1",
    )
    assert (points[0]["ops"], points[0]["n_missing"]) == ("", "0")


@given(st.text(max_size=200))
def test_escaped_text_is_one_bounded_line(text):
    line = for_terminal(text)
    assert len(line) <= 120
    assert line.isprintable()
    assert line == line.strip()


@given(st.text(max_size=80))
def test_markdown_text_reads_as_it_was_and_holds_nothing_special(text):
    escaped = for_markdown(text)
    assert html.unescape(escaped) == for_terminal(text)
    bare = re.sub(r"&#\d+;", "", escaped)
    assert not set(bare) & set("|<>`*_[]\\&#!~$")
    assert "://" not in bare


@given(st.text(max_size=80))
def test_csv_text_never_begins_a_formula(text):
    assert not for_csv(text).startswith(("=", "+", "-", "@", "\t", "\r"))


@pytest.mark.parametrize("name", ["conditional-tree", "dsm-topk 25%", "memorization@1"])
def test_ordinary_names_stay_readable(name):
    assert for_markdown(name) == for_terminal(name) == for_csv(name) == name
