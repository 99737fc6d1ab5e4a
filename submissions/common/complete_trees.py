"""Complete binary trees of scikit-learn's fits: made in ``fit``, descended many at a time in ``predict``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sparsebench import ops

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Nodes", "complete", "descend", "stacked"]


class Nodes(NamedTuple):
    """A binary tree as scikit-learn stores it: right where ``x[feature] > threshold``; the root is node 0."""

    feature: NDArray[np.integer[Any]]
    threshold: NDArray[np.float64]
    left: NDArray[np.integer[Any]]
    right: NDArray[np.integer[Any]]
    is_leaf: NDArray[np.bool_]


class Complete(NamedTuple):
    """The same tree with all its leaves at one depth."""

    features: NDArray[np.int32]
    """``(2**depth - 1,)``, breadth first."""
    thresholds: NDArray[np.float32]
    """The same; infinite in the place of a node that is not there, where all inputs go left."""
    leaves: NDArray[np.int64]
    """``(2**depth,)``: the node of the tree that every leaf stands for."""


def complete(tree: Nodes, depth: int) -> Complete:
    """Fill a tree up to a depth: below a leaf all inputs go left.

    Thresholds are rounded down to float32, which decides alike for inputs in float32.

    Parameters
    ----------
    tree
        A tree, no deeper than that.
    depth
        How deep the complete tree is.
    """
    features, thresholds = np.zeros(2**depth - 1, np.int32), np.full(2**depth - 1, np.inf, np.float32)
    level = np.zeros(1, np.int64)
    for above in range(depth):
        inner = ~tree.is_leaf[level]
        place = np.arange(2**above - 1, 2 ** (above + 1) - 1)[inner]
        features[place] = tree.feature[level[inner]]
        thresholds[place] = rounded_down(tree.threshold[level[inner]])
        children = np.repeat(level, 2)
        children[::2][inner] = tree.left[level[inner]]
        children[1::2][inner] = tree.right[level[inner]]
        level = children
    return Complete(features, thresholds, level)


def rounded_down(numbers: NDArray[np.float64]) -> NDArray[np.float32]:
    """Give the largest float32 that is not above each number."""
    near = numbers.astype(np.float32)
    above = near.astype(np.float64) > numbers
    return np.where(above, np.nextafter(near, np.float32(-np.inf)), near)


def stacked(trees: Sequence[Complete], values: Sequence[NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Lay trees of one depth side by side, level by level, so that they are descended together.

    Parameters
    ----------
    trees
        T complete trees of one depth D.
    values
        What every leaf of each tree says, ``(2**D,)``.

    Returns
    -------
    dict of str to numpy.ndarray
        For every level l: ``features_l`` ``(T * 2**l,)`` and ``thresholds_l``, and the number of a node's
        first child in the level below, ``children_l``; ``leaves`` ``(T * 2**D,)``.
    """
    depth = int(np.log2(len(trees[0].leaves)))
    params: dict[str, NDArray[Any]] = {}
    for level in range(depth):
        own = slice(2**level - 1, 2 ** (level + 1) - 1)
        params[f"features_{level}"] = np.concatenate([tree.features[own] for tree in trees])
        params[f"thresholds_{level}"] = np.concatenate([tree.thresholds[own] for tree in trees])
        params[f"children_{level}"] = 2 * np.arange(len(trees) * 2**level, dtype=np.int32)
    return params | {"leaves": np.concatenate(values)}


def descend(params: dict[str, Any], x: Any) -> Any:
    """Give what every tree's leaf says, in array API code.

    A level costs a tree 1 look-up of the node, 1 of the input's feature, 1 comparison and 1 addition; the
    root is known, and costs no look-up.

    Parameters
    ----------
    params
        As `stacked` gives them, of depth 1 at least.
    x
        Real array ``(n, d)``.

    Returns
    -------
    array ``(n, T)``
    """
    xp = x.__array_namespace__()
    seen, thresholds, children = x[:, params["features_0"]], params["thresholds_0"], params["children_0"]
    for level in range(1, sum(name.startswith("features_") for name in params)):
        node = children + xp.astype(seen > thresholds, xp.int32)
        names = (f"features_{level}", f"thresholds_{level}", f"children_{level}")
        features, thresholds, children = ops.gather(node, *(params[name] for name in names))
        seen = xp.take_along_axis(x, features, axis=1)
    return ops.gather(children + xp.astype(seen > thresholds, xp.int32), params["leaves"])
