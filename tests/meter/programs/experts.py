"""Arguments of the experts, drawn."""

from __future__ import annotations

import math

from meter.programs.primitives import exact
from meter.slow.experts import TABLE

_ACTIVATIONS = ("relu", "prelu", "swish", "k_tanh")


def _real(p, *shape):
    return exact(p, shape, "f")


def _activation(p):
    return (p.array("f"),), {}


def _layers(p, experts, width, most=3):
    """Weights and biases in turns, each from the width of the one before."""
    layers = []
    for _ in range(p.integer(1, most)):
        outputs = p.integer(0, 3)
        layers.append(_real(p, experts, outputs, width))
        layers.append(_real(p, experts, outputs) if p.flag() else None)
        width = outputs
    return layers[:-1] if layers[-1] is None and p.flag() else layers


def _how(p):
    return p.choose([{}, {"activation": p.choose(_ACTIVATIONS)}, {"activation": "prelu", "slope": 0.5}])


def _addresses(p, n, experts):
    return p.addresses(p.choose([(n,), (n, p.integer(0, 2))]), experts)


def _grouped_mlp(p):
    n, d, experts = p.integer(0, 3), p.integer(0, 3), p.integer(1, 3)
    return (_real(p, n, d), _addresses(p, n, experts), *_layers(p, experts, d)), _how(p)


def _merged(p, most):
    n, d, experts = p.integer(0, 3), p.integer(0, 3), p.integer(0, 3)
    positions = p.choose([(), (p.integer(0, 2),)])
    return _real(p, n, *positions, d), _real(p, n, experts), *_layers(p, experts, d, most)


def _grouped_polynomial(p):
    n, d, experts, degree = p.integer(0, 3), p.integer(0, 3), p.integer(1, 3), p.integer(0, 3)
    outputs = p.choose([(), (p.integer(0, 2),)])
    coefficients = _real(p, experts, *outputs, math.comb(d + degree, degree))
    return (_real(p, n, d), _addresses(p, n, experts), coefficients), {"degree": degree}


def _gather_constant(p):
    n, experts = p.integer(0, 3), p.integer(1, 3)
    index = _addresses(p, n, experts)
    constants = _real(p, experts, *p.choose([(), (p.integer(0, 3),)]))
    gates = [_real(p, *index.shape)] if index.ndim == 2 and p.flag() else []
    return (index, constants, *gates), {}


def _segment_combine(p):
    shape = p.integer(0, 3), p.integer(0, 3)
    return (_real(p, *shape, *p.choose([(), (p.integer(0, 3),)])), _real(p, *shape)), {}


def _top_k_mask_linear(p):
    t, outputs = p.integer(1, 5), p.choose([(), (p.integer(0, 2),)])
    bias = [_real(p, *outputs)] if p.flag() else []
    return (_real(p, p.integer(0, 3), t), _real(p, t, *outputs), *bias), {"k": p.integer(1, t)}


def _convac_layer(p):
    positions, channels = p.integer(1, 4), p.integer(1, 2)
    weights = _real(p, p.integer(1, positions), p.integer(0, 2), channels)
    return (_real(p, p.integer(0, 2), positions, channels), weights), {"stride": p.integer(1, 3)}


DRAWS = {
    "convac_layer": _convac_layer,
    "gather_constant": _gather_constant,
    "grouped_mlp": _grouped_mlp,
    "grouped_polynomial": _grouped_polynomial,
    "k_tanh": _activation,
    "merge_linear": lambda p: (_merged(p, 1), {}),
    "merged_mlp": lambda p: (_merged(p, 3), _how(p)),
    "segment_combine": _segment_combine,
    "swish": _activation,
    "top_k_mask_linear": _top_k_mask_linear,
}
assert DRAWS.keys() == TABLE.keys(), "an operation with a slow count needs a way to draw its arguments"
