"""Conditional synthesis: what an unconditional network computes, by a tree and one affine leaf."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

import sparsebench as sb
from lines import best_direction, steepness
from networks import fit_network
from sparsebench import ops

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Rows = NDArray[np.integer[Any]]

HALF = 0.5


class ConditionalSynthesis(sb.Routed):
    """A network's affine pieces, behind a tree that finds the piece.

    Parameters
    ----------
    task
        Public facts of the task: the metric, and the number of classes, if labels are classes.
    theorem
        ``line``: a network of the projection alone, everywhere equal to it. ``set``: a network of all inputs,
        equal to it on the training inputs. ``region``: a tree over signs of neurons, equal to it where the
        leaf's pattern is the input's.
    every
        Of ``line``: the network interpolates every so many-th point.
    hidden
        Units of the network, where it is trained.
    depth
        Of ``region``: levels of the tree, at most.
    """

    def __init__(
        self, task: sb.TaskInfo, *, theorem: str, every: int = 1, hidden: int = 0, depth: int = 0
    ) -> None:
        self.theorem, self.every, self.hidden, self.depth = theorem, every, hidden, depth
        self.recall = task.metric == "recall"
        router = NeuronRouter() if theorem == "region" else LineRouter(with_place=theorem == "line")
        pieces = LinePieces if theorem == "line" else AffinePieces
        super().__init__(router, pieces(task.classes))

    def fit(self, train: sb.Split, valid: sb.Split, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Make the unconditional network, then its tree and its pieces.

        Returns
        -------
        dict of str to numpy.ndarray
            ``direction`` ``(r,)`` and ``thresholds``, or ``normals`` and ``thresholds``, of the tree, breadth
            first; ``slopes`` and ``intercepts`` of the pieces; all float64.
        """
        x, y = train.x.astype(np.float64), train.y.astype(np.float64)
        if self.theorem == "region":
            return of_regions(self._network(train, valid, rng), x, self.depth)
        direction = best_direction(x, y, steepness, rng)
        t = x @ direction
        order = np.argsort(t)
        if self.theorem == "line":
            kept = order[:: self.every]
            return {"direction": direction} | of_line(t[kept], y[kept])
        middles = (t[order][:-1] + t[order][1:]) / 2
        slopes, intercepts = self._network(train, valid, rng).maps(x[order])
        tree = {"direction": direction, "thresholds": breadth_first(middles)}
        return tree | {"slopes": slopes[:, None, :], "intercepts": intercepts[:, None]}

    def _network(self, train: sb.Split, valid: sb.Split, rng: np.random.Generator) -> Network:
        """Give the unconditional network: one hidden layer of ReLUs, trained, or made to recall labels."""
        params = fit_network(
            train.x.astype(np.float64),
            train.y.astype(np.float64),
            classes=None,
            hidden=(self.hidden,),
            rng=rng,
            valid=(valid.x.astype(np.float64), valid.y.astype(np.float64)),
            recall=self.recall,
        )
        return Network(
            params["weights_0"], params["biases_0"], params["weights_1"][0], float(params["biases_1"][0])
        )


class Network(NamedTuple):
    """One hidden layer of ReLUs with one answer."""

    weights: Floats
    """``(hidden, r)``."""
    biases: Floats
    """``(hidden,)``."""
    readout: Floats
    """``(hidden,)``."""
    intercept: float

    def signs(self, x: Floats) -> NDArray[np.bool_]:
        """Say which units are active, ``(n, hidden)``."""
        return x @ self.weights.T + self.biases > 0

    def answers(self, x: Floats) -> Floats:
        """Evaluate it: ``(n,)``."""
        return np.maximum(x @ self.weights.T + self.biases, 0) @ self.readout + self.intercept

    def maps(self, x: Floats) -> tuple[Floats, Floats]:
        """Give the affine map that the network is near each input: slopes ``(n, r)``, intercepts ``(n,)``."""
        return self.maps_of(self.signs(x))

    def maps_of(self, active: NDArray[np.bool_]) -> tuple[Floats, Floats]:
        """Give the affine maps of patterns of active units ``(n, hidden)``."""
        gated = active * self.readout
        return gated @ self.weights, gated @ self.biases + self.intercept


class LineRouter(sb.Router):
    """Project an input and descend a balanced tree: 2r - 1 operations, and a comparison for each level."""

    def __init__(self, *, with_place: bool) -> None:
        self.with_place = with_place

    def route(self, params: dict[str, Any], x: Any) -> sb.Routes:
        """Give the piece of every input, ``(n, 1)``, and with it the place on the line, if pieces need it."""
        t = x @ params["direction"]
        piece = ops.tree_route(t, params["thresholds"])[:, None]
        return sb.Routes(experts=piece, gates=t[:, None] if self.with_place else None)


class NeuronRouter(sb.Router):
    """Ask the signs of some neurons, one after the other: 2r operations each."""

    def route(self, params: dict[str, Any], x: Any) -> sb.Routes:
        """Give the leaf of every input, ``(n, 1)``."""
        return sb.Routes(experts=ops.oblique_tree_route(x, params["normals"], params["thresholds"])[:, None])


class LinePieces(sb.Experts):
    """Affine functions of the place on the line: 2 operations."""

    def __init__(self, classes: int | None) -> None:
        self.classes = classes

    def apply(self, params: dict[str, Any], x: Any, routes: sb.Routes) -> Any:
        """Evaluate a piece for every input: ``(n,)`` float64, or the nearest class, int64."""
        slope, intercept = ops.gather(routes.experts[:, 0], params["slopes"], params["intercepts"])
        return nearest_class(slope * routes.gates[:, 0] + intercept, self.classes)


class AffinePieces(sb.Experts):
    """Affine functions of the input: 2r operations."""

    def __init__(self, classes: int | None) -> None:
        self.classes = classes

    def apply(self, params: dict[str, Any], x: Any, routes: sb.Routes) -> Any:
        """Evaluate a piece for every input: ``(n,)`` float64, or the nearest class, int64."""
        found = ops.grouped_linear(x, routes.experts[:, 0], params["slopes"], params["intercepts"])
        return nearest_class(found[:, 0], self.classes)


def nearest_class(answers: Any, classes: int | None) -> Any:
    """Give real answers as they are, or, where labels are classes, the nearest class."""
    return answers if classes is None else ops.quantize(answers + 0.5, levels=classes)


def of_line(t: Floats, y: Floats) -> dict[str, Floats]:
    """Give the tree and the pieces of the piecewise linear function through points on a line.

    It is what one hidden layer of ``len(t) - 1`` ReLUs of the projection computes, and so is any network of
    the projection: a sum of pieces is one piece between two neighbouring bends.

    Parameters
    ----------
    t, y
        Ascending places ``(m,)``, all distinct, m at least 2, and values ``(m,)``.
    """
    slopes = np.diff(y) / np.diff(t)
    intercepts = y[:-1] - slopes * t[:-1]
    return {"thresholds": breadth_first(t[1:-1]), "slopes": slopes, "intercepts": intercepts}


def of_regions(network: Network, x: Floats, depth: int) -> dict[str, Floats]:
    """Grow a tree over signs of neurons, from samples, and give the affine map of every leaf.

    A node asks the neuron whose sign divides its samples most evenly. A leaf has the map of the pattern that
    most of its samples have, unit by unit; one without samples has that of the node above.

    Parameters
    ----------
    network
        What is synthesized.
    x
        Samples ``(n, r)``.
    depth
        Levels of the tree.

    Returns
    -------
    dict of str to numpy.ndarray
        ``normals`` ``(2**depth - 1, r)``, ``thresholds``, ``slopes`` ``(2**depth, 1, r)`` and ``intercepts``.
    """
    active = network.signs(x)
    nodes = [np.arange(len(x))]
    usual = [active.mean(axis=0) > HALF]
    asked: list[int] = []
    for _ in range(depth):
        below: list[Rows] = []
        usual_below: list[NDArray[np.bool_]] = []
        for rows, pattern in zip(nodes, usual, strict=True):
            shares = active[rows].mean(axis=0) if len(rows) else pattern.astype(float)
            unit = int(np.argmin(np.abs(shares - HALF)))
            asked.append(unit)
            for side in (False, True):
                inside = rows[active[rows, unit] == side]
                below.append(inside)
                most = active[inside].mean(axis=0) > HALF if len(inside) else pattern
                usual_below.append(most)
        nodes, usual = below, usual_below
    slopes, intercepts = network.maps_of(np.stack(usual))
    return {
        "normals": network.weights[asked],
        "thresholds": -network.biases[asked],
        "slopes": slopes[:, None, :],
        "intercepts": intercepts[:, None],
    }


def breadth_first(edges: Floats) -> Floats:
    """Lay ascending thresholds out as a complete binary tree, level by level; missing ones are infinite."""
    depth = len(edges).bit_length()
    full = np.full(2**depth - 1, np.inf)
    full[: len(edges)] = edges
    levels = [full[2 ** (depth - level - 1) - 1 :: 2 ** (depth - level)] for level in range(depth)]
    return np.concatenate([full[:0], *levels])
