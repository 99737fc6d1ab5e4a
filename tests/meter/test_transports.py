"""A client over a pipe and one in this process: the same answers, errors and counts."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparsebench import ops
from sparsebench.errors import CellError, FailedError, RefusedError, UncountedOperationError
from sparsebench.meter import Engine, InProcess, MeteredNamespace, OverPipe, Pipe, answer
from sparsebench.meter.engine.memory import PER_HANDLE
from sparsebench.meter.wire import pack_description
from sparsebench.ops import PRIMITIVES

X = np.random.default_rng(0).standard_normal((6, 3)).astype(np.float32)
PARAMS = {"w": np.ones((3, 4), np.float32), "table": np.arange(8.0), "edges": np.zeros(7, np.float32)}


class Served:
    """An engine that answers in a thread, and a client's end of the pipe to it."""

    def __init__(self, engine):
        self.engine = engine
        self.fatal = None
        (read_a, write_b), (read_b, write_a) = os.pipe(), os.pipe()
        self.server, self.client = Pipe(read_a, write_a), Pipe(read_b, write_b)
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def _serve(self):
        with contextlib.suppress(EOFError):
            while True:
                request, payload = self.server.receive()
                try:
                    reply = answer(self.engine, request, payload)
                except CellError as error:
                    self.fatal = error
                    reply = {"raise": "ValueError", "text": error.what}
                self.server.send(reply)

    def close(self):
        self.client.close()
        self.thread.join()
        self.server.close()


@contextlib.contextmanager
def client(kind):
    engine = Engine()
    served = Served(engine) if kind == "pipe" else None
    xp = MeteredNamespace(OverPipe(served.client) if served else InProcess(engine))
    params = {name: xp.wrap(told) for name, told in engine.add_parameters(PARAMS).items()}
    try:
        yield engine, xp, params, served
    finally:
        del params
        if served:
            served.close()


def program(xp, params, x):
    hidden = xp.maximum(x @ params["w"], 0.0)[:, ::2]
    values, index = ops.top_k(hidden, 1)
    picked = ops.gather(index[:, 0], params["table"])
    leaf = ops.tree_route(x[:, 0], params["edges"])
    y = xp.where(x[:, 1] > 0.0, picked, xp.astype(leaf, xp.float64)) + values[:, 0] * np.float32(2.0)
    y = y + xp.asarray([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    mask = x[:, 2] > 0.0
    out = xp.zeros(x.shape[0], dtype=xp.float64)
    out[mask] = y[mask]
    while xp.any(out > 100.0):
        out = out / 2.0
    return out if x[mask].shape[0] > 1 else -out


def test_both_ways_give_the_same():
    answers, ledgers = [], []
    for kind in ("process", "pipe"):
        with client(kind) as (engine, xp, params, _):
            x = xp.wrap(engine.begin(X, inputs=len(X)))
            y = program(xp, params, x)
            answers.append(engine.value(y.handle).copy())
            ledgers.append(engine.ledger)
    np.testing.assert_array_equal(*answers)
    assert ledgers[0] == ledgers[1]
    assert ledgers[0].count("branch") == 1 + 3


@pytest.mark.parametrize("kind", ["process", "pipe"])
def test_several_results_may_be_none(kind):
    with client(kind) as (_, xp, _, _):
        assert xp.broadcast_arrays() == []
        assert xp.unstack(xp.zeros((0, 2))) == ()


ERRORS = [
    (IndexError, lambda _, x: x[99]),
    (TypeError, lambda xp, x: xp.add(x, None)),
    (ValueError, lambda xp, x: x + xp.zeros(5)),
    (ArithmeticError, lambda xp, x: xp.arange(float("inf"))),
    (UncountedOperationError, lambda xp, x: xp.floor(x)),
    (UncountedOperationError, lambda xp, x: xp.call("no_such_rule", x)),
    (ValueError, lambda _, x: bool(x)),
]


@pytest.mark.parametrize(("kind", "attempt"), ERRORS)
def test_errors_cross_with_their_kind_and_words(kind, attempt):
    told = []
    for way in ("process", "pipe"):
        with client(way) as (engine, xp, _, served):
            x = xp.wrap(engine.begin(X, inputs=len(X)))
            with pytest.raises(kind) as caught:
                attempt(xp, x)
            told.append((str(caught.value), getattr(caught.value, "help", "")))
            assert served is None or served.fatal is None
            assert engine.value((x + 1.0).handle).shape == X.shape
    assert told[0] == told[1]


def test_the_end_of_a_cell_reaches_the_server():
    with client("pipe") as (engine, xp, params, served):
        x = xp.wrap(engine.begin(X, inputs=len(X)))
        with pytest.raises(ValueError, match="out of range"):
            ops.gather(ops.quantize(x[:, 0] * 0.0 + 9.0, levels=10), params["table"])
        assert type(served.fatal) is FailedError


def test_dropped_arrays_are_freed_with_the_next_request():
    with client("pipe") as (engine, xp, _, _):
        x = xp.wrap(engine.begin(np.zeros((1000, 1)), inputs=1))
        held = engine.memory.held
        for _ in range(5):
            y = x + 1.0
            del y
        z = x + 1.0
        assert engine.memory.held == held + 8000 + PER_HANDLE
        del z
        assert engine.value((x[:1]).handle).shape == (1, 1)
        assert engine.memory.held == held + PER_HANDLE


HOSTILE = [
    ({}, RefusedError),
    ({"free": "all"}, RefusedError),
    ({"free": [1.5]}, RefusedError),
    ({"bit": "1"}, RefusedError),
    ({"bit": 10**6}, RefusedError),
    ({"shape": None}, RefusedError),
    ({"shape": True}, RefusedError),
    ({"constant": 3}, RefusedError),
    ({"call": "add"}, RefusedError),
    ({"call": "add", "args": [{"h": 10**9}, 1], "kwargs": {}}, RefusedError),
    ({"call": "add", "args": [{"h": -1}, 1], "kwargs": {}}, RefusedError),
]


@pytest.mark.parametrize(("request_", "error"), HOSTILE)
def test_hostile_requests_end_the_cell(request_, error):
    engine = Engine()
    engine.begin(X, inputs=len(X))
    with pytest.raises(error):
        answer(engine, request_, b"")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("hsex"), inner, max_size=2),
    max_leaves=6,
)


@settings(max_examples=300)
@given(
    name=st.sampled_from(
        [
            "add",
            "sum",
            "getitem",
            "setitem",
            "reshape",
            "concat",
            "arange",
            "astype",
            "zeros",
            "roll",
        ]
    )
    | st.sampled_from(sorted(PRIMITIVES)),
    args=st.lists(JSON | st.just({"h": 0}) | st.just({"h": 1}), max_size=3),
    kwargs=st.dictionaries(st.sampled_from(["axis", "dtype", "out"]), JSON, max_size=1),
)
def test_whatever_is_sent_is_answered_or_ends_the_cell(name, args, kwargs):
    engine = Engine(memory_limit=1 << 20)
    engine.add_parameters({"w": np.arange(3)})
    engine.begin(X, inputs=len(X))
    with contextlib.suppress(CellError):
        reply = answer(engine, {"call": name, "args": args, "kwargs": kwargs}, b"")
        assert set(reply) in ({"ok"}, {"raise", "text"}, {"raise", "text", "help"})


def test_constants_of_hostile_shapes():
    engine = Engine()
    for shape in ([2**70, 0], [2**62, 2, 0]):
        reply = answer(engine, {"constant": ["float32", shape]}, b"")
        assert reply["raise"] in {"ValueError", "ArithmeticError"}


def test_a_reply_that_tells_a_description():
    engine = Engine()
    x = engine.begin(X, inputs=len(X))
    reply = answer(engine, {"call": "add", "args": [{"h": x.handle.number}, 1.0], "kwargs": {}}, b"")
    number, *rest = reply["ok"]
    assert rest == ["float32", 2, [6, 3]]
    assert pack_description(engine.describe(x.handle))[1:] == rest
    assert answer(engine, {"shape": number}, b"") == {"ok": [6, 3]}


def test_round_trip_cost(capsys):
    with client("pipe") as (engine, xp, _, _):
        x = xp.wrap(engine.begin(X[:1], inputs=1))
        start = time.perf_counter()
        for _ in range(200):
            x + 1.0
        each = (time.perf_counter() - start) / 200
    with capsys.disabled():
        sys.stdout.write(f" [{each * 1e6:.0f} µs a round trip over a pipe, two threads]")
    assert each > 0
