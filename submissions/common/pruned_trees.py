"""Decision trees of unequal depth: growing them, and cutting them back where levels do not pay."""

from __future__ import annotations

import functools
import itertools
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "Passes",
    "Tree",
    "exit_levels",
    "grown",
    "halved",
    "leaf_values",
    "losses",
    "passes",
    "prune",
    "reached",
    "walk_price",
]

FEATURES = 128  # that a node of a grown tree looks at, drawn at random where there are more
SMALLEST = 2  # samples of a leaf of a grown tree
WALKED = 8  # levels that are walked one by one, at most


class Tree(NamedTuple):
    """A binary tree whose nodes compare one feature; parents come before their children."""

    features: np.ndarray
    """int64 ``(m,)``: what a node compares."""
    thresholds: np.ndarray
    """float64 ``(m,)``: right where ``x[feature] > threshold``."""
    left: np.ndarray
    """int64 ``(m,)``: the left child, -1 of a leaf."""
    right: np.ndarray
    """int64 ``(m,)``: the right child, -1 of a leaf."""
    depths: np.ndarray
    """int64 ``(m,)``: levels above a node, 0 of the root."""


class Passes(NamedTuple):
    """Which samples come through which nodes: a pair for each, level by level."""

    rows: np.ndarray
    """int64 ``(pairs,)``."""
    nodes: np.ndarray
    """int64 ``(pairs,)``."""


def grown(x: np.ndarray, y: np.ndarray, classes: int | None, *, depth: int, rng: np.random.Generator) -> Tree:
    """Grow a tree by scikit-learn: CART (Breiman, Friedman, Olshen, Stone 1984).

    Parameters
    ----------
    x, y
        Inputs float32 ``(n, d)`` and labels ``(n,)``, classes or real numbers.
    classes
        How many classes there are, None of real labels.
    depth
        Levels, at most.
    rng
        Draws among equals, and the features that a node looks at where there are many.
    """
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor  # noqa: PLC0415 - needed by fit alone

    kind = DecisionTreeRegressor if classes is None else DecisionTreeClassifier
    found = kind(
        max_depth=depth,
        min_samples_leaf=SMALLEST,
        max_features=min(FEATURES, x.shape[1]),
        random_state=int(rng.integers(2**31)),
    )
    own = found.fit(x, y).tree_
    left, right = own.children_left.astype(np.int64), own.children_right.astype(np.int64)
    depths = np.zeros(len(left), dtype=np.int64)
    for node in np.flatnonzero(left >= 0):  # parents come first
        depths[left[node]] = depths[right[node]] = depths[node] + 1
    return Tree(np.maximum(own.feature, 0).astype(np.int64), own.threshold, left, right, depths)


def halved(x: np.ndarray, *, depth: int) -> Tree:
    """Halve points until each has a leaf of its own: for labels that follow no rule.

    A node is cut midway between its two middle points, along the coordinate in which these lie farthest
    apart.

    Parameters
    ----------
    x
        Points ``(n, d)``.
    depth
        Levels, at most.
    """
    node, first, levels = np.zeros(len(x), dtype=np.int64), 0, []
    for level in range(depth + 1):
        many = np.bincount(node, minlength=1)
        features, thresholds, gaps = _middle_cuts(x, node, many)
        cut = (gaps > 0) & (level < depth)
        first += len(many)
        left = np.where(cut, first + 2 * (np.cumsum(cut) - 1), -1)
        levels.append((features, thresholds, left, np.full(len(many), level)))
        if not cut.any():
            break
        x, node = x[cut[node]], node[cut[node]]
        sides = x[np.arange(len(x)), features[node]] > thresholds[node]
        node = left[node] - first + sides
    features, thresholds, left, depths = (np.concatenate(parts) for parts in zip(*levels, strict=True))
    return Tree(features, thresholds, left, np.where(left < 0, -1, left + 1), depths)


def _middle_cuts(
    x: np.ndarray, node: np.ndarray, many: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cut every node between its two middle points: feature, threshold, gap; 0 if there is none."""
    upper = np.cumsum(many) - many + many // 2
    upper, lower = np.minimum(upper, len(x) - 1), np.maximum(upper - 1, 0)
    features, thresholds, gaps = np.zeros(len(many), np.int64), np.zeros(len(many)), np.zeros(len(many))
    for feature in range(x.shape[1]):
        ranked = x[np.lexsort((x[:, feature], node)), feature].astype(np.float64)
        gap = np.where(many > 1, ranked[upper] - ranked[lower], 0.0)
        wider = gap > gaps
        features[wider], gaps[wider] = feature, gap[wider]
        thresholds[wider] = (ranked[upper] + ranked[lower])[wider] / 2
    return features, thresholds, gaps


def passes(tree: Tree, x: np.ndarray) -> Passes:
    """Send samples ``(n, d)`` down a tree."""
    rows, nodes, levels = np.arange(len(x)), np.zeros(len(x), dtype=np.int64), []
    while len(rows):
        levels.append((rows, nodes))
        goes_on = tree.left[nodes] >= 0
        rows, nodes = rows[goes_on], nodes[goes_on]
        sides = x[rows, tree.features[nodes]] > tree.thresholds[nodes]
        nodes = np.where(sides, tree.right[nodes], tree.left[nodes])
    both = (np.concatenate(parts) for parts in zip(*levels, strict=True))
    return Passes(*both) if levels else Passes(rows, nodes)


def leaf_values(
    through: Passes, y: np.ndarray, nodes: int, classes: int | None, *, recall: bool
) -> np.ndarray:
    """Say what every node would answer, were it a leaf.

    Parameters
    ----------
    through, y
        The training samples' ways and their labels.
    nodes
        How many nodes there are.
    classes
        How many classes there are: the most frequent one, the least among equals. None of real labels: their
        mean.
    recall
        Whether real labels are to be recalled: the label of a node's first sample.

    Returns
    -------
    numpy.ndarray
        ``(nodes,)`` in the dtype of ``y``; 0 where no sample comes.
    """
    values = np.zeros(nodes, dtype=y.dtype)
    if classes is not None:
        counts = np.zeros((nodes, classes), dtype=np.int32)
        np.add.at(counts, (through.nodes, y[through.rows]), 1)
        values[:] = np.argmax(counts, axis=1)
    elif recall:
        values[through.nodes[::-1]] = y[through.rows[::-1]]
    else:
        many = np.bincount(through.nodes, minlength=nodes)
        values[:] = np.bincount(through.nodes, weights=y[through.rows], minlength=nodes) / np.maximum(many, 1)
    return values


def losses(through: Passes, y: np.ndarray, values: np.ndarray, *, squared: bool) -> np.ndarray:
    """Sum for every node what its samples lose if it is a leaf: squared errors, or answers that are wrong."""
    off = y[through.rows] - values[through.nodes].astype(np.float64)
    lost = off**2 if squared else (off != 0).astype(np.float64)
    return np.bincount(through.nodes, weights=lost, minlength=len(values))


def prune(tree: Tree, loss: np.ndarray, many: np.ndarray, price: float, depth: int) -> np.ndarray:
    """Cut a tree back to the subtree of least loss plus price, where each sample pays for each level.

    That is what Chou, Lookabaugh and Gray (IEEE Transactions on Information Theory 35(2), 1989) prune by,
    the lower convex hull of loss against mean depth, and what minimal cost-complexity pruning is with
    leaves for levels.

    Parameters
    ----------
    tree
        The tree.
    loss
        What is lost at every node if it is a leaf, ``(m,)``.
    many
        How many samples come to it, ``(m,)``.
    price
        Of a level, for one sample, in units of loss.
    depth
        How many levels the subtree has at most.

    Returns
    -------
    numpy.ndarray
        bool ``(m,)``: which nodes stay inner ones. The root is reached, and a node whose parent is inner.
    """
    least, inner = loss.copy(), np.zeros(len(loss), dtype=bool)
    for level in range(min(depth, int(tree.depths.max()) + 1) - 1, -1, -1):
        nodes = np.flatnonzero((tree.depths == level) & (tree.left >= 0))
        cut = price * many[nodes] + least[tree.left[nodes]] + least[tree.right[nodes]]
        inner[nodes] = cut < least[nodes]
        least[nodes] = np.minimum(cut, least[nodes])
    return inner & reached(tree, inner)


def reached(tree: Tree, inner: np.ndarray) -> np.ndarray:
    """Say which nodes a subtree has: bool ``(m,)``."""
    found = np.zeros(len(inner), dtype=bool)
    found[0] = True
    for level in range(int(tree.depths.max())):
        nodes = np.flatnonzero(found & inner & (tree.depths == level))
        found[tree.left[nodes]] = found[tree.right[nodes]] = True
    return found


def walk_price(levels: Sequence[int], on: Sequence[float]) -> float:
    """Price a walk down to the leaf: operations per input.

    The first levels are walked by all, as a complete tree: a level costs 2 look-ups (node and feature), a
    comparison and, after the first, an address operation. Then whoever has come to a leaf leaves: a look-up
    says who, two masks lie over those who stay, and one operation puts the result in its place. From there on
    a level costs one address operation more: whoever is left has to be found among the inputs.

    Parameters
    ----------
    levels
        The depths at which inputs leave, ascending; the last is the depth of the tree.
    on
        Which share of the inputs goes on below each depth, from 0 to the depth of the tree.
    """
    price, present = float(max(4 * levels[0] - 1, 0)), 1.0
    for above, below in itertools.pairwise(levels):
        price += 4 * present + 5 * (below - above) * on[above]
        present = on[above]
    return price


def exit_levels(on: Sequence[float]) -> tuple[int, ...]:
    """Choose the depths at which inputs leave, for the least price of a walk on which some leave early.

    Parameters
    ----------
    on
        Which share of the inputs goes on below each depth, from 0 to the depth of the tree, where it is 0.

    Returns
    -------
    tuple of int
        As `walk_price` takes them. All but ``WALKED`` levels, at least, are walked by all. The deepest is the
        only one where all leaves lie equally deep: then there is nothing to leave early for.
    """
    deepest = len(on) - 1

    @functools.cache
    def best(above: int, present: float) -> tuple[float, tuple[int, ...]]:
        """Price what follows after an exit at depth ``above``, where a share is present."""
        if above == deepest:
            return 0.0, (deepest,)
        found = []
        for below in range(above + 1, deepest + 1):
            rest, levels = best(below, on[above])
            found.append((4 * present + 5 * (below - above) * on[above] + rest, (above, *levels)))
        return min(found)

    if deepest < 2 or on[deepest - 1] == 1.0:  # noqa: PLR2004 - what leaves after a level has no time to save
        return (deepest,)
    starts = range(max(deepest - WALKED, 1), deepest)
    return min((max(4 * first - 1, 0) + best(first, 1.0)[0], best(first, 1.0)[1]) for first in starts)[1]
