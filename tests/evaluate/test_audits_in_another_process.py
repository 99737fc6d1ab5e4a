"""Audits that take runs of their own: each passes where it should, and fails for somebody who deserves it."""

import numpy as np
import pytest

import sparsebench as sb
from evaluate.tiny import plain, routed, run
from sparsebench import ops
from sparsebench.author.inprocess import LocalModel
from sparsebench.errors import FailedError, MemoryLimitError, TimeLimitError
from sparsebench.evaluate import cell as cell_module
from sparsebench.evaluate.audits.in_another_process import no_trials, repeats, run_trials
from sparsebench.evaluate.audits.meddling import MOVES
from sparsebench.evaluate.audits.poison import expert_poison, unread_parameters
from sparsebench.evaluate.passes.inputs import Inputs
from sparsebench.evaluate.passes.metering import run_batches
from sparsebench.meter import Engine
from sparsebench.meter.engine.loads import LoadTracker
from sparsebench.meter.rules import RULES

NO_ROUTER = "there is no router"
TABLE = np.arange(24.0).reshape(8, 3)
X = Inputs(np.linspace(1.2, 7.2, 6)[:, None])


class Router(sb.Router):
    """Routes an input to one of eight experts, or to two."""

    def __init__(self, twice=False):
        self.twice = twice

    def route(self, params, x):
        xp = x.__array_namespace__()
        index = ops.quantize(x, levels=8)
        return sb.Routes(xp.concat([index, 7 - index], axis=1) if self.twice else index)


class Experts(sb.Experts):
    """Experts that are a function."""

    def __init__(self, function):
        self.apply = function

    def apply(self, params, x, routes):
        raise NotImplementedError


def model(function, *, twice=False, **parameters):
    parameters = parameters or {"w": TABLE}
    engine = Engine()
    return LocalModel(sb.Routed(Router(twice), Experts(function)), engine, parameters), engine


def first(routes):
    return routes.experts[:, 0]


def taken(params, x, routes, index):
    return x.__array_namespace__().take(params["w"], index, axis=0)[:, 0]


ADDRESSED = {
    "gather": lambda p, x, r: ops.gather(first(r), p["w"])[:, 1],
    "two-axes": lambda p, x, r: ops.gather(r.experts, p["w"])[:, 0, 1],
    "take": lambda p, x, r: taken(p, x, r, first(r)),
    "index": lambda p, x, r: p["w"][first(r), 0],
    "index-behind-dots": lambda p, x, r: p["w"].T[..., first(r)][0, :],
    "index-behind-none": lambda p, x, r: p["w"][None, first(r)][0, :, 0],
    "column": lambda p, x, r: p["w"][:, 2][first(r)],
    "other-way-round": lambda p, x, r: p["w"][::-1, :][first(r), 0],
    "negative": lambda p, x, r: p["w"][r.experts[:, 0] * 1, 0] + p["w"][first(r), 0],
    "along": lambda p, x, r: x.__array_namespace__().take_along_axis(p["w"], r.experts, axis=0)[0, :1],
    "grouped": lambda p, x, r: ops.grouped_linear(x, first(r), p["w"][:, :, None])[:, 0],
    "flattened": lambda p, x, r: ops.gather(x.__array_namespace__().reshape(r.experts, (-1,)), p["w"])[:, 0],
    "narrow": lambda p, x, r: ops.gather(x.__array_namespace__().astype(first(r), np.int64), p["w"])[:, 0],
    "stacked": lambda p, x, r: ops.gather(
        x.__array_namespace__().stack([first(r), first(r)], axis=1), p["w"]
    )[:, 1, 0],
}


@pytest.mark.parametrize("way", ADDRESSED)
def test_experts_that_are_addressed_by_their_routes_may_be_poisoned(way):
    made, engine = model(ADDRESSED[way])
    audit = expert_poison(made, engine, X)
    assert (audit.verdict, audit.detail) == ("pass", "inputs: 6, tables: 1; other experts held NaN")
    assert not engine.observers


def test_two_experts_of_an_input_are_both_left_alone():
    def both(params, x, routes):
        return x.__array_namespace__().sum(ops.gather(routes.experts, params["w"]), axis=(1, 2))

    made, engine = model(both, twice=True)
    assert expert_poison(made, engine, X).verdict == "pass"


LEANS = {
    "a sum": lambda p, x, r: ops.gather(first(r), p["w"])[:, 0] + p["w"][0, 0],
    "all": lambda p, x, r: x.__array_namespace__().sum(p["w"]) * 0.0 + ops.gather(first(r), p["w"])[:, 0],
    "the next": lambda p, x, r: (
        ops.gather(first(r), p["w"])[:, 0] + ops.gather(ops.quantize(x[:, 0] * 0.5, levels=8), p["w"])[:, 0]
    ),
}


@pytest.mark.parametrize("what", LEANS)
def test_who_leans_on_other_experts_is_found(what):
    made, engine = model(LEANS[what])
    audit = expert_poison(made, engine, X)
    assert audit.verdict == "fail"
    assert audit.detail == "with NaN for experts that an input was not routed to, its prediction changes"


def test_who_fails_without_other_experts_is_found():
    def fussy(params, x, routes):
        if params["w"][0, 0] >= 0.0:
            return ops.gather(first(routes), params["w"])[:, 0]
        return ops.gather(first(routes) + 8, params["w"])[:, 0]

    made, engine = model(fussy)
    audit = expert_poison(made, engine, X[3:])
    assert audit.verdict == "fail"
    assert "it fails: gather: an index is out of range" in audit.detail


def test_poison_is_for_the_experts_alone():
    class Reads(Router):
        def route(self, params, x):
            return sb.Routes(ops.nearest_prototype(x, params["w"][:, :1])[:, None])

    engine = Engine()
    made = LocalModel(sb.Routed(Reads(), Experts(ADDRESSED["gather"])), engine, {"w": TABLE})
    assert expert_poison(made, engine, X).verdict == "pass"


@pytest.mark.parametrize(
    ("function", "parameters", "why"),
    [
        (lambda p, x, r: x[:, 0] + 0.0, {}, "no table of parameters is addressed by the routes"),
        (lambda p, x, r: ops.gather(first(r) + 0, p["w"])[:, 0], {}, "no table of parameters"),
        (
            lambda p, x, r: x.__array_namespace__().astype(ops.gather(first(r), p["i"]), np.float64),
            {"i": np.arange(8)},
            "no expert was left out",
        ),
        (lambda p, x, r: ops.gather(first(r) * 0, x)[:, 0], {}, "no table of parameters"),
    ],
)
def test_where_there_is_nothing_to_poison_it_says_so(function, parameters, why):
    made, engine = model(function, **parameters)
    audit = expert_poison(made, engine, X)
    assert audit.verdict == "not-run"
    assert why in audit.detail


def test_moves_are_operations():
    assert set(RULES) >= MOVES


class Reader(sb.Submission):
    """Predicts by a function."""

    def __init__(self, function):
        self.function = function

    def fit(self, train, valid, rng):
        return {}

    def predict(self, params, x):
        return self.function(params, x)


PARAMETERS = {
    "w": TABLE,
    "i": np.array([3, 1, 2, 0, 7, 7, 5, 6]),
    "b": np.array([True, False, True, True]),
    "nothing": np.empty((0, 3)),
}


def reader(function):
    engine = Engine()
    return LocalModel(Reader(function), engine, PARAMETERS), engine


def reads_some(params, x):
    index = ops.gather(ops.quantize(x[:, 0], levels=8), params["i"])
    xp = x.__array_namespace__()
    return ops.gather(index, params["w"])[:, 0] + xp.where(params["b"][1:2], 1.0, 2.0)


def test_parameters_that_are_not_read_may_hold_anything():
    made, engine = reader(reads_some)
    audit = unread_parameters(made, engine, X)
    assert (audit.verdict, engine.loads.active) == ("pass", False)
    assert audit.detail == "inputs: 6; parameters that they do not read held other values"


def test_a_model_that_reads_everything_leaves_nothing_to_spoil():
    def reads_all(params, x):
        xp = x.__array_namespace__()
        total = xp.sum(params["w"]) + xp.sum(params["i"]) + xp.sum(xp.astype(params["b"], xp.int64))
        return x[:, 0] + total

    made, engine = reader(reads_all)
    assert unread_parameters(made, engine, X).verdict == "not-run"


@pytest.mark.parametrize("forgotten", ["w", "i", "b"])
def test_a_tracker_that_overlooks_a_parameter_is_found(forgotten, monkeypatch):
    made, engine = reader(reads_some)
    blind = engine.value(engine.parameters[forgotten].handle)
    sees = LoadTracker.read

    def read(self, array, key=...):
        if array.base is not blind and array is not blind:
            sees(self, array, key)

    monkeypatch.setattr(LoadTracker, "read", read)
    audit = unread_parameters(made, engine, X)
    assert audit.verdict == "fail"
    assert audit.detail.startswith("with other values in parameters that were not read, ")


def test_routes_that_change_are_no_mistake_of_the_experts():
    flips = []

    class Restless(Router):
        def route(self, params, x):
            flips.append(len(flips) % 2)
            return sb.Routes(ops.quantize(x, levels=4) + flips[-1])

    engine = Engine()
    made = LocalModel(sb.Routed(Restless(), Experts(ADDRESSED["gather"])), engine, {"w": TABLE})
    assert expert_poison(made, engine, X).detail.endswith("its routes change")


def repeated(function):
    made, engine = reader(function)
    whole = run_batches(made, engine, X)
    return repeats(made, engine, X, whole.first)


def once(answer, then):
    calls = []

    def function(params, x):
        calls.append(1)
        return answer(x) if len(calls) == 1 else then(x)

    return function


def raising(error):
    def function(x):
        raise error

    return function


def test_a_batch_gives_the_same_twice():
    assert repeated(reads_some).verdict == "pass"


@pytest.mark.parametrize(
    ("then", "what"),
    [
        (lambda x: x[:, 0] * 1.0 + 1e-12, "gives other predictions"),
        (lambda x: x.__array_namespace__().astype(x[:, 0], np.float32), "gives other predictions"),
        (lambda x: x[:, 0] * 1.0 * 1.0, "gives other counts"),
        (raising(FailedError("no")), "the second time, it fails: no"),
    ],
)
def test_a_batch_that_gives_something_else_is_found(then, what):
    audit = repeated(once(lambda x: x[:, 0] * 1.0, then))
    assert audit.verdict == "fail"
    assert what in audit.detail


@pytest.mark.parametrize("error", [TimeLimitError("late"), MemoryLimitError("large")])
def test_what_time_or_memory_end_has_no_verdict(error):
    with pytest.raises(type(error)):
        repeated(once(lambda x: x[:, 0] * 1.0, raising(error)))
    calls = []

    def gives_out(params, x, routes):
        calls.append(1)
        return ADDRESSED["gather"](params, x, routes) if len(calls) == 1 else raising(error)(x)

    made, engine = model(gives_out)
    with pytest.raises(type(error)):
        expert_poison(made, engine, X)
    assert not engine.observers


@pytest.mark.parametrize("error", [TimeLimitError("late"), MemoryLimitError("large")])
def test_one_audit_that_does_not_end_ends_no_other(error):
    made, engine = reader(once(lambda x: x[:, 0] * 1.0, raising(error)))
    whole = run_batches(made, engine, X)
    trials = run_trials(made, engine, X, whole, np.arange(3))
    assert trials.dense is None
    assert [audit.name for audit in trials.audits] == [audit.name for audit in no_trials(error).audits]
    assert [audit.detail for audit in trials.audits] == [error.what, NO_ROUTER, error.what, NO_ROUTER]
    assert no_trials(error).dense is None
    assert {audit.verdict for audit in no_trials(error).audits} == {"not-run"}


def verdicts(row):
    assert row.status == "ok", row.reason
    return {audit.name: (audit.verdict, audit.detail) for audit in row.audits}


def test_the_last_digit_of_chance_is_found(tmp_path):
    predict = "return xp.astype(x[:, 0], xp.float64) + int.from_bytes(os.urandom(4), 'little') * 1e-18"
    found = verdicts(run(tmp_path / "mine", plain(predict=predict)))
    assert found["alone-as-in-batches"][0] == found["order-invariance"][0] == "pass"
    assert found["repeats"] == ("fail", "a batch of 32 inputs, run twice, gives other predictions")


def test_a_router_for_show_is_found(tmp_path):
    show = "return ops.gather(routes.experts[:, 0], params['labels']) * 0.0 + params['labels'][1]"
    found = verdicts(run(tmp_path / "mine", routed(apply=show)))
    assert found["expert-poison"][0] == "fail"
    honest = verdicts(run(tmp_path / "other", routed()))
    assert honest["expert-poison"] == ("pass", "inputs: 8, tables: 1; other experts held NaN")
    assert honest["unread-parameters"][0] == honest["repeats"][0] == "pass"


def test_trials_cost_no_row_its_score(tmp_path, monkeypatch):
    def fail(*_):
        raise TimeLimitError("the time limit has passed", help="be fast")

    monkeypatch.setattr(cell_module, "run_trials", fail)
    found = verdicts(run(tmp_path / "mine", plain()))
    for name in ("repeats", "expert-poison", "unread-parameters", "executed-within-dense"):
        assert found[name] == ("not-run", "the time limit has passed; be fast")
