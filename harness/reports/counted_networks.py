"""Two small conditional networks, their inputs, and what they truly cost.

Everything is drawn from fixed seeds, in float64, so that routes and exits do not hang on the last bit of a
sum. The true cost is counted by plain Python loops over scalars, one multiply-accumulate at a time.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

FEATURES, EXPERTS, HIDDEN, OUTPUTS = 16, 8, 32, 4
"""The routed network: a router 16 -> 8, and eight experts 16 -> 32 -> 4."""

ROUTED_INPUTS, EXIT_INPUTS = 64, 80
LEAVING = (45, 23, 12)
"""How many of the 80 inputs leave after the first, the second and the third stage."""


class RoutedWeights(NamedTuple):
    """The router ``(E, d)`` and the experts' layers ``(E, h, d)`` and ``(E, m, h)``."""

    router: np.ndarray
    up: np.ndarray
    down: np.ndarray


class ExitWeights(NamedTuple):
    """Stages ``(3, d, d)``, their heads ``(3, m, d)``, and the confidence to leave after each, ``(3,)``."""

    stages: np.ndarray
    heads: np.ndarray
    thresholds: np.ndarray


@functools.cache
def routed_network() -> tuple[RoutedWeights, np.ndarray]:
    """Return the routed network and its 64 inputs."""
    rng = np.random.default_rng(20)
    router = rng.normal(size=(EXPERTS, FEATURES))
    up = rng.normal(size=(EXPERTS, HIDDEN, FEATURES)) / FEATURES**0.5
    down = rng.normal(size=(EXPERTS, OUTPUTS, HIDDEN)) / HIDDEN**0.5
    return RoutedWeights(router, up, down), rng.normal(size=(ROUTED_INPUTS, FEATURES))


@functools.cache
def exit_network() -> tuple[ExitWeights, np.ndarray]:
    """Return the early-exit network and its 80 inputs.

    A stage is a layer 16 -> 16 with a ReLU, and a head 16 -> 4: 256 + 64 = 320 multiply-accumulates. An input
    leaves after a stage if its largest logit reaches the stage's threshold. The thresholds are calibrated on
    the 80 inputs, as is usual: 45 of them leave after one stage, 23 after two, and 12 go through all three,
    so the mean is (45 * 320 + 23 * 640 + 12 * 960) / 80 = 508.
    """
    rng = np.random.default_rng(508)
    stages = rng.normal(size=(len(LEAVING), FEATURES, FEATURES)) * (2 / FEATURES) ** 0.5
    heads = rng.normal(size=(len(LEAVING), OUTPUTS, FEATURES)) / FEATURES**0.5
    x = rng.normal(size=(EXIT_INPUTS, FEATURES))
    thresholds, h = np.full(len(LEAVING), -np.inf), x  # nobody stays after the last stage
    for stage, leaving in enumerate(LEAVING[:-1]):
        h = np.maximum(h @ stages[stage].T, 0)
        confidence = np.max(h @ heads[stage].T, axis=1)
        ranked = np.sort(confidence)[::-1]
        thresholds[stage] = (ranked[leaving - 1] + ranked[leaving]) / 2  # half-way: no rounding decides
        h = h[confidence < thresholds[stage]]
    return ExitWeights(stages, heads, thresholds), x


class Scalar:
    """Plain arithmetic on Python floats that counts its multiply-accumulates."""

    def __init__(self):
        self.macs = 0

    def linear(self, weights, x):
        """``weights @ x``, a scalar at a time."""
        out = []
        for row in weights:
            total = 0.0
            for weight, value in zip(row, x, strict=True):
                total += weight * value
                self.macs += 1
            out.append(total)
        return out

    def layer(self, weights, x):
        """A linear layer and its ReLU."""
        return [max(value, 0.0) for value in self.linear(weights, x)]


def routed_by_hand(*, every: bool) -> tuple[list[int], list[float]]:
    """Run the routed network in plain Python: the cost and the summed outputs of every input.

    Parameters
    ----------
    every
        Whether all eight experts are run, and the others than the chosen one thrown away.
    """
    weights, inputs = routed_network()
    router, up, down = (part.tolist() for part in weights)
    costs, answers = [], []
    for x in inputs.tolist():
        count = Scalar()
        scores = count.linear(router, x)
        chosen = scores.index(max(scores))
        run = range(EXPERTS) if every else [chosen]
        outputs = {expert: count.linear(down[expert], count.layer(up[expert], x)) for expert in run}
        costs.append(count.macs)
        answers.append(sum(outputs[chosen]))
    return costs, answers


def exits_by_hand() -> tuple[list[int], list[float]]:
    """Run the early-exit network in plain Python: every input's cost, and its confidence when it leaves."""
    weights, inputs = exit_network()
    stages, heads, thresholds = (part.tolist() for part in weights)
    costs, answers = [], []
    for h in inputs.tolist():
        count, at, confidence = Scalar(), h, 0.0
        for stage, head, threshold in zip(stages, heads, thresholds, strict=True):
            at = count.layer(stage, at)
            confidence = max(count.linear(head, at))
            if confidence >= threshold:
                break
        costs.append(count.macs)
        answers.append(confidence)
    return costs, answers
