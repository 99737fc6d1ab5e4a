"""The page says what the tables say, asks nobody for anything, and whatever names say is inert in it."""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import math
import re
import shlex
import zlib
from itertools import pairwise
from urllib.parse import unquote

import click
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from leaderboard.html_read import parsed
from leaderboard.test_board import LIP, MEMO, made, seeded
from leaderboard.test_tables import HOSTILE
from sparsebench.cli import cli
from sparsebench.leaderboard import build_board
from sparsebench.leaderboard.board import BoardTask
from sparsebench.leaderboard.columns import COLUMNS, columns_of, places
from sparsebench.leaderboard.curves import pooled, quality_at, within
from sparsebench.leaderboard.escape import for_terminal
from sparsebench.leaderboard.findings import findings
from sparsebench.leaderboard.page import About, render_page
from sparsebench.leaderboard.page.chart import Plane
from sparsebench.leaderboard.page.kinds import KINDS
from sparsebench.leaderboard.plotted import chart_of
from sparsebench.leaderboard.svg import text_width
from sparsebench.results.adhoc import is_ad_hoc


def entered(name, quality, ops=2.0**8, router=0.5, **changes):
    more = {"ops": ops, "ops_router": ops * router, "ops_router_free": ops * (1 - router), "ops_p95": ops}
    return seeded(name, [quality, quality + 0.01], **more | changes)


def rows():
    return (
        entered("routed", 0.8)
        + entered("dense", 0.7, ops=2.0**9, router=0.0)
        + entered("cart", 0.6, router=0.1, ops=2.0**6)
        + entered("told", 0.9, uses_tags=True)
        + entered("routed", 0.4, task=LIP, instance="j", variant="small", ops=2.0**5)
        + entered("dense", 0.5, router=0.0, task=LIP, instance="j", ops=2.0**7)
    )


def boards(given=None, titles=None):
    both = [
        build_board(
            given or rows(), [MEMO, LIP], profile=profile, references={MEMO.ref: "dense"}, titles=titles
        )
        for profile in ("ops", "paper-router-free")
    ]
    return both[0], both[1]


def page(given=None, titles=None, **more):
    board, free = boards(given, titles)
    return board, render_page(board, free, findings(board, free), **more)


def details(document):
    (block,) = document.all("script", id="details")
    return json.loads(zlib.decompress(base64.b64decode(block.text)))


def called(document):
    """Give the names by the numbers that the entries' parts have."""
    rows = [row.attributes for row in document.all("tr")]
    return {row["data-e"]: row["data-name"] for row in rows if "data-name" in row}


def test_the_same_rows_make_the_same_page():
    assert page()[1] == page(list(reversed(rows())))[1]


def test_nothing_is_asked_for_and_only_its_own_style_and_script_run():
    document = parsed(page()[1])
    for element in document.all():
        assert element.name not in {"link", "img", "iframe", "object", "embed", "base", "form"}
        for name in ("src", "srcset", "action", "style", "xlink:href"):
            assert name not in element.attributes
        assert not any(name.startswith("on") for name in element.attributes)
        assert (element.attributes.get("href") or "#").startswith("#")
    (policy,) = (
        meta.attributes["content"] for meta in document.all("meta") if "http-equiv" in meta.attributes
    )
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    (style,) = document.all("style")
    scripts = [s for s in document.all("script") if "type" not in s.attributes]
    for source, (element,) in (("style-src", [style]), ("script-src", scripts)):
        digest = base64.b64encode(hashlib.sha256(element.text.encode()).digest()).decode()
        assert f"{source} 'sha256-{digest}'" in policy
    assert "url(" not in style.text
    assert "@import" not in style.text


def test_the_tables_have_the_cells_of_the_markdown_ones():
    board, html = page()
    sections = {s.attributes["data-task"]: s for s in parsed(html).all("section")}
    for number, task in enumerate(board.tasks):
        (table,) = sections[task.ref].classed("scores")
        heads = [head.text for head in next(table.all("thead")).all("th")]
        lines = [[c.text for c in row.children] for row in next(table.all("tbody")).all("tr")]
        found = board.ranked(number)
        assert len(lines) == len(found)
        for cells, (entry, score) in zip(lines, found, strict=True):
            shown = dict(zip(heads, cells, strict=True))
            assert shown["kind"] in KINDS
            columns = [c for c in COLUMNS if task.reference or not c.head.startswith("x fewer")]
            for column in columns:
                assert shown[column.head] == column.cell(entry, score)


def test_all_scores_of_both_prices_are_there():
    board, html = page()
    _, free = boards()
    for number, section in enumerate(parsed(html).all("section")):
        if number == len(board.tasks):  # the one of all tasks
            break
        (table,) = section.classed("scores")
        heads = [head.text for head in next(table.all("thead")).all("th")]
        theirs = {e.submission: s for e, s in free.ranked(number)}
        order = [e.submission for e, _ in free.ranked(number)]
        lines = zip(board.ranked(number), next(table.all("tbody")).all("tr"), strict=True)
        for place, ((entry, score), row) in enumerate(lines):
            name = row.attributes["data-name"]
            there, after = theirs[name], order.index(name)
            moved = f" (by score {place + 1} → {after + 1})"
            shown = row.children[heads.index("score, router left out")].text
            assert shown == f"{there.score:.3f}" + moved * (place != after)
            assert int(row.attributes["data-f"]) == after
            assert row.children[0].text == places(score.rank)
            assert row.children[0].attributes["data-free"] == (
                "-" if entry.uses_tags else f"{after + 1} by score"
            )
            for column in columns_of(board.tasks[number]):
                cell = row.children[heads.index(column.head)]
                if column.head not in {"rank", "submission"}:  # what a script shows by the other price
                    assert cell.attributes.get("data-free", cell.text) == column.cell(entry, there)


def test_titles_axes_and_fronts_are_those_of_each_price():
    _, html = page()
    both = boards()
    for number, (task, section) in enumerate(zip(both[0].tasks, parsed(html).all("section"), strict=False)):
        (chart,) = section.classed("chart")
        plane = Plane(task, 560.0, 320.0)
        for price, priced in zip(("all", "free"), both, strict=True):
            (title,) = (span for span in next(section.all("h2")).all("span", **{"class": price}))
            assert title.text.split(", with")[0].strip() in chart_of(priced, number).title
            (axis,) = chart.all("text", **{"class": f"axis x {price}"})
            assert ("without the router" in axis.text) == (price == "free")
            ranked = [s for e, s in priced.ranked(number) if not e.uses_tags]
            budgets = [task.log2_ops_low + n * 0.25 for n in range(65) if n * 0.25 < plane.task.log2_ops_high]
            paths = [
                p for p in chart.classed("front") if p.attributes["class"] in {"front", f"front {price}"}
            ]
            (path,) = paths
            corners = numbers_of(path.attributes["d"])
            for budget in budgets:
                best = max(quality_at(pooled(score.curves), budget) for score in ranked)
                here = [y for x, y in corners if x <= plane.x(budget) + 0.06]
                assert (here[-1] if here else plane.y(0.0)) == pytest.approx(plane.y(best), abs=0.1)


def test_names_that_are_shown_alike_are_told_apart():
    """A name may have control characters, which nobody sees: its figures must not be another entry's."""
    alike = ["twin", "twin\u200b", "twin (2)", "twin\u0007"]
    given = rows() + [row for n, name in enumerate(alike) for row in entered(name, 0.2 + n / 10)]
    board, html = page(given)
    document = parsed(html)
    told = details(document)
    keys = told["order"]
    assert len(set(keys)) == len(keys) == len(board.entries)
    for entry, key in zip(board.entries, keys, strict=True):
        own = told["entries"][key]["tasks"][MEMO.ref] if entry.tasks[0] else None
        if own:
            assert own["areas"] == pytest.approx(entry.tasks[0].areas, rel=1e-3)
        (opener,) = {a.attributes["href"] for a in document.all("a", **{"data-open": key})}
        assert unquote(opener) == f"#entry={key}"
    numbers = {
        row.attributes["data-e"]: row.attributes["data-name"]
        for row in document.all("tr")
        if "data-name" in row.attributes
    }
    assert sorted(numbers.values()) == sorted(keys)


def test_who_is_told_is_grey_and_says_so_and_a_long_name_is_cut():
    _, html = page(rows() + entered("a-very-long-name-" * 8, 0.85))
    (chart, *_) = parsed(html).classed("chart")
    labels = [text for text in chart.all("text") if "label" in text.attributes["class"].split()]
    (grey,) = {text.text for text in labels if "told" in text.attributes["class"].split()}
    assert grey == "told (told)"
    assert all(text_width(text.text, 12.0) <= 140 for text in labels)
    numbers = {path.attributes["data-e"] for group in chart.classed("labels") for path in group.all("path")}
    assert numbers == {text.attributes["data-e"] for text in labels}


def test_an_entry_of_which_no_cell_ran_is_of_no_kind():
    _, html = page(rows() + seeded("broken", [None, None]))
    (row,) = {r.attributes["data-kind"] for r in parsed(html).all("tr", **{"data-name": "broken"})}
    assert row == "unknown"


def test_a_board_without_rows_says_so():
    board = build_board([], [MEMO, LIP])
    html = render_page(board, board, findings(board, board))
    assert "There are no rows yet." in html
    assert "None" not in parsed(html).text


def test_every_variant_is_a_mark_that_is_called_as_its_row():
    board, html = page()
    document = parsed(html)
    heads = {e.attributes["id"]: e for e in document.all("th") if "id" in e.attributes}
    submissions = {
        head.attributes["id"]: row.children[0].text
        for row in document.all("tr")
        for head in row.all("th")
        if "id" in head.attributes
    }
    assert [
        mark.attributes["href"][1:] for group in document.classed("marks") for mark in group.all("a")
    ] == [name for name in heads if name in {m.attributes["href"][1:] for m in document.all("a")}]
    marks = [mark for group in document.classed("marks") for mark in group.all("a")]
    points = [p for e in board.entries for s in e.tasks if s for p in s.points if any(p.bought)]
    assert len(marks) == len(points) <= len(heads)
    for mark in marks:
        head = heads[mark.attributes["href"].removeprefix("#")]
        name = f"{submissions[mark.attributes['href'].removeprefix('#')]} {head.text}"
        found = re.fullmatch(
            re.escape(name) + r": ([\d,]+) operations(?: \([\d,]+ without the router\))?, quality (0\.\d{3})",
            mark.attributes["aria-label"],
        )
        (place,) = (use.attributes for use in mark.all("use"))
        plane = Plane(board.tasks[int(head.attributes["id"][1])], 560.0, 320.0)
        x, y = float(place["x"]), float(place["y"])
        cost = math.log2(float(found[1].replace(",", "")))
        assert x == pytest.approx(plane.x(cost), abs=0.2)
        assert y == pytest.approx(plane.y(float(found[2])), abs=0.3)


def numbers_of(path):
    """Read a staircase back: its corners."""
    start = re.match(r"M([\d.]+) ([\d.]+)", path)
    x, y = float(start[1]), float(start[2])
    corners = [(x, y)]
    for letter, text in re.findall(r"([HV])([\d.]+)", path[start.end() :]):
        x, y = (float(text), y) if letter == "H" else (x, float(text))
        corners.append((x, y))
    return corners


@given(
    st.lists(
        st.tuples(st.floats(0, 20), st.floats(0.01, 1)),
        min_size=1,
        max_size=6,
        unique_by=lambda each: each[0],
    )
)
def test_a_path_is_its_curve_and_its_area_the_score(steps):
    task = BoardTask(ref="t@1", hash="h", log2_ops_low=2.0, log2_ops_high=18.0)
    plane = Plane(task, 1600.0, 1000.0)
    curve, best = [], 0.0
    for cost, quality in sorted(steps):
        best = max(best, quality)
        curve.append((cost, best))
    inside = within(tuple(curve), 2.0, 18.0)
    exact = math.fsum((b[0] - a[0]) * a[1] for a, b in pairwise(inside)) / 16.0
    path = plane.path(tuple(curve))
    if not path:
        assert exact == 0.0
        return
    corners = numbers_of(path)
    drawn = math.fsum((b[0] - a[0]) * (plane.y(0.0) - a[1]) for a, b in pairwise(corners)) / 1.6e6
    assert drawn == pytest.approx(exact, abs=2e-3)


def test_lines_are_those_of_the_shown_entries_and_at_most_eight():
    given = [row for n in range(12) for row in entered(f"e{n}", 0.1 + 0.05 * n, ops=2.0 ** (4 + n))]
    board, html = page(given)
    names = [curve.submission for curve in chart_of(board, 0).curves]
    assert 1 < len(names) <= 8
    (chart, *_) = parsed(html).classed("chart")
    (group,) = chart.classed("lines")
    lines = [line for line in group.all("path") if "free" not in line.attributes["class"].split()]
    names_of = called(parsed(html))
    assert [names_of[line.attributes["data-e"]] for line in lines] == names
    plane = Plane(board.tasks[0], 560.0, 320.0)
    scores = {e.submission: s for e, s in board.ranked(0)}
    for line in lines:
        assert line.attributes["d"] == plane.path(pooled(scores[names_of[line.attributes["data-e"]]].curves))


NAMES = st.text(min_size=1, max_size=40) | st.sampled_from(
    [
        HOSTILE,
        "</script><script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "\uff1dcmd()",
        "a&amp;b",
        "]]>",
        "-->",
    ]
)


@settings(max_examples=20, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(name=NAMES, variant=NAMES.filter(lambda text: not is_ad_hoc(text)), title=NAMES, readme=NAMES)
def test_names_are_text_whatever_they_say(name, variant, title, readme):
    given = rows() + entered(name, 0.85, variant=variant)
    about = {name: About(title=title, authors=(title,), reference=readme, readme=readme)}
    _, html = page(given, {name: title}, about=about)
    document = parsed(html)
    plain = parsed(page(rows() + entered("harmless", 0.85))[1])
    kinds = [sorted({(e.name, *sorted(e.attributes)) for e in tree.all()}) for tree in (document, plain)]
    assert kinds[0] == kinds[1]  # no element and no attribute that a harmless name has not
    assert len(list(document.all("script"))) == 2
    shown = for_terminal(name, 4000)
    told = details(document)["entries"][shown]
    assert (told["title"], told["readme"]) == (title, readme)
    assert shown in {a.attributes["data-open"] for a in document.all("a") if "data-open" in a.attributes}


def test_drawers_know_every_entry_its_variants_and_its_tests():
    board, html = page()
    told = details(parsed(html))
    assert told["order"] == [entry.submission for entry in board.entries]
    for number, task in enumerate(board.tasks):
        assert told["tasks"][number] == {"ref": task.ref, "instances": list(task.instances)}
        assert {frozenset(pair[:2]) for pair in told["pairs"][task.ref]} == {
            frozenset((pair.first, pair.second)) for pair in board.pairs[number]
        }
        for entry, score in board.ranked(number):
            own = told["entries"][entry.submission]["tasks"][task.ref]
            assert list(own["variants"]) == [point.variant for point in score.points]
            assert own["areas"] == pytest.approx(score.areas, rel=1e-3)
            assert own["seeds"] == pytest.approx(score.values, rel=1e-3)
            assert told["profiles"][task.ref][entry.submission]["ops"] == pytest.approx(score.score, rel=1e-3)


@pytest.mark.parametrize("name", ["routed", "; rm -rf ~ #", "-x"])
@pytest.mark.parametrize("is_shipped", [True, False])
def test_the_commands_of_a_drawer_are_ones_that_exist(name, is_shipped):
    _, html = page(rows() + entered(name, 0.85), about={name: About(is_shipped=is_shipped)})
    commands = details(parsed(html))["entries"][name]["commands"]
    assert len(commands) == 1 + is_shipped
    for command in commands:
        program, *words = shlex.split(command)
        assert program == "sparsebench"
        group, context = cli, click.Context(cli)
        while isinstance(group, click.Group):
            group = group.get_command(context, words.pop(0))
        if name != "-x" or group.name == "verify":  # a name that looks like an option is refused, not run
            group.make_context(group.name, words, resilient_parsing=False)


def test_rows_of_other_seeds_than_the_boards_are_not_told_of():
    given = [*rows(), made("routed", seed=7)]
    board = build_board(given, [MEMO, LIP], seeds=2, frozen=True)
    assert {row.seed for row in board.rows} == {0, 1}
    assert len(board.rows) == len(rows())


def test_work_adds_up_to_the_operations_of_the_published_rows(published):
    """By phase and kind, as the bars of a drawer show it."""
    document = parsed((published / "index.html").read_text(encoding="utf-8"))
    with (published / "points.csv").open(encoding="utf-8", newline="") as file:
        ops = {(p["submission"], p["task"], p["variant"]): float(p["ops"]) for p in csv.DictReader(file)}
    found = {
        (name, ref, variant): sum(sum(kinds.values()) for kinds in told["work"].values())
        for name, entry in details(document)["entries"].items()
        for ref, task in entry["tasks"].items()
        for variant, told in task["variants"].items()
    }
    assert found == pytest.approx(ops, rel=2e-3)


def test_a_board_of_many_rows_is_small():
    """The committed board's page is to stay below 300 kB: what is told of a variant must be little."""
    given = [row for n in range(40) for v in range(5) for row in entered(f"e{n}", 0.5, variant=f"v{v}")]
    assert len(page(given)[1].encode()) < 200_000
