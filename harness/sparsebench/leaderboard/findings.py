"""What a board says, in a few sentences: each with its figures and intervals, made from the rows alone.

A sentence is left out where the board has no entries for it. What an entry *is* is read from its rows
(whether a router costs anything, whether costs depend on the input); only trees and tables go by the names of
shipped submissions, which say so in their own READMEs.
"""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from sparsebench.leaderboard.columns import mean_of, places, short_number, with_interval
from sparsebench.leaderboard.escape import for_markdown
from sparsebench.leaderboard.ratios import most_telling

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sparsebench.leaderboard.board import Board, Entry, Pair, TaskScore

    Each = tuple[Entry, TaskScore]

__all__ = ["TABLES", "TREES", "Finding", "findings", "findings_markdown", "order_of", "turned_pairs"]

TREES = frozenset(
    {
        "cart",
        "conditional-tree",
        "gradient-boosting",
        "oblivious-trees",
        "ragged-tree",
        "random-forest",
        "soft-tree",
    }
)
"""Shipped submissions whose answers stand in the leaves of trees."""

TABLES = frozenset({"grid-table", "logic-gates", "lut-network"})
"""Shipped submissions that look their answers up, or compute them bit by bit."""

VARIES = 1.005
"""The 95th percentile of operations over their mean from which a cost counts as depending on the input."""

_FEW = 6  # entries that a sentence lists
_LONGEST = 4000  # letters of a sentence


class Finding(NamedTuple):
    """A sentence that a board supports."""

    topic: str
    """What it is about: one word or two, joined by hyphens."""
    text: str
    """The sentence, in plain text."""


def findings(board: Board, router_free: Board) -> tuple[Finding, ...]:
    """Return the sentences, the most general first.

    Parameters
    ----------
    board
        The board by its standard price list.
    router_free
        The same rows by the price list ``paper-router-free``.
    """
    told = [
        ("overall", _overall(board)),
        ("dense-and-routed", _dense_and_routed(board)),
        ("router", _router(board)),
        ("papers-prices", _papers_prices(board, router_free)),
        ("trees", _against(board, TREES, "tree")),
        ("tables", _against(board, TABLES, "table")),
        ("input", _depending_on_input(board)),
        ("ceiling", _ceiling(board)),
    ]
    return tuple(Finding(topic, text) for topic, text in told if text)


def findings_markdown(found: Sequence[Finding]) -> str:
    """Return them as a list in Markdown; a line says so if there are none."""
    lines = [f"- {for_markdown(finding.text, _LONGEST)}" for finding in found]  # names come from strangers
    return "\n".join(lines) or "These rows support no sentence yet."


def _overall(board: Board) -> str:
    ranked = [entry for entry in board.entries if entry.score is not None]
    if len(ranked) < 2 or len(board.tasks) < 2:  # noqa: PLR2004 - one entry is no order
        return ""
    first, second = ranked[:2]
    apart = sum(entry.rank is not None and entry.rank.best == entry.rank.worst for entry in ranked)
    return (
        f"Of the {len(ranked)} entries that enter every task, {first.submission} buys most: "
        f"{mean_of(first)}, before {second.submission} with {mean_of(second)}; {apart} of {len(ranked)} "
        "places are held by one entry alone."
    )


def _dense_and_routed(board: Board) -> str:
    parts = []
    for number, task in enumerate(board.tasks):
        routed = _best(board, number, lambda _, score: bool(score.router_share))
        if task.reference is None or routed is None or not routed[1].ratios:
            continue
        if text := _ratio_of(routed[1]):
            parts.append(f"on {task.ref} {routed[0].submission} takes {text} than {task.reference}")
    return _sentence("At equal quality, the best routed entry beside the dense reference: ", parts)


def _ratio_of(score: TaskScore) -> str:
    """Say how many times fewer operations it takes, at the quality that most instances reach."""
    ratio = most_telling(score.ratios)
    if ratio is None:
        return ""
    ends = [end for end in (ratio.low, ratio.high) if end is not None]
    span = f" ({short_number(ends[0])} to {short_number(ends[1])})" if len(ends) == 2 else ""  # noqa: PLR2004
    on = f"for quality {ratio.quality:g} on {ratio.instances} of {len(score.areas)} instances"
    return f"{short_number(ratio.times or 0.0)}{span} times fewer operations {on}"


def _router(board: Board) -> str:
    shares = sorted(
        (score.router_share, f"{entry.submission} on {task.ref}")
        for number, task in enumerate(board.tasks)
        for entry, score in board.ranked(number)
        if score.router_share
    )
    if not shares:
        return ""
    middle = median(share for share, _ in shares)
    (low, least), (high, most) = shares[0], shares[-1]
    return (
        f"The router makes {100 * middle:.0f} % of the operations of the median routed entry, from "
        f"{100 * low:.0f} % ({least}) to {100 * high:.0f} % ({most})."
    )


def _papers_prices(board: Board, router_free: Board) -> str:
    """Say which pairs that the board tells apart are ordered otherwise where routers cost nothing."""
    turned, total = map(sum, zip((0, 0), *turned_pairs(board, router_free).values(), strict=True))
    leap = (0, "", 0, 0, "")
    for number, task in enumerate(board.tasks):
        before, after = order_of(board, number), order_of(router_free, number)
        for name in before.keys() & after.keys():
            gained = before[name] - after[name]
            leap = max(leap, (gained, name, before[name], after[name], task.ref))
    if not total:
        return ""
    pairs = f"{turned} of the {total} pairs that are told apart"
    text = f"Priced as papers do, without the router, {pairs} change order"
    if leap[0] > 0:
        _, name, old, new, ref = leap
        text += f"; {name} gains most, from place {old} to {new} on {ref}"
    return f"{text}."


def turned_pairs(board: Board, other: Board) -> dict[str, tuple[int, int]]:
    """Return, for each task, how many pairs that a board tells apart another one turns, and of how many."""
    found = {}
    for number, task in enumerate(board.tasks):
        after = order_of(other, number)
        told = [
            (pair.winner, pair.second if pair.winner == pair.first else pair.first)
            for pair in board.pairs[number]
            if pair.winner is not None and {pair.first, pair.second} <= after.keys()
        ]
        found[task.ref] = (sum(after[loser] < after[winner] for winner, loser in told), len(told))
    return found


def order_of(board: Board, number: int) -> dict[str, int]:
    """Return name -> place by the score itself, from 1, of a task's entries that are not told the domain."""
    found = [entry.submission for entry, _ in board.ranked(number) if not entry.uses_tags]
    return {name: place for place, name in enumerate(found, start=1)}


def _against(board: Board, family: frozenset[str], what: str) -> str:
    """Compare the best of a family with the best routed entry that is neither tree nor table."""
    parts = []
    for number, task in enumerate(board.tasks):
        own = _best(board, number, lambda entry, _: entry.submission in family)
        routed = _best(
            board,
            number,
            lambda entry, score: bool(score.router_share) and entry.submission not in TREES | TABLES,
        )
        pair = _pair(board, number, own, routed)
        if own is None or routed is None or pair is None:
            continue
        name, other = own[0].submission, routed[0].submission
        ahead = pair.better if pair.first == name else pair.worse
        verb = {name: "beats", other: "loses to", None: "is not told apart from"}[pair.winner]
        parts.append(
            f"on {task.ref} {name}, {_scored(own[1])}, {verb} {other}, {_scored(routed[1])} "
            f"(ahead on {ahead} of {len(task.instances)} instances)"
        )
    return _sentence(f"The best {what} beside the best router with experts: ", parts)


def _scored(score: TaskScore) -> str:
    return with_interval(score.score, score.low, score.high, exact=score.exact)


def _pair(board: Board, number: int, one: Each | None, other: Each | None) -> Pair | None:
    if one is None or other is None:
        return None
    names = {one[0].submission, other[0].submission}
    return next((pair for pair in board.pairs[number] if {pair.first, pair.second} == names), None)


def _depending_on_input(board: Board) -> str:
    tails = sorted(
        (
            (score.tail, entry.submission, task.ref)
            for number, task in enumerate(board.tasks)
            for entry, score in board.ranked(number)
            if score.tail is not None and score.tail >= VARIES
        ),
        reverse=True,
    )
    if not tails:
        return "No entry's cost depends on its input: p95 and mean are one number everywhere."
    names = list(dict.fromkeys(name for _, name, _ in tails))
    shown = []
    for name in names[:_FEW]:
        tail, _, ref = next(each for each in tails if each[1] == name)
        shown.append(f"{name} ({tail:.2f} on {ref})")
    rest = f" and {len(names) - _FEW} more" if len(names) > _FEW else ""
    return (
        f"The cost of {_many(len(names), 'entry', 'entries')} depends on the input; dear inputs, at the 95th "
        f"percentile, over the mean: {', '.join(shown)}{rest}."
    )


def _ceiling(board: Board) -> str:
    parts = []
    for number, task in enumerate(board.tasks):
        told = [(entry, score) for entry, score in board.ranked(number) if entry.uses_tags]
        routed = _best(board, number, lambda _, score: bool(score.router_share))
        if told and routed is not None:
            entry, score = max(told, key=lambda each: each[1].score)
            parts.append(
                f"{entry.submission} reaches {_scored(score)} on {task.ref}, and the best router that has to "
                f"find it, {routed[0].submission}, {_scored(routed[1])} (place {places(routed[1].rank)})"
            )
    return _sentence("Told the domain, ", parts)


def _best(board: Board, number: int, wanted: Callable[[Entry, TaskScore], bool]) -> Each | None:
    """Return the best ranked entry of a task that meets a condition, by score."""
    found = board.ranked(number)
    return next((each for each in found if not each[0].uses_tags and wanted(*each)), None)


def _sentence(start: str, parts: Sequence[str]) -> str:
    return f"{start}{'; '.join(parts)}." if parts else ""


def _many(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"
