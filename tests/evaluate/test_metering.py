"""Passes in batches: what they tell of experts, and that it takes memory by the batch, not by the split."""

import tracemalloc
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sparsebench as sb
from evaluate.tiny import routed, run
from sparsebench.author.inprocess import LocalModel
from sparsebench.errors import FailedError, MemoryLimitError
from sparsebench.evaluate.passes.costs import cost_of_batches, is_one_cost
from sparsebench.evaluate.passes.counts import count_columns
from sparsebench.evaluate.passes.inputs import Inputs
from sparsebench.evaluate.passes.metering import run_batches, run_single
from sparsebench.meter import Engine
from sparsebench.scoring import normalised_mutual_information


class ByTable(sb.Router):
    """Routes row number i to the experts in line i of a table."""

    def fit(self, train, valid, rng):
        return {}

    def route(self, params, x):
        xp = x.__array_namespace__()
        return sb.Routes(xp.take(params["table"], x[:, 0], axis=0))


class Wide(ByTable):
    """Routes every row to one expert, many times, by an array that takes no memory."""

    def route(self, params, x):
        xp = x.__array_namespace__()
        return sb.Routes(xp.broadcast_to(params["table"][0, 0], (len(x), self.width)))


class Uneven(ByTable):
    """Takes more experts in a large batch."""

    def route(self, params, x):
        xp = x.__array_namespace__()
        return sb.Routes(xp.broadcast_to(params["table"][0, 0], (len(x), 1 + (len(x) > 32))))


class Experts(sb.Experts):
    """Three operations for a row."""

    def fit(self, train, valid, rng, routes):
        return {}

    def apply(self, params, x, routes):
        xp = x.__array_namespace__()
        return xp.astype(x[:, 0], xp.float64) * 2.0 * 2.0 * 2.0


def model(router, table, limit=1 << 28):
    engine = Engine(memory_limit=limit)
    return LocalModel(sb.Routed(router, Experts()), engine, {"table": np.asarray(table)}), engine


@settings(max_examples=25)
@given(
    n=st.sampled_from([1, 2, 31, 33, 100]),
    k=st.integers(1, 5),
    experts=st.sampled_from([1, 2, 3, 7, 50]),
    dtype=st.sampled_from([np.int64, np.int32, np.uint8]),
    seed=st.integers(0, 99),
)
def test_experts_are_as_by_brute_force(n, k, experts, dtype, seed):
    routes = np.random.default_rng(seed).integers(0, experts, (n, k)).astype(dtype)
    x = Inputs(np.arange(n)[:, None])
    made, engine = model(ByTable(), routes)
    domains = np.random.default_rng(seed + 1).integers(-3, 3, n)
    whole = run_batches(made, engine, x, domains)
    single = run_single(made, engine, x)
    rows = [set(row) for row in routes.tolist()]
    load = Counter(routes.ravel().tolist())
    assert whole.load == load
    assert whole.distinct == sum(map(len, rows))
    assert whole.joint == Counter(
        (expert, tag) for row, tag in zip(routes.tolist(), domains.tolist(), strict=True) for expert in row
    )
    assert whole.widths == {k}
    assert not any(isinstance(value, np.ndarray) and value.ndim > 1 for value in vars(whole).values())

    assert is_one_cost(single, [whole])
    columns = count_columns(whole, cost_of_batches(whole, single))
    run_per_row = sum(map(len, rows)) / n
    assert columns["experts_seen"] == len(set().union(*rows))
    assert columns["experts_run"] == pytest.approx(run_per_row)
    assert columns["nmi"] == normalised_mutual_information(whole.joint)
    assert {(each.expert, each.domain): each.inputs for each in columns["expert_domains"]} == whole.joint
    assert columns["ops_experts"] == 3
    assert columns["ops_dense"] == pytest.approx(3 * len(load) / run_per_row)
    if len(load) == 1:
        assert columns["expert_entropy"] is None
    else:
        shares = [often / (n * k) for often in load.values()]
        entropy = -sum(share * np.log(share) for share in shares) / np.log(len(load))
        assert columns["expert_entropy"] == pytest.approx(min(entropy, 1.0))


def traced(function):
    """Give the most bytes that were held at once, and what was raised."""
    tracemalloc.start()
    raised = None
    try:
        function()
    except MemoryLimitError as error:
        raised = error
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return peak, raised


@pytest.mark.parametrize(("width", "fits"), [(8192, True), (1 << 22, False)])
def test_a_wide_route_takes_no_more_memory_than_allowed(width, fits):
    limit = 32 << 20
    router = Wide()
    router.width = width
    made, engine = model(router, [[0]], limit)
    x = Inputs(np.arange(4096)[:, None])
    peak, raised = traced(lambda: run_batches(made, engine, x, np.zeros(4096, np.int64)))
    assert peak < limit + (8 << 20)
    assert engine.memory.peak <= limit
    assert (raised is None) == fits, raised


def test_without_domains_or_a_router_there_are_no_pairs():
    class Plain(sb.Submission):
        def fit(self, train, valid, rng):
            return {}

        def predict(self, params, x):
            return x[:, 0]

    x, domains = Inputs(np.arange(40)[:, None]), np.zeros(40, np.int64)
    made, engine = model(ByTable(), np.zeros((40, 2), np.int64))
    plain = LocalModel(Plain(), engine, {})
    for whole in (run_batches(made, engine, x), run_batches(plain, engine, x, domains)):
        single = run_single(plain, engine, x)
        assert whole.joint == {}
        assert count_columns(whole, cost_of_batches(whole, single)).get("nmi") is None


def test_a_wide_route_is_out_of_memory(tmp_path):
    wide = "return sb.Routes(xp.broadcast_to(xp.astype(x[:, :1] > 0, xp.int64), (len(x), 1 << 22)))"
    rows = []
    peak, _ = traced(lambda: rows.append(run(tmp_path / "mine", routed(route=wide), memory=64 << 20)))
    assert rows[0].status == "out-of-memory", rows[0].reason
    assert peak < 128 << 20


def test_the_number_of_experts_is_the_same_in_all_batches():
    made, engine = model(Uneven(), [[0]])
    with pytest.raises(FailedError, match="number of experts k differs between batches"):
        run_batches(made, engine, Inputs(np.arange(100)[:, None]))
