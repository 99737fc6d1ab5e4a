"""Frames on a pipe: round trips, limits, deadlines, and everything that a hostile end may send."""

from __future__ import annotations

import contextlib
import os
import pickle
import struct
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparsebench.errors import RefusedError, TimeLimitError
from sparsebench.meter import Pipe, wire

PLAIN = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text()


@contextlib.contextmanager
def joined(**settings):
    """Two ends: what one sends, the other receives."""
    (read_a, write_b), (read_b, write_a) = os.pipe(), os.pipe()
    a, b = Pipe(read_a, write_a, **settings), Pipe(read_b, write_b)
    try:
        yield a, b
    finally:
        for end in (a, b):
            with contextlib.suppress(OSError):
                end.close()


@given(st.dictionaries(st.text(), PLAIN), st.binary(max_size=200))
def test_frames_come_back(header, payload):
    with joined() as (a, b):
        a.send(header, payload)
        assert b.receive() == (header, payload)


def test_a_frame_larger_than_a_pipe_holds():
    payload = bytes(3 << 20)
    with joined() as (a, b):
        sender = threading.Thread(target=a.send, args=({"n": 1}, payload))
        sender.start()
        assert b.receive() == ({"n": 1}, payload)
        sender.join()


def raw(end, data):
    os.write(end._writes, data)


FRAME = struct.Struct("<IQ")
GARBAGE = [
    b"not json",
    b"[1, 2]",
    b"3",
    b"\xff\xfe\x00",
    b"[" * 100_000,
    b'{"a": ' * 50_000,
    b"1" * 5000,
    pickle.dumps({"call": "add"}),
]


@pytest.mark.parametrize("text", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_is_refused(text):
    with joined() as (a, b):
        sender = threading.Thread(target=raw, args=(b, FRAME.pack(len(text), 0) + text))
        sender.start()
        with pytest.raises(RefusedError, match="not a message"):
            a.receive()
        sender.join()


@pytest.mark.parametrize("lengths", [(1 << 30, 0), (2, 101), (2, 1 << 60)])
def test_oversize_is_refused_before_it_is_read(lengths):
    with joined(limit=100) as (a, b):
        raw(b, FRAME.pack(*lengths) + b"{}")
        with pytest.raises(RefusedError, match="too long"):
            a.receive()


def test_an_oversize_header_without_a_limit():
    with joined() as (a, b):
        raw(b, FRAME.pack(1 << 30, 0))
        with pytest.raises(RefusedError, match="too long"):
            a.receive()


def test_the_end_of_the_other_side():
    with joined() as (a, b):
        raw(b, FRAME.pack(10, 0) + b"{")
        b.close()
        with pytest.raises(EOFError):
            a.receive()
        with pytest.raises(EOFError):
            a.send({})


def test_the_deadline_when_nothing_comes():
    with joined() as (a, _):
        a.set_deadline(time.monotonic() + 0.05)
        with pytest.raises(TimeLimitError):
            a.receive()


def test_the_deadline_when_nobody_reads():
    with joined() as (a, _):
        a.set_deadline(time.monotonic() + 0.05)
        with pytest.raises(TimeLimitError):
            a.send({}, bytes(1 << 20))


def test_the_deadline_when_the_other_end_never_stops():
    with joined() as (a, b):
        for _ in range(3):
            b.send({"n": 1})
        a.set_deadline(time.monotonic() + 60)
        assert a.receive()[0] == {"n": 1}
        a.set_deadline(time.monotonic() - 1)
        with pytest.raises(TimeLimitError):
            a.receive()
        a.set_deadline(None)
        assert a.receive()[0] == {"n": 1}


def test_readiness_that_was_none(monkeypatch):
    """A descriptor may be told ready and have nothing, or no room, after all."""
    with joined() as (a, b):
        a.set_deadline(time.monotonic() + 60)
        calls = {"read": 0, "write": 0}

        def reluctant(name, function):
            def call(*args):
                calls[name] += 1
                if calls[name] % 2:
                    raise BlockingIOError
                return function(*args)

            return call

        monkeypatch.setattr(wire.os, "read", reluctant("read", os.read))
        monkeypatch.setattr(wire.os, "write", reluctant("write", os.write))
        a.send({"n": 1}, b"payload")
        b.set_deadline(time.monotonic() + 60)
        assert b.receive() == ({"n": 1}, b"payload")
        assert min(calls.values()) >= 2


def test_who_is_busy_can_ask_whether_time_is_left():
    (reads, other), writes = os.pipe(), os.open(os.devnull, os.O_WRONLY)
    pipe = Pipe(reads, writes)
    pipe.demand_time()
    pipe.set_deadline(time.monotonic() + 60.0)
    pipe.demand_time()
    pipe.set_deadline(time.monotonic() - 1.0)
    with pytest.raises(TimeLimitError):
        pipe.demand_time()
    pipe.close()
    os.close(other)
