"""Models with a structure, all the way: fitted, hashed, sized, metered, timed, traced, explained."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import safetensors.numpy

import sparsebench as sb
from evaluate.tiny import cell_of, plain, routed, run, write
from sparsebench.author.check import run_in_process
from sparsebench.author.explain import explain
from sparsebench.errors import ContractError, FailedError, RefusedError
from sparsebench.evaluate.cell import run_cell
from sparsebench.evaluate.host import payloads
from sparsebench.evaluate.passes.memory import memory_columns
from sparsebench.evaluate.plan import Limits
from sparsebench.evaluate.replay.tracing import trace_path
from sparsebench.evaluate.replay.verify import verify_row
from sparsebench.meter.model_file import hash_of_model
from sparsebench.meter.structure import encode, size_of
from sparsebench.meter.traces.trace_reader import read_trace
from sparsebench.models.returned import model_of

if TYPE_CHECKING:
    from pathlib import Path

STRUCTURE = {"columns": [0, 2], "names": {"first": "w"}, "scale": 0.5}
STRUCTURED = plain(
    fit=f'return sb.Model({{"w": np.ones(4)}}, {STRUCTURE!r})',
    predict="""
        about = params.structure
        assert type(about) is dict and list(about) == ["columns", "names", "scale"]
        w, y = params[about["names"]["first"]], 0.0
        for column in about["columns"]:
            y = y + x[:, column] * w[column]
        return y * about["scale"]
    """,
)
IN_PARTS = routed(
    router_fit='return sb.Model({"edge": np.zeros(1)}, {"column": 1})',
    route="""
        assert params.structure == {"column": 1}, params.structure
        return sb.Routes(xp.astype(x[:, params.structure["column"]][:, None] > params["edge"], xp.int64))
    """,
    experts_fit='assert len(routes.experts) == len(train); return sb.Model({"labels": np.ones(2)}, [3, "b"])',
    apply="""
        assert params.structure == [3, "b"], params.structure
        assert "edge" in params
        return ops.gather(routes.experts[:, 0], params["labels"])
    """,
)


def test_it_reaches_predict_in_every_pass_and_when_timed(tmp_path: Path) -> None:
    row = run(tmp_path / "mine", STRUCTURED)
    assert (row.status, row.reason) == ("ok", None)
    assert row.ops == 5  # two products, two sums, one product
    assert {audit.verdict for audit in row.audits if audit.name == "timed-as-metered"} == {"pass"}


def test_it_is_part_of_what_a_model_stores(tmp_path: Path) -> None:
    row, bare = run(tmp_path / "mine", STRUCTURED), run(tmp_path / "bare", plain())
    size = len(json.dumps(STRUCTURE, separators=(",", ":")))
    assert row.stored_bytes == 4 * 8 + size
    assert row.stored_parameters == 4 + -(-size // 8)
    assert row.memory_bytes == 4 * 8 + size + len("w") + 1 + 8
    assert (bare.stored_bytes, bare.stored_parameters) == (5 * 8, 5)


def test_it_is_part_of_the_models_hash(tmp_path: Path) -> None:
    row, other = (
        run(tmp_path / name, STRUCTURED.replace("0.5", scale))
        for name, scale in (("mine", "0.5"), ("other", "0.25"))
    )
    assert row.model_hash == hash_of_model(sb.Model({"w": np.ones(4)}, STRUCTURE))
    assert other.model_hash == hash_of_model(sb.Model({"w": np.ones(4)}, {**STRUCTURE, "scale": 0.25}))


def test_numbers_that_are_hidden_in_it_are_counted(tmp_path: Path) -> None:
    """A model of Python's numbers, names or keys stores what one of arrays does, and more."""
    numbers = [float(value) for value in np.random.default_rng(0).normal(size=1000)]
    raw = np.array(numbers).tobytes()
    hidden: dict[str, Any] = {
        "numbers": numbers,
        "integers": np.frombuffer(raw, dtype=np.int64).tolist(),
        "text": raw.decode("latin-1"),
        "text of many bits": "".join(
            chr(0x10000 + value) for value in np.frombuffer(raw, dtype=np.uint16).tolist()
        ),
        "keys": {repr(value): None for value in numbers},
        "bits": [bool(bit) for bit in np.unpackbits(np.frombuffer(raw, dtype=np.uint8))],
    }
    for name, structure in hidden.items():
        columns = memory_columns(sb.Model({}, structure), {}, 0)
        assert columns["stored_bytes"] == columns["memory_bytes"] == len(encode(structure).encode()), name
        assert columns["memory_bytes"] >= len(raw), name
        assert columns["stored_parameters"] >= len(numbers), name
    code = plain(
        fit=f'return sb.Model({{"b": np.zeros(1)}}, {numbers[:4]!r})',
        predict='return sum(x[:, i] * w for i, w in enumerate(params.structure)) + params["b"]',
    )
    row = run(tmp_path / "mine", code)
    assert (row.status, row.reason) == ("ok", None)
    assert row.stored_bytes == 8 + size_of(numbers[:4])
    assert (row.stored_parameters or 0) >= 5


def test_each_part_is_given_its_own(tmp_path: Path) -> None:
    row = run(tmp_path / "mine", IN_PARTS)
    assert (row.status, row.reason) == ("ok", None)
    model = sb.Model(
        {"edge": np.zeros(1), "labels": np.ones(2)}, {"router": {"column": 1}, "experts": [3, "b"]}
    )
    assert row.model_hash == hash_of_model(model)
    assert {a.verdict for a in row.audits if a.name in {"timed-as-metered", "repeats"}} == {"pass"}


@pytest.mark.parametrize("code", [STRUCTURED, IN_PARTS], ids=["plain", "routed"])
def test_an_author_sees_the_same_in_this_process(tmp_path: Path, code: str) -> None:
    folder = write(tmp_path / "mine", code)
    row = run_cell(cell_of(folder), Limits())
    (line,) = run_in_process(str(folder))
    assert f"ops {row.ops:g}" in line
    assert explain(str(folder)).prices["ops"] == row.ops


def test_what_a_process_does_to_it_is_not_seen_by_the_next(tmp_path: Path) -> None:
    code = plain(
        fit='return sb.Model({"w": np.zeros(4)}, {"calls": []})',
        predict="""
            params.structure["calls"].append(1)
            return x @ params["w"]
        """,
    )
    row = run(tmp_path / "mine", code)
    assert (row.status, row.reason) == ("ok", None)
    assert row.model_hash == hash_of_model(sb.Model({"w": np.zeros(4)}, {"calls": []}))


@pytest.mark.parametrize(
    ("fit", "reason"),
    [
        ('return sb.Model({"w": np.zeros(4)}, {"a": {1}})', r"fit: structure\.a: expected dict, .*, got set"),
        (
            'return sb.Model({"w": np.zeros(4)}, "x" * (1 << 20))',
            "fit: structure: expected at most 1,048,576",
        ),
        ('return {"w": np.zeros(4)}, {}', "fit: expected a dict of arrays, got tuple"),
        ("return sb.Model([1])", "expected a dict of arrays, got list"),
        ('return sb.Model({"w": 1.0}, {})', "fit: expected 'w' to be an array"),
    ],
)
def test_another_structure_ends_the_cell_in_a_line(tmp_path: Path, fit: str, reason: str) -> None:
    row = run(tmp_path / "mine", plain(fit=fit))
    assert row.status == "failed"
    assert re.search(reason, row.reason or ""), row.reason


def test_a_part_whose_structure_is_wrong_is_named(tmp_path: Path) -> None:
    row = run(tmp_path / "mine", IN_PARTS.replace('[3, "b"]', '[3, b"b"]', 1))
    assert row.status == "failed"
    assert "experts: fit: structure[1]: expected" in (row.reason or "")


@pytest.mark.parametrize("structure", [{"router": 1, "other": 2}, [1], "router"])
def test_a_routed_model_says_whose_a_structure_is(structure: object) -> None:
    with pytest.raises(ContractError, match=r"expected the keys router and experts alone.*, got"):
        model_of(sb.Model({}, structure), routed=True)
    assert model_of(sb.Model({}, structure)).structure == structure
    assert model_of(sb.Model({}, {"router": 1}), routed=True).structure == {"router": 1}


@pytest.mark.parametrize("told", ['{"b":1,"a":2}', "[NaN]", "[" * 5000, "x", '"\ud800"', "1" * (2 << 20)])
def test_what_a_stranger_says_is_a_structure_is_checked_again(told: str) -> None:
    with pytest.raises(FailedError, match="fit: structure: expected"):
        payloads.model(safetensors.numpy.save({}), told)


@pytest.mark.parametrize("told", [1, {"a": 1}, [], True])
def test_a_structure_that_is_no_text_is_no_message(told: object) -> None:
    with pytest.raises(RefusedError, match="not a message"):
        payloads.model(safetensors.numpy.save({}), told)


def test_a_trace_holds_it_and_replays_without_it(tmp_path: Path) -> None:
    row = run(tmp_path / "mine", STRUCTURED, traces=tmp_path)
    path = trace_path(tmp_path, row.cell_key)
    assert read_trace(path).model.structure == STRUCTURE  # type: ignore[attr-defined]
    verdicts = {made.name: made.verdict for made in verify_row(row, path)}
    assert verdicts["predictions"] == "pass"
    assert "fail" not in verdicts.values()
    other = dataclasses.replace(row, model_hash=hash_of_model({"w": np.ones(4)}))
    assert {made.name: made.verdict for made in verify_row(other, path)}["trace"] == "fail"
