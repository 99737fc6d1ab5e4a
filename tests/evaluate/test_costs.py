"""Which ledger counts: what inputs cost alone. Each way to have another one counted is tried here."""

import numpy as np
import pytest

from sparsebench.evaluate.passes.costs import (
    Beside,
    cost_alone,
    cost_of_batches,
    is_one_cost,
    too_dear,
    whole_too_dear,
)
from sparsebench.evaluate.passes.counts import count_columns, histogram
from sparsebench.evaluate.passes.passes import Charged, Pass, Single
from sparsebench.evaluate.passes.sample import MOST_ALONE, SAMPLE, sample_by_identity, sample_inputs
from sparsebench.meter import PROFILES, Entry, Ledger, price
from sparsebench.results import Bin, Row, dearer

ADD = ("experts", "add", "float32")
CMP = ("experts", "cmp", "float32")


def entries(amounts):
    """Make the entries of a ledger of additions, or of what is named."""
    named = amounts if isinstance(amounts, dict) else {ADD: amounts}
    return tuple(Entry(*key, amount) for key, amount in sorted(named.items()) if amount)


def alone(*costs, loaded=None):
    """Give what a one-by-one pass over inputs of these costs gives."""
    each = [entries(cost) for cost in costs]
    ledgers = list(dict.fromkeys(each))
    prices = {name: np.array([price(one, name) for one in each], np.int64) for name in PROFILES}
    read = np.zeros(len(each), np.int64) if loaded is None else np.array(loaded)
    which = np.array([ledgers.index(one) for one in each], np.int64)
    ledger = Ledger(entry for one in each for entry in one)
    return Single(ledger, np.zeros(len(each)), prices, read, read * 8, ledgers, which)


def batched(*batches, wasted=0):
    """Give a pass in batches: of each its rows, and what it cost."""
    charged = [Charged(np.asarray(rows), Ledger(entries(cost))) for rows, cost in batches]
    ledger = Ledger(entry for batch in charged for entry in batch.ledger)
    n = sum(len(batch.rows) for batch in charged)
    return Pass(ledger, Ledger(entries(wasted)), charged, np.zeros(n))


def in_turn(*sizes_and_costs, wasted=0):
    """Batches of the rows 0, 1, ..., each of a size and a cost per row."""
    start, batches = 0, []
    for size, cost in sizes_and_costs:
        batches.append((np.arange(start, start + size), cost))
        start += size
    return batched(*batches, wasted=wasted)


def everything(single, *passes):
    """Judge passes over all the inputs of a one-by-one pass: the cost, or what is too dear."""
    beside = [Beside(one, np.arange(len(one.predictions))) for one in passes]
    if is_one_cost(single, passes):
        return cost_of_batches(passes[0], single)
    return too_dear(single, beside) or cost_alone(single, passes[0], beside)


# (A) ------------------------------------------------------------------------------------------------------


def test_one_ledger_is_the_cost_of_every_input():
    single, whole = alone(*[5] * 4), in_turn((32, 160), (4064, 20320))
    cost = everything(single, whole)
    assert (cost.counted, cost.ops, cost.ops_batch, cost.coupled) == ("batch", 5, 5, False)
    assert (cost.inputs, cost.ledger) == (4096, whole.ledger)
    columns = count_columns(whole, cost)
    assert columns["ops_p50"] == columns["ops_max"] == columns["ops"] == 5
    assert (columns["test_inputs"], columns["counted_inputs"], columns["sample_size"]) == (4096, 4096, 4)
    assert columns["ops_histogram"] == (Bin(2, 4),)


def test_inputs_that_cost_nothing_have_one_ledger():
    single, whole = alone(0, 0), in_turn((2, 0))
    assert everything(single, whole).counted == "batch"
    assert histogram(single.prices["ops"]) == (Bin(0, 2),)


# What no sum shows ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "batches",
    [
        [(2, 11), (2, 9)],  # different work in different batches, of an equal sum
        [(4, {ADD: 19, CMP: 1})],  # an equal price
        [(4, {ADD: 20, ("experts", "load", "float32"): 4})],  # entries that have no price
        [(4, {("router", "add", "float32"): 20})],  # another phase
        [(4, {("experts", "add", "float64"): 20})],  # another dtype
    ],
)
def test_sums_that_agree_are_not_enough(batches):
    single = alone(5, 5, 5, 5)
    cost = everything(single, in_turn(*batches))
    assert (cost.counted, cost.ops, cost.coupled) == ("one-by-one", 5, True)
    assert cost.ledger == single.ledger


def test_ledgers_that_differ_among_inputs_are_averaged():
    single = alone(1, 9, {ADD: 4, CMP: 1})  # a mean of 5
    cost = everything(single, in_turn((3, {ADD: 14, CMP: 1})))
    assert (cost.counted, cost.ops, cost.coupled) == ("one-by-one", 5, False)
    shuffled = batched(([2, 0], {ADD: 5, CMP: 1}), ([1], 9))
    assert everything(single, shuffled).coupled is False
    assert everything(single, batched(([2, 0], 9), ([1], {ADD: 5, CMP: 1}))).coupled is True


def test_the_largest_of_a_batch_is_no_cost_of_an_input():
    """x - max(x over rows) * 0: as dear alone as in a batch, by chance; the second pass tells."""
    single = alone(*[2] * 32)
    whole, together = in_turn((32, {ADD: 32, CMP: 32})), in_turn((32, {ADD: 32, CMP: 31}))
    cost = everything(single, whole, together)
    assert (cost.counted, cost.ops, cost.coupled) == ("one-by-one", 2, True)


def test_inputs_that_read_other_amounts_have_no_one_cost():
    whole = in_turn((2, 10))
    assert is_one_cost(alone(5, 5), [whole])
    assert not is_one_cost(alone(5, 5, loaded=[3, 4]), [whole])


# (B) ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("single", "ops_batch", "ends"),
    [
        (10, 1, "coupled"),  # cheap in batches: work is shared
        (10, 10.9, "coupled"),  # by less than one operation
        (1000, 1009, "coupled"),  # by less than a hundredth
        (10, 11.5, "invalid"),
        (1000, 1011, "invalid"),
        (0, 2, "invalid"),
        (1, 100, "invalid"),  # answers from a table where n == 1
    ],
)
def test_batches_may_share_work_and_not_waste_it(single, ops_batch, ends):
    rows = 100
    found = everything(alone(*[single] * rows), in_turn((rows, round(ops_batch * rows))))
    if ends == "invalid":
        told = f"batches cost {ops_batch:g} operations per input, the same inputs alone {single:g}"
        assert found == told
    else:
        assert (found.counted, found.ops, found.coupled) == ("one-by-one", single, True)
        assert found.ops_batch == ops_batch
        assert not dearer(found.ops_batch, found.ops)


def test_each_pass_in_batches_is_held_against_its_own_inputs():
    """A pass over few of the inputs, repeated, is not held against the mean of all."""
    single = alone(1, 1, 1, 97)
    whole = in_turn((4, 100))
    last = Beside(batched((np.arange(8), 97 * 8)), np.full(8, 3))
    assert too_dear(single, [Beside(whole, np.arange(4)), last]) == ""
    first = Beside(batched((np.arange(8), 97 * 8)), np.zeros(8, np.int64))
    assert "batches cost 97 operations per input, the same inputs alone 1" in too_dear(single, [first])


def test_work_in_a_batch_that_ran_out_of_memory_counts():
    single = alone(*[100] * 50)
    whole = in_turn((50, 5000), wasted=40)
    cost = everything(single, whole)
    assert (cost.counted, cost.ops, cost.ops_batch) == ("one-by-one", 100, 100.8)
    assert cost.coupled is False  # what batches cost, but for the failed one, is what their rows do
    dear = everything(single, in_turn((50, 5000), wasted=60))
    assert dear.endswith("the same inputs alone 100; 1.2 of them in batches that ran out of memory")
    assert price(single.ledger) == 5000  # and it is no part of what inputs cost alone


def test_a_failed_batch_that_was_charged_nothing_is_none():
    assert everything(alone(5, 5), in_turn((2, 10), wasted=0)).counted == "batch"


def test_a_split_that_was_sampled_costs_what_the_sample_does():
    single = alone(*[90, 110] * 50)  # ten more or less: one in the mean of 100
    for ops, dear in ((100, False), (103.9, False), (105, False), (105.1, True)):
        whole = in_turn((32, 3200), (968, round(ops * 1000) - 3200))
        assert bool(whole_too_dear(single, whole)) == dear, ops


def test_columns_of_inputs_alone_make_a_row_that_holds():
    single = alone(1, 9, 5, 0)
    whole = in_turn((4, 13))
    columns = count_columns(whole, everything(single, whole))
    assert columns["ops_histogram"] == (Bin(0, 2), Bin(2, 1), Bin(3, 1))
    assert (columns["ops"], columns["ops_batch"], columns["coupled"]) == (3.75, 3.25, True)
    assert set(columns) <= set(Row.__dataclass_fields__)


def test_passes_are_put_behind_one_another():
    first, second = alone(1, 9), alone(9, {CMP: 2}, 1)
    both, expected = first.followed_by(second), alone(1, 9, 9, {CMP: 2}, 1)
    assert (both.ledger, both.ledgers) == (expected.ledger, expected.ledgers)
    assert both.which.tolist() == expected.which.tolist()
    assert {name: each.tolist() for name, each in both.prices.items()} == {
        name: each.tolist() for name, each in expected.prices.items()
    }
    assert both.ledger_of(np.array([1, 2, 3])) == Ledger(entries({ADD: 18, CMP: 2}))


# The draw -------------------------------------------------------------------------------------------------


def test_a_draw_says_which_inputs():
    one, other = sample_inputs(1, 8192, MOST_ALONE), sample_inputs(2, 8192, MOST_ALONE)
    assert len(set(one.tolist())) == MOST_ALONE
    assert len(set(one.tolist()) & set(other.tolist())) < 0.6 * MOST_ALONE
    assert sample_inputs(1, 8192, SAMPLE).tolist() == one[:SAMPLE].tolist()
    assert sorted(sample_inputs(7, 9, SAMPLE).tolist()) == list(range(9))


def test_a_draw_is_the_same_for_ever():
    """Rows that are stored say the draw and no more."""
    assert sample_inputs(2026, 1000, 5).tolist() == [733, 58, 468, 814, 420]


def test_audits_take_inputs_that_are_the_same_in_every_run():
    cell = type("Cell", (), {"task_hash": "t", "instance": "i", "seed": 0})()
    first, again, other = (sample_by_identity(cell, model, 4096).tolist() for model in ("a", "a", "b"))
    assert first == again != other
    assert len(set(first)) == SAMPLE
    assert len(set(first) & set(other)) < SAMPLE // 2
    assert sorted(sample_by_identity(cell, "a", 9).tolist()) == list(range(9))
