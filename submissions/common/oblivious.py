"""Oblivious trees: all nodes of a level compare one feature with one threshold, so a leaf is an address.

Trees are grown level by level, by the gain of a second-order step (Chen and Guestrin 2016, arXiv:1603.02754,
equation 7) over all leaves together; sums of them are grown by gradient boosting.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sparsebench import ops

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]
    Integers = NDArray[np.integer[Any]]

__all__ = [
    "Bins",
    "Loss",
    "Tree",
    "bins_of",
    "boost",
    "classes_of",
    "grow",
    "laid_out",
    "leaves_of",
    "newton",
    "of_classes",
    "of_numbers",
    "summed",
]

EDGES = 15  # thresholds of a feature to choose among, at most
SAMPLES = 4096  # that a tree is grown on, at most; its leaves are fitted to all
HISTOGRAMS = 160  # of a level, one a feature and output: it chooses among so many features, drawn at random
CELLS = 2**20  # of a level's histogram, at most: deep levels choose among fewer features
TWO = 2  # classes, of which one number tells the odds
SINGLE = 2  # axes of a single table's classes; of scores there are three
RIDGE = 1.0  # samples of curvature 1 that say 0 in every leaf


class Bins(NamedTuple):
    """Features cut at quantiles."""

    edges: Floats
    """The thresholds of every feature, ascending, float32 ``(d, e)``; infinite where it has fewer."""
    places: Integers
    """How many thresholds of a feature every sample exceeds, int64 ``(N, d)``."""


def bins_of(x: Floats) -> Bins:
    """Cut every feature of inputs ``(N, d)`` at quantiles, where it changes at all."""
    wanted = np.arange(1, EDGES + 1) / (EDGES + 1)
    some = np.sort(x[:SAMPLES].astype(np.float32), axis=0)
    # Midway between two samples, and below the largest one: to the left of an edge lie some samples.
    lower = (wanted * (len(some) - 1)).astype(np.int64)
    edges = (some[lower] + some[np.minimum(lower + 1, len(some) - 1)]).T / np.float32(2)
    repeated = np.zeros(edges.shape, dtype=bool)
    repeated[:, 1:] = edges[:, 1:] == edges[:, :-1]
    edges = np.sort(np.where(repeated | (edges >= some[-1:].T), np.inf, edges), axis=1).astype(np.float32)
    places = np.stack(
        [np.searchsorted(own, column, side="left") for own, column in zip(edges, x.T, strict=True)]
    )
    return Bins(edges, places.T.astype(np.int64))


class Tree(NamedTuple):
    """What the levels compare, and what lies in the leaves."""

    features: Integers
    """The feature of every level, int64 ``(depth,)``."""
    thresholds: Floats
    """The threshold of every level, float32 ``(depth,)``."""
    values: Floats
    """Outputs of every leaf, float32 ``(2**depth, o)``."""


class Loss(NamedTuple):
    """A loss of outputs ``(N, o)``, by its derivatives."""

    outputs: int
    slopes: Any
    """From outputs to the pair of gradient and curvature, ``(N, o)`` each."""


def of_numbers(y: Floats) -> Loss:
    """Make half the squared difference from real labels ``(N,)`` a loss of one output."""
    return Loss(1, lambda outputs: (outputs - y[:, None], np.ones_like(outputs)))


def of_classes(y: Integers, classes: int) -> Loss:
    """Make the cross-entropy a loss: of one output, the log-odds, for two classes, else of one each."""

    def slopes(outputs: Floats) -> tuple[Floats, Floats]:
        logits = np.concatenate([np.zeros_like(outputs), outputs], axis=1) if classes == TWO else outputs
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        gradient = shares.copy()
        gradient[np.arange(len(y)), y] -= 1
        curvature = shares * (1 - shares)
        return (gradient[:, 1:], curvature[:, 1:]) if classes == TWO else (gradient, curvature)

    return Loss(1 if classes == TWO else classes, slopes)


def grow(
    bins: Bins,
    slopes: tuple[Floats, Floats],
    depth: int,
    rng: np.random.Generator,
    start: Integers | None = None,
) -> tuple[Integers, Integers]:
    """Choose a feature and a threshold for every level.

    Parameters
    ----------
    bins
        Of N samples.
    slopes
        Gradient and curvature of the loss at what is predicted so far, ``(N, o)`` each.
    depth
        Levels.
    rng
        Draws the features that a level chooses among.
    start
        A leaf of every sample, int64 ``(N,)``, where levels have been chosen already.

    Returns
    -------
    features, places : numpy.ndarray
        int64 ``(depth,)`` each: of every level the feature, and the number of its threshold.
    """
    leaf = np.zeros(len(bins.places), dtype=np.int64) if start is None else start
    count = int(leaf.max(initial=0)) + 1
    chosen = []
    for _ in range(depth):
        room = min(HISTOGRAMS // slopes[0].shape[1], CELLS // (count * (EDGES + 1)))
        many = max(1, min(room, bins.edges.shape[0]))
        own = np.sort(rng.permutation(bins.edges.shape[0])[:many])
        gains = _gains(bins, slopes, own, leaf, count)
        feature, place = np.unravel_index(int(np.argmax(gains)), gains.shape)
        chosen.append((own[feature], place))
        leaf = 2 * leaf + (bins.places[:, own[feature]] > place)
        count *= 2
    features, places = np.array(chosen, dtype=np.int64).reshape(-1, 2).T
    return features, places


def _gains(
    bins: Bins, slopes: tuple[Floats, Floats], features: Integers, leaf: Integers, count: int
) -> Floats:
    """Give the gain of every threshold of some features ``(f, e)``: summed over leaves and outputs."""
    cells = EDGES + 1
    index = (np.arange(len(features)) * count + leaf[:, None]) * cells + bins.places[:, features]
    index, shape = index.reshape(-1), (len(features), count, cells)
    gains = np.zeros((len(features), EDGES))
    for gradient, curvature in zip(slopes[0].T, slopes[1].T, strict=True):
        g, h = (
            np.bincount(index, np.repeat(own, len(features)), minlength=np.prod(shape)).reshape(shape)
            for own in (gradient, curvature)
        )
        left_g, left_h = np.cumsum(g, axis=2)[..., :-1], np.cumsum(h, axis=2)[..., :-1]
        right_g, right_h = g.sum(axis=2, keepdims=True) - left_g, h.sum(axis=2, keepdims=True) - left_h
        gains += np.sum(left_g**2 / (left_h + RIDGE) + right_g**2 / (right_h + RIDGE), axis=1)
    return np.where(np.isfinite(bins.edges[features]), gains, -np.inf)


def leaves_of(bins: Bins, features: Integers, places: Integers) -> Integers:
    """Pack the sides that samples lie on, the first level most significant: int64 ``(N,)``."""
    weights = 1 << np.arange(len(features), dtype=np.int64)[::-1]
    return (bins.places[:, features] > places) @ weights


def newton(
    leaf: Integers, slopes: tuple[Floats, Floats], leaves: int, values: Floats | float = 0.0
) -> Floats:
    """Give every leaf the step that lowers the loss most, by its second-order expansion: ``(leaves, o)``.

    Parameters
    ----------
    leaf
        Of every sample, int64 ``(N,)``.
    slopes
        Gradient and curvature at what is predicted, ``(N, o)`` each.
    leaves
        How many there are.
    values
        What is in the leaves, ``(leaves, o)``: their squares, too, are to be small.
    """
    gradient, curvature = (
        np.stack([np.bincount(leaf, own, minlength=leaves) for own in part.T], axis=1) for part in slopes
    )
    step: Floats = -(gradient + RIDGE * values) / (curvature + RIDGE)
    return step


def boost(
    bins: Bins, loss: Loss, *, trees: int, depth: int, rate: float, rng: np.random.Generator
) -> list[Tree]:
    """Grow trees one after the other, each on the derivatives at the sum of those before it.

    Parameters
    ----------
    bins, loss
        Of N samples.
    trees, depth
        How many, of how many levels.
    rate
        What a tree's leaves are multiplied by.
    rng
        Draws samples and features.

    Returns
    -------
    list of Tree
    """
    outputs = np.zeros((len(bins.places), loss.outputs))
    grown = []
    for _ in range(trees):
        slopes = loss.slopes(outputs)
        some = rng.permutation(len(outputs))[:SAMPLES]
        part = Bins(bins.edges, bins.places[some])
        features, places = grow(part, (slopes[0][some], slopes[1][some]), depth, rng)
        leaf = leaves_of(bins, features, places)
        values = (rate * newton(leaf, slopes, 2**depth)).astype(np.float32)
        outputs += values[leaf]
        grown.append(Tree(features, bins.edges[features, places], values))
    return grown


def laid_out(
    features: Integers, thresholds: Floats, values: Floats, *, classes: bool = False
) -> dict[str, NDArray[Any]]:
    """Lay a sum of tables out, so that a comparison that several tables read is made once.

    Parameters
    ----------
    features, thresholds
        What each of the k address bits of T tables compares, the most significant bit first, ``(T, k)`` each.
    values
        The records, ``(T, 2**k, o)``.
    classes
        Whether they are scores of classes: one table alone then holds the class itself.

    Returns
    -------
    dict of str to numpy.ndarray
        ``features``: int64 ``(u,)`` and ``thresholds``: float32 ``(u,)``, the different comparisons;
        ``wires``: int64 ``(k, T)``, those that each address bit of the tables reads; ``values``: as given,
        or for one table of classes int64 ``(1, 2**k)``.
    """
    pairs = np.column_stack([features.T.ravel(), thresholds.T.ravel().astype(np.float32)])
    different, number = np.unique(pairs, axis=0, return_inverse=True)
    return {
        "features": different[:, 0].astype(np.int64),
        "thresholds": different[:, 1].astype(np.float32),
        "wires": number.reshape(features.shape[::-1]).astype(np.int64),
        "values": _decided(values) if classes and len(values) == 1 else values,
    }


def _decided(values: Any) -> Any:
    """Choose the class by the scores of the last axis, one for two classes: int64."""
    xp = values.__array_namespace__()
    if values.shape[-1] == 1:
        return xp.astype(values[..., 0] > 0, xp.int64)
    return xp.argmax(values, axis=values.ndim - 1)


def summed(params: dict[str, Any], x: Any) -> Any:
    """Look one record up in every table, and add them up.

    Parameters
    ----------
    params
        As `laid_out` gives them.
    x
        Inputs ``(n, d)``.

    Returns
    -------
    real array ``(n, o)``
        Or ``(n,)`` classes, int64, of one table that holds them.
    """
    xp = x.__array_namespace__()
    sides = x[:, params["features"]] > params["thresholds"]
    wires, values = params["wires"], params["values"]
    address = ops.pack_bits(*(sides[:, wires[bit]] for bit in range(wires.shape[0])))
    records = [ops.gather(address[:, table], values[table]) for table in range(values.shape[0])]
    return records[0] if len(records) == 1 else xp.sum(xp.stack(records, axis=2), axis=2)


def classes_of(params: dict[str, Any], x: Any) -> Any:
    """Sum scores up, and choose a class, where the table does not hold one: int64 ``(n,)``."""
    told = summed(params, x)
    return told if params["values"].ndim == SINGLE else _decided(told)
