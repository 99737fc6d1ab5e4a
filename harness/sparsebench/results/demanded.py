"""The audits that a row with a score must have passed.

A cell ends without a score if one of these fails (:mod:`sparsebench.evaluate.cell` requires them), so a row
with status ``ok`` has each of them once, with the verdict ``pass``. All other audits inform readers and
decide nothing: those of the trials, of the timing, and ``phases-add-up``.
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
_COST_ALONE = 4  # the first schema version in which batches are compared with the cost of their rows alone
_WIRING_FREE = 2  # the first cost model that no row of an earlier version has
_OTHER_METRICS = ("accuracy", "rmse", "nrmse", "sup_error")
_KEYS = 12  # shown digits of a cell key
_LONGEST = 64  # shown letters of a name


def missing_audits(row: Row, *, metric: str | None = None, fresh: bool = False) -> tuple[str, ...]:
    """Return the names of the audits that a row's score requires, and that it lacks or did not pass.

    Parameters
    ----------
    row
        The row. A row with another status than ``ok`` has no score, and lacks nothing.
    metric
        The task's metric; None if it is not known.
    fresh
        Whether the instance's generator labels new inputs, as far as is known. A row that says that some were
        drawn is believed.

    Returns
    -------
    tuple of str
        In the order of :data:`SCORED`. An audit that a row has twice counts as not passed, whatever its
        verdicts are; so does an audit that was not run.
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
    # A row cannot avoid the rules of version 4 by naming an older one: older rows have an older cost model.
    if row.schema_version >= _COST_ALONE or row.cost_model >= _WIRING_FREE:
        names.add("cost-in-batches")
        if fresh or row.fresh_seed is not None or row.quality_fresh is not None:
            names.add("known-answers")
    return names


def _may_be_recall(row: Row) -> bool:
    """Return whether a row may be of the metric recall; the lack of ``recall`` does not exclude it."""
    return row.recall is not None or all(getattr(row, name) is None for name in _OTHER_METRICS)


def demand_audits(rows: Iterable[Row], tasks: Mapping[str, object] | None = None) -> None:
    """Refuse rows with a score that lack an audit which the score requires.

    Parameters
    ----------
    rows
        The rows of a board.
    tasks
        Task reference -> the task, if it is known: its metric and its instances determine the required
        audits.

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
    """Return a row's place as one printable line: its names come from strangers."""
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
    """Return a task's metric, and whether it labels new inputs; a board's task may not say either."""
    spec = getattr(task, "instances", {}).get(instance)
    return getattr(task, "metric", None), bool(getattr(spec, "fresh", False))
