"""Deep polynomial networks: which of them fill the space of polynomials around them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from sparsebench.studies.modular import PRIMES
from sparsebench.studies.polynomial_maps import ambient, dimension, naive
from sparsebench.studies.records import Claim, Line, Outcome, Plot, Study, Table, verdict

if TYPE_CHECKING:
    from sparsebench.studies.steps import Steps

__all__ = ["DIMENSIONS", "STUDY"]

DIMENSIONS = (
    ((2, 3, 2, 3, 4), 2, 16),
    ((2, 2, 1), 2, 3),
    ((3, 2, 1), 2, 5),
    ((3, 3, 1), 2, 6),
    ((3, 2, 2), 2, 8),
    ((3, 3, 2), 2, 12),
    ((3, 5, 1), 4, 14),
    ((2, 3, 2, 3), 2, 10),
    ((6, 3, 1), 2, 15),
    ((3, 3, 3), 3, 15),
    ((2, 2, 2, 2, 1), 2, 7),
    ((3, 2, 2, 1), 3, 8),
)
"""Widths, power and dimension: those that two primes agree on, of a prototype."""

_WIDE = 8  # of the picture's networks


def _dimensions(prime: int) -> list[int]:
    return [dimension(w, p, np.random.default_rng(n), prime) for n, (w, p, _) in enumerate(DIMENSIONS)]


def _filling() -> list[list[int]]:
    """Return, by width, the dimension of networks with four inputs, one hidden layer and one output."""
    rng = np.random.default_rng(0)
    return [[m, dimension((4, m, 1), 2, rng, PRIMES[0])] for m in range(1, _WIDE + 1)]


def _measure(steps: Steps) -> Outcome:
    by_prime = [steps.take(f"dimensions-{prime}", partial(_dimensions, prime)) for prime in PRIMES]
    expected = [d for _, _, d in DIMENSIONS]
    fills = steps.take("filling", _filling)
    least = [d < naive(w, p) for (w, p, _), d in zip(DIMENSIONS, by_prime[0], strict=True)]
    rows = [
        ("-".join(map(str, w)), p, *found, naive(w, p), ambient(w, p))
        for (w, p, _), *found in zip(DIMENSIONS, *by_prime, strict=True)
    ]
    deficient = ", ".join(f"({row[0]}), r = {row[1]}" for row, low in zip(rows, least, strict=True) if low)
    return Outcome(
        claims=(
            Claim(
                says="The dimension of a network's functional variety is the rank of a Jacobian at random "
                "weights, and can be computed modulo a prime.",
                source="the paper's code; twelve architectures of a prototype",
                measured=f"{sum(a == b for a, b in zip(by_prime[0], expected, strict=True))} of "
                f"{len(expected)} as expected, by both primes",
                asks="all twelve, exactly, by both primes",
                verdict=verdict([found == expected for found in by_prime]),
            ),
            Claim(
                says="Counting weights less scales does not always give the dimension.",
                source="the paper",
                measured=f"{sum(least)} of {len(least)} have less: {deficient}",
                asks="at least one has less, and none has more",
                verdict=verdict(
                    [any(least), all(d <= naive(w, p) for w, p, d in DIMENSIONS)],
                ),
            ),
            Claim(
                says="With squares and one hidden layer, a network fills the space of quadratic forms from "
                "as many hidden units as there are inputs.",
                source="derived: a quadratic form is a sum of as many squares",
                measured="four inputs: " + ", ".join(f"{d} with {m}" for m, d in fills),
                asks=f"{ambient((4, 4, 1), 2)} from 4 units on, less before",
                verdict=verdict([(d == ambient((4, m, 1), 2)) == (m >= 4) for m, d in fills]),  # noqa: PLR2004
            ),
        ),
        plot=Plot(
            title="Four inputs, one layer of squares: 4 units fill the space",
            across="hidden units",
            up="dimension",
            lines=(
                Line("what a network can be", [(float(m), float(d)) for m, d in fills]),
                Line("weights less scales", [(float(m), float(naive((4, m, 1), 2))) for m, _ in fills]),
                Line("all quadratic forms", [(float(m), float(ambient((4, m, 1), 2))) for m, _ in fills]),
            ),
        ),
        tables=(
            Table(
                "Dimensions",
                ("widths", "power", *(f"modulo {p:,}" for p in PRIMES), "weights less scales", "all maps"),
                rows,
            ),
        ),
    )


STUDY = Study(
    name="polynomial",
    title="The dimension of deep polynomial networks",
    reference="Kileel, Trager, Bruna: On the expressive power of deep polynomial neural networks (NeurIPS "
    "2019), arXiv:1905.12207",
    about="Of each network the Jacobian of its values at enough random points is taken, modulo two primes "
    "near 2^31, and its rank found by elimination: nothing is rounded.",
    measure=_measure,
)
