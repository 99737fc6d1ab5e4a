"""Overlapping windows: what they add to the rank of a circuit, and what they cost."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from sparsebench.studies.convacs import (
    halves,
    macs,
    matricization_rank,
    overlapping_first,
    parameters,
    tree,
)
from sparsebench.studies.modular import PRIMES
from sparsebench.studies.records import Claim, Line, Outcome, Plot, Study, Table, verdict

if TYPE_CHECKING:
    from sparsebench.studies.steps import Steps

__all__ = ["OVERLAPS", "STUDY", "WINDOWS", "formula"]

OVERLAPS = (
    (16, 2, 4, 1, 4),
    (16, 2, 4, 2, 8),
    (16, 2, 4, 3, 16),
    (16, 2, 4, 5, 64),
    (16, 2, 4, 7, 256),
    (8, 3, 3, 1, 3),
    (8, 3, 3, 2, 9),
    (8, 3, 3, 3, 27),
    (8, 3, 3, 5, 81),
)
"""Positions, templates, channels, width of the first layer, and the rank of left against right."""

WINDOWS = ((2, 2, 16), (3, 4, 16))
"""Window of every layer of stride 2 over eight positions, two channels: rank left against right, odd
against even."""


def formula(positions: int, templates: int, channels: int, width: int) -> int:
    """Return min(q**(N/2), D q**(B - 1)), q = min(D, M): the rank of left against right (derived)."""
    q = min(channels, templates)
    return int(min(q ** (positions // 2), channels * q ** (width - 1)))


def _ranks(prime: int) -> list[int]:
    rng = np.random.default_rng(0)
    return [
        matricization_rank(overlapping_first(n, m, d, b), halves(n, "left"), rng, prime)
        for n, m, d, b, _ in OVERLAPS
    ]


def _window_ranks(prime: int) -> list[list[int]]:
    rng = np.random.default_rng(1)
    return [
        [matricization_rank(tree(8, 2, 2, window), halves(8, how), rng, prime) for how in ("left", "odd")]
        for window, _, _ in WINDOWS
    ]


def _measure(steps: Steps) -> Outcome:
    ranks = [steps.take(f"ranks-{prime}", partial(_ranks, prime)) for prime in PRIMES]
    windows = [steps.take(f"windows-{prime}", partial(_window_ranks, prime)) for prime in PRIMES]
    expected = [rank for *_, rank in OVERLAPS]
    rows = []
    for (n, m, d, b, _), *found in zip(OVERLAPS, *ranks, strict=True):
        circuit = overlapping_first(n, m, d, b)
        rows.append((n, m, d, b, *found, parameters(circuit), macs(circuit)))
    first = [row for row in rows if row[0] == OVERLAPS[0][0]]
    return Outcome(
        claims=(
            Claim(
                says="Overlap raises the rank of left against right exponentially in its width: "
                "min(q^(N/2), D q^(B-1)), q = min(D, M), for a first layer of width B.",
                source="Theorem of the paper; the formula is derived for these circuits",
                measured="ranks " + ", ".join(str(rank) for rank in ranks[0]) + ", by both primes",
                asks="all nine as the formula says, exactly, by both primes",
                verdict=verdict(
                    [
                        found == expected == [formula(n, m, d, b) for n, m, d, b, _ in OVERLAPS]
                        for found in ranks
                    ]
                ),
            ),
            Claim(
                says="Without overlap a deep circuit has the full rank of odd against even positions, and no "
                "more than its channels of left against right; windows of 3 instead of 2 raise that.",
                source="the paper",
                measured="; ".join(
                    f"windows of {window}: {left} and {odd}"
                    for (window, _, _), (left, odd) in zip(WINDOWS, windows[0], strict=True)
                )
                + " (left, odd)",
                asks="2 and 16 for windows of 2, 4 and 16 for windows of 3, exactly",
                verdict=verdict([found == [list(each[1:]) for each in WINDOWS] for found in windows]),
            ),
            Claim(
                says="It does so at a price that grows with the width alone.",
                source="derived",
                measured=f"N = 16: {first[-1][-1] / first[0][-1]:.1f} times the multiply-accumulates and "
                f"{first[-1][-2] / first[0][-2]:.1f} times the weights for "
                f"{first[-1][4] // first[0][4]} times the rank",
                asks="weights and multiply-accumulates as counted by hand: 116 and 476 up to 188 and 1,948",
                verdict=verdict(
                    [first[0][-2:] == (116, 476), first[-1][-2:] == (188, 1948)],
                ),
            ),
        ),
        plot=Plot(
            title="N = 16: the rank grows exponentially, the price does not",
            across="multiply-accumulates",
            up="rank of left against right",
            lines=(Line("B = 1, 2, 3, 5, 7", [(float(row[-1]), float(row[4])) for row in first]),),
            log_across=True,
            log_up=True,
        ),
        tables=(
            Table(
                "One layer of stride 1 and width B before a tree of stride 2",
                (
                    *("N", "M", "D", "B"),
                    *(f"rank modulo {p:,}" for p in PRIMES),
                    *("weights", "multiply-accumulates"),
                ),
                rows,
            ),
        ),
        remarks=(
            "Circuits have no biases: with them ranks of windows of 3 and more are larger (5 instead of 4).",
            "Places beyond the end contribute the factor 1, and are counted like the others.",
        ),
    )


STUDY = Study(
    name="overlap",
    title="Overlapping windows of arithmetic circuits",
    reference="Sharir, Shashua: On the expressive power of overlapping architectures of deep learning (ICLR "
    "2018), arXiv:1703.02065",
    about="The outputs of a circuit for all M^N inputs are computed modulo two primes near 2^31, with random "
    "weights, and the ranks of their matricizations found by elimination: nothing is rounded, where singular "
    "values in floating point undercount.",
    measure=_measure,
)
