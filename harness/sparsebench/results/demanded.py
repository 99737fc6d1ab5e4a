"""Which audits a row with a score must have passed.

A cell ends without a score where one of these fails (:mod:`sparsebench.evaluate.cell` insists on them), so a
row that says ``ok`` has each of them once, with the verdict ``pass``. All other audits tell a reader
something and decide nothing: those of the trials, of the timing, and ``phases-add-up``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sparsebench.errors import IntegrityError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sparsebench.results.row import Row

__all__ = ["SCORED", "demand_audits", "missing_audits"]

SCORED = ("alone-as-in-batches", "order-invariance", "cost-in-batches", "counting-bound", "known-answers")
"""Names of the audits that a score rests on, where a cell gives occasion for them."""

_ALWAYS = ("alone-as-in-batches", "order-invariance")
_COST_ALONE = 4  # the schema version from which on batches are held to what their rows cost alone
_WIRING_FREE = 2  # the first cost model that no row before that version has
_OTHER_METRICS = ("accuracy", "rmse", "nrmse", "sup_error")
_KEYS = 12  # digits of a cell key that are shown
_LONGEST = 64  # letters of a name that are shown


def missing_audits(row: Row, *, metric: str | None = None, fresh: bool = False) -> tuple[str, ...]:
    """Name the audits that a row's score rests on, and that it lacks or did not pass.

    Parameters
    ----------
    row
        The row. One with another status than ``ok`` has no score, and lacks nothing.
    metric
        The task's metric; None where it is not at hand.
    fresh
        Whether the instance's generator labels new inputs, as far as is known. A row that says that some
        were drawn is taken at its word.

    Returns
    -------
    tuple of str
        In the order of :data:`SCORED`. An audit that a row has twice did not pass, whatever its verdicts are;
        nor did one that was not run.
    """
    if row.status != "ok":
        return ()
    demanded = _demanded(row, metric, fresh=fresh)
    verdicts = {name: [audit.verdict for audit in row.audits if audit.name == name] for name in SCORED}
    return tuple(
        name for name in SCORED if (name in demanded or verdicts[name]) and verdicts[name] != ["pass"]
    )


def _demanded(row: Row, metric: str | None, *, fresh: bool) -> set[str]:
    names = set(_ALWAYS)
    if metric == "recall" or _may_be_recall(row):
        names.add("counting-bound")
    # A row cannot escape what came with version 4 by naming an older one: those have an older cost model.
    if row.schema_version >= _COST_ALONE or row.cost_model >= _WIRING_FREE:
        names.add("cost-in-batches")
        if fresh or row.fresh_seed is not None or row.quality_fresh is not None:
            names.add("known-answers")
    return names


def _may_be_recall(row: Row) -> bool:
    """Say whether nothing in a row tells that its metric is another one: leaving ``recall`` out does not."""
    return row.recall is not None or all(getattr(row, name) is None for name in _OTHER_METRICS)


def demand_audits(rows: Iterable[Row], tasks: Mapping[str, object] | None = None) -> None:
    """Refuse rows with a score that lack an audit which it rests on.

    Parameters
    ----------
    rows
        Those that a board is made of.
    tasks
        Task reference -> the task, where it is at hand: its metric and its instances say what is demanded.

    Raises
    ------
    IntegrityError
        If there is such a row: the first one is named.
    """
    for row in rows:
        metric, fresh = _told_by((tasks or {}).get(row.task), row.instance)
        if missing := missing_audits(row, metric=metric, fresh=fresh):
            raise IntegrityError(
                f"row {row.cell_key[:_KEYS]}... ({_place(row)}) says ok without {', '.join(missing)}, "
                "expected each of these audits once, with the verdict pass",
                help="evaluate the cell again, or take the row out of the folder",
            )


def _place(row: Row) -> str:
    """Say where a row belongs, in one line: its names come from strangers."""
    return replace(
        row.identity,
        submission=_shown(row.submission),
        variant=_shown(row.variant),
        task=_shown(row.task),
        instance=_shown(row.instance),
    ).label


def _shown(name: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in name[:_LONGEST])


def _told_by(task: object, instance: str) -> tuple[str | None, bool]:
    """Give a task's metric, and whether it labels new inputs: a board can be made of less than a task."""
    spec = getattr(task, "instances", {}).get(instance)
    return getattr(task, "metric", None), bool(getattr(spec, "fresh", False))
