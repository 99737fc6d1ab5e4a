"""Tables that strangers' names cannot break, and that agree with one another."""

import csv as csv_reader
import html
import json
import re
from dataclasses import replace
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparsebench.errors import UsageError
from sparsebench.leaderboard import (
    Board,
    BoardTask,
    Entry,
    Pair,
    Point,
    Ratio,
    TaskScore,
    csv,
    document,
    markdown,
    terminal,
)
from sparsebench.leaderboard.columns import COLUMNS, SORTS
from sparsebench.leaderboard.escape import for_csv, for_markdown, for_terminal
from sparsebench.leaderboard.sheets import AREA_COLUMNS, POINT_COLUMNS, SCORE_COLUMNS
from sparsebench.scoring import Rank

TASKS = (
    BoardTask(
        ref="memorization@1",
        hash="sha256:abcdef0123456789",
        log2_ops_low=4,
        log2_ops_high=12,
        instances=("i", "j"),
        reference="plain",
    ),
    BoardTask(ref="other@1", hash="f" * 16, log2_ops_low=0, log2_ops_high=10, instances=("k",)),
)
HOSTILE = '=cmd|"/c calc"|<script>alert(1)</script>\n| x | \x1b[31m \u202e [l](http://e.vil) `c` www.e.vil'


def ratio(quality, times, low=None, high=None, instances=2):
    return Ratio(quality=quality, times=times, low=low, high=high, instances=instances)


RATIOS = (ratio(0.5, 12.345, 10.0, 15.06), ratio(0.7, 0.25, None, 0.5, 1), ratio(0.9, None, instances=0))
SAME = tuple(ratio(quality, 1.0, 1.0, 1.0) for quality in (0.5, 0.7, 0.9))


def board(name="tree", variant="default", title="A tree", notes=("a note",)):
    point = Point(
        variant=variant,
        ops=1024.0,
        ops_router_free=2.5,
        quality_mean=0.123456789,
        error_mean=0.5,
        memory_bytes=3 << 19,
        n_cells=4,
        n_failed=1,
        n_missing=1,
        n_large=1,
        statuses=(("ok", 2), ("timeout", 1)),
    )
    bare = Point(
        variant="zero",
        ops=None,
        ops_router_free=None,
        quality_mean=0.0,
        error_mean=None,
        memory_bytes=None,
        n_cells=4,
        n_failed=1,
        n_missing=0,
        n_large=0,
        statuses=(("failed", 1),),
    )
    score = TaskScore(
        task="memorization@1",
        score=0.5,
        low=0.25,
        high=0.75,
        exact=False,
        plain=0.51,
        rank=Rank(1, 1),
        ahead=(1, 2),
        areas=(0.4, 0.62),
        values=(0.5, 0.5),
        ratios=RATIOS,
        router_share=0.257,
        tail=1.5,
        seeds=2,
        points=(bare, point),
    )
    single = TaskScore(
        task="other@1",
        score=1 / 3,
        low=None,
        high=None,
        exact=False,
        plain=1 / 3,
        rank=Rank(1, 2),
        ahead=None,
        areas=(1 / 3,),
        values=(1 / 3,),
        ratios=(),
        router_share=None,
        tail=None,
        seeds=1,
        points=(replace(point, n_failed=0, n_missing=0, n_large=0, statuses=(("ok", 4),)),),
    )
    second = replace(
        score, score=0.25, low=0.25, high=0.25, exact=True, rank=Rank(2, 2), ahead=None, ratios=SAME
    )
    entries = (
        Entry(
            submission=name,
            title=title,
            score=5 / 12,
            low=0.4,
            high=0.5,
            rank=Rank(1, 1),
            tasks=(score, single),
        ),
        Entry(submission="plain", title=None, tasks=(second, None)),
    )
    pair = Pair(
        first="plain", second=name, difference=-0.25, p=0.01, adjusted=0.01, winner=name, better=0, worse=1
    )
    return Board(
        tasks=TASKS,
        entries=entries,
        scoring_version=2,
        cost_model=2,
        notes=notes,
        seeds=2,
        pairs=((pair,), ()),
    )


EMPTY = Board(tasks=TASKS, entries=(), scoring_version=None, cost_model=None, notes=(), pairs=((), ()))


def cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


def table_lines(text):
    return [line for line in text.splitlines() if line.startswith("|")]


def tables(text):
    """Give the tables of Markdown, each as a list of lines of cells, the rule left out."""
    found = []
    for block in text.split("\n\n"):
        if block.startswith("|"):
            head, rule, *lines = map(cells, table_lines(block))
            assert set("".join(rule)) <= {"-", ":"}
            found.append([head, *lines])
    return found


def test_markdown_shows_a_table_a_task_and_one_of_all():
    text = markdown(board())
    memorization, other, overall, _ = tables(text)
    assert memorization == [
        ["rank", "submission", "score", "x fewer at .5", "x fewer at .7", "x fewer at .9", "router",
         "p95/mean", "failed", "ahead", "seeds"],
        ["1", "tree", "0.500 (0.250 to 0.750)", "12.3 (10.0 to 15.1) on 2/2", "0.250 (? to 0.500) on 1/2",
         "-",
         "26 %", "1.50", "37.5 % *", "1/2", "2"],
        ["2", "plain", "0.250 (exact)", *["1.00 on 2/2"] * 3, "26 %", "1.50", "37.5 % *", "-",
         "2"],
    ]  # fmt: skip
    assert other == [
        ["rank", "submission", "score", "router", "p95/mean", "failed", "ahead", "seeds"],
        ["1-2", "tree", "0.333 (one seed)", "-", "-", "0", "-", "1"],
    ]
    assert overall == [
        ["rank", "submission", "mean", "memorization@1", "other@1"],
        ["1", "tree", "0.417 (0.400 to 0.500)", "0.500", "0.333"],
    ]
    heading = "### memorization@1 (2 instances, preliminary, 2 of 5 seeds, reference plain)"
    assert heading in text
    assert "Told apart on memorization@1: 1 of 1 neighbouring pairs." in text
    assert "- tree: A tree" in text
    assert "- a note" in text
    assert "Scoring version 2, cost model 2, tasks memorization@1 (abcdef012345), other@1" in text


def test_variants_are_shown_task_by_task():
    *_, (head, *lines) = tables(markdown(board()))
    assert head == [
        "task", "submission", "variant", "ops", "ops (router-free)", "quality", "error", "memory", "cells",
    ]  # fmt: skip
    assert [line[:3] for line in lines] == [
        ["memorization@1", "tree", "default"],
        ["memorization@1", "tree", "zero"],
        ["memorization@1", "plain", "default"],
        ["memorization@1", "plain", "zero"],
        ["other@1", "tree", "default"],
    ]
    assert lines[0][3:] == [
        "1,024", "2.5", "0.123", "0.5", "1.5 MiB", "2 ok, 1 timeout, 1 missing, 1 too large",
    ]  # fmt: skip
    assert lines[1][3:] == ["-", "-", "0.000", "-", "-", "1 failed"]


def test_terminal_shows_the_same_cells():
    text = terminal(board())
    for table in tables(markdown(board())):
        for line in table:
            assert all(cell in text for cell in line)
    assert "note: a note" in text
    assert "left out" not in text


@pytest.mark.parametrize("width", [200, 120, 100, 80, 60, 40])
def test_in_a_narrow_terminal_columns_are_left_out_and_values_never(width):
    text = terminal(board(), width=width)
    whole = terminal(board())
    (line,) = (line for line in text.splitlines() if "0.500 (0.250 to 0.750)" in line)
    assert len(line) <= max(width, 44)  # place, name and score are kept, however narrow it is
    for column in COLUMNS:
        told = f"left out for want of width: {column.head}" in text or f", {column.head}" in text
        assert (column.head in text.splitlines()[2]) is not told
    for cell in re.split("  +", line.strip()):
        assert cell in whole


def test_left_out_columns_are_named_in_one_order():
    """The narrower the terminal, the more is left out."""
    gone = []
    for width in range(160, 40, -5):
        found = re.search(r"left out for want of width: (.*); --json", terminal(board(), width=width))
        names = found[1].split(", ") if found else []
        assert names[: len(gone)] == gone or set(gone) <= set(names)
        gone = names
    assert "rank" not in gone


@pytest.mark.parametrize("sort", sorted(SORTS))
def test_tables_can_be_sorted(sort):
    lines = tables(markdown(board(), sort=sort))[0][1:]
    assert lines[0][1] == ("tree" if sort in {"score", "x.5"} else "plain")


def test_an_order_that_is_none_is_refused():
    with pytest.raises(UsageError, match="expected --sort score"):
        terminal(board(), sort="luck")


def test_areas_of_each_instance_can_be_shown():
    memorization, other, *_ = tables(markdown(board(), by="instance"))
    assert memorization == [
        ["rank", "submission", "mean", "i", "j"],
        ["1", "tree", "0.510", "0.400", "0.620"],
        ["2", "plain", "0.510", "0.400", "0.620"],
    ]
    assert other == [["rank", "submission", "mean", "k"], ["1-2", "tree", "0.333", "0.333"]]


def test_another_profile_is_named():
    text = terminal(replace(board(), profile="macs"))
    assert "by profile macs (multiply-accumulates per input), which is not the standard one" in text


def test_of_one_task_there_is_no_table_of_all():
    one = replace(board(), tasks=TASKS[:1], pairs=board().pairs[:1])
    one = replace(one, entries=tuple(replace(entry, tasks=entry.tasks[:1]) for entry in one.entries))
    assert "All tasks" not in markdown(one) + terminal(one)


def test_where_nobody_enters_every_task_that_is_said():
    few = replace(board(), entries=board().entries[1:], pairs=((), ()))
    for text in (markdown(few), terminal(few)):
        assert "No entry enters every task: there is no mean." in text
        assert "All tasks" not in text


def told_of_tags():
    """Give a board whose first entry uses tags and has a router."""
    plain = board()
    tree, other = plain.entries
    points = tuple(replace(point, nmi=0.75) if point.ops else point for point in tree.tasks[0].points)
    score = replace(tree.tasks[0], points=points, rank=None)
    tree = replace(tree, tasks=(score, None), uses_tags=True, score=None, rank=None)
    return replace(plain, entries=(tree, other), pairs=((), ()))


def test_entries_that_use_tags_stand_below_without_a_rank():
    (_, plain, tree), *_ = tables(markdown(told_of_tags()))
    assert [plain[:2], tree[:2]] == [["2", "plain"], ["-", "tree"]]
    for text in (markdown(told_of_tags()), terminal(told_of_tags())):
        assert "are told the domain of every input" in " ".join(text.split())
    for text in (markdown(board()), terminal(board())):
        assert "are told the domain" not in " ".join(text.split())


def test_routing_is_shown_where_a_row_tells_of_it():
    *_, (heads, _, _, first, zero) = tables(markdown(told_of_tags()))
    place = heads.index("nmi")
    assert heads[place - 1 :] == ["error", "nmi", "memory", "cells"]
    assert (first[place], zero[place]) == ("0.750", "-")
    for text in (markdown(told_of_tags()), terminal(told_of_tags())):
        assert "nmi: mutual information of an input's expert" in text
    for text in (markdown(board()), terminal(board())):
        assert "nmi" not in text


def read(sheet):
    return list(csv_reader.DictReader(StringIO(sheet)))


def test_sheets_always_say_who_uses_tags():
    for made, told, nmi in ((told_of_tags(), "True", "0.75"), (board(), "False", "")):
        for sheet in csv(made):
            assert {line["uses_tags"] for line in read(sheet) if line["submission"] == "tree"} == {told}
            assert {line["uses_tags"] for line in read(sheet) if line["submission"] == "plain"} == {"False"}
        (line,) = (
            line
            for line in read(csv(made).points)
            if (line["submission"], line["task"], line["variant"]) == ("tree", "memorization@1", "default")
        )
        assert line["nmi"] == nmi


def test_an_empty_board_says_so():
    assert "No rows yet." in markdown(EMPTY)
    assert "No rows yet." in terminal(EMPTY)
    assert [sheet.count("\n") for sheet in csv(EMPTY)] == [1, 1, 1]
    assert document(EMPTY)["scores"] == []


def test_markdown_of_hostile_names_keeps_its_shape_and_is_inert():
    text = markdown(board(HOSTILE, HOSTILE, HOSTILE, (HOSTILE,)))
    assert [[len(line) for line in table] for table in tables(text)] == [
        [len(line) for line in table] for table in tables(markdown(board()))
    ]
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
    (line,) = [line for line in read(sheets.scores) if line["score"] == repr(1 / 3)]
    assert line["submission"].startswith("'=cmd|")
    assert line["title"] == "'+1"


def test_csv_numbers_keep_all_digits_and_missing_is_empty():
    sheets = csv(board())
    scores = read(sheets.scores)
    assert [(line["submission"], line["task"]) for line in scores] == [
        ("tree", "memorization@1"), ("plain", "memorization@1"), ("tree", "other@1"),
    ]  # fmt: skip
    assert float(scores[2]["score"]) == 1 / 3
    assert float(scores[0]["fewer_at_50"]) == 12.345
    assert (scores[0]["fewer_at_70_low"], scores[0]["fewer_at_90"], scores[2]["fewer_at_50"]) == ("", "", "")
    assert (scores[2]["low"], scores[1]["title"], scores[1]["overall_score"]) == ("", "", "")
    points = read(sheets.points)
    assert len(points) == 5
    assert float(points[1]["quality_mean"]) == 0.123456789
    assert (points[1]["ops"], points[1]["ops_router_free"], points[1]["statuses"]) == (
        "1024.0",
        "2.5",
        "ok:2 timeout:1",
    )
    assert (points[0]["ops"], points[0]["n_missing"]) == ("", "0")
    areas = read(sheets.areas)
    assert [(line["submission"], line["instance"], line["area"]) for line in areas[:2]] == [
        ("tree", "i", "0.4"),
        ("tree", "j", "0.62"),
    ]


def test_json_and_sheets_hold_the_same():
    whole = document(board())
    json.dumps(whole, allow_nan=False)
    sheets = zip(csv(board()), ("scores", "points", "areas"), strict=True)
    columns = (SCORE_COLUMNS, POINT_COLUMNS, AREA_COLUMNS)
    for (sheet, name), heads in zip(sheets, columns, strict=True):
        assert [list(record) for record in whole[name]] == [list(heads)] * len(whole[name])
        as_text = [["" if v is None else str(v) for v in record.values()] for record in whole[name]]
        assert [list(line.values()) for line in read(sheet)] == as_text
    assert (whole["seeds"], whole["preliminary"], whole["profile"]) == (2, True, "ops")
    assert whole["tasks"][0]["pairs"][0]["winner"] == "tree"


def test_a_price_list_has_a_column_beside_ops():
    priced = replace(board(), prices="mine")
    heads = next(csv_reader.reader(StringIO(csv(priced).points)))
    assert heads[heads.index("ops") + 1] == "mine"
    assert tables(markdown(priced))[-1][0][3:5] == ["ops", "mine"]


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
