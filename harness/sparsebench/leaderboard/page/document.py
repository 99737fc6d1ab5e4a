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
from sparsebench.leaderboard.cells import COUNTED
from sparsebench.leaderboard.columns import many
from sparsebench.leaderboard.page.chart import PRICES
from sparsebench.leaderboard.page.details import entry_details, pair_details, profile_details
from sparsebench.leaderboard.page.kinds import KINDS, SHAPES, kind_of
from sparsebench.leaderboard.page.markup import Markup, joined, tag
from sparsebench.leaderboard.page.sections import task_section
from sparsebench.leaderboard.page.tables import (
    named,
    overall_table,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from sparsebench.leaderboard.board import Board, Entry
    from sparsebench.leaderboard.findings import Finding
    from sparsebench.leaderboard.page.tables import Named
    from sparsebench.results import Row

__all__ = ["About", "render_page"]

_SENTENCE = (
    "Networks that run only a part of themselves per input, beside dense ones: what quality does a budget of "
    "operations buy, when everything is counted, the router too, for everybody alike?"
)
_KEY = 12  # digits of a cell's key that tell it from others
_TITLE = "sparsebench: accuracy against active operations"
_FEED = "application/atom+xml"
_GHOST = "M-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0z"


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
    boards = (board, router_free)
    names = named(board, {})
    kinds = {kind_of(entry) for entry in board.entries}
    sections = [
        task_section(boards, number, (theory or {}).get(task.ref, {}), kinds)
        for number, task in enumerate(board.tasks)
    ]
    overall = overall_table(board, names)
    by_price = {"ops": board, "paper-router-free": router_free, **(others or {})}
    details = _details(board, by_price, about or {}, names)
    refs = [task.ref for task in board.tasks] + ["all"] * (overall is not None)
    body = [
        tag("a", "Skip to the tasks", href="#tasks", class_="skip"),
        _header(refs, kinds, title or "sparsebench"),
        tag("main", *sections, _overall(overall), _found(findings), id="tasks"),
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
    keys = [
        tag("symbol", tag("path", d=outline), id=f"y-{kind}", viewBox="-6 -6 12 12")
        for kind, outline in SHAPES.items()
    ]
    ghost = tag(
        "marker",
        tag("path", d=_GHOST),
        id="ghost",
        viewBox="-4 -4 8 8",
        markerWidth="8",
        markerHeight="8",
        markerUnits="userSpaceOnUse",
    )
    return tag(
        "svg", tag("defs", *marks, *keys, ghost), class_="symbols", aria_hidden="true", width="0", height="0"
    )


def _header(refs: Sequence[str], found: Collection[str], title: str) -> Markup:
    prices = zip(PRICES, ("all operations", "the paper's price (router left out)"), strict=True)
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
    kinds = [
        tag("option", "all", value=""),
        *(tag("option", kind, value=kind) for kind in KINDS if kind in found),
    ]
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
        f"Scoring version {board.scoring_version}, cost model {board.cost_model}, "
        f"{many(board.seeds, 'seed')}, {len(board.rows):,} rows."
        if board.rows
        else "There are no rows yet."
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


def _details(
    board: Board, boards: Mapping[str, Board], about: Mapping[str, About], names: Mapping[str, Named]
) -> str:
    """Return what drawers show, compressed: it is several times the size of all the rest."""
    rows: dict[str, list[Row]] = {}
    for row in board.rows:
        rows.setdefault(row.submission, []).append(row)
    keys = {name: own.key for name, own in names.items()}
    told = {
        "qualities": QUALITIES,
        "tasks": [{"ref": task.ref, "instances": task.instances} for task in board.tasks],
        "entries": {
            keys[entry.submission]: _entry(board, entry, rows.get(entry.submission, []), about)
            for entry in board.entries
        },
        "pairs": pair_details(board, keys),
        "profiles": profile_details(boards, keys),
        "counted": {profile: COUNTED[profile] for profile in boards},
        "order": [keys[entry.submission] for entry in board.entries],
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
