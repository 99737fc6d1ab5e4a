"""Slow experts: perceptrons, polynomials and their sums, number by number."""

from __future__ import annotations

import functools
import itertools
import operator

import numpy as np

from meter.scalars import common, exponential, fold, inner, number, spend, total
from meter.slow.arrays import Slow, elementwise, filled
from meter.slow.indexing import look_up, rows
from meter.slow.primitives import quantize, relu, top_k
from meter.slow.reductions import INDEX

# Activations ------------------------------------------------------------------------------------------

# By exponent and eighths of the mantissa: the exponent of the result, a shift and an offset.
_K_TANH = {
    -2: "125 1 1, 125 0 -4, 125 0 -6, 125 0 -7, 125 0 -10, 125 0 -12, 125 0 -15, 125 0 -18",
    -1: "125 0 112, 126 1 -4, 126 1 -1, 126 1 2, 126 1 3, 126 1 4, 126 1 4, 126 1 4",
    0: "126 0 65, 126 1 72, 126 1 73, 126 1 73, 126 2 88, 126 2 89, 126 2 89, 126 4 110",
    1: "126 2 119, 126 4 122, 126 4 123, 126 4 123, 126 6 126, 126 6 126, 126 6 126, 126 6 126",
}


def _swish(one):
    return one / (1.0 + exponential(-one))


def _look_up_constants(dtype, *records):
    for record in records:
        record.constant = True
    look_up(dtype, *records)


def _k_tanh(one):
    size = abs(one)
    small, negative, saturated = not size >= 0.25, one < 0.0, size > 3.75
    exponent = (1 if size >= 2.0 else 0) if size >= 1.0 else (-1 if size >= 0.5 else -2)
    spend("select", one.dtype)  # which of the two a size is compared with
    spend("address", INDEX)  # of the octave, two bits
    octave = filled([number(0, one.dtype)], (), one.dtype), filled([number(0, INDEX)], (), INDEX)
    _look_up_constants(INDEX, *octave)
    scaled = size * 2.0 ** (7 - exponent) - 128.0
    (mantissa,) = quantize(filled([scaled], (1,), one.dtype), levels=128).flat()
    address = number(8 * ((exponent + 127) & 3), INDEX) + (
        mantissa >> 4
    )  # of the record, in the paper's order
    record = _K_TANH[exponent].split(", ")[int(address.value) % 8]
    high, shift, offset = map(int, record.split())
    shift, offset, unit = (
        number(shift, INDEX),
        number(128 + offset, INDEX),
        number(2.0 ** (high - 134), one.dtype),
    )
    _look_up_constants(address.dtype, *(filled([part], (), part.dtype) for part in (shift, offset, unit)))
    tangent = ((mantissa >> shift) + offset).cast(one.dtype) * unit
    tangent = number(1, one.dtype) if saturated else tangent
    below = -tangent
    spend("select", one.dtype, 3)  # small, negative, saturated
    return one if small else below if negative else tangent


def _activate(activation, slope):
    def prelu(one):
        above, below = one > 0, slope * one
        spend("select", below.dtype)
        return one if above else below

    return {"relu": relu, "prelu": prelu, "swish": _swish, "k_tanh": _k_tanh}[activation]


# Layers -----------------------------------------------------------------------------------------------


def _pairs(layers):
    padded = [*layers, None] if len(layers) % 2 else layers
    return list(zip(padded[::2], padded[1::2], strict=True))


def _through(row, dtype, pairs, function):
    """Send a row through layers of one expert."""
    for place, (weights, bias) in enumerate(pairs):
        row = [function(one) for one in row] if place else row
        dtype = np.result_type(dtype, weights.dtype)
        row = [inner(plane, row, dtype) for plane in weights.cells.tolist()]
        if bias is not None:
            row = [one + other for one, other in zip(row, bias.flat(), strict=True)]
            dtype = np.result_type(dtype, bias.dtype)
    return row


def _dtype(*arrays):
    return common(*(array for array in arrays if array is not None))


def grouped_mlp(x, index, *layers, activation="relu", slope=0.25):
    tables = [table for table in layers if table is not None]
    each = int(np.prod(index.shape[1:]))
    numbers = []
    for address, records in enumerate(rows(index, *tables)):
        left = iter(records)
        own = [next(left) if table is not None else None for table in layers]
        row = x.cells[address // each].tolist()
        numbers += _through(row, x.dtype, _pairs(own), _activate(activation, slope))
    return filled(numbers, (*index.shape, _pairs(layers)[-1][0].shape[1]), _dtype(x, *tables))


def _merged(gates, table):
    """The sum of a table's records, each times a gate."""
    if table is None:
        return None
    shape, dtype = table.shape[1:], common(gates, table)
    columns = [table.cells[(slice(None), *place)].tolist() for place in np.ndindex(shape)]
    return filled([inner(gates.flat(), column, dtype) for column in columns], shape, dtype)


def merged_mlp(x, gates, *layers, activation="relu", slope=0.25):
    cells = x.cells if x.ndim == 3 else x.cells[:, None, :]
    numbers = []
    for place in range(x.shape[0]):
        own = [_merged(Slow(gates.cells[place], gates.dtype), table) for table in layers]
        for row in cells[place].tolist():
            numbers += _through(row, x.dtype, _pairs(own), _activate(activation, slope))
    return filled(numbers, (*x.shape[:-1], _pairs(layers)[-1][0].shape[1]), _dtype(x, gates, *layers))


def merge_linear(x, gates, weights, bias=None):
    return merged_mlp(x, gates, weights, bias)


def _monomials(row, degree):
    """The products of all sets of numbers with repetition, by their places."""
    made = {}
    for power in range(1, degree + 1):
        for places in itertools.combinations_with_replacement(range(len(row)), power):
            first, rest = places[0], places[1:]
            made[places] = row[first] * made[rest] if rest else row[first]
    return list(made.values())


def grouped_polynomial(x, index, coefficients, *, degree):
    dtype = common(x, coefficients)
    each = int(np.prod(index.shape[1:]))
    powers = [_monomials(row, degree) for row in x.cells.tolist()]
    numbers = []
    for address, (record,) in enumerate(rows(index, coefficients)):
        for constant, *others in record.cells.reshape(-1, record.shape[-1]).tolist():
            inside = inner(others, powers[address // each], dtype)
            numbers.append(inside + constant if others else constant.cast(dtype))
    return filled(numbers, (*index.shape, *coefficients.shape[1:-1]), dtype)


# Sums -------------------------------------------------------------------------------------------------


def segment_combine(values, gates):
    dtype = common(values, gates)
    wide = values.cells[:, :, None] if values.ndim == 2 else values.cells
    numbers = []
    for row, own in zip(wide, gates.cells, strict=True):
        for place in range(wide.shape[2]):
            pairs = zip(row[:, place].tolist(), own.tolist(), strict=True)
            numbers.append(total([one * gate for one, gate in pairs], dtype))
    return filled(numbers, (values.shape[0], *values.shape[2:]), dtype)


def gather_constant(index, constants, gates=None):
    (read,) = [[record for (record,) in rows(index, constants)]]
    numbers = list(itertools.chain.from_iterable(record.flat() for record in read))
    values = filled(numbers, (*index.shape, *constants.shape[1:]), constants.dtype)
    if index.ndim == 1:
        return values
    if gates is not None:
        return segment_combine(values, gates)
    summed = np.moveaxis(values.cells, 1, -1)
    lanes = [total(summed[place].tolist(), constants.dtype) for place in np.ndindex(summed.shape[:-1])]
    return filled(lanes, summed.shape[:-1], constants.dtype)


def top_k_mask_linear(preactivations, readout, bias=None, *, k):
    kept, index = top_k(preactivations, k)
    dtype = common(preactivations, readout)
    units = elementwise(relu)(kept).cells.tolist()
    records = iter([record.cells.reshape(-1).tolist() for (record,) in rows(index, readout)])
    shifts = [] if bias is None else bias.flat()
    numbers = []
    for row in units:
        columns = list(zip(*(next(records) for _ in row), strict=True))
        made = [inner(row, column, dtype) for column in columns]
        numbers += [one + shift for one, shift in zip(made, shifts, strict=True)] if shifts else made
    return filled(numbers, (len(units), *readout.shape[1:]), _dtype(preactivations, readout, bias))


def convac_layer(x, weights, *, stride=1):
    dtype, window = common(x, weights), weights.shape[0]
    starts = range(0, x.shape[1] - window + 1, stride)
    multiply = functools.partial(fold, operator.mul, start=None)
    numbers = [
        multiply(
            [inner(plane[channel], x.cells[n, start + j].tolist(), dtype) for j, plane in enumerate(planes)]
        )
        for planes in [weights.cells.tolist()]
        for n, start, channel in itertools.product(range(x.shape[0]), starts, range(weights.shape[1]))
    ]
    return filled(numbers, (x.shape[0], len(starts), weights.shape[1]), dtype)


TABLE = {
    "convac_layer": convac_layer,
    "gather_constant": gather_constant,
    "grouped_mlp": grouped_mlp,
    "grouped_polynomial": grouped_polynomial,
    "k_tanh": elementwise(_k_tanh),
    "merge_linear": merge_linear,
    "merged_mlp": merged_mlp,
    "segment_combine": segment_combine,
    "swish": elementwise(_swish),
    "top_k_mask_linear": top_k_mask_linear,
}
