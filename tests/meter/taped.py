"""Programs on one input, written down and asked again."""

from __future__ import annotations

import json

import numpy as np

from meter.metered import Meter
from sparsebench.meter import Engine
from sparsebench.meter.traces.tape import Player, Tape
from sparsebench.meter.traces.trace import Stream

X = np.array([[0.5, -1.5, 2.0, 3.0]])
TAG = np.array([3], dtype=np.int64)
PARAMETERS = {"w": np.arange(8.0).reshape(4, 2), "b": np.array([1.0, -1.0])}


def nothing_special(xp, params, x):
    """Two requests."""
    return (x @ params["w"])[:, 0]


def of_every_kind(xp, params, x):
    """Every kind of request and of argument that a stream can hold."""
    table = xp.asarray(np.array([3.0, 4.0, 5.0]))
    first, second = xp.unstack((x @ params["w"] + params["b"])[0])  # several results
    table[0] = first  # no result
    kept = x[0][x[0] > 0.0]  # a secret shape
    if first > second or len(kept) > 2:
        table[..., 1:] = xp.astype(xp.clip(second, -xp.inf, xp.inf), xp.float64)
    odd = xp.real(xp.full((2,), complex(float("nan"), -0.0)))[:1]
    return xp.sum(table, keepdims=True) + xp.where(odd > 0.0, 1.0, 0.0)


def record(program=of_every_kind, *, route=None, x=X, tag=None):
    """Run a program, on a tag too if there is one; give its stream, the tape, and the meter that counted."""
    meter = Meter(PARAMETERS)
    tape = Tape(meter.engine)
    meter.engine.observers.append(tape)
    meter.engine.loads.active = True
    given = [meter.begin(x)]
    if tag is not None:
        given.append(meter.xp.wrap(meter.engine.place(tag)))
    tape.begin(*(one.handle for one in given))
    routes = None
    if route:
        meter.engine.phase = "router"
        routes = route(meter.xp, meter.params, *given)
        meter.engine.phase = "experts"
    meter.answer = program(meter.xp, meter.params, *given)
    named = routes and tuple(None if part is None else part.handle for part in routes)
    line = tape.end(meter.answer.handle, named)
    return line and Stream.parse(line), tape, meter


def play(stream, constants, *, x=X, tag=None, place="input 7"):
    """Ask what a stream says; give the engine, the answer and the routes."""
    engine = Engine(memory_limit=1 << 24)
    engine.add_parameters(PARAMETERS)
    engine.loads.active = True
    given = engine.begin(x, inputs=1).handle
    beside = None if tag is None else engine.place(tag).handle
    player = Player(engine, stream, constants, given, place, beside)
    routes = None
    if stream.router is not None:
        engine.phase = "router"
        player.play("router")
        routes = [part and engine.value(player.handle(part)) for part in stream.routes]
    engine.phase = "experts"
    player.play("experts")
    return engine, engine.value(player.handle(stream.answer)), routes


def changed(stream, change):
    """Give a stream whose JSON was changed."""
    told = json.loads(stream.line)
    change(told)
    return Stream.parse(json.dumps(told))
