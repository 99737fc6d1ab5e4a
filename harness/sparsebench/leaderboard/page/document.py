"""The page: one HTML file that asks nobody for anything, and that is whole before its script runs."""

from __future__ import annotations

import base64
import hashlib
import json
import shlex
import zlib
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

from sparsebench.leaderboard.board import QUALITIES
from sparsebench.leaderboard.columns import many
from sparsebench.leaderboard.curves import pooled
from sparsebench.leaderboard.page.chart import Drawn, Mark, Plane, large_chart, small_chart
from sparsebench.leaderboard.page.details import entry_details, pair_details, profile_details
from sparsebench.leaderboard.page.kinds import KINDS, SHAPES, kind_of
from sparsebench.leaderboard.page.markup import Markup, joined, shown, tag
from sparsebench.leaderboard.page.tables import legend, overall_table, score_table, variant_table
from sparsebench.leaderboard.plotted import chart_of, pooled_spot

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sparsebench.leaderboard.board import Board, BoardTask, Entry, Point, Steps, TaskScore
    from sparsebench.leaderboard.findings import Finding
    from sparsebench.results import Row

__all__ = ["About", "render_page"]

_SENTENCE = (
    "Networks that run only a part of themselves per input, beside dense ones: what quality does a budget of "
    "operations buy, when everything is counted, the router too, for everybody alike?"
)
_KEY = 12  # digits of a cell's key that tell it from others
_TITLE = "sparsebench: accuracy against active operations"
_FEED = "application/atom+xml"


class About(NamedTuple):
    """What the page says of an entry that its rows do not."""

    title: str = ""
    """One line."""
    authors: tuple[str, ...] = ()
    """Who wrote it."""
    reference: str = ""
    """The paper: a DOI, an arXiv number or an address."""
    licence: str = ""
    """Of its code."""
    readme: str = ""
    """Its README, in Markdown; it is shown as it is."""
    is_shipped: bool = False
    """Whether its rows are of the submission of that name which comes with sparsebench, as it is."""


class _Task(NamedTuple):
    """A task's part of the page."""

    board: Board
    free: Board
    number: int
    theory: Mapping[str, float]
    ids: Mapping[str, int]
    """Entry -> its number on the page."""
    scores: tuple[Mapping[str, TaskScore], Mapping[str, TaskScore]]
    """Entry -> its score, by all operations, and by the paper's price."""

    @property
    def of(self) -> BoardTask:
        """The task itself."""
        return self.board.tasks[self.number]


def render_page(
    board: Board,
    router_free: Board,
    findings: Sequence[Finding],
    *,
    others: Mapping[str, Board] | None = None,
    about: Mapping[str, About] | None = None,
    theory: Mapping[str, Mapping[str, float]] | None = None,
    title: str = "",
    beside: Mapping[str, str] | None = None,
) -> str:
    """Return the page of a board.

    Parameters
    ----------
    board
        The board, with the rows that count.
    router_free
        The same rows by the price list ``paper-router-free``.
    findings
        The sentences that it opens with.
    others
        Further price lists -> the same rows' board by each.
    about
        Entry -> what is known of it beyond its rows.
    theory
        Task -> instance -> log2 of the operations that are known to be enough for quality 1.
    title
        What the board is called; empty for sparsebench itself.
    beside
        Files that lie beside the page: path -> what it is called. They are linked, and none is loaded.

    Returns
    -------
    str
        A whole document in UTF-8. The same arguments give the same text.
    """
    ids = {entry.submission: number for number, entry in enumerate(board.entries)}
    tasks = [
        _Task(
            board,
            router_free,
            number,
            (theory or {}).get(task.ref, {}),
            ids,
            (_scores(board, number), _scores(router_free, number)),
        )
        for number, task in enumerate(board.tasks)
    ]
    overall = overall_table(board)
    details = _details(board, {"ops": board, "paper-router-free": router_free, **(others or {})}, about or {})
    body = [
        tag("a", "Skip to the tasks", href="#tasks", class_="skip"),
        _header([task.ref for task in board.tasks] + ["all"] * (overall is not None), title or "sparsebench"),
        tag("main", *(_section(task) for task in tasks), _overall(overall), _found(findings), id="tasks"),
        _footer(board, beside or {}),
        tag("dialog", id="drawer", aria_label="About an entry"),
        tag("div", id="hint", role="status", class_="hint"),
        tag("script", Markup(details), type="application/x-deflate-base64", id="details"),
    ]
    return _document(joined([_symbols(), *body]), title or _TITLE, beside or {})


def _document(body: Markup, title: str, beside: Mapping[str, str]) -> str:
    style, script = (files(__package__).joinpath(name).read_text("utf-8") for name in ("page.css", "page.js"))
    policy = "; ".join(
        (
            "default-src 'none'",
            f"style-src '{_digest(style)}'",
            f"script-src '{_digest(script)}'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    head = joined(
        [
            tag("meta", charset="utf-8"),
            tag("meta", http_equiv="Content-Security-Policy", content=policy),
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("meta", name="color-scheme", content="light dark"),
            tag("meta", name="description", content=_SENTENCE),
            tag("title", title),
            *(tag("link", rel="alternate", type=_FEED, href=path) for path in beside if path == "feed.xml"),
            tag("style", Markup(style)),
        ]
    )
    page = tag("html", tag("head", head), tag("body", body, tag("script", Markup(script))), lang="en")
    return f"<!doctype html>\n{page}\n"


def _digest(text: str) -> str:
    """Return the source of a style or script as Content-Security-Policy names it."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _symbols() -> Markup:
    marks = [tag("path", d=outline, id=f"k-{kind}") for kind, outline in SHAPES.items()]
    return tag("svg", tag("defs", *marks), class_="symbols", aria_hidden="true", width="0", height="0")


def _header(refs: Sequence[str], title: str) -> Markup:
    prices = (("all", "all operations"), ("free", "the paper's price (router left out)"))
    switch = tag(
        "fieldset",
        tag("legend", "What counts"),
        *(
            tag(
                "label",
                tag("input", type="radio", name="price", value=value, checked=value == "all"),
                told,
            )
            for value, told in prices
        ),
        class_="switch",
    )
    kinds = [tag("option", "all", value=""), *(tag("option", kind, value=kind) for kind in KINDS)]
    tools = tag(
        "div",
        switch,
        tag("label", "Search ", tag("input", type="search", id="search"), class_="tool"),
        tag("label", "Kind ", tag("select", *kinds, id="kind"), class_="tool"),
        class_="tools",
    )
    links = [
        tag("a", "all tasks" if ref == "all" else ref, href=f"#task={ref}", data_task=ref) for ref in refs
    ]
    return tag(
        "header",
        tag("h1", title),
        tag("p", _SENTENCE, class_="what"),
        tag("nav", *links, aria_label="Tasks"),
        tools,
    )


def _found(findings: Sequence[Finding]) -> Markup:
    said = [finding.text for finding in findings] or ["These rows support no sentence yet."]
    items = [tag("li", text) for text in said]
    return tag("details", tag("summary", "What this board says"), tag("ul", *items), class_="said")


def _section(task: _Task) -> Markup:
    board, number, ref = task.board, task.number, task.of.ref
    chart = chart_of(board, number)
    names = [curve.submission for curve in chart.curves]
    colours = {name: n for n, name in enumerate(name for name in names if name != task.of.reference)}
    rows = {
        (entry.submission, point.variant): f"v{number}-{place}"
        for place, (entry, point) in enumerate(
            (entry, point) for entry, score in board.ranked(number) for point in score.points
        )
    }
    said = chart.title.removeprefix(f"{ref}: ")
    figure = tag(
        "figure",
        _large(task, names, colours, rows, said),
        tag("figcaption", _caption(board, number)),
        legend(),
    )
    return tag(
        "section",
        tag("h2", tag("span", ref, class_="ref"), f" {said}", id=f"h{number}"),
        figure,
        score_table(board, number, _places(task.free, number), colours),
        tag(
            "details",
            tag("summary", "Instance by instance"),
            tag("div", *_multiples(task, names, colours), class_="multiples"),
        ),
        tag("details", tag("summary", "All variants"), variant_table(board, number, rows)),
        id=f"task={ref}",
        data_task=ref,
        aria_labelledby=f"h{number}",
    )


def _caption(board: Board, number: int) -> str:
    task = board.tasks[number]
    facts = [many(len(task.instances), "instance"), many(board.seeds, "seed")]
    if board.preliminary:
        facts.append(f"preliminary: it should have {board.wanted_seeds}")
    if task.reference is not None:
        facts.append(f"dashed grey: {task.reference}, the dense reference")
    return (
        f"{', '.join(facts)}. A line is the quality that a budget buys, the mean over the instances: the "
        "area under it, within the frame, is the score. Marks are variants: what pays for them on every "
        "instance."
    )


def _places(free: Board, number: int) -> dict[str, tuple[int, float]]:
    return {e.submission: (place, s.score) for place, (e, s) in enumerate(free.ranked(number), start=1)}


def _large(
    task: _Task,
    names: Sequence[str],
    colours: Mapping[str, int],
    rows: Mapping[tuple[str, str], str],
    said: str,
) -> Markup:
    board, number = task.board, task.number
    plane = Plane(task.of, 560.0, 320.0)
    curves = [_drawn(task, name, colours, None) for name in names]
    free = {
        (name, point.variant): bought[0]
        for name, score in task.scores[1].items()
        for point in score.points
        if (bought := pooled_spot(point.bought)) is not None
    }
    marks = [
        Mark(
            task.ids[entry.submission],
            kind_of(entry),
            rows[entry.submission, point.variant],
            _told(entry, point, bought, without),
            bought[0],
            without,
            bought[1],
            colours.get(entry.submission),
        )
        for entry, score in board.ranked(number)
        for point in score.points
        if (bought := pooled_spot(point.bought)) is not None and plane.holds(bought[0])
        for without in [free.get((entry.submission, point.variant), bought[0])]
    ]
    known = _theory(task)
    told = f"{said}. Lines: {', '.join(names)}."
    named = f"Quality against operations on {task.of.ref}"
    return large_chart(plane, curves, marks, known, named=named, told=told)


def _told(entry: Entry, point: Point, bought: tuple[float, float], free: float) -> str:
    """Say what a mark stands for: the place where it is drawn, which is not the mean of the table."""
    cost, quality = bought
    without = f" ({2.0**free:,.0f} without the router)" if free != cost else ""
    return (
        f"{entry.submission} {point.variant}: {2.0**cost:,.0f} operations{without} "
        f"pay for it everywhere, quality {quality:.3f}"
    )


def _multiples(task: _Task, names: Sequence[str], colours: Mapping[str, int]) -> Iterator[Markup]:
    plane = Plane(task.of, 150.0, 90.0, left=6.0, top=4.0)
    for place, instance in enumerate(task.of.instances):
        curves = [_drawn(task, name, colours, place) for name in names]
        known = ((task.theory[instance], 1.0),) if instance in task.theory else ()
        chart = small_chart(plane, curves, known, named=f"{instance}: the same entries' curves")
        yield tag("figure", chart, tag("figcaption", instance))


def _drawn(task: _Task, name: str, colours: Mapping[str, int], place: int | None) -> Drawn:
    """Return an entry's curve on an instance, or pooled over all."""
    by_all, by_free = (_curve(scores.get(name), place) for scores in task.scores)
    return Drawn(name, colours.get(name, 0), by_all, by_free, is_reference=name == task.of.reference)


def _scores(board: Board, number: int) -> dict[str, TaskScore]:
    return {entry.submission: score for entry, score in board.ranked(number)}


def _curve(score: TaskScore | None, place: int | None) -> Steps:
    if score is None:
        return ()
    return pooled(score.curves) if place is None else score.curves[place]


def _theory(task: _Task) -> Steps:
    """Return what is known to be enough on all instances; nothing where it is not known for each."""
    instances = task.of.instances
    if not all(instance in task.theory for instance in instances):
        return ()
    return pooled([((task.theory[instance], 1.0),) for instance in instances])


def _overall(table: Markup | None) -> Markup | None:
    if table is None:
        return None
    return tag(
        "section",
        tag("h2", "All tasks", id="h-all"),
        tag("p", "The mean of the scores, of the entries that enter every task."),
        table,
        id="task=all",
        data_task="all",
        aria_labelledby="h-all",
    )


def _footer(board: Board, beside: Mapping[str, str]) -> Markup:
    notes = [tag("li", note) for note in board.notes]
    versions = (
        f"Scoring version {board.scoring_version}, cost model {board.cost_model}, {board.seeds} seeds, "
        f"{len(board.rows):,} rows."
    )
    return tag(
        "footer",
        tag("p", versions),
        tag("details", tag("summary", "Notes on these rows"), tag("ul", *notes)) if notes else None,
        tag("p", "Downloads: ", tag("span", id="downloads"), class_="downloads"),
        tag("p", "Files: ", *_links(beside)) if beside else None,
        tag("noscript", "Sorting, search, drawers and the other price need JavaScript; all scores are here."),
    )


def _links(beside: Mapping[str, str]) -> Iterator[Markup]:
    for number, (path, name) in enumerate(beside.items()):
        yield joined([", " if number else None, tag("a", name, href=path)])


def _details(board: Board, boards: Mapping[str, Board], about: Mapping[str, About]) -> str:
    """Return what drawers show, compressed: it is several times the size of all the rest."""
    rows: dict[str, list[Row]] = {}
    for row in board.rows:
        rows.setdefault(row.submission, []).append(row)
    told = {
        "qualities": QUALITIES,
        "tasks": [{"ref": task.ref, "instances": task.instances} for task in board.tasks],
        "entries": {
            shown(entry.submission): _entry(board, entry, rows.get(entry.submission, []), about)
            for entry in board.entries
        },
        "pairs": pair_details(board),
        "profiles": profile_details(boards),
        "order": [shown(entry.submission) for entry in board.entries],
    }
    text = json.dumps(told, separators=(",", ":"), allow_nan=False)
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def _entry(board: Board, entry: Entry, rows: Sequence[Row], about: Mapping[str, About]) -> dict[str, Any]:
    known = about.get(entry.submission, About(title=entry.title or ""))
    return {
        "kind": kind_of(entry),
        **known._asdict(),
        "commands": _commands(rows, is_shipped=known.is_shipped),
        **entry_details(board, entry, rows),
    }


def _commands(rows: Sequence[Row], *, is_shipped: bool) -> list[str]:
    """Return what evaluates an entry again, and compares a row; a shell may be given them as they are."""
    if not rows:
        return []
    key = min(row.cell_key for row in rows)[:_KEY]
    if not is_shipped:
        return [f"sparsebench results verify {key}"]
    seeds = max(row.seed for row in rows) + 1
    again = f"sparsebench eval {shlex.quote(rows[0].submission)} --seeds {seeds} --output again"
    return [again, f"sparsebench results verify {key} --rerun again"]
