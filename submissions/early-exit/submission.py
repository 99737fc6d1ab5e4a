"""Early exits: a network of growing blocks that an input leaves as soon as its answer is sure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

import sparsebench as sb
from descent import descend, he_normal, relu, softmax_loss, squared_loss
from exits import error_head, surest, threshold
from training import Scaling

if TYPE_CHECKING:
    from collections.abc import Callable

WIDTHS = (4, 12, 32)  # ReLUs of the blocks: each costs several times what the one before it costs
LEAVES = (0.8, 0.4)  # shares that thresholds are laid for
EFFORT = 4e10  # of training: samples seen, times the weights and what a step costs beside them, in weights
BESIDE = 60_000
EPOCHS = 100  # at most
DECAY = 0.1  # of weights, per step and learning rate, where there are classes


class EarlyExit(sb.Submission):
    """A network of three blocks with an exit behind each, trained together (BranchyNet).

    A block of ReLUs sees the input and the block before it. Behind it a linear readout answers, and says
    how sure it is: by how much the largest logit leads, or, of real labels, by a second readout that
    expects the squared error. Who is sure enough leaves; only the others are run through the next block.

    Parameters
    ----------
    task
        Public facts of the task: the number of classes, if labels are such.
    leave
        Which share of the validation inputs that come to an exit are sure enough to leave there: one of
        .8 and .4; or 1, where the first block is the whole network, or 0, where there is one exit alone.
    """

    def __init__(self, task: sb.TaskInfo, *, leave: float) -> None:
        self.classes = task.classes
        self.leave = leave

    def fit(self, train: sb.Split, valid: sb.Split, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Train blocks and exits, and lay the thresholds by the validation inputs.

        Returns
        -------
        dict of str to numpy.ndarray
            All float64. For block k of w ReLUs ``input-k`` ``(w, d)``, ``below-k`` ``(w, w of the block
            before)`` but for the first, ``offset-k`` ``(w,)``; of its exit ``readout-k`` and ``intercept-k``:
            ``(w, c)`` and ``(c,)``, of real labels ``(w,)`` and ``()``, there but for the last with
            ``doubt-k`` ``(w,)`` and ``doubt-intercept-k`` ``()``. ``thresholds``: ``(shares, exits - 1)``.
        """
        params = train_network(flatten(train.x), train.y, flatten(valid.x), valid.y, self.classes, rng)
        if self.classes is None:
            params |= doubts(params, flatten(train.x), train.y)
        params["thresholds"] = np.array([self._thresholds(params, flatten(valid.x), s) for s in LEAVES])
        return params

    def predict(self, params: dict[str, Any], x: Any) -> Any:
        """Run every input up to the exit that it leaves by: class numbers or real numbers, ``(n,)``."""
        return self._from(params, 0, flatten(x), None)

    def _from(self, params: dict[str, Any], at: int, x: Any, below: Any) -> Any:
        """Answer inputs that have come to a block, given what the block before says of them."""
        seen = block(params, at, x, below)
        if at == self._last:
            return self._answer(params, at, seen)
        if not self.leave:
            return self._from(params, at + 1, x, seen)
        answer, confidence = self._exit(params, at, seen)
        xp = x.__array_namespace__()
        (stay,) = xp.nonzero(confidence <= params["thresholds"][LEAVES.index(self.leave), at])
        answer[stay] = self._from(params, at + 1, x[stay], seen[stay])
        return answer

    @property
    def _last(self) -> int:
        return 0 if self.leave == 1.0 else len(WIDTHS) - 1

    def _answer(self, params: dict[str, Any], at: int, seen: Any) -> Any:
        outputs = readout(params, at, seen)
        return outputs if self.classes is None else seen.__array_namespace__().argmax(outputs, axis=1)

    def _exit(self, params: dict[str, Any], at: int, seen: Any) -> tuple[Any, Any]:
        """Answer, and say how sure the answers are."""
        outputs = readout(params, at, seen)
        if self.classes is not None:
            return surest(outputs)
        return outputs, seen @ params[f"doubt-{at}"] + params[f"doubt-intercept-{at}"]

    def _thresholds(self, params: dict[str, np.ndarray], x: np.ndarray, share: float) -> list[float]:
        """Lay the thresholds so that a share of the inputs that come to an exit leaves there."""
        laid, seen = [], None
        for at in range(len(WIDTHS) - 1):
            seen = block(params, at, x, seen)
            _, confidence = self._exit(params, at, seen)
            laid.append(threshold(confidence, share))
            stay = confidence <= laid[-1]
            x, seen = x[stay], seen[stay]
        return laid


def block(
    params: dict[str, Any], at: int, x: Any, below: Any, activation: Callable[[Any], Any] | None = None
) -> Any:
    """Give what block ``at`` says of inputs ``(n, d)``: ``(n, w)``.

    The products with the input and with the block below are added: joining the two would cost a move of
    each number, where rows have left. ``activation`` is that of the trainer.
    """
    sums = x @ params[f"input-{at}"].T + params[f"offset-{at}"]
    if below is not None:
        sums = sums + below @ params[f"below-{at}"].T
    return activation(sums) if activation else x.__array_namespace__().maximum(sums, 0.0)


def readout(params: dict[str, Any], at: int, seen: Any) -> Any:
    """Give the outputs of exit ``at``: ``(n, c)``, or ``(n,)`` of real labels."""
    return seen @ params[f"readout-{at}"] + params[f"intercept-{at}"]


def train_network(
    x: np.ndarray,
    y: np.ndarray,
    valid_x: np.ndarray,
    valid_y: np.ndarray,
    classes: int | None,
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    """Minimise the sum of the losses of all exits by Adam, and keep the epoch that is best on valid.

    Scaling of inputs and labels is folded into the weights.
    """
    scaling, unit = Scaling.of(x), Scaling.of(y[:, None] if classes is None else np.zeros((1, 1)))

    def labels(y: np.ndarray) -> np.ndarray:
        return unit.apply(y[:, None])[:, 0] if classes is None else y

    def loss(params: dict[str, Any], x: np.ndarray, y: np.ndarray) -> Any:
        losses, seen = 0.0, None
        for at in range(len(WIDTHS)):
            seen = block(params, at, x, seen, relu)
            outputs = readout(params, at, seen)
            losses = losses + (squared_loss if classes is None else softmax_loss)(outputs, y)
        return losses

    def judge(params: dict[str, np.ndarray]) -> float:
        return -float(loss(params, *judged))

    judged = scaling.apply(valid_x), labels(valid_y)
    start = first_weights(x.shape[1], classes, rng)
    size = sum(array.size for array in start.values())
    epochs = int(np.clip(EFFORT / (len(x) * (size + BESIDE)), 1, EPOCHS))
    samples = scaling.apply(x), labels(y)
    found = descend(
        loss,
        start,
        samples,
        rng=rng,
        epochs=epochs,
        decay=0.0 if classes is None else DECAY,
        judge=judge if len(valid_x) else None,
    )
    return folded(found, scaling, unit if classes is None else None)


def first_weights(inputs: int, classes: int | None, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Draw the blocks' first weights; exits begin with zeros, which tell nothing apart."""
    params, width_below = {}, 0
    for at, width in enumerate(WIDTHS):
        drawn = he_normal(rng, width, inputs + width_below)
        params |= {f"input-{at}": drawn[:, :inputs], f"offset-{at}": np.zeros(width)}
        if at:
            params[f"below-{at}"] = drawn[:, inputs:]
        outputs = () if classes is None else (classes,)
        params |= {f"readout-{at}": np.zeros((width, *outputs)), f"intercept-{at}": np.zeros(outputs)}
        width_below = width
    return params


def folded(params: dict[str, np.ndarray], scaling: Scaling, unit: Scaling | None) -> dict[str, np.ndarray]:
    """Give the network, in float64, that scales inputs by itself, and real answers back."""
    params = {name: array.astype(np.float64) for name, array in params.items()}
    for at in range(len(WIDTHS)):
        names = f"input-{at}", f"offset-{at}"
        params |= zip(names, scaling.fold(*(params[name] for name in names)), strict=True)
        if unit is not None:
            params[f"readout-{at}"] /= unit.scale[0]
            scaled = params[f"intercept-{at}"] / unit.scale[0]
            params[f"intercept-{at}"] = np.asarray(scaled + unit.mean[0])
    return params


def doubts(params: dict[str, np.ndarray], x: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
    """Fit to every exit but the last what expects its squared error."""
    found, seen = {}, None
    for at in range(len(WIDTHS) - 1):
        seen = block(params, at, x, seen)
        head = error_head(seen, readout(params, at, seen) - y)
        found |= {f"doubt-{at}": head[:-1], f"doubt-intercept-{at}": np.asarray(head[-1])}
    return found


def flatten(x: Any) -> Any:
    """Give inputs ``(n, ...)`` as rows ``(n, d)``, in array API code; nothing is computed."""
    return x.__array_namespace__().reshape(x, (x.shape[0], math.prod(x.shape[1:])))
