"""What the page tells of an entry beyond its line in the tables: from its rows, averaged, ready for JSON."""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from statistics import fmean
from typing import TYPE_CHECKING, Any

from sparsebench.leaderboard.board import short_hash
from sparsebench.leaderboard.columns import cells_of, with_interval
from sparsebench.meter.prices import WEIGHTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sparsebench.leaderboard.board import Board, BoardTask, Entry, Pair, Point, TaskScore
    from sparsebench.results import Row

    Record = dict[str, Any]

__all__ = ["entry_details", "pair_details", "profile_details"]

_MOST_EXPERTS = 24  # of a heat map: the busiest ones
_PHASES = ("router", "dispatch", "experts", "merge")


def entry_details(board: Board, entry: Entry, rows: Iterable[Row]) -> Record:
    """Return an entry's figures on every task that it enters.

    Parameters
    ----------
    board
        The board.
    entry
        One of its entries.
    rows
        The entry's rows that count on the board.

    Returns
    -------
    dict
        ``tasks``: task -> the entry's seeds, areas, budgets for `QUALITIES`, and variants; ``made``: what the
        rows were made with.
    """
    own = list(rows)
    tasks = {
        task.ref: _on_task(task, score, [row for row in own if task.holds(row)])
        for task, score in zip(board.tasks, entry.tasks, strict=True)
        if score is not None
    }
    return {"tasks": tasks, "made": _made(own)}


def pair_details(board: Board, keys: Mapping[str, str]) -> dict[str, list[list[Any]]]:
    """Return the tests of every task: first, second, adjusted p, winner, by the names' keys on the page."""
    return {
        task.ref: [_pair(pair, keys) for pair in pairs]
        for task, pairs in zip(board.tasks, board.pairs, strict=True)
    }


def _pair(pair: Pair, keys: Mapping[str, str]) -> list[Any]:
    winner = None if pair.winner is None else keys[pair.winner]
    return [keys[pair.first], keys[pair.second], _short(pair.adjusted), winner]


def profile_details(
    boards: Mapping[str, Board], keys: Mapping[str, str]
) -> dict[str, dict[str, dict[str, float | None]]]:
    """Return scores by price list: task -> entry -> price list -> score."""
    told: dict[str, dict[str, dict[str, float | None]]] = defaultdict(lambda: defaultdict(dict))
    for profile, board in boards.items():
        for number, task in enumerate(board.tasks):
            for entry, score in board.ranked(number):
                told[task.ref][keys[entry.submission]][profile] = _short(score.score)
    return told


def _on_task(task: BoardTask, score: TaskScore, rows: Sequence[Row]) -> Record:
    by_variant: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row.instance in task.instances:
            by_variant[row.variant].append(row)
    return {
        "score": with_interval(score.score, score.low, score.high, exact=score.exact),
        "seeds": [_short(value) for value in score.values],
        "areas": [_short(area) for area in score.areas],
        "reach": [[_short(each.cost) for each in reaches] for reaches in score.reaches],
        "variants": {point.variant: _variant(point, by_variant[point.variant]) for point in score.points},
    }


def _variant(point: Point, rows: Sequence[Row]) -> Record:
    ran = [row for row in rows if row.status == "ok"]
    return {
        "cells": cells_of(point),
        "p50": _mean(row.ops_p50 for row in ran),
        "p95": _mean(row.ops_p95 for row in ran),
        "max": _mean(row.ops_max for row in ran),
        "loaded": _mean(row.loaded_parameters for row in ran),
        "stored": _mean(row.stored_parameters for row in ran),
        "fit": _mean(row.fit_seconds for row in ran),
        "work": _work(ran),
        "costs": _costs(ran),
        "routes": _routes(ran),
    }


def _work(rows: Sequence[Row]) -> dict[str, dict[str, float]]:
    """Return operations per input, by phase and kind: the mean over cells; the largest first.

    They are priced by the profile ``ops``: their sum is the variant's mean of operations.
    """
    sums: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    rows = [row for row in rows if row.counts]
    for row in rows:
        for count in row.counts or ():
            priced = WEIGHTS[count.kind] * count.count / (row.counted_inputs or 1)
            sums[count.phase][count.kind] += priced / len(rows)
    order = sorted(sums, key=lambda phase: (_PHASES.index(phase) if phase in _PHASES else 9, phase))
    return {
        phase: {
            kind: _short(amount) or 0.0
            for kind, amount in sorted(sums[phase].items(), key=lambda each: (-each[1], each[0]))
            if amount
        }
        for phase in order
    }


def _costs(rows: Sequence[Row]) -> list[list[int]]:
    """Return inputs by their cost, over all cells: [log2 of operations, inputs], ascending."""
    bins: Counter[int] = Counter()
    for row in rows:
        for each in row.ops_histogram or ():
            bins[each.log2_ops] += each.inputs
    return [[power, bins[power]] for power in sorted(bins)]


def _routes(rows: Sequence[Row]) -> dict[str, Record]:
    """Return how often the inputs of a domain go to an expert, of the first seed: instance -> heat map.

    Experts have numbers of their own with every seed: sums over seeds would mean nothing.
    """
    found = {}
    for row in sorted(rows, key=lambda row: row.seed):
        if row.expert_domains and row.instance not in found:
            busy: Counter[int] = Counter()
            domains = sorted({pair.domain for pair in row.expert_domains})
            for pair in row.expert_domains:
                busy[pair.expert] += pair.inputs
            experts = sorted(expert for expert, _ in busy.most_common(_MOST_EXPERTS))
            table = {(pair.expert, pair.domain): pair.inputs for pair in row.expert_domains}
            most = max(table.values())
            # A digit for a square: as many shades as an eye tells apart, and a tenth of the numbers' size.
            shades = [
                "".join(str(math.ceil(9 * table.get((e, d), 0) / most)) for d in domains) for e in experts
            ]
            found[row.instance] = {
                "experts": experts,
                "of": len(busy),
                "domains": domains,
                "shades": shades,
                "seed": row.seed,
            }
    return found


def _made(rows: Sequence[Row]) -> Record:
    """Return what rows were made with, each value once, and their audits."""
    audits: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        for audit in row.audits or ():
            audits[audit.name][audit.verdict] += 1
    return {
        "rows": len(rows),
        "seeds": sorted({row.seed for row in rows}),
        "folder": sorted({short_hash(row.submission_hash) for row in rows}),
        "harness": _once(_harness(row) for row in rows),
        "python": _once(row.python for row in rows),
        "packages": _packages(rows),
        "blas": _once(row.blas for row in rows),
        "processor": _once(row.cpu for row in rows),
        "sandbox": _once(row.sandbox for row in rows),
        "first": min((row.started for row in rows), default=None),
        "last": max((row.ended for row in rows), default=None),
        "audits": {name: dict(sorted(audits[name].items())) for name in sorted(audits)},
    }


def _harness(row: Row) -> str:
    return f"{row.harness_version} ({(row.harness_commit or 'no commit')[:12]})"


def _packages(rows: Sequence[Row]) -> dict[str, str]:
    versions: dict[str, set[str]] = defaultdict(set)
    for text in {row.packages for row in rows if row.packages}:
        for name, version in json.loads(text).items():
            versions[name].add(version)
    return {name: ", ".join(sorted(versions[name])) for name in sorted(versions)}


def _once(values: Iterable[str | None]) -> list[str]:
    return sorted({value for value in values if value})


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return _short(fmean(known)) if known else None


def _short(value: float | None) -> float | None:
    """Round a number to four digits, as many as the page shows, so that the page stays small."""
    if value is None or not math.isfinite(value) or not value:
        return value
    rounded = round(value, 3 - math.floor(math.log10(abs(value))))
    return int(rounded) if rounded == int(rounded) else rounded
