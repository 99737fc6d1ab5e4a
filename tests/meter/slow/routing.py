"""Slow routers: hashes of cells, trees and gates, number by number."""

from __future__ import annotations

import numpy as np

from meter.scalars import common, inner, number, spend, total
from meter.slow.arrays import Slow, filled
from meter.slow.indexing import look_up, part_of
from meter.slow.primitives import quantize, softmax, top_k
from meter.slow.reductions import INDEX, place_of_best, searchsorted, widened


def _cell(one, levels):
    (cell,) = quantize(filled([one], (1,), one.dtype), levels=levels).flat()
    return cell


def pstable_hash(x, directions, offsets, *, levels):
    dtype = common(x, directions)
    tables = directions.shape[:-2]
    numbers = []
    for row in x.cells.tolist():
        for table in np.ndindex(tables):
            pairs = zip(directions.cells[table].tolist(), offsets.cells[table].tolist(), strict=True)
            address, *rest = (_cell(inner(row, one, dtype) + offset, levels) for one, offset in pairs)
            for cell in rest:
                address = levels * address + cell
            numbers.append(address)
    return filled(numbers, (x.shape[0], *tables), INDEX)


def _distance(row, other, dtype):
    difference = [a - b for a, b in zip(row, other, strict=True)]
    return total([(one * one).cast(dtype) for one in difference], dtype)


def nearest_in_tree(x, prototypes, *, arity):
    """The children of node i of a level are the i-th v of the next one."""
    dtype, numbers = widened(common(x, prototypes)), []
    for row in x.cells.tolist():
        node, first, nodes = 0, 0, arity
        while first < prototypes.shape[0]:
            start = first + arity * node
            children = part_of(prototypes, slice(start, start + arity))
            spend("address", INDEX, int(first > 0))
            look_up(INDEX, children)
            distances = [_distance(row, other, dtype) for other in children.cells.tolist()]
            node = node * arity + int(place_of_best(distances, lambda a, b: a < b).value)
            first, nodes = first + nodes, nodes * arity
        numbers.append(number(node, INDEX))
    return filled(numbers, (x.shape[0],), INDEX)


def _descended(x, thresholds, projected, *records):
    """Go down with every row; ``projected`` gives the number that a row compares at a node."""
    numbers = []
    for row in x.cells.tolist():
        node = 0
        while node < thresholds.size:
            spend("address", INDEX, int(node > 0))
            look_up(INDEX, *(part_of(table, node) for table in (*records, thresholds)))
            node = 2 * node + (2 if projected(row, node) > thresholds.cells[node] else 1)
        numbers.append(number(node - thresholds.size, INDEX))
    return filled(numbers, (x.shape[0],), INDEX)


def axis_tree_route(x, features, thresholds):
    def projected(row, node):
        one = row[int(features.cells[node].value)]
        look_up(features.dtype, Slow(filled([one], (), x.dtype).cells, x.dtype, constant=x.constant))
        return one

    return _descended(x, thresholds, projected, features)


def oblique_tree_route(x, normals, thresholds):
    dtype = common(x, normals)
    return _descended(
        x, thresholds, lambda row, node: inner(normals.cells[node].tolist(), row, dtype), normals
    )


def searchsorted_route(x, edges):
    return searchsorted(edges, x)


def top_k_gate(x, weights, bias=None, *, k):
    dtype = common(x, weights)
    logits = [[inner(row, one, dtype) for one in weights.cells.tolist()] for row in x.cells.tolist()]
    if bias is not None:
        dtype = common(x, weights, bias)
        logits = [[one + other for one, other in zip(row, bias.flat(), strict=True)] for row in logits]
    flat = [one for row in logits for one in row]
    values, experts = top_k(filled(flat, (x.shape[0], weights.shape[0]), dtype), k)
    return experts, softmax(values)


TABLE = {
    "axis_tree_route": axis_tree_route,
    "nearest_in_tree": nearest_in_tree,
    "oblique_tree_route": oblique_tree_route,
    "pstable_hash": pstable_hash,
    "searchsorted_route": searchsorted_route,
    "top_k_gate": top_k_gate,
}
