"""Streams: arguments as JSON and back, requests written down and asked again, and what is refused."""

from __future__ import annotations

import contextlib
import json
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meter.taped import PARAMETERS, TAG, X, changed, nothing_special, of_every_kind, play, record
from sparsebench.errors import IntegrityError
from sparsebench.meter import Engine, Handle
from sparsebench.meter.engine.values import array_hash
from sparsebench.meter.traces import tape
from sparsebench.meter.traces.trace import Stream, pack, unpack
from sparsebench.meter.values import DTYPES

INTEGERS = st.integers(-(2**63), 2**64 - 1)
BOUNDS = st.none() | INTEGERS
ARGUMENTS = st.recursive(
    st.none()
    | st.booleans()
    | INTEGERS
    | st.floats()
    | st.complex_numbers()
    | st.text()
    | st.builds(Handle, st.integers(0, 2**40))
    | st.builds(slice, BOUNDS, BOUNDS, BOUNDS)
    | st.just(...),
    lambda inner: st.lists(inner, max_size=4).map(tuple),
    max_leaves=10,
)
JSON = st.recursive(
    st.none() | st.booleans() | INTEGERS | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["h", "t", "p", "s", "f", "c", "e", "z"]), inner, max_size=2)
    ),
    max_leaves=8,
)


def shown(array):
    return (array.dtype, array.shape, array.tobytes())


def deep(levels):
    return "[" * levels + "]" * levels


# Arguments ------------------------------------------------------------------------------------------------


@given(ARGUMENTS)
def test_arguments_come_back(argument):
    packed = json.dumps(pack(argument, lambda handle: {"h": handle.number}), allow_nan=False)
    back = unpack(json.loads(packed), lambda name: Handle(name["h"]))
    assert repr(back) == repr(argument)  # which tells -0.0 from 0.0, True from 1, and is alike for NaN


def test_a_dtype_becomes_its_name():
    assert [pack(np.dtype(name), None) for name in DTYPES] == list(DTYPES)
    assert pack((bool, np.float32), None) == ["bool", "float32"]


@given(JSON)
def test_any_json_is_an_argument_or_an_error(value):
    with contextlib.suppress(IntegrityError):
        unpack(value, lambda name: ("array", *name.values()))


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"z": 0},
        *({"h": number} for number in (-1, True, 1.0, "1", None, [])),
        *({"t": number} for number in (1, -1, False, 0.0, "0", None)),
        {"h": 0, "p": "w"},
        {"t": 0, "h": 0},
        {"p": 0},
        *({"s": parts} for parts in ([0, 1], [0, 1, 2, 3], [0, 1, 2.0], [True, None, None], 3)),
        {"s": [0, 1, 2], "e": 0},
        *({"f": text} for text in ("1.0", "NaN", 1.0, None)),
        *({"c": parts} for parts in ([1.0], [1, 2.0], [1.0, {"h": 0}], [1.0, {"f": "x"}], "ab")),
        {"e": 1},
        json.loads(deep(10)),
    ],
    ids=str,
)
def test_what_is_no_argument_is_refused(value):
    with pytest.raises(IntegrityError, match=r"expected (an argument|a real number), got something else"):
        unpack(value, lambda name: 1.0)


def test_a_hash_tells_dtypes_shapes_and_values_apart():
    arrays = [
        *(np.zeros(shape, dtype) for shape in ((), (1,), (2,), (1, 2), (2, 1)) for dtype in DTYPES),
        *(np.array([0.0, value]) for value in (-0.0, 1.0, np.nan)),
    ]
    assert len({array_hash(array) for array in arrays}) == len(arrays)
    grid = np.arange(6.0).reshape(2, 3)
    assert array_hash(grid.T) == array_hash(np.ascontiguousarray(grid.T))


# Streams --------------------------------------------------------------------------------------------------


def test_a_stream_is_its_line():
    stream, *_ = record()
    assert Stream.parse(stream.line) == stream
    assert "\n" not in stream.line
    assert stream.line.isascii()


@settings(max_examples=200)
@given(st.data())
def test_damaged_lines_are_streams_or_errors(data):
    line = record(nothing_special)[0].line
    place = data.draw(st.integers(0, len(line)))
    rest = place + data.draw(st.integers(0, 9))
    put = data.draw(st.text(st.sampled_from('{}[]",:0h'), max_size=3))
    with contextlib.suppress(ValueError, IntegrityError):
        play(Stream.parse(f"{line[:place]}{put}{line[rest:]}"), {})


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "Expecting value"),
        ("[]", "expected a stream .* got list"),
        ('{"router":null}', r"expected a stream .* got \['router'\]"),
        ('{"router":NaN,"routes":null,"experts":[],"answer":{"h":0}}', "expected JSON, got NaN"),
        ('{"router":null,"routes":null,"experts":[],"answer":{"h":-1}}', "expected lists of requests"),
        ('{"router":null,"routes":[{"h":0},null],"experts":[],"answer":{"h":0}}', "expected lists"),
        ('{"router":[],"routes":null,"experts":[],"answer":{"h":0}}', "expected lists"),
        ('{"router":[],"routes":[{"h":0}],"experts":[],"answer":{"h":0}}', "expected lists"),
        ('{"router":[],"routes":[{"h":0},1],"experts":[],"answer":{"h":0}}', "expected lists"),
        ('{"router":[],"routes":[null,null],"experts":[],"answer":{"h":0}}', "expected lists"),
        ('{"router":null,"routes":null,"experts":{},"answer":{"h":0}}', "expected lists"),
    ],
)
def test_other_lines_are_no_streams(line, message):
    with pytest.raises(ValueError, match=message):
        Stream.parse(line)


@pytest.mark.parametrize(
    "request_",
    [
        None,
        [],
        ["call"],
        ["call", "add", [], []],
        ["call", "add", {}, {}],
        ["call", 1, [], {}],
        ["eval", "add", [], {}],
        ["constant", "00", "float16", [1]],
        ["constant", "00", "object", [1]],
        ["constant", "00", "float64", [-1]],
        ["constant", "00", "float64", [True]],
        ["constant", "00", "float64", [1] * 65],
        ["constant", "00", "float64", [2**63]],
        ["constant", "00", "float64", 1],
        ["constant", 0, "float64", [1]],
        ["bit", {"h": 0}, 1],
        ["bit", 0, True],
        ["shape", {"h": 0}, [1.0]],
        ["shape", {"s": 0}, [1]],
    ],
    ids=str,
)
def test_other_requests_are_refused(request_):
    told = {
        "router": None,
        "routes": None,
        "experts": [["bit", {"h": 0}, True], request_],
        "answer": {"h": 0},
    }
    with pytest.raises(ValueError, match="request 1: expected a call, a constant, a bit or a shape"):
        Stream.parse(json.dumps(told))


# Recording and replaying ----------------------------------------------------------------------------------


def test_every_kind_of_request_is_asked_again():
    stream, taped, meter = record()
    assert {what for what, *_ in stream.requests} == {"call", "constant", "bit", "shape"}
    engine, answer, routes = play(stream, taped.constants)
    assert shown(answer) == shown(meter.get(meter.answer))
    assert list(engine.ledger) == list(meter.engine.ledger)
    assert engine.bits_revealed == meter.engine.bits_revealed > 0
    assert engine.loads.elements() == meter.engine.loads.elements() > 0
    assert engine.loads.nbytes() == meter.engine.loads.nbytes()
    assert routes is None


@pytest.mark.parametrize("gated", [True, False])
def test_router_and_experts_keep_their_phases(gated):
    def route(xp, params, x):
        chosen = xp.astype(x[:, :1] > 0.0, xp.int64)
        return chosen, x[:, :1] if gated else None

    stream, taped, meter = record(nothing_special, route=route)
    engine, answer, routes = play(stream, taped.constants)
    assert {entry.phase for entry in engine.ledger} == {"router", "experts"}
    assert list(engine.ledger) == list(meter.engine.ledger)
    assert shown(answer) == shown(meter.get(meter.answer))
    assert routes[0].tolist() == [[1]]
    assert (routes[1] is not None) == gated


def by_tag(xp, params, x, tag):
    """Ask about the tag in every way there is."""
    side = 1.0 if tag == 3 else 0.0
    return params["b"][tag - 2] + xp.astype(xp.stack([tag, tag])[0], xp.float64) * side


def test_a_tag_is_named_beside_the_input_and_numbers_no_result():
    stream, taped, meter = record(by_tag, tag=TAG)
    assert '{"t":0}' in stream.line
    engine, answer, _ = play(stream, taped.constants, tag=TAG)
    assert list(engine.ledger) == list(meter.engine.ledger)
    assert answer.tolist() == meter.get(meter.answer).tolist() == [2.0]
    assert record(lambda xp, params, x, tag: x[0], tag=TAG)[0] == record(lambda xp, params, x: x[0])[0]
    assert record(lambda xp, params, x, tag: tag, tag=TAG)[0].answer == {"t": 0}


def test_a_stream_that_asks_for_a_tag_needs_one_and_the_right_one():
    stream, taped, _ = record(by_tag, tag=TAG)
    with pytest.raises(IntegrityError, match=r'request 0 \(equal\): expected a result .* got {"t": 0}'):
        play(stream, taped.constants)
    with pytest.raises(IntegrityError, match=r"request 1 \(equal\): bit differs: expected True, got False"):
        play(stream, taped.constants, tag=TAG - 1)
    with pytest.raises(IntegrityError, match=r"request 1 \(the tag\): bit differs: expected True, got False"):
        play(changed(stream, renamed("bit", {"t": 0})), taped.constants, tag=0 * TAG)


def test_equal_inputs_have_equal_streams_and_arrays_are_kept_once():
    def twice(xp, params, x):
        return xp.asarray(np.array([1.0])) + xp.asarray(np.array([1.0]))

    stream, taped, meter = record(twice)
    assert len(taped.constants) == 1
    given = meter.begin(X + 1.0)
    taped.begin(given.handle)
    again = twice(meter.xp, meter.params, given)
    assert taped.end(again.handle) == stream.line


def test_an_array_of_another_byte_order_is_kept_as_the_engine_keeps_it():
    swapped = np.array([1.0, 2.0], dtype=">f8")
    stream, taped, meter = record(lambda xp, params, x: xp.asarray(swapped))
    _, answer, _ = play(stream, taped.constants)
    assert shown(answer) == shown(meter.get(meter.answer)) == shown(np.array([1.0, 2.0]))


def test_what_is_written_into_is_not_the_array_of_the_trace():
    stream, taped, _ = record()
    (kept,) = taped.constants.values()
    play(stream, taped.constants)
    assert kept.tolist() == [3.0, 4.0, 5.0]


def test_arrays_that_are_needed_no_more_are_dropped():
    def chain(xp, params, x):
        wide = xp.broadcast_to(x[:, :1], (1, 1000))
        for _ in range(50):
            wide = wide + xp.zeros(1000)  # 16 kB
        return wide[0]

    stream, taped, _ = record(chain)
    assert play(stream, taped.constants)[0].memory.peak < 6 * 16_000


def test_a_parameter_may_be_the_answer():
    stream, *_ = record(lambda xp, params, x: params["b"])
    assert stream.answer == {"p": "b"}
    assert play(stream, {})[1].tolist() == PARAMETERS["b"].tolist()


@pytest.mark.parametrize(
    ("limit", "most"),
    [("MOST_STREAM_BYTES", 300), ("MOST_STREAM_BYTES", 45), ("MOST_CONSTANT_BYTES", 23)],
)
def test_a_full_tape_writes_nothing_more(monkeypatch, limit, most):
    monkeypatch.setattr(tape, limit, most)
    line, taped, meter = record()
    assert (line, taped.full) == ("", True)
    taped.begin(meter.begin(X).handle)
    assert taped.end(Handle(0)) == ""


def test_a_tape_is_filled_by_different_streams_only(monkeypatch):
    stream, *_ = record(nothing_special)
    monkeypatch.setattr(tape, "MOST_STREAM_BYTES", len(stream.line) + 1)
    again, taped, meter = record(nothing_special)
    assert (again, taped.full) == (stream, False)
    for program, full in ((nothing_special, False), (lambda xp, params, x: x[0], True)):
        given = meter.begin(X)
        taped.begin(given.handle)
        taped.end(program(meter.xp, meter.params, given).handle)
        assert taped.full == full


# Tampering ------------------------------------------------------------------------------------------------


def place_of(stream, what):
    return next(place for place, request in enumerate(stream.experts) if what in request)


def told(what, value):
    def change(stream):
        stream["experts"][place_of(Stream(**stream), what)][2] = value

    return change


def arguments(what, *args, **kwargs):
    def change(stream):
        stream["experts"][place_of(Stream(**stream), what)][2:] = [list(args), kwargs]

    return change


def renamed(what, name):
    def change(stream):
        stream["experts"][place_of(Stream(**stream), what)][1] = name

    return change


def nested(stream):
    value = 1.0
    for _ in range(300):
        value = {"c": [value, 1.0]}
    stream["experts"][1][2][0] = value


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (told("bit", True), r"request 11 \(greater\): bit differs: expected True, got False"),
        (told("shape", [2]), r"request 12 \(getitem\): shape differs: expected \[2\], got \[3\]"),
        (renamed("bit", {"h": 99}), r"request 11 \(99\): expected a result made before, .* got {\"h\": 99}"),
        (renamed("bit", {"p": "v"}), r"request 11 \(v\): expected a result .* got {\"p\": \"v\"}"),
        (renamed("bit", {"p": "w"}), r"request 11 \(w\): the meter could not do it: ValueError"),
        (renamed("bit", {"h": 2}), r"request 11 \(matmul\): the meter could not do it: ValueError"),
        (renamed("shape", {"h": 0}), r"request 12 \(the input\): shape differs"),
        (arguments("add", {"h": 12}, 1.0), r"request 2 \(add\): expected a result made before"),
        (arguments("add", {"p": "v"}, 1.0), r"request 2 \(add\): expected a result made before"),
        (arguments("add", {"z": 0}, 1.0), r"request 2 \(add\): expected an argument"),
        (arguments("add", {"h": 0}), r"request 2 \(add\): the meter could not do it: TypeError"),
        (
            arguments("add", {"h": 0}, 1.0, out=1),
            r"request 2 \(add\): add: got an unexpected keyword argument 'out'",
        ),
        (arguments("getitem", {"h": 0}, 9), r"request 3 \(getitem\): "),
        (renamed("unstack", "os.system"), r"request 4 \(os.system\): os.system has no price"),
        (renamed("unstack", "eval"), r"request 4 \(eval\): eval has no price"),
        (renamed("constant", "00"), r"request 0 \(constant\): the meter could not do it: KeyError"),
        (lambda stream: stream.update(answer={"h": 99}), "the answer: expected a result made before"),
        (lambda stream: stream["experts"].pop(1), r"input 7: request"),
        (nested, r"request 1 \(matmul\): expected a real number"),
    ],
)
def test_a_tampered_stream_fails(change, message):
    stream, taped, _ = record(of_every_kind)
    with pytest.raises(IntegrityError, match=message) as caught:
        play(changed(stream, change), taped.constants)
    assert caught.value.what.startswith("input 7: ")
    assert caught.value.help == "evaluate the cell again with --traces"
    assert not re.search("76|-1.5", caught.value.what)  # neither the answer nor an input


def test_what_is_nested_as_deep_as_json_goes_fails():
    line = f'{{"router":null,"routes":null,"experts":[["call","add",{deep(900)},{{}}]],"answer":{{"h":0}}}}'
    with pytest.raises(IntegrityError, match=r"request 0 \(add\): expected an argument"):
        play(Stream.parse(line), {})


def test_a_missing_route_fails():
    stream, *_ = record(nothing_special, route=lambda xp, params, x: (x, None))
    with pytest.raises(IntegrityError, match="input 7: the answer: expected a result made before"):
        play(changed(stream, lambda told: told["routes"].__setitem__(1, {"h": 50})), {})


def test_memory_and_requests_are_limited():
    def hungry(stream):
        stream["experts"][1][1:] = ["zeros", [[1 << 22]], {}]

    stream, taped, _ = record()
    with pytest.raises(IntegrityError, match=r"request 1 \(zeros\): arrays of too many bytes at once"):
        play(changed(stream, hungry), taped.constants)


def test_a_player_names_no_array_of_another_batch():
    stream, *_ = record(nothing_special)
    engine = Engine()
    engine.add_parameters(PARAMETERS)
    x = engine.begin(X, inputs=1).handle
    engine.begin(X, inputs=1)
    player = tape.Player(engine, stream, {}, x, "input 7")
    with pytest.raises(IntegrityError, match="an array of an earlier call was used"):
        player.play("experts")
