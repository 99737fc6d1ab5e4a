"""Training of dense networks in NumPy: layers of ReLUs, for classes or for real labels, by Adam.

It is what the dense reference is fitted with, on every task. Nothing here is counted or scored.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from training import Adam, Scaling, batches, half_cosine, softmax_slopes, views

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import DTypeLike, NDArray

    Floats = NDArray[np.floating[Any]]
    Labels = NDArray[Any]
    Parameters = dict[str, NDArray[np.float64]]

__all__ = ["Judge", "Network", "Softmax", "apply_network", "epochs_within", "fit_network", "flatten"]

KIND = np.dtype(np.float32)  # what is trained in; the readout of real labels is solved in float64
MOST_EPOCHS = 300
FEWEST_EPOCHS = 2
BUDGET = 1e10  # of a fit: samples times passes times `price_of`, and not seconds, so that digits repeat
TRIALS = 1 / 3  # of the budget: what is spent on trials of settings
LINEAR = 1 / 4  # of the budget: what a linear map, which settles soon, is trained for
DRAWS = 8  # of units that are not trained: one in ten is singular
SOLVED = 16384  # samples that a readout is solved on


def fit_network(
    x: Floats,
    y: Labels,
    *,
    classes: int | None,
    hidden: Sequence[int],
    rng: np.random.Generator,
    valid: tuple[Floats, Labels],
    recall: bool = False,
) -> dict[str, NDArray[np.float64]]:
    """Fit a network: a softmax classifier, or, where there are no classes, a regression.

    Features (and real labels) are centred and scaled for training, and the scaling is folded into the weights
    afterwards, so that it costs nothing when the network is applied. First weights are He's
    (arXiv:1502.01852), the optimiser is Adam (Kingma and Ba, arXiv:1412.6980) with decoupled weight decay
    (Loshchilov and Hutter, arXiv:1711.05101). The last layer of a regression is at last solved by least
    squares, and kept as it was trained if it is better so for the validation samples. The same arguments give
    the same digits, on one machine with one thread.

    Parameters
    ----------
    x
        Inputs, real ``(n, d)``, n at least 1.
    y
        Labels: integers ``(n,)`` in ``[0, classes)``, or real ``(n,)``.
    classes
        How many classes there are; None if labels are real.
    hidden
        Widths of the hidden layers; none for a linear map.
    rng
        Draws the first weights and the order of the samples.
    valid
        Inputs ``(m, d)`` and labels ``(m,)``: of all weight decays and epochs, the weights that are best on
        these are kept, the first such.
    recall
        Whether it counts how many real labels are met exactly, and not how far answers are off. Then nothing
        is trained: the last layer, which sees w numbers, is solved for w + 1 samples, as many as it can meet,
        and the others are given up. It does not concern classes.

    Returns
    -------
    dict of str to numpy.ndarray
        All float64: ``weights_i`` ``(out, in)`` and ``biases_i`` ``(out,)`` of layer i = 0, 1, ...; of a
        regression the last out is 1. See `apply_network`.

    Raises
    ------
    ValueError
        If there are no samples, or a label is no class.
    """
    loss: Softmax | Squares
    if not len(x) or (classes is not None and (np.min(y) < 0 or np.max(y) >= classes)):
        kind = "real labels" if classes is None else f"labels in [0, {classes})"
        raise ValueError(f"fit_network: expected samples with {kind}, got {len(x)} samples")
    if recall and classes is None:
        held = rng.permutation(len(x))[: (hidden[-1] if hidden else x.shape[1]) + 1]
        x, y = x[held], y[held]
    loss = Squares.of(y) if classes is None else Softmax(classes)
    scaling = Scaling.of(x)
    widths = (x.shape[1], *hidden, loss.outputs)
    trainer = Trainer(loss, widths, scaling.apply(x), loss.targets(y), (scaling.apply(valid[0]), valid[1]))
    if loss.solves(len(x), hidden):
        return solved(folded(scaling, trainer.draw(rng)), x, y, rng)
    trained = loss.in_units_of_labels(folded(scaling, trainer.search(rng)))
    return trained if classes is not None else min((trained, solved(trained, x, y, rng)), key=off(*valid))


class Trainer(NamedTuple):
    """What is trained on what."""

    loss: Softmax | Squares
    widths: tuple[int, ...]
    inputs: Floats
    targets: Labels
    valid: tuple[Floats, Labels]

    def draw(self, rng: np.random.Generator) -> list[Floats]:
        """Draw hidden units that are not trained, so that a last layer can meet the labels of all samples.

        Each bends midway between two samples: units that all bend at the mean, as He's do, tell few samples
        apart where there are two features. Where their matrix is singular, others are drawn.
        """
        for _ in range(DRAWS):
            layers, seen = Network(self.widths, rng).layers, self.inputs
            for weights, biases in _pairs(layers[:-2]):
                heights = seen @ weights.T
                two = np.argsort(rng.random(heights.shape), axis=0)[[0, -1]]
                biases[:] = -np.mean(np.take_along_axis(heights, two, axis=0), axis=0)
                seen = np.maximum(heights + biases, 0)
            features = np.column_stack([seen.astype(np.float64), np.ones(len(seen))])
            if len(layers) == 2 or np.linalg.matrix_rank(features) == len(features):  # noqa: PLR2004 - linear
                break
        return layers

    def search(self, rng: np.random.Generator) -> list[Floats]:
        """Try every setting for a short time, and train longer with the best one, the first of equals.

        The layers are those of the trial or the training that was best on the validation samples: training
        starts anew, and may not find again what a trial found.
        """
        budget = BUDGET if len(self.widths) > 2 else LINEAR * BUDGET  # noqa: PLR2004 - inputs and outputs alone
        share = TRIALS * budget / len(self.loss.settings)
        most = int(share // (FEWEST_EPOCHS * price_of(self.widths)))
        some = rng.permutation(len(self.inputs))[: max(most, 1)]
        trials = [self.train(setting, some, share, rng) for setting in self.loss.settings]
        setting = self.loss.settings[int(np.argmax([trial.best for trial in trials]))]
        final = self.train(setting, np.arange(len(self.inputs)), (1 - TRIALS) * budget, rng)
        return max([final, *trials], key=lambda judge: judge.best).layers

    def train(
        self, setting: Setting, rows: NDArray[np.integer[Any]], budget: float, rng: np.random.Generator
    ) -> Judge:
        """Train a network on some samples; the epoch that is best on the validation samples is kept."""
        network, judge = Network(self.widths, rng), Judge(self.loss, *self.valid)
        batch = min(max(len(rows) // 64, 32), 128)
        epochs = epochs_within(budget, len(rows), self.widths)
        steps = epochs * math.ceil(len(rows) / batch)
        optimizer = Adam(
            network.flat,
            network.is_weight,
            steps=steps,
            rate=setting.rate,
            decay=setting.decay,
            schedule=half_cosine,
        )
        for _ in range(epochs):
            for some in batches(rng.permutation(rows), batch):
                network.differentiate(self.inputs[some], self.targets[some], self.loss)
                optimizer.step(network.gradient)
            judge.look(network)
        return judge


def epochs_within(budget: float, samples: int, widths: Sequence[int]) -> int:
    """Give as many passes over the samples as a budget allows, within `FEWEST_EPOCHS` and `MOST_EPOCHS`.

    Parameters
    ----------
    budget
        What may be spent, in the units of `price_of`.
    samples
        How many there are.
    widths
        Of all layers, inputs and outputs too.
    """
    return int(min(max(budget // (samples * price_of(widths)), FEWEST_EPOCHS), MOST_EPOCHS))


def price_of(widths: Sequence[int]) -> int:
    """Price a pass of one sample: its weights, 32 for a unit, 4,096 for Python's share of a small batch."""
    return sum(fan * out for fan, out in itertools.pairwise(widths)) + 32 * sum(widths[1:]) + 4096


def apply_network(params: dict[str, Any], x: Any) -> Any:
    """Evaluate what `fit_network` gave, in array API code.

    Parameters
    ----------
    params
        ``weights_i`` and ``biases_i``.
    x
        Real array ``(n, d)``.

    Returns
    -------
    real array ``(n, out)``
        The logits (the class is ``xp.argmax(logits, axis=1)``), or one column of real answers.
    """
    last = sum(name.startswith("weights_") for name in params) - 1
    return see(params, x, last) @ params[f"weights_{last}"].T + params[f"biases_{last}"]


def see(params: dict[str, Any], x: Any, layer: int) -> Any:
    """Give what a layer of a network sees, in array API code."""
    xp = x.__array_namespace__()
    for before in range(layer):
        x = xp.maximum(x @ params[f"weights_{before}"].T + params[f"biases_{before}"], 0.0)
    return x


def flatten(x: Any) -> Any:
    """Give inputs ``(n, ...)`` as rows ``(n, d)``, in array API code; nothing is computed."""
    return x.__array_namespace__().reshape(x, (x.shape[0], math.prod(x.shape[1:])))


class Setting(NamedTuple):
    """What a network is trained with."""

    rate: float
    """Adam's learning rate at the start; it falls along half a cosine."""
    decay: float
    """Weight decay per step and learning rate."""


class Softmax:
    """The mean cross-entropy of classes."""

    settings = (Setting(0.03, 0.5), Setting(0.01, 0.01), Setting(0.003, 0.0))

    def __init__(self, classes: int) -> None:
        self.outputs = classes

    def solves(self, samples: int, hidden: Sequence[int]) -> bool:
        """Say that a last layer is not solved."""
        return False

    def targets(self, y: Labels) -> Labels:
        """Give what `slope` compares answers with."""
        return y

    def slope(self, logits: Floats, y: Labels) -> Floats:
        """Give the gradient of the mean loss by the logits, ``(n, classes)``."""
        return softmax_slopes(logits, y)

    def goodness(self, logits: Floats, y: Labels) -> float:
        """Count those that are right."""
        return float(np.count_nonzero(np.argmax(logits, axis=1) == y))

    def in_units_of_labels(self, params: Parameters) -> Parameters:
        """Leave the network as it was trained."""
        return params


class Squares(NamedTuple):
    """The mean squared error of real labels, which are centred and scaled for training."""

    mean: float
    scale: float
    outputs: int = 1

    @property
    def settings(self) -> tuple[Setting, ...]:
        """What is tried."""
        return (Setting(0.03, 0.0), Setting(0.01, 0.0))

    def solves(self, samples: int, hidden: Sequence[int]) -> bool:
        """Say whether the last layer is all: the only one, or one that meets every label without training."""
        return not hidden or samples <= hidden[-1] + 1

    @classmethod
    def of(cls, y: Labels) -> Squares:
        """Measure labels."""
        return cls(float(np.mean(y, dtype=np.float64)), float(np.std(y, dtype=np.float64)) or 1.0)

    def targets(self, y: Labels) -> Floats:
        """Give what `slope` compares answers with."""
        return ((y - self.mean) / self.scale).astype(KIND)[:, None]

    def slope(self, answers: Floats, targets: Labels) -> Floats:
        """Give the gradient of half the mean loss by the answers, ``(n, 1)``."""
        return np.asarray((answers - targets) / np.asarray(len(targets), dtype=KIND))

    def goodness(self, answers: Floats, y: Labels) -> float:
        """Give the negative mean squared error, in units of the labels' variance."""
        return -float(np.mean((answers[:, 0] - (y - self.mean) / self.scale) ** 2))

    def in_units_of_labels(self, params: Parameters) -> Parameters:
        """Undo the scaling of labels in the last layer."""
        last = len(params) // 2 - 1
        weights, biases = (params[f"{name}_{last}"] * self.scale for name in ("weights", "biases"))
        return params | {f"weights_{last}": weights, f"biases_{last}": biases + self.mean}


def solved(params: Parameters, x: Floats, y: Labels, rng: np.random.Generator) -> Parameters:
    """Solve the last layer for real labels by least squares, on some samples where there are many."""
    rows = slice(None) if len(x) <= SOLVED else rng.choice(len(x), SOLVED, replace=False)
    last = len(params) // 2 - 1
    seen = see(params, x[rows].astype(np.float64), last)
    features = np.column_stack([seen, np.ones(len(seen))])
    readout = np.linalg.lstsq(features, y[rows].astype(np.float64))[0]
    return params | {f"weights_{last}": readout[None, :-1], f"biases_{last}": readout[-1:]}


def off(x: Floats, y: Labels) -> Callable[[Parameters], float]:
    """Tell how far a network's answers are from real labels: the mean of squares."""
    return lambda params: float(np.mean((apply_network(params, x)[:, 0] - y) ** 2))


class Network:
    """A network and its gradient, each in one flat array with a view per layer.

    Parameters
    ----------
    widths
        Of all layers, inputs and outputs too.
    rng
        Draws the first weights, of He's deviation. The last layer is 0: it answers all inputs alike.
    dtype
        What is computed in.
    """

    def __init__(self, widths: Sequence[int], rng: np.random.Generator, dtype: DTypeLike = KIND) -> None:
        kind = np.dtype(dtype)
        shapes: list[tuple[int, ...]] = [
            shape for fan, out in itertools.pairwise(widths) for shape in ((out, fan), (out,))
        ]
        self.flat, self.layers = views(shapes, kind)
        self.gradient, self.slopes = views(shapes, kind)
        self.is_weight, masks = views(shapes, np.dtype(bool))
        for weights in self.layers[:-2:2]:
            weights[:] = rng.standard_normal(weights.shape) * math.sqrt(2.0 / weights.shape[1])
        for mask in masks[::2]:
            mask[:] = True

    def hidden(self, x: Floats) -> list[Floats]:
        """Give what every layer sees: the inputs, then what the ReLUs before it gave."""
        seen = [x]
        for weights, biases in zip(self.layers[:-2:2], self.layers[1:-2:2], strict=True):
            x = x @ weights.T
            x += biases
            seen.append(np.maximum(x, 0, out=x))
        return seen

    def answers(self, x: Floats) -> Floats:
        """Give logits or real answers, ``(n, out)``."""
        return np.asarray(self.hidden(x)[-1] @ self.layers[-2].T + self.layers[-1])

    def differentiate(self, x: Floats, targets: Labels, loss: Softmax | Squares) -> None:
        """Write the gradient of a batch's mean loss into `gradient`."""
        seen = self.hidden(x)
        error = loss.slope(seen[-1] @ self.layers[-2].T + self.layers[-1], targets)
        for place in range(len(self.layers) - 2, -1, -2):
            inputs = seen.pop()
            np.matmul(error.T, inputs, out=self.slopes[place])
            np.sum(error, axis=0, out=self.slopes[place + 1])
            if place:
                error = error @ self.layers[place]
                error *= inputs > 0


class Judge:
    """Keeps the layers of the network that was best on the validation samples so far."""

    def __init__(self, loss: Softmax | Squares, x: Floats, y: Labels) -> None:
        self.loss, self.x, self.y = loss, x, y
        self.layers: list[Floats] = []
        self.best = -math.inf

    def look(self, network: Network) -> None:
        """Keep a network as it is, if it is better than all before."""
        goodness = self.loss.goodness(network.answers(self.x), self.y)
        if goodness > self.best or not self.layers:
            self.best = goodness
            self.layers = [layer.copy() for layer in network.layers]


def folded(scaling: Scaling, layers: Sequence[Floats]) -> Parameters:
    """Give the layers of a network that does the scaling itself, by name: those of `apply_network`."""
    first, *others = _pairs(layers)
    pairs = [scaling.fold(*first), *((weights, biases) for weights, biases in others)]
    return {
        f"{name}_{number}": array.astype(np.float64)
        for number, pair in enumerate(pairs)
        for name, array in zip(("weights", "biases"), pair, strict=True)
    }


def _pairs(arrays: Sequence[Floats]) -> Iterator[tuple[Floats, Floats]]:
    return zip(arrays[::2], arrays[1::2], strict=True)
