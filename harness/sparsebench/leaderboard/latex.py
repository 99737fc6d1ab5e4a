"""A board as LaTeX, for papers: one table for each task, and one of all tasks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sparsebench.leaderboard.board import QUALITIES
from sparsebench.leaderboard.columns import half_width, is_exact, many, places, sorted_by, times_on
from sparsebench.leaderboard.escape import for_latex
from sparsebench.leaderboard.tables import has_overall, heading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sparsebench.leaderboard.board import Board, Entry, TaskScore

    Columns = Sequence[tuple[str, str]]

__all__ = ["latex"]

_HEAD = r"""% Written by `sparsebench leaderboard`. Needs \usepackage{booktabs}, and no other package.
% Where a name has letters that pdfLaTeX does not know, compile with XeLaTeX or LuaLaTeX.
"""
_QUALITY = QUALITIES.index(0.7)
_NARROWEST = 0.0005  # below it, three digits would say 0
_SCORE = "Score: what quality a budget of operations buys, with half its 95 \\% interval over the seeds."
_TIMES = (
    "Fewer operations: those of the reference over the entry's own at equal quality, the geometric mean over "
    "the instances on which both reach it, as many as the last numbers say; ? where the seeds leave an end "
    "open."
)
_ROUTER = "Router: its part of the operations."
_TOLD = "Entries without a rank are told the domain of every input."


def latex(board: Board, *, sort: str = "score") -> str:
    """Return the board as LaTeX: a ``table`` for each task, and one of the entries that enter every task.

    It can be read into any document with booktabs. Names are escaped: none is a command.

    Parameters
    ----------
    board
        The same rows make the same text.
    sort
        One of :data:`sparsebench.leaderboard.columns.SORTS`: the order in the tables of tasks.

    Raises
    ------
    UsageError
        There is no such order.
    """
    tables = [_of_task(board, number, sort) for number in range(len(board.tasks))]
    if has_overall(board):
        tables.append(_of_all(board))
    return "\n".join([_HEAD, *tables])


def _of_task(board: Board, number: int, sort: str) -> str:
    task = board.tasks[number]
    compared = task.reference is not None
    columns = [("r", "rank"), ("l", "submission"), ("r", "score")]
    columns += [("r", rf"$\times$ fewer operations at {_quality()}")] * compared
    columns += [("r", r"router (\%)")]
    lines = [
        [
            _places(places(score.rank)),
            for_latex(entry.submission),
            _with_half_width(score.score, score.low, score.high, exact=score.exact),
            *[_times(score)] * compared,
            "--" if score.router_share is None else f"{100 * score.router_share:.0f}",
        ]
        for entry, score in sorted_by(board.ranked(number), sort)
    ]
    told = any(entry.uses_tags for entry, _ in board.ranked(number))
    texts = [
        f"{heading(board, number, for_latex)}, {_versions(board)}.",
        _SCORE,
        *[_TIMES] * compared,
        _ROUTER,
    ]
    return _table(columns, lines, [*texts, *[_TOLD] * told], _label(task.ref))


def _of_all(board: Board) -> str:
    columns = [("r", "rank"), ("l", "submission"), ("r", "mean")]
    columns += [("r", _stacked(task.ref)) for task in board.tasks]
    ranked = [entry for entry in board.entries if entry.score is not None]
    lines = [[_places(places(entry.rank)), *_means(entry)] for entry in ranked]
    seeds = many(board.seeds, "seed")
    if board.preliminary:
        seeds = f"preliminary, {board.seeds} of {board.wanted_seeds} seeds"
    texts = [f"All {len(board.tasks)} tasks ({seeds}), {_versions(board)}.", "Entries that enter every task."]
    texts.append("Mean: that of the scores, with half its 95 \\% interval over the seeds.")
    return _table(columns, lines, texts, "tab:sparsebench-all")


def _stacked(ref: str) -> str:
    """Break a long head at its hyphens: the column below it is narrow."""
    lines = [for_latex(part) for part in re.split("(?<=-)", ref)]
    return lines[0] if len(lines) == 1 else r"\shortstack[r]{" + r"\\".join(lines) + "}"


def _means(entry: Entry) -> list[str]:
    return [
        for_latex(entry.submission),
        _with_half_width(entry.score or 0.0, entry.low, entry.high, exact=is_exact(entry)),
        *(f"{score.score:.3f}" if score is not None else "--" for score in entry.tasks),
    ]


def _table(columns: Columns, lines: Sequence[Sequence[str]], texts: Sequence[str], label: str) -> str:
    return "\n".join(
        [
            r"\begin{table}",
            r"  \centering",
            rf"  \caption{{{' '.join(texts)}}}",
            rf"  \label{{{label}}}",
            r"  \small",
            r"  \setlength{\tabcolsep}{4pt}",  # so that the widest table fits into a column of text
            rf"  \begin{{tabular}}{{{''.join(align for align, _ in columns)}}}",
            r"    \toprule",
            _line([head for _, head in columns]),
            r"    \midrule",
            *map(_line, lines),
            r"    \bottomrule",
            r"  \end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def _line(cells: Sequence[str]) -> str:
    return rf"    {' & '.join(cells)} \\"


def _quality() -> str:
    return f"{QUALITIES[_QUALITY]:g}".removeprefix("0")


def _places(rank: str) -> str:
    return rank.replace("-", "--")


def _times(score: TaskScore) -> str:
    text = times_on(score.ratios[_QUALITY], len(score.areas)) if score.ratios else "-"
    return "--" if text == "-" else text


def _with_half_width(score: float, low: float | None, high: float | None, *, exact: bool) -> str:
    if exact:
        return f"{score:.3f} (exact)"
    if low is None or high is None:
        return f"{score:.3f} (one seed)"
    half = half_width(score, low, high)
    shown = "$<$0.001" if 0 < half < _NARROWEST else f"{half:.3f}"
    return rf"{score:.3f} $\pm$ {shown}"


def _versions(board: Board) -> str:
    if board.scoring_version is None:
        return "no rows yet"
    return f"scoring version {board.scoring_version}, cost model {board.cost_model}"


def _label(ref: str) -> str:
    return f"tab:sparsebench-{re.sub(r'[^A-Za-z0-9]+', '-', ref)}"
