"""Fixed queries and keys: how many dimensions address L places."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from sparsebench.studies.intervals import line_through, mean_interval
from sparsebench.studies.records import Claim, Line, Outcome, Plot, Study, Table, verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from sparsebench.studies.steps import Steps

__all__ = ["STUDY", "least_dimension", "least_routing_dimension"]

_DRAWS = 24
_STEP, _MOST = 2, 512  # the grid of dimensions
_ZERO, _ALLOWED = 0.005, 0.05  # what a zero is to be, and may be, of its row's largest entry
_LENGTHS, _QUICK = (64, 128, 256, 512, 1024, 2048), (64, 128, 256, 512)
_NOISE = 0.5  # length of what is added to a key of length 1
_RIGHT = 0.99  # share of the queries that find their expert
_QUERIES = 4000
_DETERMINED = 0.8


def least_dimension(length: int, rng: np.random.Generator) -> int:
    """Return the smallest dimension in which a random pattern of one non-zero a row is approximated.

    The construction of Likhosherstov et al. (arXiv:2106.03764): rows of G are normal with variance 1/d, X =
    [B G, G], queries read the first half and keys the second, so that the logits are B G Gᵀ, with B =
    log(1/e) at the non-zeros. It is approximated where no zero is more than .05 of its row's non-zero; e is
    .005.

    Parameters
    ----------
    length
        L, the number of rows.
    rng
        Draws the pattern, a permutation, and G.
    """
    pattern = rng.permutation(length)
    drawn = rng.standard_normal((length, _MOST)).astype(np.float32)
    height, allowed = -math.log(_ZERO), math.log(_ALLOWED)
    logits = np.zeros((length, length), dtype=np.float32)
    own = np.arange(length), pattern
    for d in range(_STEP, _MOST + 1, _STEP):
        block = drawn[:, d - _STEP : d]
        logits += block[pattern] @ block.T
        scaled = logits * np.float32(height / d)
        largest = scaled[own].copy()
        scaled[own] = -np.inf
        if float(np.max(scaled.max(axis=1) - largest)) <= allowed:
            return d
    return _MOST


def least_routing_dimension(experts: int, rng: np.random.Generator) -> int:
    """Return the smallest dimension in which noisy queries find their expert among unit keys.

    A query is an expert's key plus normal noise of length .5; 99 % of them must be nearest to their own.
    """
    for d in range(_STEP, _MOST + 1, _STEP):
        keys = rng.standard_normal((experts, d)).astype(np.float32)
        keys /= np.linalg.norm(keys, axis=1, keepdims=True)
        own = rng.integers(0, experts, _QUERIES)
        noise = rng.standard_normal((_QUERIES, d)).astype(np.float32) * np.float32(_NOISE / math.sqrt(d))
        if np.mean(np.argmax((keys[own] + noise) @ keys.T, axis=1) == own) >= _RIGHT:
            return d
    return _MOST


def _drawn(function: Callable[[int, np.random.Generator], int], length: int) -> list[int]:
    return [function(length, np.random.default_rng([length, draw])) for draw in range(_DRAWS)]


def _exact(experts: int) -> float:
    """Return the share of exact queries that find their expert among keys on a circle: two dimensions."""
    angles = 2 * np.pi * np.arange(experts) / experts
    keys: NDArray[np.float64] = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return float(np.mean(np.argmax(keys @ keys.T, axis=1) == np.arange(experts)))


def _measure(steps: Steps) -> Outcome:
    lengths = _QUICK if steps.quick else _LENGTHS
    found = {
        what: {
            length: steps.take(
                f"{what}-{length}",
                partial(_drawn, function, length),
            )
            for length in lengths
        }
        for what, function in (("pattern", least_dimension), ("routing", least_routing_dimension))
    }
    means = {w: {n: mean_interval(values) for n, values in each.items()} for w, each in found.items()}
    lines = {
        what: line_through([(math.log2(n), interval.mean) for n, interval in each.items()])
        for what, each in means.items()
    }
    exact = steps.take("exact", lambda: [_exact(n) for n in lengths])
    said = {
        what: f"d = {fit.intercept:.1f} + {fit.slope:.2f} log2 L, R² = {fit.determined:.3f}"
        for what, fit in lines.items()
    }
    return Outcome(
        claims=(
            Claim(
                says="With fixed W_Q and W_K, any matrix with boundedly many non-zeros in every row and "
                "column is approximated with d = O(log L).",
                source="Theorem of the paper; the construction is derived from it",
                measured=f"{said['pattern']}, means of {_DRAWS} draws",
                asks=f"a positive slope, and R² above {_DETERMINED}",
                verdict=verdict([lines["pattern"].slope > 0 and lines["pattern"].determined > _DETERMINED]),
            ),
            Claim(
                says="So a router by attention addresses L experts with d = O(log L).",
                source="derived: a row of the pattern is a query, its non-zero the expert",
                measured=f"with noisy queries {said['routing']}; with exact ones two dimensions find "
                f"{', '.join(f'{share:.0%}' for share in exact)} of L = {', '.join(map(str, lengths))}",
                asks=f"with noise a positive slope, and R² above {_DETERMINED}",
                verdict=verdict([lines["routing"].slope > 0 and lines["routing"].determined > _DETERMINED]),
            ),
        ),
        plot=Plot(
            title="The dimension that L places need grows with log L",
            across="L",
            up="smallest dimension d",
            lines=tuple(
                Line(name, [(float(n), interval.mean) for n, interval in means[what].items()])
                for what, name in (("pattern", "sparse pattern"), ("routing", "router, noisy queries"))
            ),
            log_across=True,
        ),
        tables=(
            Table(
                f"Smallest dimension, mean of {_DRAWS} draws",
                ("L", "sparse pattern", "router, noisy queries"),
                [(n, str(means["pattern"][n]), str(means["routing"][n])) for n in lengths],
            ),
        ),
        remarks=("As a router only the largest entry matters: without noise two dimensions would do.",),
    )


STUDY = Study(
    name="attention",
    title="Sparse patterns by fixed queries and keys",
    reference="Likhosherstov, Choromanski, Weller: On the expressive power of self-attention matrices "
    "(2021), arXiv:2106.03764",
    about="Random patterns with one non-zero in every row and column are approximated by the paper's "
    "construction, in more and more dimensions; and experts are addressed by noisy queries.",
    measure=_measure,
)
