"""Trees of neurons that are trained softly and used hard.

Every inner node is a neuron; the logistic function of what it computes is the probability to go right, and a
leaf's probability is the product along its path (Jordan and Jacobs 1994). While it is trained, a tree gives
the mean of its leaves' outputs by these probabilities. Between stages of training its neurons are made
steeper, and at last the leaves alone are trained on the inputs that arrive there: used is the path of the
likelier sides (Frosst and Hinton 2017, arXiv:1711.09784; Belcak and Wattenhofer 2023, arXiv:2308.14711).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from descent import descend, he_normal, numpy_of_gradients, relu, softmax_loss, squared_loss
from training import Scaling

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]
    Integers = NDArray[np.integer[Any]]

__all__ = ["Plan", "chances", "fit_tree", "hard_leaf", "node_sides"]


STAGES = 3  # of soft training: after each but the last the neurons are made steeper
STEEPER = 3.0  # by what
EPOCHS = 4  # passes over the samples in a stage, and in that of the leaves
BATCHES = (32, 128)  # rows of a step at least and at most: else a 64th of the samples
RATE = 0.02  # at first, of inputs of at most WIDE numbers; it falls with the root of more
WIDE = 64
DECAY = 0.1
_STEEPEST = 30.0  # of a neuron's argument: beyond it the logistic function is 0 or 1 in float32


class Plan(NamedTuple):
    """The sizes of a tree and of its leaves."""

    depth: int
    """Levels: 2**depth leaves."""
    hidden: int
    """Hidden units of a leaf's network; 0 for leaves that are constants."""


def fit_tree(
    x: Floats,
    y: Floats | Integers,
    classes: int | None,
    plan: Plan,
    rng: np.random.Generator,
    unseen: tuple[Floats, Floats | Integers] | None = None,
) -> dict[str, np.ndarray]:
    """Train a tree and its leaves.

    Parameters
    ----------
    x
        Inputs ``(n, d)``.
    y
        Real labels ``(n,)``, or classes in ``[0, classes)``.
    classes
        How many classes there are; None for real labels.
    plan
        Sizes, and how long.
    rng
        Draws first weights and the order of the samples.
    unseen
        Other inputs and labels, ``(m, d)`` and ``(m,)``. What the tree, used hard, answers for these says
        after which pass of the last soft stage it was best; without them the last one is.

    Returns
    -------
    dict of str to numpy.ndarray
        float64, for L leaves, h hidden units, o outputs (1, or the number of classes), made for inputs as
        they are: ``normals`` ``(L - 1, d)`` and ``thresholds`` ``(L - 1,)`` as `ops.oblique_tree_route` wants
        them; ``values`` ``(L, o)``; or ``hidden_weights`` ``(L, h, d)``, ``hidden_biases`` ``(L, h)``,
        ``weights`` ``(L, o, h)``, ``biases`` ``(L, o)``.
    """
    scaling = Scaling.of(x)
    scaled = scaling.apply(x)
    unit = (0.0, 1.0) if classes else (float(np.mean(y)), float(np.std(y)) or 1.0)
    labels = y if classes else ((y - unit[0]) / unit[1]).astype(np.float32)
    params = _start(scaled, classes or 1, plan, rng)

    def loss(own: dict[str, Any], rows: Any, wanted: Any, *leaf: Any) -> Any:
        shares = leaf[0] if leaf else _shares(own["normals"], own["thresholds"], rows, plan.depth)
        told = _told(own, rows, shares, plan)
        return softmax_loss(told, wanted) if classes else squared_loss(told[:, 0], wanted)

    batch = min(max(len(x) // 64, BATCHES[0]), BATCHES[1])
    rate = RATE * min(1.0, (WIDE / x.shape[1]) ** 0.5)
    settings: dict[str, Any] = {"rng": rng, "epochs": EPOCHS, "batch": batch, "rate": rate, "decay": DECAY}
    judge = None
    if unseen is not None:
        judge = _judge((scaled, labels), (scaling.apply(unseen[0]), unseen[1]), classes, plan, unit)
    for stage in range(STAGES):
        if stage:
            params |= {name: params[name] * STEEPER for name in ("normals", "thresholds")}
        last = judge if stage == STAGES - 1 else None
        params = descend(loss, params, (scaled, labels), judge=last, **settings)
    leaf = hard_leaf(params["normals"], params["thresholds"], scaled)
    if not plan.hidden:
        params["values"] = _means(params["values"], leaf, labels, classes)
        return _folded(params, scaling, unit)
    own = np.eye(2**plan.depth, dtype=np.float32)[leaf]
    tree = {name: params.pop(name) for name in ("normals", "thresholds")}
    params = descend(loss, params, (scaled, labels, own), **settings)
    return _folded(tree | params, scaling, unit)


def _judge(
    samples: tuple[Floats, Floats | Integers],
    unseen: tuple[Floats, Floats | Integers],
    classes: int | None,
    plan: Plan,
    unit: tuple[float, float],
) -> Callable[[dict[str, np.ndarray]], float]:
    """Say how good a tree is that is used hard: the share of right classes, or less the squared error.

    Inputs, and the labels of ``samples``, are scaled; those of ``unseen`` are not.
    """
    x, wanted = unseen

    def judge(params: dict[str, np.ndarray]) -> float:
        tree = params["normals"], params["thresholds"]
        shares = np.eye(2**plan.depth, dtype=np.float32)[hard_leaf(*tree, x)]
        own = params
        if not plan.hidden:
            means = _means(params["values"], hard_leaf(*tree, samples[0]), samples[1], classes)
            own = params | {"values": means}
        told = _told(own, x, shares, plan)
        if classes:
            return float(np.mean(told.argmax(axis=1) == wanted))
        return -float(np.mean((unit[0] + unit[1] * told[:, 0] - wanted) ** 2))

    return judge


def _start(x: Floats, outputs: int, plan: Plan, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Draw hyperplanes through the medians of random directions, so that no side is empty."""
    leaves, features = 2**plan.depth, x.shape[1]
    normals = rng.standard_normal((leaves - 1, features)) / np.sqrt(features)
    some = x[:1024]
    start = {"normals": normals, "thresholds": np.median(some @ normals.T, axis=0)}
    if not plan.hidden:
        return start | {"values": 0.1 * rng.standard_normal((leaves, outputs))}
    return start | {
        "hidden_weights": he_normal(rng, leaves * plan.hidden, features).reshape(leaves, plan.hidden, -1),
        "hidden_biases": np.zeros((leaves, plan.hidden)),
        "weights": he_normal(rng, leaves * outputs, plan.hidden).reshape(leaves, outputs, -1),
        "biases": np.zeros((leaves, outputs)),
    }


def _shares(normals: Any, thresholds: Any, rows: Any, depth: int) -> Any:
    """Give every leaf's probability, ``(n, leaves)``, by autograd's NumPy."""
    np = numpy_of_gradients()
    along = np.clip(np.dot(rows, normals.T) - thresholds, -_STEEPEST, _STEEPEST)
    return _paths(np, 0.5 + 0.5 * np.tanh(0.5 * along), depth)


def _paths(np: Any, right: Any, depth: int) -> Any:
    shares = np.ones_like(right[:, :1])
    for level in range(depth):
        own = right[:, 2**level - 1 : 2 ** (level + 1) - 1]
        sides = [shares * (1 - own), shares * own]
        shares = np.reshape(np.stack(sides, axis=2), (len(right), 2 ** (level + 1)))
    return shares


def chances(normals: Floats, thresholds: Floats, x: Floats) -> Floats:
    """Give the probability of every leaf for inputs ``(n, d)``: ``(n, leaves)``, rows of which sum to 1."""
    right = 0.5 + 0.5 * np.tanh(0.5 * (x @ normals.T - thresholds))
    return np.asarray(_paths(np, right, (len(thresholds) + 1).bit_length() - 1))


def node_sides(normals: Floats, thresholds: Floats, x: Floats) -> NDArray[np.bool_]:
    """Say for every node whether right is likelier, ``(n, nodes)``."""
    return x @ normals.T > thresholds


def hard_leaf(normals: Floats, thresholds: Floats, x: Floats) -> Integers:
    """Follow the likelier side at every node of the path: the leaf, int64 ``(n,)``."""
    sides = node_sides(normals, thresholds, x)
    node = np.zeros(len(x), dtype=np.int64)
    while len(thresholds) and node.min() < len(thresholds):
        node = 2 * node + 1 + sides[np.arange(len(x)), node]
    return node - len(thresholds)


def _told(own: dict[str, Any], rows: Any, shares: Any, plan: Plan) -> Any:
    """Give the leaves' mean output, ``(n, o)``."""
    np = numpy_of_gradients()
    if not plan.hidden:
        return np.dot(shares, own["values"])
    leaves, many, features = own["hidden_weights"].shape
    flat = np.reshape(own["hidden_weights"], (leaves * many, features))
    units = relu(np.dot(rows, flat.T) + np.reshape(own["hidden_biases"], (leaves * many,)))
    units = np.reshape(np.reshape(units, (-1, leaves, many)) * shares[:, :, None], (-1, leaves * many))
    readout = np.reshape(np.swapaxes(own["weights"], 1, 2), (leaves * many, -1))
    return np.dot(units, readout) + np.dot(shares, own["biases"])


def _means(values: Floats, leaf: Integers, labels: Floats | Integers, classes: int | None) -> Floats:
    """Give the leaves the constants that are best for their samples; one without samples keeps its own."""
    sums = np.zeros_like(values)
    wanted = np.eye(classes, dtype=np.float32)[labels] if classes else labels[:, None]
    np.add.at(sums, leaf, wanted)
    many = np.bincount(leaf, minlength=len(values))[:, None]
    return np.where(many > 0, sums / np.maximum(many, 1), values)


def _folded(
    params: dict[str, np.ndarray], scaling: Scaling, unit: tuple[float, float]
) -> dict[str, np.ndarray]:
    """Move the scaling of inputs and labels into the weights."""
    normals, shift = scaling.fold(params["normals"], -params["thresholds"])
    told = {"normals": normals, "thresholds": -shift}
    if "values" in params:
        return told | {"values": unit[0] + unit[1] * params["values"].astype(np.float64)}
    leaves, many, features = params["hidden_weights"].shape
    flat, biases = scaling.fold(
        params["hidden_weights"].reshape(leaves * many, features), params["hidden_biases"].reshape(-1)
    )
    return told | {
        "hidden_weights": flat.reshape(leaves, many, features),
        "hidden_biases": biases.reshape(leaves, many),
        "weights": unit[1] * params["weights"].astype(np.float64),
        "biases": unit[0] + unit[1] * params["biases"].astype(np.float64),
    }
