"""Cascade: a cheap model answers, and a dear one answers again where it is unsure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import sparsebench as sb
from descent import Scaling, descend, he_normal, relu, softmax_loss, squared_loss
from exits import error_head, surest, threshold
from training import flatten

if TYPE_CHECKING:
    from collections.abc import Callable

CHEAP, DEAR = 8, 256  # hidden units
CENTRES = 512  # of the dear model of real labels
UNSURE = (0.2, 0.6)  # shares that thresholds are laid for
EFFORT = 8e9  # of training a network: samples seen, times the weights and what a step costs beside them
BESIDE = 30_000
EPOCHS = 60  # at most
WIDTHS = (0.25, 0.5, 1.0, 2.0, 4.0)  # of the kernel, in mean distances between samples, to choose among
TRIAL = 192  # centres while a width is chosen
ROWS = 4096  # samples while a width is chosen
RIDGE = 1e-7  # share of the kernel's mean square that is added to the diagonal


class Cascade(sb.Submission):
    """Two models that know nothing of each other, and a threshold that says which inputs see both.

    The cheap one is a network of 8 hidden units. The dear one is a network of 256 for classes, and a Gaussian
    kernel machine of 512 centres for real labels.

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
            labels, too: ``doubt`` ``(8,)`` and ``doubt-intercept`` ``()``; and what `kernel_machine` returns,
            instead of a dear network.
            ``thresholds``: ``(shares,)``.
        """
        x, held = flatten(train.x), flatten(valid.x)
        params = train_network("cheap", CHEAP, (x, train.y), (held, valid.y), self.classes, rng)
        if self.classes is None:
            seen = hidden(params, "cheap", x)
            head = error_head(seen, readout(params, "cheap", seen) - train.y)
            params |= {"doubt": head[:-1], "doubt-intercept": np.asarray(head[-1])}
            params |= fit_kernel(x, train.y, held, valid.y, rng)
        else:
            params |= train_network("dear", DEAR, (x, train.y), (held, valid.y), self.classes, rng)
        _, confidence = self._cheap(params, held)
        params["thresholds"] = np.array([threshold(confidence, 1.0 - share) for share in UNSURE])
        return params

    def predict(self, params: dict[str, Any], x: Any) -> Any:
        """Answer cheaply, and again where that is unsure: class numbers or real numbers, ``(n,)``."""
        x = flatten(x)
        if self.unsure == 1.0:
            return self._dear(params, x)
        if self.unsure == 0.0:
            return self._answer(readout(params, "cheap", hidden(params, "cheap", x)))
        answer, confidence = self._cheap(params, x)
        unsure = confidence <= params["thresholds"][UNSURE.index(self.unsure)]
        answer[unsure] = self._dear(params, x[unsure])
        return answer

    def _cheap(self, params: dict[str, Any], x: Any) -> tuple[Any, Any]:
        """Answer, and say how sure the answers are."""
        seen = hidden(params, "cheap", x)
        outputs = readout(params, "cheap", seen)
        if self.classes is not None:
            return surest(outputs)
        return outputs, seen @ params["doubt"] + params["doubt-intercept"]

    def _dear(self, params: dict[str, Any], x: Any) -> Any:
        if self.classes is None:
            return apply_kernel(params, x)
        return self._answer(readout(params, "dear", hidden(params, "dear", x)))

    def _answer(self, outputs: Any) -> Any:
        return outputs if self.classes is None else outputs.__array_namespace__().argmax(outputs, axis=1)


def hidden(params: dict[str, Any], name: str, x: Any, activation: Callable[[Any], Any] | None = None) -> Any:
    """Give the hidden units of a network for inputs ``(n, d)``; ``activation`` is that of the trainer."""
    sums = x @ params[f"{name}-hidden"].T + params[f"{name}-offsets"]
    return activation(sums) if activation else x.__array_namespace__().maximum(sums, 0.0)


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
    """Train a hidden layer of ReLUs by Adam, and keep the epoch that is best on valid.

    Scaling of inputs and labels is folded into the weights.

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
    (x, y), outputs = train, () if classes is None else (classes,)
    scaling, unit = Scaling.of(x), Scaling.of(y[:, None] if classes is None else np.zeros((1, 1)))

    def told(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return scaling.apply(x), unit.apply(y[:, None])[:, 0] if classes is None else y

    def loss(params: dict[str, Any], x: np.ndarray, y: np.ndarray) -> Any:
        answers = readout(params, name, hidden(params, name, x, relu))
        return (squared_loss if classes is None else softmax_loss)(answers, y)

    def judge(params: dict[str, np.ndarray]) -> float:
        return -float(loss(params, *judged))

    judged = told(*valid)
    start = {
        f"{name}-hidden": he_normal(rng, width, x.shape[1]),
        f"{name}-offsets": np.zeros(width),
        f"{name}-readout": np.zeros((width, *outputs)),
        f"{name}-intercept": np.zeros(outputs),
    }
    size = sum(array.size for array in start.values())
    epochs = int(np.clip(EFFORT / (len(x) * (size + BESIDE)), 1, EPOCHS))
    found = descend(loss, start, told(x, y), rng=rng, epochs=epochs, judge=judge if len(valid[1]) else None)
    weights, offsets, out, intercept = (found[own].astype(np.float64) for own in start)
    if classes is None:
        out, intercept = out / unit.scale[0], intercept / unit.scale[0] + unit.mean[0]
    return dict(zip(start, (*scaling.fold(weights, offsets), out, np.asarray(intercept)), strict=True))


def fit_kernel(
    x: np.ndarray, y: np.ndarray, valid_x: np.ndarray, valid_y: np.ndarray, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Fit a Gaussian kernel machine on random centres by ridge regression, its width chosen on valid.

    That is regularised least squares in the subspace of the centres (Nystrom's; Rudi, Camoriano, Rosasco
    2015, arXiv:1507.04717).
    """
    x, y = x.astype(np.float64), y.astype(np.float64)
    few, centres = rng.permutation(len(x))[:ROWS], x[rng.permutation(len(x))[:CENTRES]]
    unit = 2 * np.var(x, axis=0).sum() or 1.0  # the mean squared distance of two samples
    tried = []
    for width in WIDTHS:
        params = kernel_machine(x[few], y[few], centres[:TRIAL], 1 / (width**2 * unit))
        tried.append((float(np.mean((apply_kernel(params, valid_x) - valid_y) ** 2)), width))
    return kernel_machine(x, y, centres, 1 / (min(tried)[1] ** 2 * unit))


def kernel_machine(x: np.ndarray, y: np.ndarray, centres: np.ndarray, gamma: float) -> dict[str, np.ndarray]:
    """Regress labels on the kernel's values at centres ``(N, d)``.

    Returns
    -------
    dict of str to numpy.ndarray
        ``gamma`` ``()``, the inverse of the squared width; ``centres`` ``(N, d)``, each times twice that, and
        ``squares`` ``(N,)``, their squared lengths times that; ``weights`` ``(N,)`` and ``mean`` ``()``.
    """
    params = {
        "centres": 2 * gamma * centres,
        "squares": gamma * np.sum(centres**2, axis=1),
        "gamma": np.asarray(gamma),
        "mean": np.asarray(y.mean()),
    }
    values = kernel(params, x)
    gram = values.T @ values
    ridge = RIDGE * float(np.trace(gram)) / len(gram)
    params["weights"] = np.linalg.solve(gram + ridge * np.eye(len(gram)), values.T @ (y - params["mean"]))
    return params


def kernel(params: dict[str, Any], x: Any) -> Any:
    """Give ``exp(-gamma |x - c|^2)`` for every centre, ``(n, N)``: the square is multiplied out."""
    xp = x.__array_namespace__()
    own = params["gamma"] * xp.sum(x * x, axis=1, keepdims=True)
    return xp.exp(x @ params["centres"].T - params["squares"] - own)


def apply_kernel(params: dict[str, Any], x: Any) -> Any:
    """Answer by the kernel machine: ``(n,)``."""
    return kernel(params, x) @ params["weights"] + params["mean"]
