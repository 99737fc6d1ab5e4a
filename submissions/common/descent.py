"""Training by gradient descent: Adam on what autograd differentiates, for networks of any shape.

``autograd`` (https://github.com/HIPS/autograd) differentiates NumPy code. It is imported when something is
trained, so that whoever predicts needs not have it. Nothing here is counted or scored.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from training import Adam, batches, softmax_slopes, views

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import DTypeLike, NDArray

    Floats = NDArray[np.floating[Any]]
    Integers = NDArray[np.integer[Any]]

__all__ = [
    "descend",
    "he_normal",
    "numpy_of_gradients",
    "relu",
    "softmax_loss",
    "squared_loss",
]


def descend(
    loss: Callable[..., Any],
    params: Mapping[str, np.ndarray],
    samples: Sequence[np.ndarray],
    *,
    rng: np.random.Generator,
    epochs: int,
    batch: int = 128,
    rate: float = 0.01,
    decay: float = 0.0,
    judge: Callable[[dict[str, np.ndarray]], float] | None = None,
    dtype: DTypeLike = np.float32,
) -> dict[str, np.ndarray]:
    """Minimise a loss over batches of samples by Adam.

    The learning rate falls linearly to 0. Adam is that of Kingma and Ba (arXiv:1412.6980), weight decay is
    decoupled from the gradient (Loshchilov and Hutter, arXiv:1711.05101). The same arguments give the same
    digits, on one machine with one thread.

    Parameters
    ----------
    loss
        ``loss(params, *rows)``, a number, written with `numpy_of_gradients`: the mean over the rows of a
        batch, as a rule.
    params
        Where to start: real arrays by name. They are copied.
    samples
        Arrays with the same number of rows, at least one: what a batch takes its rows of. Real ones are cast
        to ``dtype``.
    rng
        Draws the order of the samples.
    epochs
        Passes over the samples, at least one.
    batch
        Rows per step; the last batch of a pass has those that are left over.
    rate
        The learning rate at the start.
    decay
        Weight decay per step and learning rate. It applies to arrays of two axes and more: biases are not
        decayed.
    judge
        Told the parameters after every epoch, which it must not change, it says how good they are: the
        best ones are kept, the first such. Without it, and where no epoch is better than NaN, the last ones.
    dtype
        What is computed in: float32 is quick, float64 is exact.

    Returns
    -------
    dict of str to numpy.ndarray
        As ``params``, in ``dtype``.

    Raises
    ------
    ValueError
        If there are no samples or epochs, or the arrays of samples differ in their rows.
    """
    rows = {len(array) for array in samples}
    if len(rows) != 1 or not min(rows) or epochs < 1:
        raise ValueError(
            "descend: expected one number of rows, and at least one epoch, "
            f"got {sorted(rows)} rows, {epochs} epochs"
        )
    (many,) = rows
    kind = np.dtype(dtype)
    samples = [np.asarray(a, dtype=kind if a.dtype.kind == "f" else None) for a in samples]
    weights = _Weights.of(params, kind)
    steps = epochs * math.ceil(many / batch)
    adam = Adam(weights.flat, weights.is_weight, steps=steps, rate=rate, decay=decay)
    slopes = _gradient(loss)
    best: tuple[float, Floats | None] = (-math.inf, None)
    for _ in range(epochs):
        for chosen in batches(rng.permutation(many), batch):
            adam.step(weights.joined(slopes(weights.views, *(array[chosen] for array in samples))))
        if judge is not None and (good := judge(weights.views)) > best[0]:
            best = (good, weights.flat.copy())
    if best[1] is not None:
        weights.flat[:] = best[1]
    return {name: view.copy() for name, view in weights.views.items()}


def numpy_of_gradients() -> Any:
    """Give ``autograd.numpy``: NumPy whose functions can be differentiated."""
    import autograd.numpy  # noqa: PLC0415 - whoever predicts needs not have it

    return autograd.numpy


def relu(x: Any) -> Any:
    """Put 0 in the place of what is negative; its slope at 0 is 0."""
    return _primitives().relu(x)


def softmax_loss(logits: Any, labels: Integers) -> Any:
    """Give the mean cross-entropy of softmax and labels.

    Parameters
    ----------
    logits
        Real ``(n, c)``.
    labels
        Integers ``(n,)`` in ``[0, c)``.
    """
    return _primitives().softmax_loss(logits, labels)


def squared_loss(outputs: Any, targets: Floats) -> Any:
    """Give the mean of squared differences of two real arrays of one shape."""
    return _primitives().squared_loss(outputs, targets)


def he_normal(rng: np.random.Generator, outputs: int, inputs: int) -> NDArray[np.float64]:
    """Draw first weights for a layer of ReLUs, ``(outputs, inputs)``: normal, of deviation sqrt(2 / inputs).

    It keeps the size of activations from layer to layer (He et al. 2015, arXiv:1502.01852, section 2.2).
    """
    return rng.standard_normal((outputs, inputs)) * math.sqrt(2.0 / inputs)


class _Weights(NamedTuple):
    """All parameters in one flat array, and a view of it for each."""

    flat: Floats
    views: dict[str, np.ndarray]

    @classmethod
    def of(cls, params: Mapping[str, np.ndarray], dtype: np.dtype[Any]) -> _Weights:
        flat, pieces = views([array.shape for array in params.values()], dtype)
        for piece, array in zip(pieces, params.values(), strict=True):
            piece[...] = array
        return cls(flat, dict(zip(params, pieces, strict=True)))

    @property
    def is_weight(self) -> NDArray[np.bool]:
        """Tell weights, which have two axes or more, from biases."""
        return np.concatenate([np.full(view.size, view.ndim > 1) for view in self.views.values()])

    def joined(self, arrays: dict[str, Any]) -> Floats:
        """Join arrays of the parameters' shapes, one for each."""
        return np.concatenate([np.ravel(arrays[name]) for name in self.views])


def _gradient(loss: Callable[..., Any]) -> Callable[..., dict[str, Any]]:
    from autograd import grad  # noqa: PLC0415 - whoever predicts needs not have it

    slopes: Callable[..., dict[str, Any]] = grad(loss)
    return slopes


class _Primitives(NamedTuple):
    """Functions whose gradient is written out: autograd's own take several times as long."""

    relu: Callable[[Any], Any]
    softmax_loss: Callable[[Any, Any], Any]
    squared_loss: Callable[[Any, Any], Any]


@functools.cache
def _primitives() -> _Primitives:
    from autograd.extend import defvjp, primitive  # noqa: PLC0415 - whoever predicts needs not have it

    made = _Primitives(primitive(_relu), primitive(_softmax_loss), primitive(_squared_loss))
    defvjp(made.relu, lambda ans, _: lambda g: g * (ans > 0))
    defvjp(made.softmax_loss, lambda _, x, labels: lambda g: g * softmax_slopes(x, labels), argnums=(0,))
    defvjp(made.squared_loss, lambda _, x, y: lambda g: (2 * g / x.size) * (x - y), argnums=(0,))
    return made


def _relu(x: Floats) -> Floats:
    return np.maximum(x, 0)


def _softmax_loss(logits: Floats, labels: Integers) -> np.floating[Any]:
    above = logits - logits.max(axis=1, keepdims=True)
    own = above[np.arange(len(labels)), labels]
    return np.mean(np.log(np.exp(above).sum(axis=1)) - own, dtype=logits.dtype)


def _squared_loss(outputs: Floats, targets: Floats) -> np.floating[Any]:
    return np.mean((outputs - targets) ** 2, dtype=outputs.dtype)
