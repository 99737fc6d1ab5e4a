"""Experts that are softmax classifiers of one shape, one of which is run for an input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import sparsebench as sb
from classifiers import fit_mlp, flatten
from sparsebench import ops
from sparsebench.errors import ContractError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Parameters = dict[str, np.ndarray[Any, Any]]

__all__ = ["RoutedClassifier", "SoftmaxExperts"]


class SoftmaxExperts(sb.Experts):
    """Classifiers of one shape, fitted by `fit_mlp`, each on the samples that are routed to it.

    For an input of d numbers and c classes an expert costs ``2dc + c`` operations, or with h hidden units
    ``h(2d + 1) + 2hc + c + 1``: a look-up for each layer, and ``c - 1`` comparisons for the class, included.

    Parameters
    ----------
    experts
        How many there are. An expert that no sample is routed to is fitted on all samples.
    classes
        How many classes there are.
    hidden
        Width of the hidden layer of an expert; 0 for linear experts.
    training
        Further keywords of `fit_mlp`.
    """

    def __init__(self, experts: int, classes: int, hidden: int, **training: Any) -> None:
        self.experts = experts
        self.classes = classes
        self.hidden = hidden
        self.training = training

    def fit(
        self,
        train: sb.Split,
        valid: sb.Split,
        rng: np.random.Generator,
        routes: sb.Routes,
        valid_routes: sb.Routes | None = None,
    ) -> Parameters:
        """Fit every expert by itself.

        Parameters
        ----------
        train, valid
            The samples.
        rng
            The source of randomness.
        routes
            The expert of every training sample, ``(n, 1)``.
        valid_routes
            The expert of every validation sample. They choose each expert's weight decay and epoch.

        Returns
        -------
        dict of str to numpy.ndarray
            The layers of `fit_mlp`, stacked along a first axis of experts: ``expert_weights``,
            ``expert_biases``, and with a hidden layer ``expert_hidden_weights``, ``expert_hidden_biases``.
        """
        own = members(routes.experts[:, 0], self.experts)
        checks = None if valid_routes is None else members(valid_routes.experts[:, 0], self.experts)
        fitted = [
            fit_mlp(
                *_samples(train, rows if len(rows) else slice(None)),
                classes=self.classes,
                hidden=self.hidden,
                rng=rng,
                valid=None if checks is None else _samples(valid, checks[expert]),
                **self.training,
            )
            for expert, rows in enumerate(own)
        ]
        return {f"expert_{name}": np.stack([layers[name] for layers in fitted]) for name in fitted[0]}

    def apply(self, params: dict[str, Any], x: Any, routes: sb.Routes) -> Any:
        """Run the first expert of every input: class numbers, int64 ``(n,)``."""
        xp = x.__array_namespace__()
        expert = routes.experts[:, 0]
        x = flatten(x)
        if "expert_hidden_weights" in params:
            x = ops.grouped_linear(x, expert, params["expert_hidden_weights"], params["expert_hidden_biases"])
            x = xp.maximum(x, 0.0)
        logits = ops.grouped_linear(x, expert, params["expert_weights"], params["expert_biases"])
        return xp.argmax(logits, axis=1)


class RoutedClassifier(sb.Routed):
    """A router with one expert per domain of the task; validation samples help to fit them.

    Parameters
    ----------
    router
        Gives one expert per input, in ``[0, task.domains)``.
    task
        Public facts of the task: the numbers of classes and domains.
    hidden
        Width of the hidden layer of an expert; 0 for linear experts.
    training
        Further keywords of `fit_mlp`.

    Raises
    ------
    ContractError
        If the task has no classes or no domains.
    """

    def __init__(self, router: sb.Router, task: sb.TaskInfo, *, hidden: int, **training: Any) -> None:
        if task.classes is None or task.domains is None:
            message = f"expected a task with classes and domains, got {task.task}"
            raise ContractError(message, help="list such tasks only in submission.toml")
        self.softmax = SoftmaxExperts(task.domains, task.classes, hidden, **training)
        super().__init__(router, self.softmax)

    def fit(self, train: sb.Split, valid: sb.Split, rng: np.random.Generator) -> Parameters:
        """Fit the router, route both splits, fit the experts."""
        routing = self.router.fit(train, valid, rng)
        routes, valid_routes = (self._route(routing, split) for split in (train, valid))
        return {**routing, **self.softmax.fit(train, valid, rng, routes, valid_routes)}

    def _route(self, params: Parameters, split: sb.Split) -> sb.Routes:
        return self.router.route(params, split.x, *((split.tag,) if self.uses_tags else ()))


def members(expert: NDArray[np.integer[Any]], experts: int) -> list[NDArray[np.integer[Any]]]:
    """Give for every expert the numbers of its samples, ascending.

    Parameters
    ----------
    expert
        Expert of every sample, ``(n,)``, in ``[0, experts)``.
    experts
        How many there are.
    """
    order = np.argsort(expert, kind="stable")
    ends = np.cumsum(np.bincount(expert, minlength=experts))
    return np.split(order, ends[:-1])


def _samples(split: sb.Split, rows: Any) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Give inputs ``(n, d)`` and labels of some rows."""
    return flatten(split.x[rows]), split.y[rows]
