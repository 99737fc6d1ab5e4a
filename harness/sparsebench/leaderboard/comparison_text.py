"""A comparison in words, for a terminal."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING

from sparsebench.leaderboard.columns import many, short_number, short_size, with_interval
from sparsebench.leaderboard.escape import for_terminal
from sparsebench.scoring import SMALLEST_LEAD

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sparsebench.leaderboard.board import Ratio
    from sparsebench.leaderboard.comparison import Comparison, Lead, Side, TaskComparison, Verdict

    Names = tuple[str, str]

__all__ = ["comparison_text"]

_WIDTH = 100
_LEVEL = 0.05
_LONGEST_NOTE = 1200


def comparison_text(comparison: Comparison, *, width: int | None = None) -> str:
    """Return a comparison in sentences: each task in a paragraph, then what they do not say.

    Parameters
    ----------
    comparison
        The same one makes the same text.
    width
        Columns of the terminal; None for 100.
    """
    names = for_terminal(comparison.first), for_terminal(comparison.second)
    columns = min(width or _WIDTH, _WIDTH)
    tasks, seeds = many(len(comparison.tasks), "task"), many(comparison.seeds, "seed")
    few = ", which is preliminary" if comparison.preliminary else ""
    parts = [_filled(f"{names[0]} and {names[1]} on {tasks} that both enter, with {seeds}{few}.", columns)]
    for task in comparison.tasks:
        lines = (_filled(line, columns, "  ") for line in _about(task, names))
        parts.append("\n".join([for_terminal(task.task), *lines]))
    if comparison.notes:
        notes = (_filled(f"note: {for_terminal(note, _LONGEST_NOTE)}", columns) for note in comparison.notes)
        parts.append("\n".join(notes))
    parts.append(_filled(f"Not said here: {'; '.join(_unsaid(comparison, names))}.", columns))
    return "\n\n".join(parts) + "\n"


def _filled(text: str, columns: int, indent: str = "") -> str:
    return fill(
        text,
        columns,
        initial_indent=indent,
        subsequent_indent=2 * indent,
        break_on_hyphens=False,  # names stay whole
        break_long_words=False,
    )


def _about(task: TaskComparison, names: Names) -> Iterator[str]:
    sides = task.first, task.second
    scores = (f"{name} {_scored(side)}" for name, side in zip(names, sides, strict=True))
    yield f"Score: {'; '.join(scores)}."
    yield _verdict(task, names)
    yield f"Ahead: {'; '.join(_ahead(task, names))}."
    for ratio in task.ratios:
        yield _operations(ratio, names, len(task.instances))
    yield f"Router: {_each(names, [_percent(side.router_share) for side in sides])} of the operations."
    tails = ["not known" if side.tail is None else f"{side.tail:.2f}" for side in sides]
    yield f"Dear inputs, at the 95th percentile, over the mean: {_each(names, tails)}."
    yield f"Memory of the largest model: {_each(names, [short_size(side.memory_bytes) for side in sides])}."
    if any(side.failed_share for side in sides):
        yield f"Cells that failed: {_each(names, [f'{100 * side.failed_share:.1f} %' for side in sides])}."


def _scored(side: Side) -> str:
    text = with_interval(side.score, side.low, side.high, exact=side.exact)
    if side.rank_best is None:
        return f"{text}, without a place"
    if side.rank_best == side.rank_worst:
        return f"{text}, place {side.rank_best}"
    return f"{text}, places {side.rank_best} to {side.rank_worst}"


def _verdict(task: TaskComparison, names: Names) -> str:
    if task.verdict is None:
        told = [
            name
            for name, side in zip(names, (task.first, task.second), strict=True)
            if side.rank_best is None
        ]
        are = "is" if len(told) == 1 else "are"
        return f"No verdict: {' and '.join(told)} {are} told the domain, which is a class without places."
    lead = abs(task.difference)
    better, worse = names if task.difference >= 0 else names[::-1]
    if task.verdict.winner is not None:
        return f"{better} beats {worse} by {lead:.3f} ({_tested(task.verdict)})."
    return f"Not told apart: {_why_not(task, lead)}."


def _tested(verdict: Verdict) -> str:
    if verdict.p is None or verdict.adjusted is None:
        return "both scores are exact"
    return f"Welch's p {verdict.p:.2g}, after Holm's correction {verdict.adjusted:.2g}"


def _why_not(task: TaskComparison, lead: float) -> str:
    verdict = task.verdict
    if verdict is None or verdict.p is None:
        if task.first.low is None or task.second.low is None:
            return f"they differ by {lead:.3f}, and with one seed there is no test"
        return f"both scores are exact, and differ by less than {SMALLEST_LEAD:g}"
    small = verdict.adjusted is not None and verdict.adjusted < _LEVEL
    less = f", less than the {SMALLEST_LEAD:g} that count" if small else ""
    return f"they differ by {lead:.3f}{less} ({_tested(verdict)})"


def _ahead(task: TaskComparison, names: Names) -> Iterator[str]:
    total, ahead = len(task.instances), task.ahead
    for name, leads, own in zip(names, ahead, ("first", "second"), strict=True):
        areas = [_areas(lead, own) for lead in leads]
        yield f"{name} on {len(leads)} of {total} instances" + f", {', '.join(areas)}" * bool(areas)
    if level := total - sum(map(len, ahead)):
        yield f"equal on {level}"


def _areas(lead: Lead, own: str) -> str:
    larger, smaller = (lead.first, lead.second) if own == "first" else (lead.second, lead.first)
    return f"{for_terminal(lead.instance)} ({larger:.3f} to {smaller:.3f})"


def _operations(ratio: Ratio, names: Names, instances: int) -> str:
    quality = f"Quality {ratio.quality:g}"
    if ratio.times is None:
        return f"{quality}: there is no instance on which both reach it."
    on = f"on {ratio.instances} of {instances} instances"
    same = f"{_span(ratio.times, ratio.low, ratio.high)} times"
    if short_number(ratio.times) == "1.00":
        return f"{quality}: {names[0]} takes {same} the operations of {names[1]}, {on}."
    if ratio.times > 1:
        return f"{quality}: {names[1]} takes {same} fewer operations than {names[0]}, {on}."
    fewer = f"{_span(1 / ratio.times, _inverse(ratio.high), _inverse(ratio.low))} times fewer operations"
    return f"{quality}: {names[0]} takes {fewer} than {names[1]}, {on}."


def _inverse(end: float | None) -> float | None:
    return None if end is None else 1 / end


def _span(times: float, low: float | None, high: float | None) -> str:
    """Return a ratio with its interval, as the tables have it."""
    shown, *ends = ("?" if end is None else short_number(end) for end in (times, low, high))
    return shown if ends in (["?", "?"], [shown, shown]) else f"{shown} ({ends[0]} to {ends[1]})"


def _percent(share: float | None) -> str:
    return "not known" if share is None else f"{100 * share:.0f} %"


def _each(names: Names, values: Sequence[str]) -> str:
    return f"{names[0]} {values[0]}, {names[1]} {values[1]}"


def _unsaid(comparison: Comparison, names: Names) -> Iterator[str]:
    yield "how they compare on other instances, which no interval covers"
    if comparison.seeds == 1:
        yield "how they do with other seeds than 0: there are no intervals"
    else:
        yield f"how they do with other seeds than 0 to {comparison.seeds - 1}, further than the intervals go"
    alike = [task.task for task in comparison.tasks if task.verdict and task.verdict.winner is None]
    if alike:
        yield f"that they are equal on {_listed(alike)}, where they are not told apart"
    if any(ratio.instances < len(task.instances) for task in comparison.tasks for ratio in task.ratios):
        yield "what a quality costs on the instances where one of them does not reach it"
    for name, refs in zip(names, (comparison.only_first, comparison.only_second), strict=True):
        if refs:
            yield f"anything of {_listed(refs)}, which only {name} enters"


def _listed(refs: Sequence[str]) -> str:
    return ", ".join(map(for_terminal, refs))
