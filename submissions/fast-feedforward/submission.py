"""Fast feedforward network: a tree of neurons decides which of many small networks is run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sparsebench as sb
from soft_routes import Plan, fit_tree
from sparsebench import ops

if TYPE_CHECKING:
    import numpy as np

SAMPLES = 16384  # that a network is trained on, at most


class FastFeedforward(sb.Routed):
    """A tree of neurons, and a network of one hidden layer of ReLUs in every leaf.

    Parameters
    ----------
    task
        Public facts of the task: the number of classes.
    depth
        Levels of the tree (D).
    hidden
        Hidden units of a leaf (h).
    """

    def __init__(self, task: sb.TaskInfo, *, depth: int, hidden: int) -> None:
        super().__init__(NeuronRouter(), LeafNetworks(classes=task.classes is not None))
        self.classes = task.classes
        self.plan = Plan(depth, hidden)

    def fit(self, train: sb.Split, valid: sb.Split, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Train tree and leaves together.

        Returns
        -------
        dict of str to numpy.ndarray
            What `soft_routes.fit_tree` returns.
        """
        x = train.x.reshape(len(train.x), -1)
        some = rng.permutation(len(x))[:SAMPLES]
        return fit_tree(x[some], train.y[some], self.classes, self.plan, rng)


class NeuronRouter(sb.Router):
    """Follow the neurons from the root to a leaf."""

    def route(self, params: dict[str, Any], x: Any) -> sb.Routes:
        """Give the leaf of every input, ``(n, 1)``."""
        leaf = ops.oblique_tree_route(_flat(x), params["normals"], params["thresholds"])
        return sb.Routes(experts=leaf[:, None])


class LeafNetworks(sb.Experts):
    """Run the network of the leaf."""

    def __init__(self, *, classes: bool) -> None:
        self.classes = classes

    def apply(self, params: dict[str, Any], x: Any, routes: sb.Routes) -> Any:
        """Give ``(n,)``: numbers, or int64 classes."""
        layers = (params[name] for name in ("hidden_weights", "hidden_biases", "weights", "biases"))
        told = ops.grouped_mlp(_flat(x), routes.experts[:, 0], *layers)
        return x.__array_namespace__().argmax(told, axis=1) if self.classes else told[:, 0]


def _flat(x: Any) -> Any:
    """Lay the numbers of an input in one row."""
    return x.__array_namespace__().reshape(x, (x.shape[0], -1))
