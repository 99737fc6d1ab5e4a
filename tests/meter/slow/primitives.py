"""Slow primitives: what routed networks are made of, number by number."""

from __future__ import annotations

import math

import numpy as np

from meter.scalars import (
    common,
    exponential,
    fold,
    inner,
    logarithm,
    maximum,
    number,
    operation,
    spend,
    square_root,
    total,
)
from meter.slow.arrays import Slow, cast, elementwise, filled, lanewise, reduced
from meter.slow.indexing import look_up, move, part_of, rows
from meter.slow.reductions import INDEX, place_of_best, widened

_is_finite = operation("cmp", np.isfinite)
_erf = operation("special", lambda one: one.dtype.type(math.erf(one)))
_tangent = operation("special", np.tanh)


def _levels(options):
    """How often a set must be halved until one is left."""
    depth = 0
    while 2**depth < options:
        depth += 1
    return depth


# Activations ------------------------------------------------------------------------------------------


def relu(x):
    return number(0, x.dtype) if x <= 0 else x


def prelu(x, slope):
    def keep(told, one, other):
        spend("select", other.dtype)
        return one.cast(other.dtype) if told else other

    below = elementwise(lambda one, other: other * one)(x, slope)
    above = elementwise(lambda one: one > 0)(x)
    return elementwise(keep)(above, x, below)


def _sigmoid(one):
    return 1.0 / (1.0 + exponential(-one))


def gelu(x, *, approximate="none"):
    def exact(one):
        return 0.5 * one * (1.0 + _erf(one * math.sqrt(0.5)))

    def by_tangent(one):
        inner = one * (math.sqrt(2 / math.pi) + 0.044715 * math.sqrt(2 / math.pi) * (one * one))
        return 0.5 * one * (1.0 + _tangent(inner))

    return elementwise({"none": exact, "tanh": by_tangent}[approximate])(x)


def _softmax(lane):
    largest = fold(maximum, lane, None)
    powers = [exponential(one - largest) for one in lane]
    below = total(powers, lane[0].dtype)
    return [one / below for one in powers]


def softmax(x, *, axis=-1):
    return lanewise(_softmax, x, axis)


def _logsumexp(lane):
    largest = fold(maximum, lane, None)
    spend("select", largest.dtype)
    largest = largest if _is_finite(largest) else number(0, largest.dtype)
    return logarithm(total([exponential(one - largest) for one in lane], largest.dtype)) + largest


def logsumexp(x, *, axis=-1, keepdims=False):
    return reduced(_logsumexp, x, axis, keepdims=keepdims)


def layer_norm(x, weight=None, bias=None, *, eps=1e-5):
    def normalize(lane):
        centre = total(lane, x.dtype) / len(lane)
        lane = [one - centre for one in lane]
        spread = total([one * one for one in lane], x.dtype) / len(lane)
        scale = 1.0 / square_root(spread + eps)
        lane = [one * scale for one in lane]
        if weight is not None:
            lane = [one * other for one, other in zip(lane, weight.flat(), strict=True)]
        if bias is not None:
            lane = [one + other for one, other in zip(lane, bias.flat(), strict=True)]
        return lane

    made = lanewise(normalize, Slow(x.cells, x.dtype)) if x.size else x
    return Slow(made.cells, common(*(part for part in (x, weight, bias) if part is not None)))


# Choices ----------------------------------------------------------------------------------------------


def pack_bits(*bits):
    def pack(*parts):
        address = 0
        for place, part in enumerate(parts):
            spend("address", INDEX, int(place > 0))
            address = 2 * address + int(part.value)
        return number(address, INDEX)

    return elementwise(pack)(*bits)


def quantize(x, *, levels):
    """Halve the levels until one is left; also where the upper half holds none."""

    def decide(one):
        cell = 0
        for depth in reversed(range(_levels(levels))):
            spend("address", INDEX, int(depth < _levels(levels) - 1))
            above = cell + 2**depth
            cell = above if one >= above and above < levels else cell
        return number(cell, INDEX)

    return elementwise(decide)(x)


def _beats(lane, one, other):
    """Whether a place wins over another one; nobody beats those who are out."""
    if lane[one] is None or lane[other] is None:
        return lane[other] is None
    return bool(lane[one] >= lane[other])


def _tournament(lane, k):
    """Knock out: m - 1 matches for the first; then each winner's way up is played again without him."""
    dtype, depth = lane[0].dtype, _levels(len(lane))
    left = [*lane, *[None] * (2**depth - len(lane))]
    winners = []
    tree = [list(range(2**depth))]
    while len(tree[-1]) > 1:
        pairs = zip(tree[-1][::2], tree[-1][1::2], strict=True)
        tree.append([one if _beats(left, one, other) else other for one, other in pairs])
    while True:
        winners.append(tree[-1][0])
        if len(winners) == k:
            return winners
        left[winners[-1]] = None
        for level in range(depth):
            match = winners[-1] >> (level + 1)
            one, other = tree[level][2 * match : 2 * match + 2]
            if left[one] is None or left[other] is None:
                spend("cmp", dtype)  # the way is as long for all
            tree[level + 1][match] = one if _beats(left, one, other) else other


def top_k(x, k):
    index = lanewise(lambda lane: [number(place, INDEX) for place in _tournament(lane, k)], x)
    return Slow(np.take_along_axis(x.cells, index.values(), axis=-1), x.dtype), index


def hyperplane_hash(x, planes, offsets=None):
    dtype = common(x, planes)
    sides = planes.shape[:-1]
    flat = [planes.cells[side].tolist() for side in np.ndindex(sides)]
    limits = [0.0] * len(flat) if offsets is None else offsets.flat()
    bits = [
        inner(row, plane, dtype) > limit
        for row in x.cells.tolist()
        for plane, limit in zip(flat, limits, strict=True)
    ]
    laid = filled(bits, (x.shape[0], *sides), bool)
    return pack_bits(*(Slow(laid.cells[..., plane], bool) for plane in range(sides[-1])))


def nearest_prototype(x, prototypes):
    numbers, dtype = [], widened(common(x, prototypes))
    for row in x.cells.tolist():
        distances = []
        for other in prototypes.cells.tolist():
            difference = [a - b for a, b in zip(row, other, strict=True)]
            distances.append(total([(one * one).cast(dtype) for one in difference], dtype))
        numbers.append(place_of_best(distances, lambda a, b: a < b))
    return filled(numbers, (x.shape[0],), INDEX)


def tree_route(key, thresholds):
    def descend(one):
        node = 0
        while node < thresholds.size:
            threshold = thresholds.cells[node]
            spend("address", INDEX, int(node > 0))
            look_up(INDEX, part_of(thresholds, node))
            node = 2 * node + (2 if one > threshold else 1)
        return number(node - thresholds.size, INDEX)

    return elementwise(descend)(key)


# Records ----------------------------------------------------------------------------------------------


def grouped_linear(x, index, weights, bias=None):
    dtype = common(x, weights)
    tables = (weights,) if bias is None else (weights, bias)
    each = int(np.prod(index.shape[1:]))
    numbers = []
    for address, (kernel, *shift) in enumerate(rows(index, *tables)):
        row = x.cells[address // each].tolist()
        made = [inner(plane, row, dtype) for plane in kernel.cells.tolist()]
        numbers += [one + other for one, other in zip(made, shift[0].flat(), strict=True)] if shift else made
    kinds = [dtype] if bias is None else [dtype, bias.dtype]
    return filled(numbers, (*index.shape, weights.shape[1]), np.result_type(*kinds))


def gather_matmul(x, index, weights):
    if weights.ndim == 3:
        return grouped_linear(x, index, weights)
    made = grouped_linear(x, index, part_of(weights, (slice(None), None)))
    return Slow(made.cells[..., 0], made.dtype)


def one_hot(index, *, classes, dtype=None):
    target = np.dtype(np.float32 if dtype is None else dtype)
    numbers = []
    for one in index.flat():
        row = filled([number(place == one.value, target) for place in range(classes)], (classes,), target)
        row.constant = True
        if not index.constant:
            look_up(index.dtype, row)
        numbers += row.flat()
    return filled(numbers, (*index.shape, classes), target)


def scatter_add(target, index, values):
    dtype = common(target, values)
    out = cast(target, dtype).cells
    for place, one in enumerate(index.flat()):
        address, record = int(one.value), Slow(values.cells[place, ...], values.dtype)
        if not index.constant:
            spend("load", target.dtype, record.size)
            move("lookup", index.dtype, record)
        made = elementwise(lambda a, b: a + b)(Slow(out[address, ...], dtype), record)
        out[address, ...] = made.cells
    return Slow(out, dtype)


def segment_sum(values, segments, *, num_segments):
    zeros = Slow.of(np.zeros((num_segments, *values.shape[1:]), dtype=values.dtype))
    return scatter_add(zeros, segments, values)


TABLE = {
    "erf": elementwise(_erf),
    "gather_matmul": gather_matmul,
    "gelu": gelu,
    "grouped_linear": grouped_linear,
    "hyperplane_hash": hyperplane_hash,
    "layer_norm": layer_norm,
    "logsumexp": logsumexp,
    "nearest_prototype": nearest_prototype,
    "one_hot": one_hot,
    "pack_bits": pack_bits,
    "prelu": prelu,
    "quantize": quantize,
    "relu": elementwise(relu),
    "scatter_add": scatter_add,
    "segment_sum": segment_sum,
    "sigmoid": elementwise(_sigmoid),
    "softmax": softmax,
    "top_k": top_k,
    "tree_route": tree_route,
}
