"""Files of traces: what is written is what is read, and whatever else is there is an error."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import math
import pickle
import struct
import zipfile

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from meter.taped import PARAMETERS, changed, nothing_special, record
from sparsebench.errors import IntegrityError, UsageError
from sparsebench.meter.engine.values import array_hash
from sparsebench.meter.traces import trace_file
from sparsebench.meter.traces.trace_file import Inputs, Trace, write_trace
from sparsebench.meter.traces.trace_reader import read_trace

PARTS = ("header.json", "inputs.json", "streams.jsonl", "model.safetensors", "constants.safetensors")


def make_trace():
    streams = []
    constants = {}
    for program in (None, nothing_special):
        stream, tape, _ = record(program) if program else record()
        streams.append(stream)
        constants |= tape.constants
    return Trace(
        cell_key="c" * 64,
        task="memorization@1",
        instance="n256-r4",
        model_hash=hashlib.sha256(safetensors.numpy.save(PARAMETERS)).hexdigest(),
        cost_model=1,
        model=PARAMETERS,
        constants=constants,
        streams=tuple(streams),
        inputs=Inputs([5, 0, 9], [0, 1, 0], [0.1, -0.0, math.nan], [13, 4, 13], [104, 32, 104]),
    )


@pytest.fixture(scope="module")
def trace():
    return make_trace()


@pytest.fixture(scope="module")
def whole(trace, tmp_path_factory):
    """The bytes of a file."""
    path = tmp_path_factory.mktemp("traces") / "a.sbtrace"
    assert write_trace(path, trace)
    return path.read_bytes()


@pytest.fixture(scope="module")
def parts(whole):
    """The content of its parts."""
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def refused(tmp_path):
    """Write bytes, and see that they are refused with a message."""

    def call(content, message=None):
        path = tmp_path / "broken.sbtrace"
        path.write_bytes(content)
        with pytest.raises(IntegrityError, match=message) as caught:
            read_trace(path)
        assert caught.value.what.startswith(f"{path}: ")
        assert caught.value.help.startswith("evaluate the cell again with --traces")

    return call


def packed(parts, how=zipfile.ZIP_DEFLATED):
    """Pack parts, given as a dict or as pairs."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", how) as archive:
        for name, part in parts.items() if isinstance(parts, dict) else parts:
            archive.writestr(name, part)
    return content.getvalue()


def like(array):
    return (array.dtype, array.shape, array.tobytes())


# What is written is read ----------------------------------------------------------------------------------


def test_a_trace_comes_back(trace, whole, tmp_path):
    path = tmp_path / "b.sbtrace"
    path.write_bytes(whole)
    back = read_trace(path)
    for name in ("cell_key", "task", "instance", "model_hash", "cost_model", "streams"):
        assert getattr(back, name) == getattr(trace, name)
    assert repr(back.inputs) == repr(trace.inputs)  # -0.0 and NaN as well
    for name in ("model", "constants"):
        want, got = getattr(trace, name), getattr(back, name)
        assert {key: like(array) for key, array in got.items()} == {key: like(a) for key, a in want.items()}
    assert len(trace.constants) == 1


def test_the_same_trace_is_the_same_bytes(trace, whole, tmp_path):
    shuffled = dataclasses.replace(
        make_trace(),
        model=dict(reversed(PARAMETERS.items())),
        constants=dict(reversed(trace.constants.items())),
    )
    write_trace(tmp_path / "again.sbtrace", shuffled)
    assert (tmp_path / "again.sbtrace").read_bytes() == whole
    write_trace(tmp_path / "again.sbtrace", dataclasses.replace(trace, instance="n256-r5"))
    assert (tmp_path / "again.sbtrace").read_bytes() != whole


@pytest.mark.parametrize(
    "array", [np.zeros(()), np.zeros((0, 3), np.int8), np.array([True, False]), np.array([1j, math.nan])]
)
def test_constants_of_any_kind_come_back(trace, array, tmp_path):
    name = array_hash(array)
    stream = changed(
        trace.streams[1],
        lambda told: told["experts"].append(["constant", name, array.dtype.name, list(array.shape)]),
    )
    path = tmp_path / "one.sbtrace"
    inputs = Inputs([1], [0], [0.0], [0], [0])
    write_trace(path, dataclasses.replace(trace, streams=(stream,), constants={name: array}, inputs=inputs))
    assert like(read_trace(path).constants[name]) == like(array)


def test_nothing_of_a_file_is_code(parts):
    assert tuple(parts) == PARTS
    for part in parts.values():
        with pytest.raises((pickle.UnpicklingError, ValueError, EOFError, IndexError, KeyError)):
            pickle.loads(part)


def test_a_model_that_is_too_large_is_not_written(trace, tmp_path, monkeypatch):
    monkeypatch.setattr(trace_file, "MOST_MODEL_BYTES", 64)
    assert not write_trace(tmp_path / "a" / "large.sbtrace", trace)
    assert not list(tmp_path.iterdir())


def test_a_file_that_cannot_be_written_leaves_nothing(trace, tmp_path, monkeypatch):
    (tmp_path / "traces").write_text("a file", encoding="utf-8")
    with pytest.raises(UsageError, match=r"cannot write a trace to .*one\.sbtrace: "):
        write_trace(tmp_path / "traces" / "one.sbtrace", trace)

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    (tmp_path / "old.sbtrace").write_bytes(b"old")
    with pytest.raises(UsageError, match="No space left on device") as caught:
        write_trace(tmp_path / "old.sbtrace", trace)
    assert caught.value.help == "free the space, or evaluate without --traces"
    assert (tmp_path / "old.sbtrace").read_bytes() == b"old"
    assert {path.name for path in tmp_path.iterdir()} == {"traces", "old.sbtrace"}


# Damage ---------------------------------------------------------------------------------------------------


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(IntegrityError, match=r"got a broken file .*No such file"):
        read_trace(tmp_path / "none.sbtrace")


@pytest.mark.parametrize("part", [0.0, 0.001, 0.3, 0.6, 0.9, 0.999])
def test_truncated_files(whole, refused, part):
    refused(whole[: int(len(whole) * part)])


def test_what_follows_or_goes_before(whole, refused):
    refused(whole + b"x", "a plain zip archive")
    refused(whole[:-2] + b"\x05\x00" + b"x" * 5, "a plain zip archive")  # a comment
    refused(b"PK", "expected a zip archive, got 2 bytes")


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_files_with_other_bytes(whole, tmp_path_factory, data):
    content = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "fuzzed.sbtrace"
    path.write_bytes(content)
    try:
        trace = read_trace(path)
    except IntegrityError:
        return
    assert trace.cell_key == "c" * 64  # a date or an attribute of the archive


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(name=st.sampled_from(PARTS), data=st.data())
@example(name="model.safetensors", data=None)
def test_parts_with_other_bytes(parts, tmp_path_factory, name, data):
    part = bytearray(parts[name])
    for _ in range(data.draw(st.integers(1, 4)) if data else 0):
        part[data.draw(st.integers(0, len(part) - 1))] = data.draw(st.integers(0, 255))
    other = {**parts, name: bytes(part)}
    if name == "model.safetensors":  # by somebody who mends the hash as well
        header = json.loads(parts["header.json"]) | {"model_hash": hashlib.sha256(part).hexdigest()}
        other["header.json"] = json.dumps(header)
    path = tmp_path_factory.getbasetemp() / "fuzzed.sbtrace"
    path.write_bytes(packed(other))
    try:
        read_trace(path)
    except IntegrityError:
        return


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=300))
def test_any_bytes_are_an_error(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "fuzzed.sbtrace"
    for shown in (content, content + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 5, 5, 100, 0, 0)):
        path.write_bytes(shown)
        with pytest.raises(IntegrityError):
            read_trace(path)


def test_other_parts(parts, refused):
    refused(packed({**parts, "code.pickle": b""}), "expected 5 parts, got a directory of 6")
    refused(packed({name: parts[name] for name in PARTS[:-1]}), "expected 5 parts, got a directory of 4")
    five = {name: parts[name] for name in PARTS[:-1]}
    refused(packed({**five, "../constants.safetensors": b""}), r"expected the parts .* got \.\./constants")
    with pytest.warns(UserWarning, match="Duplicate name"):
        twice = packed([*five.items(), ("header.json", b"{}")])
    refused(twice, "expected the parts")
    refused(packed({**five, "c" * 5000: b""}), "a directory of 5 in 5,")


def test_other_ways_of_packing(parts, whole, refused):
    refused(packed(parts, zipfile.ZIP_STORED), "header.json: expected plain deflate")
    refused(packed(parts, zipfile.ZIP_BZIP2), "header.json: expected plain deflate")
    encrypted = bytearray(whole)
    for mark, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        encrypted[whole.index(mark) + place] |= 1
    refused(bytes(encrypted), "header.json: expected plain deflate")
    end = len(whole) - 22
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, 0, 1)
    refused(whole[:end] + locator + whole[end:], "a plain zip archive")


def test_a_bomb_is_not_unpacked(parts, refused, monkeypatch):
    bomb = packed({**parts, "header.json": b"0" * (1 << 21)})
    assert len(bomb) < 20_000
    refused(bomb, "header.json: expected at most 1,048,576 bytes, got 2,097,152")
    lying = bytearray(bomb)  # says that it is small
    small = struct.pack("<L", 260)
    for mark, place in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
        lying[bomb.index(mark) + place : bomb.index(mark) + place + 4] = small
    taken = []
    real = zipfile.ZipExtFile.read

    def read(self, n=-1):
        content = real(self, n)
        taken.append(len(content))
        return content

    monkeypatch.setattr(zipfile.ZipExtFile, "read", read)
    refused(bytes(lying))
    assert max(taken, default=0) <= 260


def test_a_file_that_is_too_large_is_not_opened(tmp_path, refused):
    path = tmp_path / "broken.sbtrace"
    with path.open("wb") as file:
        file.truncate(2 << 30)  # which takes no room
    with pytest.raises(IntegrityError, match=r"file: expected at most 1,\d{3},\d{3},\d{3} bytes"):
        read_trace(path)


def replaced(parts, name, change):
    """Pack parts of which one, of JSON, was changed."""
    told = json.loads(parts[name])
    change(told)
    return packed({**parts, name: json.dumps(told)})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 1}, r"header.json: expected format sparsebench-trace, version 2, got .*, 1\)"),
        ({"version": None}, r"version 2, got .*None"),
        ({"format": "zip"}, r"version 2, got \('zip', 2\)"),
        ({"more": 0}, r"header.json: expected exactly the keys .* got .*'more'"),
        ({"cell_key": 1}, "header.json: cell_key: expected str, got int"),
        ({"cost_model": "1"}, "header.json: cost_model: expected int, got str"),
        ({"cost_model": True}, "header.json: cost_model: expected int, got bool"),
        ({"task": None}, "header.json: task: expected str, got NoneType"),
        (
            {"model_hash": "0" * 64},
            r"model.safetensors: expected SHA-256 0{12}\.\.\. as in the header",
        ),
    ],
    ids=str,
)
def test_other_headers(parts, refused, change, message):
    refused(replaced(parts, "header.json", lambda told: told.update(change)), message)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"more": []}, "inputs.json: expected exactly the keys"),
        ({"id": 3}, "inputs.json: id: expected a list of int"),
        ({"id": [0, 1, True]}, "inputs.json: id: expected a list of int"),
        ({"id": [0, 1, 2.0]}, "inputs.json: id: expected a list of int"),
        ({"id": [0, 1]}, "inputs.json: expected lists of one length"),
        ({"prediction": 0.5}, "inputs.json: prediction: expected a list of float"),
        ({"prediction": [0.5, 1.0, None]}, "inputs.json: prediction: expected real numbers"),
        ({"prediction": [0.5, 1.0, 1]}, "inputs.json: prediction: expected real numbers"),
        ({"prediction": [0.5, 1.0, {"h": 0}]}, "inputs.json: prediction: expected real numbers"),
        ({"prediction": [0.5, 1.0, math.nan]}, "expected JSON, got NaN"),
        ({"prediction": [0.5, 1.0, -math.inf]}, "expected JSON, got -Infinity"),
        ({"stream": [0, 1, 2]}, "inputs.json: stream: expected 2 numbers that first occur in their order"),
        ({"stream": [0, 0, 0]}, "inputs.json: stream"),
        ({"stream": [1, 0, 0]}, "inputs.json: stream"),
        ({"stream": [0, 1, -1]}, "inputs.json: stream"),
    ],
    ids=str,
)
def test_other_inputs(parts, refused, change, message):
    refused(replaced(parts, "inputs.json", lambda told: told.update(change)), message)


@pytest.mark.parametrize("name", ["header.json", "inputs.json"])
@pytest.mark.parametrize("part", [b"", b"null", b"[]", b"{", b"\xff", b"[" * 100_000, b'{"version": 1e'])
def test_what_is_no_object(parts, refused, name, part):
    refused(packed({**parts, name: part}))


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (b"\n", "streams.jsonl: stream 0: expected requests, got Expecting value"),
        (b"[]\n", "stream 0: expected requests, got expected a stream"),
        (b"{}", "streams.jsonl: expected lines, got one without an end"),
        (b"[" * 100_000 + b"\n", "stream 0: expected requests"),
        (b"\xff\n", "broken file"),
        (b"", "constants.safetensors: expected 0 arrays, those of the streams, got 1"),
    ],
)
def test_other_streams(parts, refused, part, message):
    refused(packed({**parts, "streams.jsonl": part}), message)


def test_other_models(parts, refused):
    for content, message in (
        (b"", "broken file"),
        (pickle.dumps(PARAMETERS), "broken file"),
        (
            safetensors.numpy.save({"w": np.zeros(2, np.float16)}),
            "model.safetensors: expected one of the dtypes",
        ),
        (struct.pack("<Q", 1 << 62) + b"{}", "broken file"),
        (
            safetensors.numpy.save({"w": np.zeros(2)}, metadata={"other": "{}"}),
            "model.safetensors: expected the file of a model, got expected 'structure' as the only metadata",
        ),
        (named('{"w":{"dtype":"F99","shape":[1],"data_offsets":[0,8]}}'), "broken file"),
        (named('{"w":{"dtype":"BF16","shape":[4],"data_offsets":[0,8]}}'), "broken file"),
        (named('{"w":{"dtype":"F64","shape":[9],"data_offsets":[0,8]}}'), "broken file"),
    ):
        header = json.loads(parts["header.json"]) | {"model_hash": hashlib.sha256(content).hexdigest()}
        refused(packed({**parts, "model.safetensors": content, "header.json": json.dumps(header)}), message)


def named(header):
    return struct.pack("<Q", len(header)) + header.encode() + bytes(8)


def test_other_constants(trace, parts, refused):
    ((name, array),) = trace.constants.items()
    plain = np.frombuffer(array.tobytes(), np.uint8)
    for constants, message in (
        ({}, "constants.safetensors: expected 1 arrays, those of the streams, got 0"),
        ({name: plain, "more": plain}, "expected 1 arrays, those of the streams, got 2"),
        ({"0" * 64: plain}, "expected 1 arrays, those of the streams, got 1"),
        ({name: plain[:-1]}, "broken file"),
        ({name: plain[::-1].copy()}, f"constants.safetensors: {name[:12]}... expected what its hash says"),
    ):
        content = safetensors.numpy.save(constants)
        refused(packed({**parts, "constants.safetensors": content}), message.replace("...", r"\.+:?"))


def test_a_constant_that_is_called_two_things(trace, parts, refused):
    (name,) = trace.constants
    lines = [json.loads(line) for line in parts["streams.jsonl"].splitlines()]
    for place in (0, 1):  # whichever stream comes last
        told = json.loads(json.dumps(lines))
        told[place]["experts"].insert(0, ["constant", name, "int64", [3]])
        content = "".join(f"{json.dumps(line)}\n" for line in told)
        refused(
            packed({**parts, "streams.jsonl": content}), r"constants.safetensors: .* expected what its hash"
        )
