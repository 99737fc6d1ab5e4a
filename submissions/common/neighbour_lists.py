"""A k-d tree that leads to lists of samples: made in ``fit``, to find nearest neighbours by in ``predict``.

A leaf of the tree is a box. It keeps the samples in the order of their distances from the box, nearest
first: no sample is nearer to an input in the box than to the box, so a search along the list may end as soon
as it has found a sample that is nearer than all that follow can be. Friedman, Bentley and Finkel (1977) end
the search of a k-d tree in the same way; they find what comes next by going back in the tree, which is a list
here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

__all__ = ["Box", "grow", "neighbour_lists"]

SHARED = 6  # levels of the tree below which leaves choose from what is near to a common box


class Box(NamedTuple):
    """Bounds of some coordinates: the numbers of these, and their least and largest values."""

    lows: dict[int, float]
    highs: dict[int, float]

    def cut(self, feature: int, threshold: float) -> tuple[Box, Box]:
        """Give the boxes at or below, and above, a threshold; nothing lies above an infinite one."""
        if np.isinf(threshold):
            return self, self
        return (
            Box(self.lows, self.highs | {feature: threshold}),
            Box(self.lows | {feature: threshold}, self.highs),
        )

    def squares(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the squared distances of points ``(n, d)`` from the box."""
        total = np.zeros(len(points))
        for feature in sorted({*self.lows, *self.highs}):
            column = points[:, feature]
            below = self.lows.get(feature, -np.inf) - column
            outside = np.maximum(below, column - self.highs.get(feature, np.inf))
            total += np.maximum(outside, 0.0) ** 2
        return total


class Tree(NamedTuple):
    """A complete binary tree, right where ``x[feature] > threshold``, and the boxes that it makes."""

    features: NDArray[np.int32]
    thresholds: NDArray[np.float32]
    levels: list[list[Box]]
    """The boxes of every level, from the left."""


def grow(points: NDArray[np.float32], depth: int) -> Tree:
    """Halve the points again and again, across the coordinate in which they vary most.

    Parameters
    ----------
    points
        ``(n, d)``.
    depth
        Levels of the tree.

    Returns
    -------
    Tree
        Where a node's points are alike its threshold is infinite, and all inputs go left.
    """
    features, thresholds = np.zeros(2**depth - 1, np.int32), np.full(2**depth - 1, np.inf, np.float32)
    rows, levels = [np.arange(len(points))], [[Box({}, {})]]
    for level in range(depth):
        below, boxes = [], []
        for place, (own, box) in enumerate(zip(rows, levels[-1], strict=True)):
            node = 2**level - 1 + place
            if len(own):
                features[node], thresholds[node] = halve(points[own])
            right = points[own, features[node]] > thresholds[node]
            below += [own[~right], own[right]]
            boxes += box.cut(int(features[node]), float(thresholds[node]))
        rows = below
        levels.append(boxes)
    return Tree(features, thresholds, levels)


def halve(points: NDArray[np.float32]) -> tuple[int, np.float32]:
    """Give a coordinate and a threshold with about as many points at or below it as above it."""
    feature = int(np.argmax(np.var(points, axis=0, dtype=np.float64)))
    values = np.sort(points[:, feature])
    upper = values[len(values) // 2]
    if upper == values[0]:  # the least value is that of more than half of them: they go left
        upper = min(values[values > upper], default=np.float32(np.inf))
    if np.isinf(upper):
        return feature, upper
    lower = values[values < upper][-1]
    middle = lower + (upper - lower) / 2
    return feature, middle if middle < upper else lower


def neighbour_lists(
    points: NDArray[np.float32], tree: Tree, ends: Sequence[int]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """List for every leaf the points that are nearest to its box, nearest first; in a box, to their middle.

    Parameters
    ----------
    points
        ``(n, d)``, n at least ``ends[-1]``.
    tree
        As `grow` made it of them.
    ends
        How many points of a list a search has seen when it may end, ascending.

    Yields
    ------
    rows : numpy.ndarray
        ``(ends[-1],)``: numbers of points.
    bounds : numpy.ndarray
        ``(len(ends),)``: what the squared distances of all points that do not stand before that place in the
        list are from any input in the box, at least; infinite where no point is left.
    """
    exact = points.astype(np.float64)
    common = tree.levels[max(len(tree.levels) - 1 - SHARED, 0)]
    each = len(tree.levels[-1]) // len(common)
    for number, box in enumerate(common):
        near, limit = nearest(box.squares(exact), 16 * ends[-1])
        some = exact[near]
        for leaf in tree.levels[-1][number * each : (number + 1) * each]:
            away = leaf.squares(some)
            inside = some[away == 0]
            middle = inside.mean(axis=0) if len(inside) else np.zeros(some.shape[1])
            order = np.lexsort(
                (np.sum((some - middle) ** 2, axis=1) if some.shape[1] <= WIDE else away, away)
            )
            ascending = np.append(away[order], np.inf)
            yield near[order[: ends[-1]]], np.minimum(ascending[list(ends)], limit)


WIDE = 16  # numbers of a point from which on the points in a box are not put into an order


def nearest(squares: NDArray[np.float64], many: int) -> tuple[NDArray[np.int64], float]:
    """Give the places of the least numbers, and the least of all others: infinity if there are none."""
    if many >= len(squares):
        return np.arange(len(squares)), np.inf
    order = np.argpartition(squares, many)
    return np.sort(order[:many]), float(squares[order[many]])
