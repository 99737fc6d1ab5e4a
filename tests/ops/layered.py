"""Stacks of layers for tests: drawn, sent through by einsum, and as counting kernels take them."""

from __future__ import annotations

import itertools

import numpy as np
import scipy.special
from hypothesis import strategies as st

from cuda.case import quarters
from ops.alike import random
from sparsebench import ops

ACTIVATIONS = {
    "relu": lambda x: np.maximum(x, 0),
    "prelu": lambda x: np.where(x > 0, x, 0.25 * x),
    "swish": lambda x: x * scipy.special.expit(x),
    "k_tanh": ops.k_tanh.reference,
}


def drawn_layers(data, seed, experts, width, dtype):
    """One to three layers, with and without biases."""
    made = []
    for place in range(data.draw(st.integers(1, 3))):
        outputs = data.draw(st.integers(1, 5))
        made.append(random(seed + 2 * place, (experts, outputs, width), dtype))
        biased = data.draw(st.booleans())
        made.append(random(seed + 2 * place + 1, (experts, outputs), dtype) if biased else None)
        width = outputs
    return made[:-1] if made[-1] is None and data.draw(st.booleans()) else made


def pairs_of(stack):
    padded = [*stack, None] if len(stack) % 2 else stack
    return list(zip(padded[::2], padded[1::2], strict=True))


def through(h, pairs, subscripts, activation):
    """Layers by einsum: subscripts of rows, of each row's weights, and of outputs."""
    for place, (weights, bias) in enumerate(pairs):
        h = ACTIVATIONS[activation](h) if place else h
        h = np.einsum(subscripts, h, weights)
        h = h if bias is None else h + bias
    return h


def wide(parts):
    return [None if part is None else part.astype(np.float64) for part in parts]


def tables(rng, experts, widths, biased):
    for place, (d, h) in enumerate(itertools.pairwise(widths)):
        yield quarters(rng, (experts, h, d), limit=4)
        yield quarters(rng, (experts, h), limit=4) if biased[place] else None


def six(given):
    return (*given, *[None] * (6 - len(given)))


def widths_of(widths):
    return (*widths, *[0] * (4 - len(widths)))
