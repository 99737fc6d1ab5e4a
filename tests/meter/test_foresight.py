"""Answers that are foreseen: the same counts, values and descriptions, in fewer round trips."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparsebench import ops
from sparsebench.errors import CellError, FailedError, RefusedError, TimeLimitError
from sparsebench.meter import Description, Engine, InProcess, Ledger, MeteredNamespace, OverPipe, answer
from sparsebench.meter.client import foresight as module
from sparsebench.meter.client.transport import place_of

PARAMS = {"w": np.arange(12.0).reshape(3, 4) - 5.0, "table": np.arange(8.0)}
ROWS = np.random.default_rng(3).standard_normal((12, 1, 3))


class Direct:
    """A pipe to an engine in the same thread; counts the frames."""

    def __init__(self, engine):
        self.engine, self.frames, self.fatal, self.reply = engine, 0, None, None

    def send(self, header, payload=b""):
        self.frames += 1
        places = []
        try:
            self.reply = answer(self.engine, json.loads(json.dumps(header)), payload, before=places.append)
        except CellError as error:
            self.fatal = error
            self.reply = {"raise": "ValueError", "text": error.what, "at": places[-1]}

    def receive(self):
        return json.loads(json.dumps(self.reply)), b""


class Ran(NamedTuple):
    """What a program gave for an input."""

    y: np.ndarray
    ledger: Ledger
    told: Description
    frames: int


class Client:
    """A client over a pipe that may foresee, or one in the process."""

    def __init__(self, *, piped=True):
        self.engine = Engine()
        self.pipe = Direct(self.engine)
        self.way = OverPipe(self.pipe) if piped else None
        self.xp = MeteredNamespace(self.way or InProcess(self.engine))
        told = self.engine.add_parameters(PARAMS)
        if self.way:
            self.way.foresight.hold(told.values())
        self.params = {name: self.xp.wrap(about) for name, about in told.items()}

    def run(self, program, rows):
        given_ = self.engine.begin(rows, inputs=len(rows))
        if self.way:
            self.way.foresight.begin("predict", [given_], self.engine.upcoming)
        before = self.pipe.frames
        y = program(self.xp, self.params, self.xp.wrap(given_))
        if self.way:
            self.way.settle()
        told = y._about  # to ask for a shape may cost something
        assert told[:3] == self.engine.describe(y.handle)[:3]
        return Ran(self.engine.value(y.handle).copy(), self.engine.ledger, told, self.pipe.frames - before)


def compare(one, other):
    """The same answer, counts and description, number and all."""
    np.testing.assert_array_equal(one.y, other.y)
    assert one.ledger == other.ledger
    assert one.told == other.told


def straight(xp, params, x):
    hidden = xp.maximum(x @ params["w"], 0.0)[:, ::2]
    values, index = ops.top_k(hidden, 1)
    picked = ops.gather(index[:, 0], params["table"])
    return picked + values[:, 0] * np.float32(2.0) + xp.asarray([1.5])


def branching(xp, params, x):
    y = x @ params["w"]
    while xp.any(y > 3.0):
        y = y / 2.0
    chosen = y[y > 0.0]
    if xp.sum(y) > 0.0:
        chosen = chosen * 2.0
    return xp.sum(chosen, keepdims=True) if chosen.shape[0] else xp.zeros(1)


@pytest.mark.parametrize("program", [straight, branching])
def test_inputs_cost_and_give_what_they_do_without(program):
    foreseen, plain = Client(), Client(piped=False)
    for row in ROWS:
        compare(foreseen.run(program, row), plain.run(program, row))


def test_what_was_asked_before_is_one_frame():
    client = Client()
    frames = [client.run(straight, row).frames for row in ROWS]
    assert frames[0] > 8
    assert set(frames[1:]) == {1}


def test_only_what_values_decide_is_waited_for():
    client = Client()
    for row in ROWS:
        client.run(branching, row)
    frames = client.run(branching, ROWS[0]).frames
    assert 1 < frames <= 1 + client.engine.bits_revealed


def test_batches_of_other_lengths_have_other_answers():
    client, plain = Client(), Client(piped=False)
    for n in (3, 5, 3, 5, 1):
        rows = np.concatenate(list(ROWS[:n]))
        compare(client.run(straight, rows), plain.run(straight, rows))


def test_numbers_that_look_alike_are_not_taken_for_another():
    """True == 1 == 1.0, but x * 1 and x * 1.0 have other dtypes; so have an axis and a length of one."""
    client, plain = Client(), Client(piped=False)
    for factor in (1, 1.0, 1, 1.0, 1j):
        multiply = lambda xp, _, __, by=factor: xp.ones(1, dtype=xp.int8) * by  # noqa: E731
        compare(client.run(multiply, ROWS[0]), plain.run(multiply, ROWS[0]))
    for index in (0, slice(0, 1), (0, slice(0, 1)), (0,), 0, None):
        look = lambda _, __, x, at=index: x[at]  # noqa: E731
        compare(client.run(look, ROWS[0]), plain.run(look, ROWS[0]))


def _longer(xp, _, y):
    return xp.reshape(xp.broadcast_to(xp.sum(y), (y.shape[0] + 1, 1)), (-1,))


def _written(xp, _, y):
    y = xp.asarray(y, copy=True)
    y[:1] = 1.0
    return y


STEPS = {
    "add": lambda _, params, y: y + params["table"][:1],
    "constant": lambda _, __, y: y * np.array([2.0]),
    "half": lambda _, __, y: y / 2,
    "if": lambda xp, _, y: -y if xp.any(y > 1.0) else xp.concat([y, y]),
    "mask": lambda _, __, y: y[y > 0.0],
    "matmul": lambda xp, params, y: (xp.broadcast_to(xp.sum(y), (3,)) @ params["w"])[1:],
    "shape": _longer,
    "several": lambda xp, _, y: xp.broadcast_arrays(y, y * 3.0)[1],
    "write": _written,
}
MADE = st.lists(st.tuples(st.sampled_from(sorted(STEPS)), st.booleans()), min_size=1, max_size=8)


def made_of(steps):
    def program(xp, params, x):
        y, kept = x[0, :], []
        for step, keeps in steps:
            kept = [*kept, y] if keeps else []
            y = STEPS[step](xp, params, y)
        return y

    return program


@pytest.mark.no_cover
@settings(max_examples=150, deadline=None)
@given(
    programs=st.lists(MADE, min_size=1, max_size=3),
    order=st.lists(st.integers(0, 35), min_size=3, max_size=9),
)
def test_any_program_costs_and_gives_what_it_does_without(programs, order):
    """Also where not all inputs go through one program: what is foreseen follows from what was asked."""
    foreseen, plain = Client(), Client(piped=False)
    for number in order:
        program, row = made_of(programs[number % len(programs)]), ROWS[number // 3]
        compare(foreseen.run(program, row), plain.run(program, row))


def test_what_is_remembered_has_an_end(monkeypatch):
    monkeypatch.setattr(module, "MOST_STEPS", 20)
    client, plain = Client(), Client(piped=False)
    for _ in range(2):
        for n in range(1, 12):
            rows = np.concatenate(list(ROWS[:n]))
            compare(client.run(straight, rows), plain.run(straight, rows))
    assert client.way.foresight._steps >= 20


def test_new_parameters_are_new_ways():
    client = Client()
    client.run(straight, ROWS[0])
    client.way.foresight.hold(client.engine.parameters.values())
    assert client.run(straight, ROWS[1]).frames > 8


def far(xp, params, x):
    index = ops.quantize(x[:, 0], levels=9)
    picked = ops.gather(index, params["table"])  # where it goes wrong
    return picked + 1.0


def test_an_error_of_a_value_is_told_with_where_it_was_asked_for():
    client = Client()
    client.run(far, np.full((1, 3), 2.0))
    with pytest.raises(ValueError, match="out of range") as caught:
        client.run(far, np.full((1, 3), 8.5))
    assert type(client.pipe.fatal) is FailedError
    place = place_of(caught.value)
    assert (place.filename, place.name) == (__file__, "far")
    assert "where it goes wrong" in Path(__file__).read_text(encoding="utf-8").splitlines()[place.lineno - 1]


def test_an_error_that_was_waited_for_has_its_place_already():
    client = Client()
    with pytest.raises(ValueError, match="out of range") as caught:
        client.run(far, np.full((1, 3), 8.5))
    assert place_of(caught.value) is None


def test_after_a_caught_error_nothing_is_foreseen():
    def program(xp, params, x):
        y = x + 1.0
        with pytest.raises(ValueError, match="shape"):
            y + xp.zeros(7)
        return y * 2.0

    client, plain = Client(), Client(piped=False)
    for row in ROWS[:3]:
        compare(client.run(program, row), plain.run(program, row))


def test_large_constants_do_not_pile_up():
    def program(xp, _, x):
        total = xp.sum(x)
        for number in range(4):
            total = total + xp.sum(xp.asarray(np.full(1 << 17, number / 8)))
        return xp.reshape(total, (1,))

    client, plain = Client(), Client(piped=False)
    for row in ROWS[:3]:
        compare(client.run(program, row), plain.run(program, row))
    assert 1 < client.run(program, ROWS[3]).frames < 6


BAD = [
    {"batch": []},
    {"batch": {}},
    {"batch": [1]},
    {"batch": [{"batch": []}]},
    {"batch": [{"batch": [{"bit": 0}]}]},
    {"batch": [{"bit": 0, "bytes": -1}]},
    {"batch": [{"bit": 0, "bytes": 1.5}]},
    {"batch": [{"bit": 0, "bytes": True}]},
    {"batch": [{"constant": ["float64", [1]], "bytes": 9}]},
    {"batch": [{"constant": ["float64", [1]], "bytes": 2**70}]},
]


@pytest.mark.parametrize("frame", BAD)
def test_batches_that_are_none_end_the_cell(frame):
    engine = Engine()
    engine.begin(ROWS[0], inputs=1)
    with pytest.raises(RefusedError):
        answer(engine, frame, bytes(8))


def test_nothing_of_a_batch_is_done_after_what_fails():
    engine = Engine()
    x = {"h": engine.begin(ROWS[0], inputs=1).handle.number}
    add = {"call": "add", "args": [x, 1.0], "kwargs": {}}
    reply = answer(engine, {"batch": [add, {"call": "add", "args": [x], "kwargs": {}}, add]}, b"")
    assert (reply["raise"], reply["at"]) == ("TypeError", 1)
    assert engine.ledger.count("add") == 3


def test_the_time_may_end_within_a_batch():
    def before(place):
        if place == 2:
            raise TimeLimitError("late")

    engine = Engine()
    add = {"call": "add", "args": [{"h": engine.begin(ROWS[0], inputs=1).handle.number}, 1.0], "kwargs": {}}
    with pytest.raises(TimeLimitError):
        answer(engine, {"batch": [add] * 4}, b"", before=before)
    assert engine.ledger.count("add") == 6


def test_what_is_done_in_two_parts_is_one_way():
    """Experts may use what their router has made: what is answered there follows from what was done here."""
    client = Client()
    kept = []

    def route(xp, params, x):
        y = x @ params["w"]
        kept.append(y[y > 0.0] if xp.any(x > 1.0) else y)
        return ops.quantize(x[:, :1], levels=2)

    def apply(xp, params, x, experts):
        return xp.sum(xp.reshape(kept.pop(), (1, -1)), axis=1) + ops.gather(experts[:, 0], params["table"])

    frames = []
    for row in [*ROWS, *ROWS]:
        x = client.engine.begin(row, inputs=1)
        client.way.foresight.begin("route", [x], client.engine.upcoming)
        experts = route(client.xp, client.params, client.xp.wrap(x))
        client.way.settle()
        told = client.engine.describe(experts.handle)
        client.way.foresight.go_on("apply", [x, told, None], client.engine.upcoming)
        before = client.pipe.frames
        y = apply(client.xp, client.params, client.xp.wrap(x), experts)
        client.way.settle()
        frames.append(client.pipe.frames - before)
        hidden = (row @ PARAMS["w"])[0]
        hidden = hidden[hidden > 0.0] if (row > 1.0).any() else hidden
        cell = int(np.clip(np.floor(row[0, 0]), 0, 1))
        np.testing.assert_allclose(client.engine.value(y.handle), [hidden.sum() + PARAMS["table"][cell]])
    assert set(frames[len(ROWS) :]) == {1}


def test_what_waits_can_be_taken_along_or_left():
    client = Client()
    client.run(straight, ROWS[0])
    for way in ("take", "forget"):
        x = client.engine.begin(ROWS[1], inputs=1)
        client.way.foresight.begin("predict", [x], client.engine.upcoming)
        y = straight(client.xp, client.params, client.xp.wrap(x))
        if way == "take":
            frame, payload = client.way.take()
            assert "ok" in answer(client.engine, frame, payload)
            assert client.engine.value(y.handle).shape == (1,)
            assert client.way.take() == ({}, b"")
        else:
            client.way.forget()
            assert client.way.take() == ({}, b"")
            assert not client.way.foresight.foresees(client.way.foresight.key("add", (), {}))


def test_what_is_no_argument_is_refused_at_once():
    def program(xp, _, x):
        y = x + 1.0
        with pytest.raises(TypeError, match="got dict"):
            xp.sum(y, axis={})
        return y

    client = Client()
    for row in ROWS[:2]:
        assert client.run(program, row).y.shape == (1, 3)


def test_what_has_no_hash_is_refused_by_the_meter():
    def program(xp, _, x):
        return xp.call("getitem", x + 1.0, slice([0], 1))

    client = Client()
    client.run(lambda _, __, x: x + 1.0, ROWS[0])
    with pytest.raises(ValueError, match="not a message"):
        client.run(program, ROWS[1])
    assert type(client.pipe.fatal) is RefusedError
