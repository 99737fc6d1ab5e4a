"""Whatever comes over the pipe, the meter answers or the cell ends: no crash, no memory beyond the limit."""

from __future__ import annotations

import inspect
import json
import os
import pickle
import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sparsebench.errors import CellError, RefusedError
from sparsebench.meter import Engine, Handle, Pipe, answer
from sparsebench.meter.engine.engine import MOST_CONSTANTS, MOST_REQUESTS
from sparsebench.meter.rules import REFUSED, RULES
from sparsebench.meter.values import DTYPES
from sparsebench.ops.charges import KINDS

LIMIT = 4 << 20
ROWS = np.arange(12.0).reshape(4, 3)

numbers = st.one_of(
    st.integers(-3, 5),
    st.sampled_from([-(2**63), 2**31, 2**53, 2**62, 2**63 - 1, 2**64, 10**30]),
    st.floats(),
)
texts = st.one_of(st.text(max_size=5), st.sampled_from([*DTYPES, "object", "V8", "xy", "left", "ij,jk->ik"]))
handles = st.one_of(st.integers(-2, 9), st.sampled_from([10**6, 2**63])).map(lambda number: {"h": number})
slices = st.lists(st.one_of(st.none(), numbers), min_size=2, max_size=4).map(lambda parts: {"s": parts})
plain = st.one_of(st.none(), st.booleans(), numbers, texts)
odd = st.sampled_from([{"e": 0}, {"c": [1.0, 2.0]}, {"c": [1]}, {"h": "x"}, {"h": 1.5}, {"z": 0}, {}])
values = st.recursive(
    st.one_of(plain, handles, slices, odd), lambda inner: st.lists(inner, max_size=4), max_leaves=6
)
likely = st.one_of(handles, handles, handles, values)  # calls that get far are made of handles
calls = st.fixed_dictionaries(
    {
        "call": st.one_of(st.sampled_from([*RULES, *REFUSED]), st.text(max_size=8)),
        "args": st.lists(likely, max_size=4),
        "kwargs": st.dictionaries(
            st.sampled_from(["axis", "dtype", "keepdims", "levels", "shape", "out", "n", "k", "side"]),
            values,
            max_size=2,
        ),
    }
)
requests = st.one_of(
    calls,
    st.fixed_dictionaries({"bit": st.one_of(st.integers(-2, 9), values)}),
    st.fixed_dictionaries({"shape": st.one_of(st.integers(-2, 9), values)}),
    st.fixed_dictionaries({"constant": st.tuples(texts, st.lists(numbers, max_size=3)).map(list)}),
    st.fixed_dictionaries({"free": values}),
    st.dictionaries(st.text(max_size=6), values, max_size=3),
)


@pytest.mark.no_cover
@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(requests, st.binary(max_size=16)), min_size=1, max_size=6))
@example([({"call": "zeros", "args": [[2**62, 2**62]], "kwargs": {}}, b"")])
@example([({"call": "zeros", "args": [[-1]], "kwargs": {}}, b"")])
@example([({"call": "reshape", "args": [{"h": 2}, [-3]], "kwargs": {}}, b"")])
@example([({"call": "broadcast_to", "args": [{"h": 2}, [2**40, 4, 3]], "kwargs": {}}, b"")])
@example([({"call": "repeat", "args": [{"h": 2}, 2**62], "kwargs": {}}, b"")])
@example([({"call": "linspace", "args": [0.0, 1.0, 2**60], "kwargs": {}}, b"")])
@example([({"call": "arange", "args": [1e300], "kwargs": {}}, b"")])
@example([({"call": "arange", "args": [float("nan")], "kwargs": {}}, b"")])
@example([({"call": "eye", "args": [2**40, 2**40], "kwargs": {}}, b"")])
@example([({"call": "matmul", "args": [{"h": 0}, {"h": 1}], "kwargs": {}}, b"")] * 6)
@example([({"constant": ["float64", [2**61]]}, b"")])
@example([({"constant": ["float64", [-1]]}, b"")])
@example([({"constant": ["object", [1]]}, pickle.dumps(ValueError)[:8])])
def test_any_request_is_answered_or_ends_the_cell(asked):
    engine = Engine(memory_limit=LIMIT)
    engine.add_parameters({"w": np.ones((3, 2)), "table": np.arange(6)})
    engine.begin(ROWS, inputs=len(ROWS))
    tracemalloc.start()
    try:
        for request, payload in asked:
            try:
                reply = answer(engine, request, payload)
            except CellError:
                break
            assert set(reply) in ({"ok"}, {"raise", "text"}, {"raise", "text", "help"})
            json.dumps(reply)
            assert engine.memory.held <= LIMIT
        assert tracemalloc.get_traced_memory()[1] < 4 * LIMIT
    finally:
        tracemalloc.stop()
    assert all(kind in KINDS and amount >= 0 for _, kind, _, amount in engine.ledger)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
@example(pickle.dumps({"call": "add"}))
def test_any_bytes_are_a_message_or_refused(garbage):
    """Nothing is ever unpickled: bytes are JSON in a frame, or refused."""
    reads, writes = os.pipe()
    pipe = Pipe(reads, writes, limit=1 << 16)
    try:
        os.write(writes, garbage)
        os.close(writes)
        with pytest.raises((RefusedError, EOFError)):
            _receive_all(pipe)
    finally:
        os.close(reads)


def _receive_all(pipe):
    while True:
        header, _ = pipe.receive()
        assert isinstance(header, dict)


def test_nothing_in_the_meter_knows_pickle():
    """The protocol must not be able to unpickle, by whatever way."""
    from pathlib import Path

    import sparsebench.meter

    for path in Path(sparsebench.meter.__file__).parent.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        for word in ("import pickle", "marshal", "allow_pickle=True", "eval(", "exec("):
            assert word not in text, f"{path.name}: {word}"


def test_handles_of_another_cell_name_nothing():
    mine, other = Engine(), Engine()
    mine.begin(ROWS, inputs=4)
    other.add_parameters({f"p{n}": np.ones(2) for n in range(5)})
    foreign = other.begin(ROWS, inputs=4).handle.number
    with pytest.raises(RefusedError, match="earlier call"):
        answer(mine, {"call": "negative", "args": [{"h": foreign}], "kwargs": {}}, b"")
    with pytest.raises(RefusedError, match="earlier call"):
        answer(mine, {"shape": 0}, b"")


def test_a_million_requests_are_too_many():
    """At a lower limit here; at this one where an attack asks so often."""
    assert inspect.signature(Engine).parameters["request_limit"].default == MOST_REQUESTS == 1 << 20
    engine = Engine(request_limit=10_000)
    number = engine.begin(ROWS, inputs=4).handle.number
    for _ in range(10_000):
        engine.reveal_shape(Handle(number))
    for request in (
        {"shape": number},
        {"bit": number},
        {"call": "negative", "args": [{"h": number}], "kwargs": {}},
    ):
        with pytest.raises(RefusedError, match="more than 10,000 requests"):
            answer(engine, request, b"")
    engine.begin(ROWS, inputs=4)
    assert answer(engine, {"constant": ["int8", [1]]}, b"\x01")["ok"]


def test_constants_without_end_are_refused():
    engine = Engine()
    engine.begin(ROWS, inputs=4)
    for number in range(MOST_CONSTANTS):
        engine.constant(np.array(number))
        engine.free([number + 1])
    with pytest.raises(RefusedError, match="different arrays"):
        engine.constant(np.array(-1))


def test_empty_arrays_take_memory_too():
    engine = Engine(memory_limit=1 << 16)
    engine.begin(ROWS, inputs=4)
    with pytest.raises(CellError, match="too many bytes"):
        _make_empty_arrays(engine, 1000)


def _make_empty_arrays(engine, count):
    for _ in range(count):
        engine.call("zeros", (0,), {})
