"""The paper's price and the honest one: what leaving the router out does to the order of entries."""

from __future__ import annotations

from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from sparsebench.errors import NotFoundError
from sparsebench.leaderboard.columns import places
from sparsebench.leaderboard.findings import TABLES, TREES, order_of, turned_pairs
from sparsebench.leaderboard.standard import Choice, board_of, tasks_of
from sparsebench.results import ResultStore
from sparsebench.studies.records import Claim, Line, Outcome, Plot, Study, Table, verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sparsebench.leaderboard.board import Board, TaskScore
    from sparsebench.studies.steps import Steps

__all__ = ["STUDY", "Both", "both_prices"]

_FREE = "paper-router-free"


class Both(NamedTuple):
    """An entry on a task, by both prices."""

    task: str
    submission: str
    honest: TaskScore
    free: TaskScore
    places: tuple[int, int]
    """In the order of scores, by each."""

    @property
    def share(self) -> float:
        """The router's part of the operations."""
        return self.honest.router_share or 0.0

    @property
    def is_routed(self) -> bool:
        """Whether it has a router, and experts that are neither a tree's leaves nor a table's records."""
        return self.share > 0.0 and self.submission not in TREES | TABLES


def both_prices(honest: Board, free: Board) -> Iterator[Both]:
    """Yield the entries of every task that are not told the domain, by the honest score."""
    for number, task in enumerate(honest.tasks):
        scores, others = (
            {entry.submission: score for entry, score in board.ranked(number)} for board in (honest, free)
        )
        order, other = order_of(honest, number), order_of(free, number)
        for name, place in order.items():
            if name in other:
                yield Both(task.ref, name, scores[name], others[name], (place, other[name]))


def _boards(steps: Steps) -> tuple[Board, Board]:
    if steps.store is None or not steps.store.exists() or not (rows := ResultStore(steps.store).latest()):
        where = "no directory" if steps.store is None else str(steps.store)
        mend = "evaluate some, or name others: sparsebench reproduce honest-price --output DIR"
        raise NotFoundError(f"honest-price: expected stored rows, got none in {where}", help=mend)
    choice = Choice()
    tasks = tasks_of(rows, [], choice)
    return board_of(rows, tasks, choice), board_of(rows, tasks, replace(choice, profile=_FREE))


def _measure(steps: Steps) -> Outcome:
    honest, free = _boards(steps)
    found = list(both_prices(honest, free))
    routed = [each for each in found if each.is_routed]
    pairs = turned_pairs(honest, free)
    total = (sum(a for a, _ in pairs.values()), sum(b for _, b in pairs.values()))
    shares = sorted(each.share for each in routed)
    moved = sorted(routed, key=lambda each: each.places[1] - each.places[0])
    return Outcome(
        claims=(
            Claim(
                says="Leaving the router out of the price changes nothing of who is better.",
                source="implied where papers count experts alone",
                measured=f"{total[0]} of the {total[1]} pairs that are told apart change order: "
                + ", ".join(f"{a} of {b} on {ref}" for ref, (a, b) in pairs.items()),
                asks="no pair",
                verdict=verdict([a == 0 for a, b in pairs.values() if b]),
            ),
            Claim(
                says="The router is a small part of the cost.",
                source="implied where papers count experts alone",
                measured=f"median {median(shares):.0%} of the operations of {len(shares)} entries with a "
                f"router and experts, {shares[0]:.0%} to {shares[-1]:.0%}"
                if shares
                else "there is no entry with a router",
                asks="less than a tenth, at the median",
                verdict=verdict([bool(shares) and median(shares) < 0.1]),  # noqa: PLR2004
            ),
        ),
        plot=_plot(routed),
        tables=(
            Table(
                "Entries with a router and experts, those first that gain most by leaving it out",
                ("task", "submission", "router, %", "score", "rank", "score without", "rank without"),
                [
                    (
                        each.task,
                        each.submission,
                        round(100 * each.share),
                        f"{each.honest.score:.3f}",
                        places(each.honest.rank),
                        f"{each.free.score:.3f}",
                        places(each.free.rank),
                    )
                    for each in moved
                ],
            ),
        ),
        remarks=(
            "Scores are areas under budget curves, of all seeds and instances of the stored rows.",
            "Trees and tables are on the board, and so among the pairs; all that they do is to route.",
        ),
    )


def _plot(routed: Sequence[Both]) -> Plot:
    tasks = sorted({each.task for each in routed})
    return Plot(
        title="What leaving the router out adds to a score",
        across="the router's part of the operations, %",
        up="score without the router, less the score",
        lines=tuple(
            Line(
                task,
                sorted(
                    (100 * each.share, each.free.score - each.honest.score)
                    for each in routed
                    if each.task == task
                ),
            )
            for task in tasks
        )
        or (Line("nothing", [(0.0, 0.0), (1.0, 0.0)]),),
    )


STUDY = Study(
    name="honest-price",
    title="Scores with the router and without",
    reference="The systems' papers, each with a price of its own: arXiv:2208.04461, arXiv:2402.03460, "
    "arXiv:2303.11247, arXiv:2306.03745",
    about="A board of stored rows is scored twice: by all operations, and by the price list "
    "`paper-router-free`, which leaves out what decides which experts run.",
    measure=_measure,
    needs_rows=True,
)
