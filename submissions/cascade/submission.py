"""Cascade: a cheap model answers, and a dear one answers again where it is unsure."""

from __future__ import annotations

from typing import Any

import numpy as np

import sparsebench as sb
from exits import error_head, surest, threshold
from networks import fit_network, flatten

CHEAP, DEAR = 8, 256  # hidden units
UNSURE = (0.2, 0.6)  # shares that thresholds are laid for


class Cascade(sb.Submission):
    """Two models that know nothing of each other, and a threshold that says which inputs see both.

    The cheap one is a network of 8 hidden units, the dear one a network of 256.

    Parameters
    ----------
    task
        Public facts of the task: the number of classes, if labels are such.
    unsure
        For which share of the validation inputs the dear model is run after the cheap one: .2 or .6; or 0,
        where the cheap one is all there is, or 1, where the dear one is.
    """

    def __init__(self, task: sb.TaskInfo, *, unsure: float) -> None:
        self.classes = task.classes
        self.unsure = unsure

    def fit(self, train: sb.Split, valid: sb.Split, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Fit both models on all samples, and lay the thresholds by the validation inputs.

        Returns
        -------
        dict of str to numpy.ndarray
            All float64. Networks, ``cheap-`` and ``dear-``: ``hidden`` ``(h, d)``, ``offsets`` ``(h,)``,
            ``readout`` ``(h, c)`` and ``intercept`` ``(c,)``, of real labels ``(h,)`` and ``()``. Of real
            labels, too: ``doubt`` ``(8,)`` and ``doubt-intercept`` ``()``. ``thresholds``: ``(shares,)``.
        """
        x, held = flatten(train.x), flatten(valid.x)
        params = {}
        for name, width in (("cheap", CHEAP), ("dear", DEAR)):
            params |= train_network(name, width, (x, train.y), (held, valid.y), self.classes, rng)
        if self.classes is None:
            seen = hidden(params, "cheap", x)
            head = error_head(seen, readout(params, "cheap", seen) - train.y)
            params |= {"doubt": head[:-1], "doubt-intercept": np.asarray(head[-1])}
        _, confidence = self._cheap(params, held)
        params["thresholds"] = np.array([threshold(confidence, 1.0 - share) for share in UNSURE])
        return params

    def predict(self, params: dict[str, Any], x: Any) -> Any:
        """Answer cheaply, and again where that is unsure: class numbers or real numbers, ``(n,)``."""
        x = flatten(x)
        if self.unsure == 1.0:
            return self._ask(params, "dear", x)
        if self.unsure == 0.0:
            return self._ask(params, "cheap", x)
        answer, confidence = self._cheap(params, x)
        xp = x.__array_namespace__()
        (unsure,) = xp.nonzero(confidence <= params["thresholds"][UNSURE.index(self.unsure)])
        answer[unsure] = self._ask(params, "dear", x[unsure])
        return answer

    def _cheap(self, params: dict[str, Any], x: Any) -> tuple[Any, Any]:
        """Answer, and say how sure the answers are."""
        seen = hidden(params, "cheap", x)
        outputs = readout(params, "cheap", seen)
        if self.classes is not None:
            return surest(outputs)
        return outputs, seen @ params["doubt"] + params["doubt-intercept"]

    def _ask(self, params: dict[str, Any], name: str, x: Any) -> Any:
        """Answer by one of the models."""
        outputs = readout(params, name, hidden(params, name, x))
        return outputs if self.classes is None else outputs.__array_namespace__().argmax(outputs, axis=1)


def hidden(params: dict[str, Any], name: str, x: Any) -> Any:
    """Give the hidden units of a network for inputs ``(n, d)``."""
    sums = x @ params[f"{name}-hidden"].T + params[f"{name}-offsets"]
    return x.__array_namespace__().maximum(sums, 0.0)


def readout(params: dict[str, Any], name: str, seen: Any) -> Any:
    """Give the outputs of a network: ``(n, c)``, or ``(n,)`` of real labels."""
    return seen @ params[f"{name}-readout"] + params[f"{name}-intercept"]


def train_network(
    name: str,
    width: int,
    train: tuple[np.ndarray, np.ndarray],
    valid: tuple[np.ndarray, np.ndarray],
    classes: int | None,
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    """Train a hidden layer of ReLUs as `dense-mlp` does.

    Parameters
    ----------
    name
        What the names of its parameters begin with.
    width
        Hidden units.
    train, valid
        Inputs ``(n, d)`` and labels ``(n,)``.
    classes
        How many classes there are, None of real labels.
    rng
        Draws first weights and the order of samples.
    """
    found = fit_network(*train, classes=classes, hidden=(width,), rng=rng, valid=valid)
    out, intercept = found["weights_1"].T, found["biases_1"]
    if classes is None:
        out, intercept = out[:, 0], intercept[0]
    return {
        f"{name}-hidden": found["weights_0"],
        f"{name}-offsets": found["biases_0"],
        f"{name}-readout": np.ascontiguousarray(out),
        f"{name}-intercept": np.asarray(intercept),
    }
