"""Ragged tree: a decision tree cut back to a budget of operations, whose inputs leave where their leaf is."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

import sparsebench as sb
from pruned_trees import (
    Tree,
    exit_levels,
    grown,
    halved,
    leaf_values,
    losses,
    passes,
    prune,
    reached,
    walk_price,
)
from sparsebench import ops

DEPTH = 16  # levels of the tree that is cut back
DEPTHS = (2, 4, 6, 8, 10, 12, 14, 16)  # that it is cut back to
PRICES = np.geomspace(1.0, 1e-6, 25)  # of a level, in shares of what the root loses
EARLY = 0.25  # of the inputs leave a ragged tree before its deepest level, at least
CROWDS = (1, 4, 16)  # samples for each number of an affine leaf, on average at least
RIDGE = 0.1  # weight of the affine function of all samples in every leaf, in samples


class RaggedTree(sb.Routed):
    """The best tree on the validation split that costs no more than a budget.

    Parameters
    ----------
    task
        Public facts of the task: classes, and whether labels are to be recalled.
    budget
        Operations per input, in the mean over the training inputs.
    padded
        Whether all inputs walk to the depth of the deepest leaf, as in a complete tree, where a level is
        cheaper, and nobody has to be told apart from those who have come to a leaf.
    """

    def __init__(self, task: sb.TaskInfo, *, budget: int, padded: bool = False) -> None:
        super().__init__(TreeRouter(), LeafExperts())
        self.task = task
        self.budget = budget
        self.padded = padded

    def fit(self, train: sb.Split, valid: sb.Split, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Grow a tree, cut it back in many ways, and keep the best that the budget buys.

        Returns
        -------
        dict of str to numpy.ndarray
            Of the levels that all inputs walk ``top-features`` int64 and ``top-thresholds`` float64,
            ``(2**levels - 1,)``. Of the nodes below, and of those that the levels above lead to,
            ``(m,)``: ``inner`` bool, ``features`` and ``left`` int64, ``thresholds`` float64; right lies
            behind left. ``levels-i`` int64: the depths that are walked between exit i and the next.
            ``values`` ``(m,)`` in the dtype of the labels, or ``slopes`` float64 ``(m, 1, d)`` and
            ``intercepts`` float64 ``(m, 1)``.
        """
        wood = Wood.of(self.task, train, valid, rng)
        cut, functions = wood.best(self.budget, padded=self.padded)
        return laid_out(wood.tree, cut, wood.values if functions is None else functions)


class TreeRouter(sb.Router):
    """Walk from the root to a leaf."""

    def route(self, params: dict[str, Any], x: Any) -> sb.Routes:
        """Give the leaf of every input, ``(n, 1)``."""
        xp, x = x.__array_namespace__(), flatten(x)
        node = ops.axis_tree_route(x, params["top-features"], params["top-thresholds"])
        starts = xp.arange(0, x.shape[0] * x.shape[1], x.shape[1])
        return sb.Routes(experts=_walk(params, 1, node, starts, xp.reshape(x, (-1,)))[:, None])


def _walk(params: dict[str, Any], at: int, node: Any, starts: Any, numbers: Any) -> Any:
    """Walk on from an exit: those who are at a leaf leave, the others take some levels more.

    Inputs stay where they are, for to move one would cost d operations. ``starts`` says where each begins
    among the ``numbers`` of all.
    """
    if f"levels-{at}" not in params:
        return node
    xp = node.__array_namespace__()
    inner = ops.gather(node, params["inner"])
    below, starts = node[inner], starts[inner]
    for _ in range(params[f"levels-{at}"].shape[0]):
        feature, threshold, left = ops.gather(below, params["features"], params["thresholds"], params["left"])
        below = left + xp.astype(ops.gather(starts + feature, numbers) > threshold, xp.int64)
    node[inner] = _walk(params, at + 1, below, starts, numbers)
    return node


class LeafExperts(sb.Experts):
    """One constant, or one affine function, per leaf."""

    def apply(self, params: dict[str, Any], x: Any, routes: sb.Routes) -> Any:
        """Answer: ``(n,)``."""
        leaf = routes.experts[:, 0]
        if "values" in params:
            return ops.gather(leaf, params["values"])
        return ops.grouped_linear(flatten(x), leaf, params["slopes"], params["intercepts"])[:, 0]


class Cut(NamedTuple):
    """A way to cut a tree back."""

    inner: np.ndarray
    """bool ``(m,)``: which nodes stay inner ones."""
    levels: tuple[int, ...]
    """The depths at which inputs leave."""
    early: float
    """Which share of the training inputs leaves before the deepest level."""
    price: float
    """Operations per input until its leaf is known, in the mean over the training inputs."""
    loss: float
    """Of constants on the validation split."""
    leaves: int


class Wood(NamedTuple):
    """A grown tree with all that it is cut back by."""

    tree: Tree
    values: np.ndarray
    """What a node answers, were it a leaf, ``(m,)``."""
    many: np.ndarray
    """How many training inputs come to it, ``(m,)``."""
    loss: np.ndarray
    """What they lose if it is a leaf, ``(m,)``."""
    valid_loss: np.ndarray
    """The same of validation inputs, ``(m,)``."""
    real: bool
    """Whether labels are real numbers that are to be approximated."""
    train: sb.Split
    valid: sb.Split

    @classmethod
    def of(cls, task: sb.TaskInfo, train: sb.Split, valid: sb.Split, rng: np.random.Generator) -> Wood:
        """Grow a tree. Real labels that are to be recalled follow no rule: points are halved."""
        x, recall = flatten(train.x), task.classes is None and task.metric == "recall"
        tree = halved(x, depth=DEPTH) if recall else grown(x, train.y, task.classes, depth=DEPTH, rng=rng)
        ways, size = passes(tree, x), len(tree.left)
        values = leaf_values(ways, train.y, size, task.classes, recall=recall)
        real = task.classes is None and not recall
        loss = losses(ways, train.y, values, squared=real)
        valid_loss = losses(passes(tree, flatten(valid.x)), valid.y, values, squared=real)
        many = np.bincount(ways.nodes, minlength=size)
        return cls(tree, values, many, loss, valid_loss, real, train, valid)

    def best(self, budget: int, *, padded: bool) -> tuple[Cut, np.ndarray | None]:
        """Find the best cut that the budget buys; affine functions of its nodes ``(m, d + 1)``, or None."""
        cuts = [cut for cut in self.cuts(padded=padded) if cut.price + 1 <= budget]
        if not padded:
            cuts = [cut for cut in cuts if cut.early >= EARLY] or cuts
        best = min(cuts, key=lambda cut: (cut.loss, cut.price))
        if not self.real:
            return best, None
        found: tuple[float, Cut, np.ndarray | None] = (best.loss, best, None)
        wide = flatten(self.train.x).shape[1] + 1
        for crowd in CROWDS:
            few = [
                cut
                for cut in cuts
                if cut.price + 2 * wide - 1 <= budget and cut.leaves * crowd * wide <= len(self.train)
            ]
            if few:
                cut = min(few, key=lambda cut: (cut.loss, cut.price))
                functions = self.affine(cut)
                loss = self.affine_loss(cut, functions)
                found = min(found, (loss, cut, functions), key=lambda one: one[0])
        return found[1:]

    def cuts(self, *, padded: bool) -> list[Cut]:
        """Cut the tree back by many prices of a level, and to several depths; each cut once."""
        found = {}
        for depth in DEPTHS:
            for price in PRICES * self.loss[0] / max(self.many[0], 1):
                inner = prune(self.tree, self.loss, self.many, price, depth)
                found[inner.tobytes()] = inner
        return [self.cut(inner, padded=padded) for inner in found.values()]

    def cut(self, inner: np.ndarray, *, padded: bool) -> Cut:
        """Price a way to cut the tree back, and weigh it."""
        leaf = reached(self.tree, inner) & ~inner
        deepest = int(self.tree.depths[leaf].max())
        going = np.bincount(self.tree.depths[inner], weights=self.many[inner], minlength=deepest + 1)
        on = (going / max(self.many[0], 1)).tolist()
        levels = (deepest,) if padded else exit_levels(on)
        loss = float(self.valid_loss[leaf].sum())
        early = 1.0 - on[levels[-2]] if len(levels) > 1 else 0.0
        return Cut(inner, levels, early, walk_price(levels, on), loss, int(np.count_nonzero(leaf)))

    def leaf_of(self, cut: Cut, x: np.ndarray) -> np.ndarray:
        """Find the leaf of inputs ``(n, d)``: its number in the whole tree."""
        left = np.where(cut.inner, self.tree.left, -1)
        ways = passes(self.tree._replace(left=left), x)
        leaf = np.zeros(len(x), dtype=np.int64)
        leaf[ways.rows] = ways.nodes  # level by level: the last one stays
        return leaf

    def affine(self, cut: Cut) -> np.ndarray:
        """Fit an affine function in every leaf, pulled towards that of all samples: ``(m, d + 1)``."""
        x = flatten(self.train.x).astype(np.float64)
        inputs, leaf = np.column_stack([x, np.ones(len(x))]), self.leaf_of(cut, x)
        together = np.linalg.lstsq(inputs, self.train.y.astype(np.float64))[0]
        rest = self.train.y - inputs @ together
        functions = np.tile(together, (len(cut.inner), 1))
        order = np.argsort(leaf, kind="stable")
        seen, first = np.unique(leaf[order], return_index=True)
        for own, rows in zip(seen.tolist(), np.split(order, first[1:]), strict=True):
            a = inputs[rows]
            functions[own] += np.linalg.solve(a.T @ a + RIDGE * np.eye(a.shape[1]), a.T @ rest[rows])
        return functions

    def affine_loss(self, cut: Cut, functions: np.ndarray) -> float:
        """Sum the squared errors of affine leaves on the validation split."""
        x = flatten(self.valid.x)
        own = functions[self.leaf_of(cut, x)]
        told = np.sum(own[:, :-1] * x, axis=1) + own[:, -1]
        return float(np.sum((told - self.valid.y) ** 2))


def laid_out(tree: Tree, cut: Cut, functions: np.ndarray) -> dict[str, np.ndarray]:
    """Write a tree as `RaggedTree.fit` returns it.

    Where all inputs walk, or all that are left, a leaf that lies higher is passed down: to the left, under a
    threshold that nothing exceeds, as often as there are levels.

    Parameters
    ----------
    tree, cut
        The tree, and how it is cut back.
    functions
        Of its nodes: constants ``(m,)``, or slopes and intercept ``(m, d + 1)``.
    """
    top, *others = cut.levels
    levels, nodes = [], np.zeros(1, dtype=np.int64)
    for depth in range(cut.levels[-1] + 1):
        levels.append(Level.of(tree, cut.inner, nodes, leaves_stay=depth in cut.levels))
        nodes = levels[-1].children
    params = {
        "top-features": np.concatenate([nodes[:0], *(level.features for level in levels[:top])]),
        "top-thresholds": np.concatenate([np.zeros(0), *(level.thresholds for level in levels[:top])]),
    }
    below = levels[top:]
    ends = np.cumsum([len(level.nodes) for level in below])
    nodes = np.concatenate([level.nodes for level in below])
    if others:
        left = [level.left + end for level, end in zip(below, ends, strict=True)]
        params |= {
            "inner": cut.inner[nodes],
            "features": np.concatenate([level.features for level in below]),
            "thresholds": np.concatenate([level.thresholds for level in below]),
            "left": np.where(np.arange(len(nodes)) < ends[-2], np.concatenate(left), 0),
        }
    for number, (start, end) in enumerate(pairwise(cut.levels), start=1):
        params[f"levels-{number}"] = np.arange(start, end)
    if functions.ndim == 1:
        return params | {"values": functions[nodes]}
    return params | {"slopes": functions[nodes, None, :-1], "intercepts": functions[nodes, -1:]}


class Level(NamedTuple):
    """What lies at one depth."""

    nodes: np.ndarray
    """The node of the tree at each place, int64 ``(p,)``."""
    features: np.ndarray
    """What it compares, 0 of a leaf."""
    thresholds: np.ndarray
    """What with; infinite of a leaf."""
    left: np.ndarray
    """The place of its left child at the next depth, 0 where there is none."""
    children: np.ndarray
    """The nodes of the next depth, int64."""

    @classmethod
    def of(cls, tree: Tree, inner: np.ndarray, nodes: np.ndarray, *, leaves_stay: bool) -> Level:
        """Lay out the nodes of a depth, whose leaves stay there or are passed down."""
        cut = inner[nodes]
        expanded = cut if leaves_stay else np.ones(len(nodes), dtype=bool)
        sides = [np.where(cut, side[nodes], nodes)[expanded] for side in (tree.left, tree.right)]
        return cls(
            nodes,
            np.where(cut, tree.features[nodes], 0),
            np.where(cut, tree.thresholds[nodes], np.inf),
            np.where(expanded, 2 * (np.cumsum(expanded) - 1), 0),
            np.stack(sides, axis=1).ravel(),
        )


def flatten(x: Any) -> Any:
    """Give inputs ``(n, ...)`` as rows ``(n, d)``, in array API code; nothing is computed."""
    return x.__array_namespace__().reshape(x, (x.shape[0], math.prod(x.shape[1:])))
