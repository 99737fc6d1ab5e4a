"""Plans are kept, and must be those of the call that is made."""

from __future__ import annotations

import numpy as np
import pytest

from meter.metered import Meter, totals
from ops.specimen import having
from sparsebench.errors import FailedError
from sparsebench.meter.engine import execution
from sparsebench.meter.engine.execution import Planner
from sparsebench.meter.rules import RULES
from sparsebench.ops import PRIMITIVES
from sparsebench.ops.core.call import Parser

X = np.zeros((3, 4))


class Counted:
    """A rule that counts how often it is planned."""

    def __init__(self, name):
        rule = RULES[name]
        self.calls = 0

        def plan(*args, **kwargs):
            self.calls += 1
            return rule.plan(*args, **kwargs)

        self.rule = rule.__class__(**{**vars(rule), "plan": plan})


def planned(name, *calls):
    """How often a rule is planned for some calls."""
    counted, planner = Counted(name), Planner()
    for args, kwargs in calls:
        planner.plan(counted.rule, args, kwargs, secret=False, is_constant=lambda _: False)
    return counted.calls


def test_calls_that_look_alike_are_planned_once():
    assert planned("add", ((X, X), {}), ((X + 1.0, X), {})) == 1
    assert planned("getitem", *2 * [((X, (slice(1, None), 0)), {})]) == 1
    assert planned("sum", *2 * [((X,), {"axis": (0, 1)})]) == 1


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("add", ((X, X), {}), ((X, X[:2, :][:1]), {})),
        ("add", ((X, X), {}), ((X, X.astype(np.float32)), {})),
        ("add", ((X, 1), {}), ((X, 1.0), {})),
        ("exp", ((X,), {}), ((np.asfortranarray(X),), {})),
        ("sum", ((X,), {"axis": 0}), ((X,), {"axis": 1})),
        ("sum", ((X,), {"keepdims": True, "axis": 1}), ((X,), {"keepdims": False, "axis": 1})),
        ("getitem", ((X, slice(0, 2)), {}), ((X, slice(0, 3)), {})),
        ("arange", ((2,), {}), ((2.0,), {})),
        ("full", ((2, True), {}), ((2, 1), {})),
        ("tile", ((X, (2, 1)), {}), ((X, (1, 2)), {})),
    ],
)
def test_calls_that_do_not_are_planned_apart(name, one, other):
    assert planned(name, one, other) == 2


def test_a_plan_that_is_kept_does_not_let_a_secret_through():
    meter = Meter()
    x = meter.begin(np.array([0.5, 1.5, 2.5]))
    meter.xp.unstack(meter.put(np.zeros(2)))
    with pytest.raises(FailedError, match="number of results"):
        meter.xp.unstack(x[x > 1.0])


def test_read_only_memory_is_not_taken_for_the_other(monkeypatch):
    meter = Meter()
    x = meter.begin(np.zeros((2, 3)))
    copied = meter.xp.asarray(x, copy=True)
    copied[0, :] = 1.0
    with pytest.raises(ValueError, match="cannot be written to"):
        x[0, :] = 1.0


def test_a_table_of_the_model_is_not_taken_for_a_computed_one():
    meter = Meter({"table": X})
    meter.begin(X)
    index = meter.put(np.array([1]))
    for table in (meter.params["table"], meter.put(X), meter.params["table"]):
        meter.xp.take(table, index, axis=0)
    assert totals(meter.charges())["lookup"] == 1 + 4 + 1


def test_what_has_no_hash_is_refused_as_ever():
    meter = Meter()
    x = meter.begin(X)
    with pytest.raises(TypeError, match="expected axis to be"):
        meter.xp.sum(x, axis={0})


def test_only_so_many_are_kept(monkeypatch):
    monkeypatch.setattr(execution, "_MOST_PLANS", 3)
    planner = Planner()
    for length in range(8):
        planner.plan(RULES["negative"], (np.zeros(length),), {}, secret=False, is_constant=lambda _: False)
        assert len(planner._plans) <= 3


def test_long_calls_are_not_kept():
    assert planned("concat", *2 * [(((X,) * 64,), {})]) == 1
    assert planned("concat", *2 * [(((X,) * 65,), {})]) == 2
    assert planned("broadcast_arrays", *2 * [((X,) * 65, {})]) == 2
    assert planned("zeros", *2 * [((), {"shape": (1,) * 65})]) == 2


def test_kept_plans_charge_every_time():
    meter = Meter()
    x = meter.begin(X)
    for _ in range(3):
        _ = x + 1.0
    assert totals(meter.charges()) == {"add": 36}


@pytest.mark.parametrize("primitive", PRIMITIVES.values(), ids=PRIMITIVES)
def test_a_call_of_a_primitive_is_read_once(monkeypatch, primitive):
    """Its price, its loads and its run take one record, also where its plan is known from before."""
    read = []

    def parse(*given):
        read.append(given)
        return Parser.parse(primitive.parser, *given)

    rule = RULES[primitive.name]
    counted = rule.__class__(**{**vars(rule), "parse": parse})
    monkeypatch.setitem(RULES, primitive.name, counted)
    monkeypatch.setattr(primitive.parser, "parse", parse)
    keywords, arguments, _ = having("prices")[primitive.name][0]
    meter = Meter()
    meter.begin(np.zeros((1, 1)))
    meter.engine.loads.active = True
    put = [meter.put(one) if isinstance(one, np.ndarray) else one for one in arguments]
    for which in ("planned", "known"):
        read.clear()
        meter.xp.call(primitive.name, *put, **keywords)
        assert len(read) == 1, which
