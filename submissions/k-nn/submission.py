"""k nearest neighbours: all stored samples are compared, or those that a k-d tree cannot rule out."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np

import sparsebench as sb
from neighbour_lists import grow, neighbour_lists
from sparsebench import ops

LEAF = 8
"""Samples in a leaf of the tree."""
ENDS = (32, 240)
"""How many samples of its leaf's list an input is compared with, and how many if these do not suffice."""
MEMORY = 15 * 2**20
"""Bytes that the tree form may store."""
FAINT = 1e-9
"""Of the samples' mean square: no squared distance is taken to be less."""


class NearestNeighbours(sb.Submission):
    """Answer what the nearest stored samples say.

    Real labels are averaged with weights of one over the squared distance, classes are put to the vote. Where
    labels are to be recalled, the nearest sample alone answers.

    Parameters
    ----------
    task
        Public facts of the task: the number of classes, None where labels are real, and the metric.
    neighbours
        How many samples answer (k).
    rows
        How many samples are stored (N), drawn at random; 0 for a tree, and as many as fit into memory.
    most
        The tree's form: how many samples are compared at most, `ENDS`' last, or at most its first.
    """

    def __init__(self, task: sb.TaskInfo, *, neighbours: int, rows: int = 0, most: int = ENDS[-1]) -> None:
        self.classes = task.classes
        self.recall = task.metric == "recall"
        self.many = 1 if self.recall else neighbours
        self.vote = task.classes is not None and not self.recall
        self.weighted = self.many > 1 and not self.vote
        self.rows = rows
        self.most = most
        self.goes_on = not rows and most > ENDS[0]

    def fit(self, train: sb.Split, valid: sb.Split, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Store samples, and grow a tree over them.

        Returns
        -------
        dict of str to numpy.ndarray
            ``twice``: float32 ``(N, d)``, the samples times 2; ``norms``: float64 ``(N,)``, their negative
            squared norms; ``labels``: ``(N,)``, or ``votes``: int8 ``(N, c)``, a row of the identity for
            each; where labels may be averaged ``faint``: float64 ``(1,)``. A tree has ``features`` and
            ``thresholds`` of its nodes, and for round r = 0, 1 of a search ``list_r``: integers
            ``(leaves, 32)`` and ``(leaves, 208)``, and ``bound_r``: float64 ``(leaves,)``, what the squared
            distances of all other samples are at least.
        """
        x = flatten(train.x)
        chosen = rng.permutation(len(x))[: self.rows or fitting(x.shape[1], self.classes or 8)]
        x, y = x[chosen], train.y[chosen]
        norms = np.sum(x.astype(np.float64) ** 2, axis=1)
        params = {"twice": 2 * x, "norms": -norms}
        params |= {"votes": np.eye(self.classes, dtype=np.int8)[y]} if self.vote else {"labels": y}
        if not (self.vote or self.recall):
            params["faint"] = FAINT * norms.mean(keepdims=True)
        return params if self.rows else params | listed(x)

    def predict(self, params: dict[str, Any], x: Any) -> Any:
        """Give what the nearest samples say: ``(n,)``, real or classes."""
        xp = x.__array_namespace__()
        x = xp.astype(flatten(x), xp.float64)
        square = xp.sum(x * x, axis=1) if self.weighted or self.goes_on else None
        if self.rows:
            closeness = x @ params["twice"].T + params["norms"]
            closeness, near = ops.top_k(closeness, self.many)
        else:
            closeness, near = self._search(params, x, square)
        return self._answer(params, square, closeness, near)

    def _search(self, params: dict[str, Any], x: Any, square: Any) -> tuple[Any, Any]:
        """Follow the list of every input's leaf; those that are done leave, and cost nothing more."""
        xp = x.__array_namespace__()
        leaf = ops.axis_tree_route(x, params["features"], params["thresholds"])
        best, near, bound = self._compare(params, 0, x, leaf)
        if not self.goes_on:
            return best, near
        (active,) = xp.nonzero(best[:, -1] < square - bound)
        further, others, _ = self._compare(params, 1, x[active], leaf[active])
        joined, place = ops.top_k(xp.concat([best[active], further], axis=1), self.many)
        near[active] = xp.take_along_axis(xp.concat([near[active], others], axis=1), place, axis=1)
        if self.weighted:
            best[active] = joined
        return best, near

    def _compare(self, params: dict[str, Any], number: int, x: Any, leaf: Any) -> tuple[Any, Any, Any]:
        """Compare a round's samples: closeness and numbers of the k best, and what bounds all others."""
        xp = x.__array_namespace__()
        lists = params[f"list_{number}"][:, : self.most]
        listed, bound = ops.gather(leaf, lists, params[f"bound_{number}"])
        closeness = ops.gather_matmul(x, listed, params["twice"]) + ops.gather(listed, params["norms"])
        best, place = ops.top_k(closeness, self.many)
        return best, xp.take_along_axis(listed, place, axis=1), bound

    def _answer(self, params: dict[str, Any], square: Any, closeness: Any, near: Any) -> Any:
        """Take the vote or the mean of the nearest, or the nearest's label."""
        xp = near.__array_namespace__()
        if self.vote:
            votes = ops.gather(near, params["votes"])
            return xp.argmax(xp.sum(votes, axis=1) if self.many > 1 else votes[:, 0], axis=1)
        labels = ops.gather(near, params["labels"])
        if not self.weighted:
            return labels[:, 0]
        weights = 1.0 / xp.maximum(square[:, None] - closeness, params["faint"])
        return xp.sum(weights * labels, axis=1) / xp.sum(weights, axis=1)


def fitting(width: int, classes: int) -> int:
    """Give how many samples of so many numbers fit into a tree form's memory, with their lists and labels."""
    lists = ENDS[-1] * 4 // LEAF
    return MEMORY // (4 * width + 8 + classes + lists + 16)


def listed(x: np.ndarray) -> dict[str, np.ndarray]:
    """Grow a tree, and cut the lists of its leaves into rounds.

    A list has as many samples as there are, at most `ENDS`' last; missing ones are the last one again.
    """
    depth = max(math.ceil(math.log2(len(x) / LEAF)), 1)
    tree = grow(x, depth)
    ends = [min(end, len(x)) for end in ENDS]
    rows, bounds = (np.array(part) for part in zip(*neighbour_lists(x, tree, ends), strict=True))
    rows = np.pad(rows, ((0, 0), (0, ENDS[-1] - rows.shape[1])), mode="edge")
    rows = rows.astype(np.uint16 if len(x) <= np.iinfo(np.uint16).max + 1 else np.int32)
    params = {"features": tree.features, "thresholds": tree.thresholds}
    for number, (start, end) in enumerate(pairwise((0, *ENDS))):
        params |= {f"list_{number}": rows[:, start:end], f"bound_{number}": bounds[:, number]}
    return params


def flatten(x: Any) -> Any:
    """Give inputs ``(n, ...)`` as rows ``(n, d)``, in array API code; nothing is computed."""
    return x.__array_namespace__().reshape(x, (x.shape[0], math.prod(x.shape[1:])))
