"""The two networks in array API code, each in several styles, and what sparsebench's meter counts of them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

import sparsebench as sb
from reports.counted_networks import EXPERTS, exit_network, routed_network
from sparsebench.author.inprocess import LocalModel
from sparsebench.errors import SparsebenchError
from sparsebench.evaluate.passes.costs import Beside, cost_alone, cost_of_batches, is_one_cost, too_dear
from sparsebench.evaluate.passes.counts import count_columns
from sparsebench.evaluate.passes.inputs import Inputs
from sparsebench.evaluate.passes.metering import run_batches, run_single
from sparsebench.meter import Engine, price
from sparsebench.ops import gather, grouped_linear


def _relu(x: Any) -> Any:
    return x.__array_namespace__().maximum(x, 0.0)


def _top1(p: dict[str, Any], x: Any) -> Any:
    return x.__array_namespace__().argmax(x @ p["router"].T, axis=1)


def _expert(p: dict[str, Any], x: Any, expert: int) -> Any:
    return _relu(x @ p["up"][expert].T) @ p["down"][expert].T


def _chosen(outputs: Any, index: Any) -> Any:
    """Combine the outputs of all experts (n, E, m) with one-hot weights, and sum them."""
    xp = outputs.__array_namespace__()
    one_hot = xp.astype(index[:, None] == xp.arange(EXPERTS), xp.float64)
    return xp.sum(outputs * one_hot[:, :, None], axis=(1, 2))


def dense_modules(p: dict[str, Any], x: Any) -> Any:
    """Run the experts one after the other, all on every input."""
    xp = x.__array_namespace__()
    return _chosen(xp.stack([_expert(p, x, e) for e in range(EXPERTS)], axis=1), _top1(p, x))


def dense_stacked(p: dict[str, Any], x: Any) -> Any:
    """Run all experts at once, on every input."""
    xp = x.__array_namespace__()
    hidden = _relu(xp.matmul(p["up"][None, :, :, :], x[:, None, :, None]))
    return _chosen(xp.matmul(p["down"][None, :, :, :], hidden)[..., 0], _top1(p, x))


def gathered(p: dict[str, Any], x: Any) -> Any:
    """Gather the weights of every input's expert, and multiply."""
    xp, index = x.__array_namespace__(), _top1(p, x)
    up, down = gather(index, p["up"], p["down"])
    return xp.sum(xp.matmul(down, _relu(xp.matmul(up, x[:, :, None])))[..., 0], axis=1)


def loop(p: dict[str, Any], x: Any) -> Any:
    """Go through the experts; each takes its own inputs."""
    xp, index = x.__array_namespace__(), _top1(p, x)
    out = xp.zeros(x.shape[0], dtype=xp.float64)
    for e in range(EXPERTS):
        rows = index == e
        out[rows] = xp.sum(_expert(p, x[rows, :], e), axis=1)
    return out


def fused(p: dict[str, Any], x: Any) -> Any:
    """One fused operation per layer."""
    index = _top1(p, x)
    hidden = _relu(grouped_linear(x, index, p["up"]))
    return x.__array_namespace__().sum(grouped_linear(hidden, index, p["down"]), axis=1)


def raw_kernel(p: dict[str, Any], x: Any) -> Any:
    """Take the memory of the arrays and compute outside."""
    x, router, up, down = (np.asarray(part) for part in (x, p["router"], p["up"], p["down"]))
    index = np.argmax(x @ router.T, axis=1)
    hidden = np.maximum(np.einsum("nhd,nd->nh", up[index], x), 0)
    return np.einsum("nmh,nh->n", down[index], hidden)


def exit_rows(p: dict[str, Any], x: Any) -> Any:
    """After every stage keep only the inputs that go on."""
    xp = x.__array_namespace__()
    out, index = xp.zeros(x.shape[0], dtype=xp.float64), xp.arange(x.shape[0])
    for stage in range(len(p["stages"])):
        x = _relu(x @ p["stages"][stage].T)
        confidence = xp.max(x @ p["heads"][stage].T, axis=1)
        out[index] = confidence
        on = confidence < p["thresholds"][stage]
        index, x = index[on], x[on, :]
    return out


def exit_each(p: dict[str, Any], x: Any) -> Any:
    """Take the inputs one at a time; leave by `break`."""
    xp = x.__array_namespace__()
    answers = []
    for row in range(x.shape[0]):
        h = x[row, :]
        for stage in range(len(p["stages"])):
            h = _relu(p["stages"][stage] @ h)
            confidence = xp.max(p["heads"][stage] @ h)
            if confidence >= p["thresholds"][stage]:
                break
        answers.append(confidence)
    return xp.stack(answers)


def exit_slowest(p: dict[str, Any], x: Any) -> Any:
    """Stop when every input of the batch may leave."""
    xp = x.__array_namespace__()
    out = xp.zeros(x.shape[0], dtype=xp.float64)
    left = xp.zeros(x.shape[0], dtype=xp.bool)
    for stage in range(len(p["stages"])):
        x = _relu(x @ p["stages"][stage].T)
        confidence = xp.max(x @ p["heads"][stage].T, axis=1)
        out = xp.where(left, out, confidence)
        left = left | (confidence >= p["thresholds"][stage])
        if xp.all(left):
            break
    return out


STYLES = {
    "dense_modules": dense_modules,
    "dense_stacked": dense_stacked,
    "gathered": gathered,
    "loop": loop,
    "fused": fused,
    "raw_kernel": raw_kernel,
    "exit_rows": exit_rows,
    "exit_each": exit_each,
    "exit_slowest": exit_slowest,
}
"""Style -> the network in it."""


class Metered(NamedTuple):
    """What the meter said of one style: multiply-accumulates, the router's included."""

    alone: list[int]
    """Of every input alone; empty if refused."""
    batch: int
    """Of all inputs in one batch, together."""
    answers: np.ndarray
    """One per input."""
    carried: float | None
    """Per input, as a row of results carries it; None where it carries nothing."""
    counted: str
    """What the row says it is: ``batch`` or ``one-by-one``; ``invalid`` where batches are too dear."""
    refusal: str = ""
    """Why it was not counted, or nothing."""


class _Style(sb.Submission):
    def __init__(self, predict):
        self._predict = predict

    def fit(self, train, valid, rng):  # pragma: no cover - the weights are given
        raise NotImplementedError

    def predict(self, params, x):
        return self._predict(params, x)


def meter(style: str) -> Metered:
    """Meter one style, in one batch and one input at a time."""
    weights, x = exit_network() if style.startswith("exit") else routed_network()
    engine = Engine(memory_limit=1 << 28)
    parameters = weights._asdict()
    model = LocalModel(_Style(STYLES[style]), engine, parameters)
    try:
        answers = engine.value(model.predict(engine, engine.begin(x, inputs=len(x)))).copy()
    except SparsebenchError as error:
        return Metered([], 0, np.empty(0), None, "", str(error).splitlines()[0])
    batch = price(engine.ledger, "macs")
    single, whole = (run(model, engine, Inputs(x)) for run in (run_single, run_batches))
    alone, same = single.prices["macs"].tolist(), Beside(whole, np.arange(len(x)))
    if is_one_cost(single, [whole]):
        cost = cost_of_batches(whole, single)
    elif too_dear(single, [same]):
        return Metered(alone, batch, answers, None, "invalid")
    else:
        cost = cost_alone(single, whole, [same])
    row = count_columns(whole, cost)
    return Metered(alone, batch, answers, row["macs"], row["ops_counted"])
