"""A recorded pass, run again from its trace: the same predictions, counts and loads, to the bit."""

from __future__ import annotations

import dataclasses
import json
from types import SimpleNamespace

import numpy as np
import pytest

import sparsebench as sb
from sparsebench import ops
from sparsebench.author.inprocess import LocalModel
from sparsebench.errors import IntegrityError
from sparsebench.evaluate.passes.inputs import Inputs
from sparsebench.evaluate.passes.metering import run_single
from sparsebench.evaluate.replay.tracing import make_trace, replay, run_recorded, trace_path
from sparsebench.meter import Engine
from sparsebench.meter.model_file import hash_of_model
from sparsebench.meter.traces import tape
from sparsebench.meter.traces.trace import Stream
from sparsebench.meter.traces.trace_file import write_trace
from sparsebench.meter.traces.trace_reader import read_trace

CELL = SimpleNamespace(key="c" * 64, task="memorization@1", instance="n256-r4")
X = Inputs(np.random.default_rng(5).normal(size=(20, 4)))
IDS = np.arange(100, 120)
PARAMETERS = {
    "w": np.linspace(-1.0, 1.0, 12).reshape(4, 3),
    "thresholds": np.linspace(-1.0, 1.0, 7),
    "labels": np.arange(8.0),
    "experts": np.arange(8.0).reshape(2, 4).astype(np.float32),
}


class Plain(sb.Submission):
    """Predicts in one part."""

    def fit(self, train, valid, rng):
        return PARAMETERS


class ByBits(Plain):
    """Walks by Python's if, and asks for what differs from input to input."""

    def predict(self, params, x):
        if x[0, 0] > 0.5:
            return x[:, 0] * 2.0
        return params["labels"][:1] if bool(x[0, 1] > 0.0) else x @ params["w"][:, 0] + x[:, 3]


class ByShapes(Plain):
    """Is told how many numbers are positive."""

    def predict(self, params, x):
        xp = x.__array_namespace__()
        kept = x[x > 0.0]
        return xp.sum(kept, keepdims=True) / max(kept.shape[0], 1) if len(kept) > 1 else xp.max(x, axis=1)


class ByConstants(Plain):
    """Makes arrays by itself, writes into one of them, and asks for several at once."""

    def predict(self, params, x):
        xp = x.__array_namespace__()
        table = xp.asarray(np.zeros(3, dtype=np.float32))
        first, second, *_ = xp.unstack(x, axis=1)
        table[1:] = xp.asarray(np.array([2, 3], dtype=np.float32))
        table[0] = xp.astype(second[0], xp.float32)
        return xp.sum(table) + xp.clip(first, -xp.inf, 0.25)


class ByTree(Plain):
    """Shares one stream among all inputs."""

    def predict(self, params, x):
        return ops.gather(ops.tree_route(x[:, 0], params["thresholds"]), params["labels"])


class Router(sb.Router):
    """Routes by the first number; an input in three by another way."""

    def __init__(self, *, gated):
        self.gated = gated

    def fit(self, train, valid, rng):
        return {}

    def route(self, params, x):
        xp = x.__array_namespace__()
        chosen = xp.astype(x[:, :1] > 0.0, xp.int64)
        return sb.Routes(chosen, xp.exp(x[:, :1]) if self.gated else None)


class Experts(sb.Experts):
    """A row of a table for each."""

    def fit(self, train, valid, rng, routes):
        return {}

    def apply(self, params, x, routes):
        xp = x.__array_namespace__()
        taken = xp.take(params["experts"], routes.experts[:, 0], axis=0)
        answer = xp.sum(taken * x, axis=1)
        return answer if routes.gates is None else answer * routes.gates[:, 0]


MODELS = {
    "bits": ByBits(),
    "shapes": ByShapes(),
    "constants": ByConstants(),
    "tree": ByTree(),
    "routed": sb.Routed(Router(gated=False), Experts()),
    "gated": sb.Routed(Router(gated=True), Experts()),
}


def record(submission, x=X):
    """Meter a submission in this process; give what was found, and its trace."""
    engine = Engine()
    single, recorded = run_recorded(LocalModel(submission, engine, PARAMETERS), engine, x)
    assert engine.observers == []
    return single, make_trace(CELL, recorded, single, IDS[: len(x)], PARAMETERS, hash_of_model(PARAMETERS))


def assert_equal(got, want):
    """Two one-by-one passes are equal, to the bit."""
    assert got.ledger == want.ledger
    assert got.total == want.total
    for name in ("predictions", "loaded_parameters", "loaded_bytes"):
        assert getattr(got, name).tobytes() == getattr(want, name).tobytes(), name
    assert {key: value.tolist() for key, value in got.prices.items()} == {
        key: value.tolist() for key, value in want.prices.items()
    }


@pytest.fixture(scope="module", params=MODELS)
def recording(request):
    return MODELS[request.param], *record(MODELS[request.param])


def test_a_replay_is_equal_to_the_bit(recording, tmp_path):
    _, single, trace = recording
    write_trace(tmp_path / "one.sbtrace", trace)
    assert_equal(replay(read_trace(tmp_path / "one.sbtrace"), X), single)


def test_recording_changes_nothing(recording):
    submission, single, _ = recording
    engine = Engine()
    assert_equal(run_single(LocalModel(submission, engine, PARAMETERS), engine, X), single)


def test_what_a_trace_keeps(recording):
    _, single, trace = recording
    assert trace.inputs.id == IDS.tolist()
    assert trace.inputs.prediction == single.predictions.tolist()
    assert trace.inputs.loaded_bytes == single.loaded_bytes.tolist()
    assert list(dict.fromkeys(trace.inputs.stream)) == list(range(len(trace.streams)))
    assert (trace.cell_key, trace.task, trace.instance) == (CELL.key, CELL.task, CELL.instance)


def test_equal_requests_are_kept_once():
    streams = {name: len(record(model)[1].streams) for name, model in MODELS.items()}
    assert {name: streams[name] for name in ("constants", "tree", "routed", "gated")} == dict.fromkeys(
        ("constants", "tree", "routed", "gated"), 1
    )
    assert streams["bits"] == 3
    assert 1 < streams["shapes"] <= 5


def test_inputs_in_another_order_are_another_pass():
    _, trace = record(MODELS["bits"])
    with pytest.raises(IntegrityError, match=r"input 1\d\d: request \d+ \(greater\): bit differs"):
        replay(trace, X[np.arange(20)[::-1]])
    with pytest.raises(IntegrityError, match="trace of cccccccccccc: expected 20 inputs, got 19"):
        replay(trace, X[:-1])


def tampered(trace, change):
    """Give a trace whose streams were changed, as JSON."""
    told = [json.loads(stream.line) for stream in trace.streams]
    change(told)
    return dataclasses.replace(trace, streams=tuple(Stream.parse(json.dumps(stream)) for stream in told))


def flip(streams):
    for stream in streams:
        for request in stream["experts"]:
            if request[0] == "bit":
                request[2] = not request[2]


def longer(streams):
    for stream in streams:
        for request in stream["experts"]:
            if request[0] == "shape":
                request[2][0] += 1


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("bits", flip, r"request \d .*: bit differs"),
        ("shapes", longer, r"request \d+ \(getitem\): shape differs"),
        ("tree", lambda told: told[0]["experts"].pop(), "the answer: expected a result made before"),
        ("tree", lambda told: told[0].update(answer={"p": "w"}), r"predict: expected shape \(n,\)"),
        ("tree", lambda told: told[0].update(answer={"h": 0}), r"predict: expected shape \(n,\)"),
        ("routed", lambda told: told[0].update(routes=[{"h": 0}, None]), "route: expected integer experts"),
        ("routed", lambda told: told[0].update(routes=[{"p": "u"}, None]), "the answer: expected a result"),
        ("gated", lambda told: told[0]["routes"].__setitem__(1, {"p": "w"}), "route: expected gates"),
    ],
)
def test_a_tampered_stream_fails(name, change, message):
    with pytest.raises(IntegrityError, match=rf"^input 1\d\d: .*{message}"):
        replay(tampered(record(MODELS[name])[1], change), X)


def test_other_requests_are_other_counts():
    single, trace = record(MODELS["routed"])
    more = tampered(trace, lambda told: told[0]["experts"].append(["call", "exp", [{"h": 0}], {}]))
    again = replay(more, X)
    assert again.ledger != single.ledger
    assert again.predictions.tolist() == single.predictions.tolist()


def test_another_model_is_another_prediction():
    single, trace = record(MODELS["tree"])
    other = dataclasses.replace(trace, model={**PARAMETERS, "labels": PARAMETERS["labels"] + 1.0})
    again = replay(other, X)
    assert (again.predictions - single.predictions).tolist() == [1.0] * len(X)
    assert again.ledger == single.ledger


def test_a_replay_holds_no_more_than_it_may():
    _, trace = record(MODELS["tree"])
    hungry = tampered(trace, lambda told: told[0]["experts"].insert(0, ["call", "zeros", [[1 << 24]], {}]))
    with pytest.raises(IntegrityError, match=r"request 0 \(zeros\): arrays of too many bytes"):
        replay(hungry, X, memory=1 << 20)


def test_what_a_trace_cannot_hold_has_none(monkeypatch):
    monkeypatch.setattr(tape, "MOST_STREAM_BYTES", 100)
    single, trace = record(MODELS["tree"])
    assert trace is None
    assert_equal(single, record(MODELS["tree"])[0])


def test_a_prediction_may_be_no_number(tmp_path):
    class Odd(Plain):
        def predict(self, params, x):
            xp = x.__array_namespace__()
            return xp.where(x[:, 0] > 0.5, xp.nan, -xp.inf)

    single, trace = record(Odd())
    write_trace(tmp_path / "odd.sbtrace", trace)
    back = read_trace(tmp_path / "odd.sbtrace")
    assert np.array(back.inputs.prediction).tobytes() == single.predictions.tobytes()
    assert_equal(replay(back, X), single)


def test_a_trace_lies_in_its_store(tmp_path):
    assert trace_path(tmp_path, "ab12") == tmp_path / "traces" / "ab12.sbtrace"
