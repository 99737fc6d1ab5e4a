"""All formats of a board show the same figures, to the digits that each prints, and none runs a name."""

from __future__ import annotations

import csv as csv_reader
import html
import math
import re
import unicodedata
from dataclasses import replace
from decimal import Decimal
from io import BytesIO, StringIO
from typing import Any, NamedTuple

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.html_read import page_tables
from leaderboard.latex_read import latex_tables, read_latex
from leaderboard.test_tables import EMPTY, HOSTILE, board, read, tables, told_of_tags
from sparsebench.leaderboard import csv, document, markdown, terminal
from sparsebench.leaderboard.escape import for_csv, for_latex, for_markdown, for_terminal
from sparsebench.leaderboard.frozen import read_frozen
from sparsebench.leaderboard.latex import latex
from sparsebench.leaderboard.page import render_page
from sparsebench.leaderboard.page.markup import LONGEST
from sparsebench.leaderboard.parquet import parquet
from sparsebench.leaderboard.sheets import sheets_of
from sparsebench.leaderboard.standard import Choice, board_of, tasks_of
from sparsebench.results import ResultStore

QUALITIES = {".5": "fewer_at_50", ".7": "fewer_at_70", ".9": "fewer_at_90"}


class Shown(NamedTuple):
    """What a format shows of an entry on a task, as text."""

    task: int
    rank: str
    submission: str
    score: str
    ratios: dict[str, str]
    router: str


def of_tables(found: list[list[list[str]]], number: int, unescape: Any = str) -> list[Shown]:
    """Read the first tables of a text, one for each task."""
    shown = []
    for task, (head, *lines) in enumerate(found[:number]):
        for line in lines:
            cell = dict(zip(head, line, strict=True))
            ratios = {q: cell[f"x fewer at {q}"] for q in QUALITIES if f"x fewer at {q}" in cell}
            name = unescape(cell["submission"])
            shown.append(Shown(task, cell["rank"], name, cell["score"], ratios, cell["router"]))
    return shown


def of_terminal(text: str, number: int) -> list[Shown]:
    """Read the tables of a terminal: there are two spaces or more between cells, and one within."""
    found = []
    for block in text.split("\n\n"):
        head, *rest = block.splitlines() or [""]
        if rest and set(rest[0]) == {"-", " "}:
            found.append([re.split("  +", line.strip()) for line in [head, *rest[1:]]])
    return of_tables(found, number)


def of_latex(text: str, number: int) -> list[Shown]:
    shown = []
    for task, (head, *lines) in enumerate(latex_tables(text)[:number]):
        for line in lines:
            cell = dict(zip(head, line, strict=True))
            ratios = {q: text for name, text in cell.items() if "times" in name for q in [name[-2:]]}
            name = read_latex(cell["submission"])
            score = cell["score"].replace("$<$", "<")
            router = cell[r"router (\%)"]
            router = "-" if router == "--" else f"{router} %"
            dashes = {q: text.replace("--", "-") for q, text in ratios.items()}
            shown.append(Shown(task, cell["rank"].replace("--", "-"), name, score, dashes, router))
    return shown


def agrees(shown: str, value: float) -> bool:
    """Return whether a number is another one, rounded to its last digit."""
    number = Decimal(shown.replace(",", ""))
    unit = Decimal(1).scaleb(int(number.as_tuple().exponent))
    return abs(number - Decimal(value)) <= unit / 2 * (1 + Decimal("1e-9"))


def check_score(shown: str, record: dict[str, Any], least: float = 0.0005) -> None:
    number, _, rest = shown.partition(" ")
    low, high = record["low"], record["high"]
    assert agrees(number, record["score"])
    if rest in {"(exact)", "(one seed)"}:
        assert rest == ("(exact)" if record["exact"] else "(one seed)")
        assert record["exact"] or low is None
    elif found := re.fullmatch(r"\((\S+) to (\S+)\)", rest):
        assert agrees(found[1], low)
        assert agrees(found[2], high)
    else:
        half = max(record["score"] - low, high - record["score"])
        width = rest.removeprefix(r"$\pm$ ")
        assert half < least if width == "<0.001" else agrees(width, half)


def check_ratio(shown: str, record: dict[str, Any], name: str) -> None:
    times, low, high = (record[f"{name}{part}"] for part in ("", "_low", "_high"))
    if shown == "-":
        assert times is None
        return
    found = re.fullmatch(r"(\S+)(?: \((\S+) to (\S+)\))? on (\d+)/(\d+)", shown)
    assert found, shown
    assert agrees(found[1], times)
    assert (int(found[4]), int(found[5])) == (record[f"{name}_instances"], record["instances"])
    for end, value in ((found[2], low), (found[3], high)):
        if end is None:
            assert low == high == None or agrees(found[1], value)  # noqa: E711 - all three
        else:
            assert value is None if end == "?" else agrees(end, value)


def check(shown: list[Shown], records: list[dict[str, Any]], escape: Any) -> None:
    assert len(shown) == len(records)
    for line, record in zip(shown, records, strict=True):
        best, worst = record["rank_best"], record["rank_worst"]
        places = "-" if best is None else str(best) if best == worst else f"{best}-{worst}"
        assert (line.rank, line.submission) == (places, escape(record["submission"]))
        check_score(line.score, record)
        for quality, text in line.ratios.items():
            check_ratio(text, record, QUALITIES[quality])
        share = record["router_share"]
        if share is None:
            assert line.router == "-"
        else:
            assert agrees(line.router.removesuffix(" %"), 100 * share)


def same_text(value: Any) -> str:
    return "" if value is None else for_csv(value) if isinstance(value, str) else str(value)


def check_all(made: Any) -> None:
    """Read a board back from each format, and compare it with its records."""
    records: list[dict[str, Any]] = document(made)["scores"]
    for sheet, text, file in zip(sheets_of(made), csv(made), parquet(made), strict=True):
        table = pq.read_table(BytesIO(file))
        assert table.column_names == list(sheet.columns)
        assert table.to_pylist() == sheet.records
        lines = [list(line.values()) for line in read(text)]
        assert lines == [[same_text(value) for value in record.values()] for record in sheet.records]
    number = len(made.tasks)
    text, plain, tex = markdown(made), terminal(made), latex(made)
    check(of_tables(tables(text), number, html.unescape), records, for_terminal)
    check(of_terminal(plain, number), records, for_terminal)
    check(of_latex(tex, number), records, for_terminal)
    page = page_tables(render_page(made, made, ()))
    check(of_tables(page, number), records, on_page)
    if number > 1 and any(record["overall_score"] is not None for record in records):
        of_tex = [[cell.replace("$<$", "<") for cell in line] for line in latex_tables(tex)[number]]
        check_overall(tables(text)[number], made, records, html.unescape)
        check_overall(of_tex, made, records, read_latex)
        check_overall(page[number], made, records, str, on_page)


def on_page(name: str) -> str:
    """Give a name as the page has it, which has room for longer ones."""
    return for_terminal(name, LONGEST)


def check_overall(
    table: list[list[str]],
    made: Any,
    records: list[dict[str, Any]],
    unescape: Any,
    escape: Any = for_terminal,
) -> None:
    """Compare a table of all tasks with the columns of the sheet of scores that say the same."""
    of_all = {each["submission"]: each for each in records if each["overall_score"] is not None}
    by_score = sorted(of_all.values(), key=lambda each: (-each["overall_score"], each["submission"]))
    assert len(table) == len(by_score) + 1
    for (rank, name, mean, *parts), record in zip(table[1:], by_score, strict=True):
        best, worst = record["overall_rank_best"], record["overall_rank_worst"]
        assert rank.replace("--", "-") == (str(best) if best == worst else f"{best}-{worst}")
        assert unescape(name) == escape(record["submission"])
        figures = {end: record[f"overall_{end}"] for end in ("score", "low", "high")}
        exact = figures["low"] is not None and figures["low"] == figures["high"]
        check_score(mean, figures | {"exact": exact})
        for part, task in zip(parts, made.tasks, strict=True):
            (own,) = (
                each["score"]
                for each in records
                if (each["submission"], each["task"]) == (record["submission"], task.ref)
            )
            assert agrees(part, own)


@pytest.mark.parametrize("made", [board(), told_of_tags(), EMPTY, board(HOSTILE, HOSTILE, HOSTILE)])
def test_all_formats_show_the_same_figures(made):
    check_all(made)


def test_all_formats_of_the_published_board_show_the_same_figures(published):
    rows = ResultStore(published / "results").rows()
    choice = Choice(frozen=read_frozen(published / "board.toml"), titled=True)
    made = board_of(rows, tasks_of(rows, (), choice), choice)
    assert len(made.entries) > 5
    check_all(made)


@given(st.floats(0, 1), st.floats(0, 0.5), st.floats(1e-6, 1e6), st.floats(0, 1))
def test_all_formats_round_alike(score, half, times, share):
    made = board()
    first, *rest = made.entries
    low, high = max(0.0, score - half), min(1.0, score + half)
    ratio = first.tasks[0].ratios[1]
    changed = replace(
        first.tasks[0],
        score=score,
        low=low,
        high=high,
        router_share=share,
        ratios=tuple(
            replace(ratio, quality=q, times=times, low=times / 2, high=None) for q in (0.5, 0.7, 0.9)
        ),
    )
    made = replace(made, entries=(replace(first, tasks=(changed, first.tasks[1])), *rest))
    order = [score for number in range(2) for _, score in made.ranked(number)]
    assert len(order) == 3
    check_all(made)


PIECES = [
    *(
        "=cmd()",
        "\N{FULLWIDTH EQUALS SIGN}cmd()",
        "\N{SMALL PLUS SIGN}1",
        "\N{MINUS SIGN}1",
        "@sum(1)",
        ";=1",
    ),
    *("<script>alert(1)</script>", "\\input{/etc/passwd}", "\\write18{id}", "^^5cinput", "%", "$", "&", "#"),
    *("\\\\", "}", "{", "_", "~", "\x1b[31m", "\u202e", "\u2066", "\x00", "\r", "\n", "\t", "|", "`x`", '"a'),
    *("[l](http://e.vil)", "www.e.vil", "![i](x)", "--", "''", ",,", "?`", "'", "x" * 300, " ", "é", "木"),
]
NAMES = (
    st.lists(st.sampled_from(PIECES) | st.text(max_size=5), min_size=1, max_size=6)
    .map("".join)
    .filter(for_terminal)
)


@given(NAMES, NAMES, NAMES)
def test_no_format_runs_a_strangers_words(name, variant, title):
    made, plain = board(name, variant, title, (name,)), board()
    check_all(made)
    for sheet in csv(made):
        for line in csv_reader.reader(StringIO(sheet)):
            check_cells(line)
        for line in sheet.splitlines():  # as spreadsheets of other languages split it
            check_cells(line.split(";"))
    text = markdown(made)
    assert [[len(line) for line in table] for table in tables(text)] == [
        [len(line) for line in table] for table in tables(markdown(plain))
    ]
    assert not set(text) & set("<>`\\[]~$")
    assert not re.search(r"https?:(?=\S)|www\.(?=\S)", text)
    tex = latex(made)
    commands = set(re.findall(r"\\(?:[A-Za-z]+|.)", tex, re.DOTALL)) - ALLOWED
    assert commands <= set(re.findall(r"\\(?:[A-Za-z]+|.)", latex(plain), re.DOTALL))
    assert tex.count("\n") == latex(plain).count("\n")
    shown = terminal(made)
    for whole in (text, tex, shown, *csv(made)):
        assert {c for c in whole if not c.isprintable()} <= {"\n"}


ALLOWED = {
    *(r"\textbackslash", r"\textasciicircum", r"\textasciitilde", r"\textless", r"\textgreater", r"\textbar"),
    *(r"\char", r"\{", r"\}", r"\$", r"\&", r"\#", r"\_", r"\%"),
}


def check_cells(cells):
    for cell in cells:
        first = unicodedata.normalize("NFKC", cell.lstrip(' "')[:1])
        if first[:1] in {"=", "+", "-", "@"}:
            assert math.isfinite(float(cell.split(",")[0]))


@given(NAMES)
def test_latex_text_reads_as_it_was_and_holds_nothing_special(text):
    escaped = for_latex(text)
    assert read_latex(escaped) == for_terminal(text)
    assert for_latex(text, 10) == for_latex(for_terminal(text, 10))


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("\\input{/etc/passwd}", r"\textbackslash{}input\{/etc/passwd\}"),
        ("50 % of $x_1^2$ & #~", r"50 \% of \$x\_1\textasciicircum{}2\$ \& \#\textasciitilde{}"),
        ("^^5cinput", r"\textasciicircum{}\textasciicircum{}5cinput"),
        ("a--b---''?`", r"a-{}-b-{}-{}-'{}'?{\char96}"),
        ('<a|b> ["c"]', r"\textless{}a\textbar{}b\textgreater{} {[}{\char34}c{\char34}{]}"),
        ("conditional-tree 木é", "conditional-tree 木é"),
    ],
)
def test_latex_text_by_hand(text, escaped):
    assert for_latex(text) == escaped


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        *(
            (f"{c}cmd()", f"'{c}cmd()")
            for c in "=+-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u207a\u2212"
        ),
        ("\t=cmd()", "'=cmd()"),
        ("\r@cmd", "'@cmd"),
        ("\u200b=cmd", "'=cmd"),
        ("a; =cmd;b", "a;' =cmd;b"),
        ('a;""=cmd', 'a;\'""=cmd'),
        ("a=b; c-d", "a=b; c-d"),
    ],
)
def test_csv_text_by_hand(text, escaped):
    assert for_csv(text) == escaped


def test_markdown_text_by_hand():
    assert for_markdown("a|b") == "a&#124;b"
