"""Product keys: the k largest of N sums in about sqrt(N) operations (Lample et al. 2019, arXiv:1907.05242).

A query has two halves. Each is compared with sqrt(N) keys of its own, and expert (i, j) scores the sum of
what halves say of key i and of key j. The k best experts are among the k * k that the k best keys of both
halves make.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sparsebench import ops

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]
    Integers = NDArray[np.integer[Any]]

__all__ = ["Schedule", "retrieve", "start", "train"]

_MOMENTS = (0.9, 0.99)
_TINY = 1e-8


def retrieve(first: Any, second: Any, k: int) -> tuple[Any, Any]:
    """Give the k largest sums of a score of the first half and one of the second.

    Parameters
    ----------
    first, second
        Scores of the keys, real ``(n, s)`` each.
    k
        How many, a power of two and at most s.

    Returns
    -------
    sums : real array ``(n, k)``
        Largest first.
    experts : integer array ``(n, k)``
        ``i * s + j`` for the i-th key of the first half and the j-th of the second.
    """
    xp = first.__array_namespace__()
    (high, i), (low, j) = ops.top_k(first, k), ops.top_k(second, k)
    sums = xp.reshape(high[:, :, None] + low[:, None, :], (high.shape[0], k * k))
    best, place = ops.top_k(sums, k)
    left = xp.take_along_axis(i, place >> (k.bit_length() - 1), axis=1)
    right = xp.take_along_axis(j, place & (k - 1), axis=1)
    return best, left * second.shape[1] + right


class Schedule(NamedTuple):
    """How long it is trained, and how fast."""

    epochs: int
    batch: int
    rate: float


def start(
    x: Floats, outputs: int, experts: int, half: int, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Draw parameters for inputs ``(n, d)``, which are centred and of unit deviation.

    Queries are random projections; their keys are halves of queries of some inputs, so that no key lies where
    no query does.

    Returns
    -------
    dict of str to numpy.ndarray
        float32, for s = sqrt(N): ``query`` ``(2, m, d)``, ``keys`` ``(2, s, m)``, ``offsets`` ``(2, s)``;
        ``inner`` ``(N, d)``, ``shift`` ``(N,)``, ``outer`` ``(N, o)``; ``bias`` ``(o,)``.
    """
    many, features = round(experts**0.5), x.shape[1]
    query = rng.standard_normal((2, half, features)) / np.sqrt(features)
    keys = np.stack([x[rng.choice(len(x), size=many, replace=len(x) < many)] @ own.T for own in query])
    params = {
        "query": query,
        "keys": keys,
        "offsets": -0.5 * np.sum(keys**2, axis=2),
        "inner": rng.standard_normal((experts, features)) * np.sqrt(2 / features),
        "shift": np.zeros(experts),
        "outer": rng.standard_normal((experts, outputs)) * 0.5,
        "bias": np.zeros(outputs),
    }
    return {name: array.astype(np.float32) for name, array in params.items()}


def train(
    params: dict[str, np.ndarray],
    x: Floats,
    slopes: Any,
    k: int,
    schedule: Schedule,
    rng: np.random.Generator,
) -> None:
    """Train in place by Adam, the experts that a batch retrieves alone being moved.

    Parameters
    ----------
    params
        From `start`.
    x
        Inputs, float32 ``(n, d)``.
    slopes
        Gives the gradient of the mean loss of some rows: ``slopes(rows, outputs)``, ``(b, o)``.
    k
        Experts of an input.
    schedule
        Passes, rows of a step, and the first learning rate, which falls linearly to 0.
    rng
        Draws the order of the samples.
    """
    moments = {name: (np.zeros_like(own), np.zeros_like(own)) for name, own in params.items()}
    batches = len(x) // schedule.batch
    steps = schedule.epochs * batches
    for step in range(steps):
        if step % batches == 0:
            order = rng.permutation(len(x))
        rows = order[step % batches * schedule.batch :][: schedule.batch]
        rate = schedule.rate * (1 - step / steps)
        for name, (where, gradient) in _gradients(
            params, x[rows], functools.partial(slopes, rows), k
        ).items():
            first, second = (moment[where] for moment in moments[name])
            first += (1 - _MOMENTS[0]) * (gradient - first)
            second += (1 - _MOMENTS[1]) * (gradient**2 - second)
            moments[name][0][where], moments[name][1][where] = first, second
            scale = np.sqrt(second / (1 - _MOMENTS[1] ** (step + 1))) + _TINY
            params[name][where] -= rate / (1 - _MOMENTS[0] ** (step + 1)) * first / scale


def _gradients(
    params: dict[str, np.ndarray], x: Floats, slopes: Any, k: int
) -> dict[str, tuple[Any, Floats]]:
    """Differentiate a batch's loss: for every array the places that it moves, and their gradient."""
    halves = [x @ own.T for own in params["query"]]
    scores = [
        q @ keys.T + shift for q, keys, shift in zip(halves, params["keys"], params["offsets"], strict=True)
    ]
    sums, experts = retrieve(scores[0], scores[1], k)
    gates = np.exp(sums - sums[:, :1])
    gates /= gates.sum(axis=1, keepdims=True)
    inner, outer = params["inner"][experts], params["outer"][experts]
    units = np.maximum(np.einsum("bkd,bd->bk", inner, x) + params["shift"][experts], 0)
    weights = gates * units
    upstream = slopes(np.einsum("bk,bko->bo", weights, outer) + params["bias"])

    by_weight = np.einsum("bo,bko->bk", upstream, outer)
    by_unit = by_weight * gates * (units > 0)
    by_gate = by_weight * units
    by_sum = gates * (by_gate - np.sum(gates * by_gate, axis=1, keepdims=True))
    where, own = np.unique(experts.reshape(-1), return_inverse=True)
    place = own.reshape(-1)
    told: dict[str, tuple[Any, Floats]] = {
        "inner": (
            where,
            _summed(place, (by_unit[:, :, None] * x[:, None, :]).reshape(len(place), -1), len(where)),
        ),
        "shift": (where, np.bincount(place, by_unit.reshape(-1), len(where)).astype(np.float32)),
        "outer": (
            where,
            _summed(place, (weights[:, :, None] * upstream[:, None, :]).reshape(len(place), -1), len(where)),
        ),
        "bias": (slice(None), upstream.sum(axis=0)),
    }
    return told | _of_keys(params, x, halves, (experts, by_sum))


def _of_keys(
    params: dict[str, np.ndarray], x: Floats, halves: list[Floats], scored: tuple[Integers, Floats]
) -> dict[str, tuple[Any, Floats]]:
    """Pass the gradient of the sums on to keys and queries."""
    experts, by_sum = scored
    many = params["keys"].shape[1]
    keys, offsets, query = [], [], []
    for half, chosen in enumerate((experts // many, experts % many)):
        by_score = np.zeros((len(x), many), dtype=np.float32)
        np.add.at(by_score, (np.arange(len(x))[:, None], chosen), by_sum)
        keys.append(by_score.T @ halves[half])
        offsets.append(by_score.sum(axis=0))
        query.append((by_score @ params["keys"][half]).T @ x)
    named = {"keys": keys, "offsets": offsets, "query": query}
    return {name: (slice(None), np.stack(own)) for name, own in named.items()}


def _summed(place: Integers, rows: Floats, many: int) -> Floats:
    """Add up the rows of each place."""
    order = np.argsort(place, kind="stable")
    starts = np.searchsorted(place[order], np.arange(many))
    summed: Floats = np.add.reduceat(rows[order], starts, axis=0)
    return summed
