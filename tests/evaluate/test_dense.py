"""What running every expert costs is measured, whatever k, and however experts are numbered."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sparsebench as sb
from evaluate.tiny import routed, run
from sparsebench import ops
from sparsebench.author.inprocess import LocalModel
from sparsebench.evaluate.audits.dense import MOST_GROUPS, Dense, executed_within_dense, expert_groups
from sparsebench.evaluate.passes.inputs import Inputs
from sparsebench.evaluate.passes.metering import run_batches
from sparsebench.evaluate.passes.passes import Pass
from sparsebench.meter import Engine


class ByTable(sb.Router):
    """Routes row number i to the experts in line i of a table."""

    def route(self, params, x):
        return sb.Routes(x.__array_namespace__().take(params["table"], x[:, 0], axis=0))


class Experts(sb.Experts):
    """Experts that are a function of their numbers."""

    def __init__(self, function):
        self.function = function

    def apply(self, params, x, routes):
        xp = x.__array_namespace__()
        return xp.astype(self.function(params, xp, routes.experts), xp.float64)


def measured(table, function, **parameters):
    engine = Engine()
    made = LocalModel(
        sb.Routed(ByTable(), Experts(function)), engine, {"table": np.asarray(table), **parameters}
    )
    x = Inputs(np.arange(len(table))[:, None])
    whole = run_batches(made, engine, x)
    audit, dense = executed_within_dense(made, engine, x[:2], whole)
    return audit, dense


def one_each(params, xp, experts):
    """One operation per expert."""
    return (experts + 1)[:, 0]


def pass_of(rows):
    rows = np.asarray(rows)
    values, often = np.unique(rows, return_counts=True)
    made = Pass(lowest=rows.min(axis=0), highest=rows.max(axis=0))
    made.load.update(dict(zip(values.tolist(), often.tolist(), strict=True)))
    return made


@settings(max_examples=50)
@given(k=st.integers(1, 5), experts=st.integers(1, 40), seed=st.integers(0, 99), apart=st.booleans())
def test_groups_hold_every_expert(k, experts, seed, apart):
    rows = np.random.default_rng(seed).integers(0, experts, (30, k))
    rows += np.arange(k) * experts * apart
    seen = set(rows.ravel().tolist())
    groups = expert_groups(pass_of(rows))
    if len(seen) < k:
        assert groups is None
        return
    assert groups.shape[1] == k
    assert set(groups.ravel().tolist()) == seen
    assert all(len(set(group)) == k for group in groups.tolist())
    assert len(groups) >= -(-len(seen) // k)
    if apart:  # every place has experts of its own
        for place in range(k):
            assert set(groups[:, place].tolist()) == set(rows[:, place].tolist())
    else:
        assert len(groups) == -(-len(seen) // k) or k == 1


@pytest.mark.parametrize(
    ("rows", "executed", "every"),
    [
        ([[0], [1], [2]], 1, 3),
        ([[0, 1], [2, 3]], 2, 4),
        ([[0, 1], [2, 1], [4, 3]], 2, 5),  # three groups of two for five experts: scaled
        ([[0, 0], [1, 1]], 2, 2),
        (np.arange(300)[:, None], 1, 300),
        (np.arange(1000).reshape(-1, 4), 4, 1000),
    ],
)
def test_every_expert_costs_its_own(rows, executed, every):
    audit, dense = measured(rows, one_each)
    assert audit.verdict == "pass", audit.detail
    assert (dense.executed, dense.every) == pytest.approx((executed, every))
    assert dense.of(10.0) == pytest.approx(10.0 * every / executed)


def test_of_many_groups_some_are_run_and_it_says_so():
    audit, _ = measured(np.arange(300)[:, None], one_each)
    assert audit.detail == f"1 operations, 300 with all 300 experts ({MOST_GROUPS} of 300 groups of 1 run)"


def test_experts_that_cost_nothing_cost_nothing_together():
    audit, dense = measured([[0], [1]], lambda params, xp, experts: experts[:, 0])
    assert (audit.verdict, dense.of(0.0)) == ("pass", 0.0)
    assert Dense(0.0, 3.0).of(0.0) == 3.0


def test_places_with_experts_of_their_own_are_not_mixed():
    def two_tables(params, xp, experts):
        return ops.gather(experts[:, 0], params["a"]) + ops.gather(experts[:, 1] - 3, params["b"])

    audit, dense = measured([[0, 3], [1, 4], [2, 3]], two_tables, a=np.zeros(3), b=np.zeros(2))
    assert audit.verdict == "pass"
    assert (dense.executed, dense.every) == (4.0, 4.0 * 5 / 2)


def dear_as_routed(params, xp, experts):
    """Work for the router's pairs alone: 1 with 4, and 2 with 3."""
    y = experts[:, 0]
    if xp.all(xp.sum(experts, axis=1) == 5):
        for _ in range(100):
            y = y + 1
    return y


def test_work_that_no_expert_accounts_for_is_found():
    audit, dense = measured([[1, 4], [2, 3]], dear_as_routed)
    assert audit.verdict == "fail"
    assert dense.executed > 100 > dense.every
    assert "4 with all 4 experts" not in audit.detail
    assert "(2 of 2 groups of 2 run)" in audit.detail


def test_a_scaled_sum_of_unequal_groups_is_not_judged():
    def dear(params, xp, experts):
        y = experts[:, 0]
        if xp.all(y == 1):
            for _ in range(1000):
                y = y + 1
        return y

    audit, _ = measured(np.concatenate([[1, 1], np.arange(2, 300)])[:, None], dear)
    assert audit.verdict in {"pass", "not-run"}
    audit, _ = measured(np.concatenate([[2, 2], np.arange(400)])[:, None], lambda p, xp, e: late(xp, e))
    assert audit.verdict == "not-run"
    assert audit.detail.endswith("groups differ too much to scale")


def late(xp, experts):
    """Work for expert 2, which is not among those that are run, and a little for expert 0, which is."""
    y = experts[:, 0]
    if xp.all(y == 2):
        for _ in range(10_000):
            y = y + 1
    if xp.all(y == 0):
        y = y + 1
    return y


def test_more_places_than_experts_cannot_be_measured():
    audit, dense = measured([[0, 0, 0], [1, 1, 0]], one_each)
    assert (audit.verdict, dense) == ("not-run", None)
    assert "more places for experts than there are" in audit.detail


def test_experts_that_refuse_other_routes_cannot_be_measured(tmp_path):
    def of_sums(params, xp, experts):
        return ops.gather(experts[:, 0] + experts[:, 1] - 5, params["one"])

    audit, dense = measured([[1, 4], [2, 3]], of_sums, one=np.zeros(1))
    assert (audit.verdict, dense) == ("not-run", None)
    assert audit.detail.startswith("gather: an index is out of range; ")


def test_the_column_falls_back_on_what_the_load_tells(tmp_path):
    both = """
    bits = xp.astype(x[:, :1] > 0, xp.int64)
    return sb.Routes(xp.concat([bits, bits, bits], axis=1))
    """
    row = run(tmp_path / "mine", routed(route=both))
    found = {audit.name: audit.verdict for audit in row.audits}
    assert (row.status, found["executed-within-dense"]) == ("ok", "not-run")
    assert row.ops_dense == row.ops_experts * 2


def test_the_column_holds_what_was_measured(tmp_path):
    twice = "bits = xp.astype(x[:, :1] > 0, xp.int64)\nreturn sb.Routes(xp.concat([bits, bits], axis=1))"
    apply = "return xp.sum(ops.gather(routes.experts, params['labels']), axis=1)"
    row = run(tmp_path / "mine", routed(route=twice, apply=apply))
    found = {audit.name: audit for audit in row.audits}["executed-within-dense"]
    assert found.verdict == "pass"
    assert found.detail == "3 operations, 3 with all 2 experts (1 of 1 groups of 2 run)"
    assert (row.ops_experts, row.ops_dense) == (3, 3)  # two places hold both experts
