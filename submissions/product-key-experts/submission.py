"""Product-key experts: of very many single neurons the few whose keys suit the input best."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import sparsebench as sb
from product_keys import Schedule, retrieve, start, train
from sparsebench import ops

HALF = 8  # numbers of half a query
MEMORY = 13 * 2**20  # bytes that the experts may take: where inputs are wide there are fewer
SAMPLES = 16384  # that are trained on, at most
NUMBERS = 10**8  # that all passes read, at most: of very wide inputs there are fewer samples
EPOCHS = 16
BATCH = 256
RATE = 0.02  # at first, of inputs of at most WIDE numbers; the more there are, the lower
WIDE = 64
FLATTEST = 0.05  # of the widest feature's deviation: what varies less is not blown up further


class ProductKeyExperts(sb.Routed):
    """Experts of one hidden unit each, retrieved by product keys.

    Parameters
    ----------
    task
        Public facts of the task: the shape of an input, and the number of classes.
    experts
        How many experts (N), a power of four; a quarter, and so on, where they would not fit into memory.
    active
        How many of them an input runs (k), a power of two and at most sqrt(N).
    """

    def __init__(self, task: sb.TaskInfo, *, experts: int, active: int) -> None:
        self.classes = task.classes
        numbers = math.prod(task.input_shape) + 1 + (task.classes or 1)
        while 4 * experts * numbers > MEMORY:
            experts //= 4
        self.many = experts
        self.active = active
        super().__init__(KeyRouter(active), NeuronExperts(classes=task.classes is not None))

    def fit(self, train: sb.Split, valid: sb.Split, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Train keys and experts together, on inputs and labels of unit deviation.

        Returns
        -------
        dict of str to numpy.ndarray
            Made for inputs as they are, s = sqrt(N). In float64: ``query`` ``(2m, d)``, ``query_bias``
            ``(2m,)``, ``keys`` ``(2, s, m)``, ``offsets`` ``(2, s)``, ``shift`` ``(N,)``, ``bias`` ``(o,)``;
            in float32: ``inner`` ``(N, d)``, ``outer`` ``(N, o)``. Where `folded` says so, ``keys`` are
            ``(2, s, d)``, and there is no query.
        """
        x = train.x.reshape(len(train.x), -1)
        some = rng.permutation(len(x))[: min(SAMPLES, NUMBERS // (EPOCHS * x.shape[1]))]
        return fitted(x[some], train.y[some], self.classes, (self.many, self.active), rng)


def fitted(
    x: np.ndarray, y: np.ndarray, classes: int | None, sizes: tuple[int, int], rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Scale, train, and move the scaling into the weights."""
    mean, deviation = x.mean(axis=0, dtype=np.float64), x.std(axis=0, dtype=np.float64)
    scale = 1 / np.maximum(deviation, FLATTEST * float(deviation.max()) or 1.0)
    scaled = ((x - mean) * scale).astype(np.float32)
    low, unit = (0.0, 1.0) if classes else (float(y.mean()), float(y.std()) or 1.0)
    wanted = y if classes else ((y - low) / unit).astype(np.float32)

    def slopes(rows: np.ndarray, outputs: np.ndarray) -> np.ndarray:
        if not classes:
            return 2 * (outputs - wanted[rows, None]) / len(rows)
        shares = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        shares[np.arange(len(rows)), wanted[rows]] -= 1
        return shares / len(rows)

    experts, active = sizes
    params = start(scaled, classes or 1, experts, HALF, rng)
    rate = RATE * min(1.0, WIDE / x.shape[1])
    train(params, scaled, slopes, active, Schedule(EPOCHS, BATCH, rate), rng)
    query = params["query"].reshape(2 * HALF, -1) * scale
    inner = params["inner"] * scale
    told = (
        params
        | folded(params["keys"].astype(np.float64), params["offsets"], query, -query @ mean)
        | {
            "inner": inner,
            "shift": params["shift"] - inner @ mean,
            "outer": params["outer"] * unit,
            "bias": params["bias"] * unit + low,
        }
    )
    small = ("query", "query_bias", "keys", "offsets", "shift", "bias")
    return {
        name: own.astype(np.float64 if name in small else np.float32)
        for name, own in told.items()
        if own.size
    }


def folded(
    keys: np.ndarray, offsets: np.ndarray, query: np.ndarray, bias: np.ndarray
) -> dict[str, np.ndarray]:
    """Multiply keys and query where the product costs no more than the two in turn.

    A score is ``keys[i] @ (query @ x + bias) + offsets[i]``, so ``(keys[i] @ query) @ x`` and a constant:
    4sd operations of both halves instead of 4m(s + d).

    Parameters
    ----------
    keys
        ``(2, s, m)``.
    offsets
        ``(2, s)``.
    query, bias
        ``(2m, d)`` and ``(2m,)``.

    Returns
    -------
    dict of str to numpy.ndarray
        ``query``, ``query_bias``, ``keys`` and ``offsets``; the first two are empty, and keys ``(2, s, d)``,
        where they were multiplied.
    """
    many, half = keys.shape[1:]
    features = query.shape[1]
    if half * (many + features) < many * features:
        return {"query": query, "query_bias": bias, "keys": keys, "offsets": offsets}
    return {
        "query": query[:0],
        "query_bias": bias[:0],
        "keys": keys @ query.reshape(2, half, features),
        "offsets": offsets + (keys @ bias.reshape(2, half, 1))[:, :, 0],
    }


class KeyRouter(sb.Router):
    """Retrieve the experts, and weigh them by the softmax over their scores."""

    def __init__(self, active: int) -> None:
        self.active = active

    def route(self, params: dict[str, Any], x: Any) -> sb.Routes:
        """Give k experts of every input, and their gates, ``(n, k)`` each."""
        halves = [_flat(x)] * 2
        if "query" in params:
            query = halves[0] @ params["query"].T + params["query_bias"]
            half = params["keys"].shape[2]
            halves = [query[:, :half], query[:, half:]]
        scores = [halves[own] @ params["keys"][own].T + params["offsets"][own] for own in (0, 1)]
        sums, experts = retrieve(scores[0], scores[1], self.active)
        return sb.Routes(experts=experts, gates=ops.softmax(sums))


class NeuronExperts(sb.Experts):
    """Run the neurons that were retrieved, and add up what they say."""

    def __init__(self, *, classes: bool) -> None:
        self.classes = classes

    def apply(self, params: dict[str, Any], x: Any, routes: sb.Routes) -> Any:
        """Give ``(n,)``: numbers, or int64 classes."""
        xp = x.__array_namespace__()
        inner, shift, outer = ops.gather(routes.experts, params["inner"], params["shift"], params["outer"])
        units = ops.relu(xp.sum(inner * _flat(x)[:, None, :], axis=2) + shift)
        told = ops.segment_combine(outer, units * routes.gates) + params["bias"]
        return xp.argmax(told, axis=1) if self.classes else told[:, 0]


def _flat(x: Any) -> Any:
    """Lay the numbers of an input in one row, in float64."""
    xp = x.__array_namespace__()
    return xp.astype(xp.reshape(x, (x.shape[0], -1)), xp.float64)
