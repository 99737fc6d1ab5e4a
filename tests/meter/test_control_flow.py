"""Computation that depends on data: the same code on NumPy and under the meter, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meter.metered import Meter, totals
from sparsebench import ops

X = np.array([[0.5], [1.5], [2.5], [7.5]])


def on_both(function, x, **params):
    """What a function gives under the meter, which must be what it gives on NumPy; and its charges."""
    meter = Meter(params)
    plain = function(params, np.asarray(x))
    got = meter.get(function(meter.params, meter.begin(x)))
    np.testing.assert_array_equal(got, plain)
    return meter, totals(meter.charges())


def count_up(params, x):
    """A loop that ends when the sum reaches a bound."""
    total, rounds = x[0, 0], 0
    while total < 4.0:
        total, rounds = total * 2.0, rounds + 1
    return total + float(rounds)


@given(st.floats(0.125, 16.0))
def test_while_pays_for_every_look(start):
    rounds = 0
    while start * 2.0**rounds < 4.0:
        rounds += 1
    _, charges = on_both(count_up, np.array([[start]]))
    assert charges == {
        key: amount
        for key, amount in {"cmp": rounds + 1, "branch": rounds + 1, "mul": rounds, "add": 1}.items()
        if amount
    }


def descend(params, key, node=0):
    """A binary tree of thresholds, by recursion on one input."""
    if node >= params["thresholds"].shape[0]:
        return params["leaves"][node - params["thresholds"].shape[0]]
    right = key >= params["thresholds"][node]
    return descend(params, key, 2 * node + (2 if right else 1))


@pytest.mark.parametrize("depth", [0, 1, 3, 6])
def test_recursion_down_a_tree_costs_a_comparison_and_a_bit_per_level(depth):
    ordered = in_order(2**depth - 1)
    thresholds = np.array([ordered.index(node) + 1.0 for node in range(len(ordered))])
    for key in range(2**depth):
        meter, charges = on_both(
            lambda p, x: descend(p, x[0, 0]),
            np.array([[key + 0.5]]),
            thresholds=thresholds,
            leaves=np.arange(2.0**depth),
        )
        assert charges == ({"cmp": depth, "branch": depth} if depth else {})
        assert meter.engine.bits_revealed == depth


def in_order(nodes, node=0):
    """Nodes of a heap from left to right."""
    if node >= nodes:
        return []
    return [*in_order(nodes, 2 * node + 1), node, *in_order(nodes, 2 * node + 2)]


def leave_early(params, x):
    """Two stages; rows whose first answer is large enough leave after the first one."""
    xp = x.__array_namespace__()
    answer = x @ params["w"]
    stay = answer[:, 0] < 2.0
    answer[stay, :] = x[stay, :] @ params["v"]
    return xp.reshape(answer, (-1,))


def test_rows_that_have_left_cost_no_second_stage():
    meter, charges = on_both(leave_early, X, w=np.array([[1.0]]), v=np.array([[3.0]]))
    # The mask lies over 4 inputs, and over 4 answers where these are written: of one number each.
    assert charges == {"mul": 4 + 2, "cmp": 4, "mac": 4 + 2, "select": 4 + 4}
    assert meter.engine.bits_revealed == 0  # nobody asked how many they are


def halve(params, x):
    """A loop over shrinking batches, with integer addresses; its end is looked at."""
    xp = x.__array_namespace__()
    value, alive = x[:, 0] + 0.0, xp.arange(4)
    while xp.any(value[alive] > 1.0):
        alive = alive[value[alive] > 1.0]
        value[alive] = value[alive] * 0.5
    return value


def test_a_loop_over_selected_rows_pays_for_each_row_that_is_left():
    meter, charges = on_both(halve, X)
    expected = dict.fromkeys(("cmp", "logic", "branch", "lookup", "load", "mul", "select"), 0)
    values, left = X[:, 0].copy(), 4
    computed = 0  # the first addresses are a constant
    while True:
        expected["lookup"] += computed * left  # the look at those that are left
        expected["cmp"] += left
        expected["logic"] += left - 1
        expected["branch"] += 1
        if not (values > 1.0).any():
            break
        expected["lookup"] += computed * left  # the choice
        expected["cmp"] += left
        expected["select"] += left
        computed = 1
        left = int((values > 1.0).sum())
        expected["lookup"] += 2 * left  # read and written
        expected["mul"] += left
        values[values > 1.0] *= 0.5
    expected["add"] = 4
    expected["load"] = expected["lookup"]
    assert charges == expected
    assert meter.engine.bits_revealed == expected["branch"] == 4


def test_choosing_by_an_address_needs_no_bit():
    def route(params, x):
        return ops.gather(ops.pack_bits(x[:, 0] > 1.0, x[:, 0] > 2.0), params["labels"])

    meter, charges = on_both(route, X, labels=np.arange(4.0))
    assert charges == {"cmp": 8, "address": 4, "lookup": 4, "load": 4}
    assert meter.engine.bits_revealed == 0


def test_every_bit_that_leaves_is_told_to_observers():
    meter, seen = Meter(), []
    x = meter.begin(X)
    meter.engine.observers.append(lambda request: seen.append((request.what, request.told)))
    assert bool(x[0, 0] < 1.0)
    assert not (x[3, 0] < 1.0)
    assert x[x[:, 0] > 1.0, :].shape == (3, 1)
    assert [told for what, told in seen if what == "bit"] == [True, False]
    assert [told for what, told in seen if what == "shape"] == [(3, 1)]
    assert meter.engine.bits_revealed == 2 + 3
