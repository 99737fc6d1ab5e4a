"""The figures that this project promises, computed by hand, and read from the rows of real evaluations."""

import functools
import statistics
from math import ceil, log2

import pytest

from sparsebench.evaluate.cell import run_cell
from sparsebench.evaluate.plan import Limits, Selection, make_plan
from sparsebench.models import find_submission, shipped_names
from sparsebench.tasks import load_task
from submissions.formulas import expected, varies
from submissions.shipped import small
from submissions.sizes import Sizes

SEEDS = range(5)


@functools.cache
def row(name, variant, instance, seed=0):
    """Evaluate one cell of a shipped submission, as `sparsebench eval` does."""
    selection = Selection(instances=(instance,), variants=(variant,), seeds=(seed,))
    (cell,) = make_plan([find_submission(name)], selection)
    found = run_cell(cell, Limits())
    assert found.status == "ok", found.reason
    return found


@pytest.mark.parametrize(
    ("instance", "add_mul_cmp", "ops"), [("n256-r4", 15, 31), ("n4096-r4", 19, 43), ("n65536-r4", 23, 55)]
)
def test_the_tree_memorizes_in_a_logarithm_of_operations(instance, add_mul_cmp, ops):
    tree = row("conditional-tree", "full", instance)
    assert (tree.recall, tree.error, tree.quality) == (1.0, 0.0, 1.0)
    assert (tree.ops_add_mul_cmp, tree.add_mul_cmp_max) == (add_mul_cmp, add_mul_cmp)
    assert (tree.ops, tree.ops_p50, tree.ops_max) == (ops, ops, ops)
    depth = log2(tree.counted_inputs)
    assert tree.lookups == depth + 1  # a node for every level, and the label
    assert ops - add_mul_cmp == tree.lookups + depth - 1  # and the steps of the address
    assert {audit.name: audit.verdict for audit in tree.audits}["counting-bound"] == "pass"


def test_one_hidden_layer_memorizes_in_a_multiple_of_n():
    layer = row("one-hidden-layer", "full", "n256-r4")
    assert layer.recall == 1.0
    assert layer.ops == layer.ops_add_mul_cmp == 7 + 4 * (256 - 1)
    assert layer.ops_router == layer.lookups == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_both_prices_of_a_data_dependent_sparse_network(seed):
    d, t, s = 8, 256, 64
    dense, dsm = (
        row("dense-features", "units-64", "hypercube", seed),
        row("dsm-topk", "s64-d25", "hypercube", seed),
    )
    assert dense.ops == dense.ops_router_free == s * (2 * d + 3)
    assert dsm.ops_router_free == pytest.approx(dense.ops, rel=0.10)
    selection = (t - 1) + (s - 1) * ceil(log2(t))
    assert dsm.ops - dsm.ops_router_free == dsm.ops_router == 2 * d * t + selection
    assert {"ops", "ops_router_free"} <= dsm.to_json_dict().keys()


def test_a_sparse_network_errs_less_than_a_dense_one_of_as_many_active_units():
    ratios = [
        row("dsm-topk", "s64-d25", "hypercube", seed).error
        / row("dense-features", "units-64", "hypercube", seed).error
        for seed in SEEDS
    ]
    assert 0.6 <= statistics.mean(ratios) <= 0.8, ratios


@pytest.mark.parametrize("name", shipped_names())
def test_every_count_of_a_row_is_what_the_hand_formula_says(name):
    """One cell of each submission; tests/submissions has the formulas of all variants on all tasks."""
    folder = find_submission(name)
    ref, variant = folder.manifest.tasks[0], folder.variants()[0]
    task, smallest = load_task(ref), small(ref)
    instance, info = task.load(smallest), task.info[smallest]
    found = row(name, variant.name, smallest)
    if varies(name):
        assert found.ops_p50 <= found.ops_p95 <= found.ops_max
        alone = sum(own.inputs for own in found.ops_histogram)  # a sample where all cost the same
        assert 0 < alone <= found.counted_inputs
        assert alone == found.counted_inputs or found.ops_p50 == found.ops_max
    else:
        positions = info.input_shape[0] if len(info.input_shape) > 1 else 0
        train = instance.train
        sizes = Sizes(len(train), train.x[0].size, info.classes or 0, info.domains or 0, positions)
        by_hand = expected(name, variant.settings, sizes)
        assert {column: getattr(found, column) for column in by_hand} == by_hand
        assert (
            found.ops_p50
            == found.ops_p95
            == found.ops_max
            == found.ops_batch
            == found.ops_single
            == found.ops
        )
        assert found.ops_counted == "batch"
        assert found.counted_inputs == len(instance.test)
    verdicts = {audit.name: audit.verdict for audit in found.audits}
    assert set(verdicts.values()) <= {"pass", "not-run"}, found.audits
    idle = {audit for audit, verdict in verdicts.items() if verdict == "not-run"}
    # Of a router whose model decides how many experts there are, all may have been used.
    assert idle <= (set() if found.ops_router and not varies(name) else WITHOUT_ROUTER)
    assert verdicts.keys() - WITHOUT_ROUTER >= {"repeats", "order-invariance", "phases-add-up"}


WITHOUT_ROUTER = {"expert-poison", "executed-within-dense", "unread-parameters"}
"""Audits for which a submission without a router gives no occasion."""
