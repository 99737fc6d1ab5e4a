"""Training of small classifiers in NumPy: a linear map or one hidden layer of ReLUs, softmax, and Adam.

It is what the shipped classifiers are fitted with. Nothing here is counted or scored: a submission may train
with any library.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from networks import Judge, Network, Softmax, flatten
from training import Adam, Scaling, batches

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import DTypeLike, NDArray

    Floats = NDArray[np.floating[Any]]
    Integers = NDArray[np.integer[Any]]

__all__ = ["apply_mlp", "fit_mlp", "flatten"]


def fit_mlp(
    x: Floats,
    y: Integers,
    *,
    classes: int,
    hidden: int,
    rng: np.random.Generator,
    valid: tuple[Floats, Integers] | None = None,
    epochs: int = 12,
    batch: int | None = None,
    rate: float = 0.01,
    decays: Sequence[float] = (0.1, 0.5),
    dtype: DTypeLike = np.float32,
) -> dict[str, NDArray[np.float64]]:
    """Fit a softmax classifier: a linear map, or a layer of ReLUs and a linear map, by Adam.

    Features are centred and scaled for training, and the scaling is folded into the weights afterwards, so
    that it costs nothing when the network is applied. The learning rate falls linearly to 0. Weight decay is
    decoupled from the gradient (Loshchilov and Hutter, arXiv:1711.05101); Adam is that of Kingma and Ba
    (arXiv:1412.6980). The same arguments give the same digits, on one machine with one thread.

    Parameters
    ----------
    x
        Inputs, real ``(n, d)``, n at least 1.
    y
        Labels, integers ``(n,)`` in ``[0, classes)``.
    classes
        How many classes there are.
    hidden
        Width of the hidden layer; 0 for a linear map.
    rng
        Draws the first weights and the order of the samples.
    valid
        Inputs ``(m, d)`` and labels ``(m,)``: of all weight decays and epochs, the weights that get most of
        these right are kept, the first such. Without it, or where it is empty, the first weight decay is
        taken, and its last epoch.
    epochs
        Passes over the samples.
    batch
        Samples per step; None for a 64th of the samples, but at least 32 and at most 128.
    rate
        The learning rate at the start.
    decays
        Weight decays to try, per step and learning rate; biases are not decayed.
    dtype
        What is computed in: float32 is quick, float64 is exact.

    Returns
    -------
    dict of str to numpy.ndarray
        All float64: ``weights`` ``(classes, hidden or d)`` and ``biases`` ``(classes,)``; with a hidden layer
        also ``hidden_weights`` ``(hidden, d)`` and ``hidden_biases`` ``(hidden,)``. See `apply_mlp`.

    Raises
    ------
    ValueError
        If there are no samples, or a label is no class.
    """
    if not len(x) or np.min(y) < 0 or np.max(y) >= classes:
        raise ValueError(f"fit_mlp: expected samples with labels in [0, {classes}), got {len(x)} samples")
    batch = batch or min(max(len(x) // 64, 32), 128)
    scaling, kind, loss = Scaling.of(x), np.dtype(dtype), Softmax(classes)
    inputs = scaling.apply(x, kind)
    widths = (x.shape[1], hidden, classes) if hidden else (x.shape[1], classes)
    judge = None
    if valid is not None and len(valid[1]):
        judge = Judge(loss, scaling.apply(valid[0], kind), valid[1])
    for decay in decays if judge else decays[:1]:
        network = Network(widths, rng, kind)
        steps = epochs * math.ceil(len(x) / batch)
        optimizer = Adam(network.flat, network.is_weight, steps=steps, rate=rate, decay=decay)
        for _ in range(epochs):
            for rows in batches(rng.permutation(len(x)), batch):
                network.differentiate(inputs[rows], y[rows], loss)
                optimizer.step(network.gradient)
            if judge:
                judge.look(network)
    return _named(scaling, judge.layers if judge else network.layers)


def _named(scaling: Scaling, layers: list[Floats]) -> dict[str, NDArray[np.float64]]:
    """Give the layers of a network that does the scaling itself."""
    first = scaling.fold(*layers[:2])
    names = ("hidden_weights", "hidden_biases", "weights", "biases")[-len(layers) :]
    return {name: layer.astype(np.float64) for name, layer in zip(names, (*first, *layers[2:]), strict=True)}


def apply_mlp(params: dict[str, Any], x: Any) -> Any:
    """Evaluate what `fit_mlp` gave, in array API code.

    Parameters
    ----------
    params
        ``weights`` and ``biases``, and ``hidden_weights`` and ``hidden_biases`` or not.
    x
        Real array ``(n, d)``.

    Returns
    -------
    real array ``(n, classes)``
        The logits. The class is ``xp.argmax(logits, axis=1)``.
    """
    if "hidden_weights" in params:
        xp = x.__array_namespace__()
        x = xp.maximum(x @ params["hidden_weights"].T + params["hidden_biases"], 0.0)
    return x @ params["weights"].T + params["biases"]
