"""The comment on a pull request: its row, its place, and what differs from the entries to compare it with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tabulate import tabulate

from sparsebench.leaderboard.columns import with_interval
from sparsebench.leaderboard.escape import for_markdown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sparsebench.boards.report import Report, TaskReport

__all__ = ["comment_on"]

_ROLES = {
    "reference": "dense reference",
    "constant": "best constant",
    "first": "first place",
    "above": "next above",
    "below": "next below",
}
_SHORT = 12  # digits of a hash
_LONGEST = 65_000  # letters; a host refuses comments of 65,536


def comment_on(report: Report) -> str:
    """Return a report as Markdown. Nothing in it is more than text, whoever wrote the report."""
    name = for_markdown(report.submission)
    intro = (
        f"Scored at {report.head[:_SHORT]} (submission {report.submission_hash[:_SHORT]}) on the instances "
        f"and seeds of this board, by scoring version {report.scoring_version} and cost model "
        f"{report.cost_model}. Nothing of it is on the board: what is merged is scored again."
    )
    parts = [f"### {name}", intro, _scores(report.tasks)]
    if any(task.beside for task in report.tasks):
        parts += ["**Beside other entries**", _beside(report.tasks)]
    variants = ["**Variants**", _variants(report.tasks)]
    last = []
    if any(task.failed_share for task in report.tasks):
        last.append("Cells that fail count as the worst value of their task. The log of the run says why.")
    whole = _put_together([*parts, *variants, *last])
    if len(whole) <= _LONGEST:
        return whole
    return _put_together([*parts, "There are too many variants for a comment: they are left out.", *last])


def _put_together(parts: Sequence[str]) -> str:
    return "\n\n".join(parts) + "\n"


def _scores(tasks: Sequence[TaskReport]) -> str:
    heads = ("task", "score", "place", "of", "router", "failed", "instances", "seeds")
    lines = [
        [
            for_markdown(task.task),
            with_interval(task.score, task.low, task.high, exact=task.exact),
            _place(task),
            task.ranked,
            "-" if task.router_share is None else f"{100 * task.router_share:.0f} %",
            f"{100 * task.failed_share:.1f} %",
            task.instances,
            task.seeds,
        ]
        for task in tasks
    ]
    return _table(heads, lines)


def _place(task: TaskReport) -> str:
    if task.rank_best is None:
        return "-"
    same = task.rank_best == task.rank_worst
    return str(task.rank_best) if same else f"{task.rank_best}-{task.rank_worst}"


def _beside(tasks: Sequence[TaskReport]) -> str:
    lines = [
        [
            for_markdown(task.task),
            for_markdown(other.submission),
            _ROLES[other.role],
            f"{other.score:.3f}",
            f"{other.difference:+.3f}",
            other.verdict,
        ]
        for task in tasks
        for other in task.beside
    ]
    return _table(("task", "entry", "which is", "its score", "difference", "this one is"), lines)


def _variants(tasks: Sequence[TaskReport]) -> str:
    lines = [
        [
            for_markdown(task.task),
            for_markdown(each.variant),
            "-" if each.ops is None else f"{each.ops:,.0f}",
            f"{each.quality:.3f}",
            f"{each.ok} of {each.cells}",
        ]
        for task in tasks
        for each in task.variants
    ]
    return _table(("task", "variant", "ops", "quality", "cells ok"), lines)


def _table(heads: Sequence[str], lines: Sequence[Sequence[object]]) -> str:
    return tabulate(lines, headers=heads, tablefmt="pipe", disable_numparse=True)
