"""A fitted model: a dict of arrays that knows what it lacks, and its file."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import pickle

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st

import sparsebench as sb
from sparsebench.errors import ContractError
from sparsebench.meter import model_file
from sparsebench.meter.model_file import hash_of_model, load_model, save_model, structure_of

ARRAYS = {"a": np.arange(3.0), "b": np.zeros((2, 2), dtype=np.int8)}
STRUCTURE = {"children": [[1, 2], [], []], "names": ["x", "ü"], "depth": 2}


def test_it_is_a_dict_of_its_arrays() -> None:
    model = sb.Model(ARRAYS, STRUCTURE)
    assert isinstance(model, dict)
    assert list(model) == ["a", "b"]
    assert "a" in model
    assert "c" not in model
    assert model.get("c") is None
    assert model["a"] is ARRAYS["a"]
    assert {**model} == ARRAYS
    assert model.structure is STRUCTURE
    assert sb.Model({}).structure is None
    assert repr(sb.Model({"a": 1}, [2])) == "Model({'a': 1}, [2])"


def test_a_missing_array_says_what_there_is() -> None:
    with pytest.raises(KeyError, match="no array called 'x'; the model has: a, b"):
        sb.Model(ARRAYS)["x"]
    with pytest.raises(KeyError, match="no array called 'x'; the model has: no arrays"):
        sb.Model({})["x"]
    with pytest.raises(KeyError, match=r"the model has: 00, 01, .*, 19 and 30 more"):
        sb.Model({f"{number:02}": 0 for number in range(50)})["x"]


def test_what_is_no_dict_of_arrays_is_told() -> None:
    with pytest.raises(ContractError, match=r"sb\.Model: expected a dict of arrays, got list"):
        sb.Model([1])  # type: ignore[arg-type]


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_a_copy_keeps_the_structure(copied: object) -> None:
    again = copied(sb.Model({"a": 1}, STRUCTURE))  # type: ignore[operator]
    assert (type(again), again, again.structure) == (sb.Model, {"a": 1}, STRUCTURE)


def test_a_file_holds_arrays_and_structure() -> None:
    content = save_model(sb.Model(ARRAYS, STRUCTURE))
    assert content == save_model(sb.Model(dict(reversed(ARRAYS.items())), dict(sorted(STRUCTURE.items()))))
    again = load_model(content)
    assert again.structure == STRUCTURE
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(again[name], array)
    assert hash_of_model(again) == hashlib.sha256(content).hexdigest()


def test_a_model_without_structure_has_the_file_and_the_hash_that_it_had() -> None:
    assert save_model(ARRAYS) == save_model(sb.Model(ARRAYS)) == safetensors.numpy.save(ARRAYS)
    assert load_model(save_model(ARRAYS)).structure is None
    assert structure_of(ARRAYS) is None


def test_a_structure_is_part_of_the_hash() -> None:
    hashes = {hash_of_model(sb.Model(ARRAYS, each)) for each in (None, {}, {"a": 1}, {"a": 1.0}, {"a": True})}
    assert len(hashes) == 5


@pytest.mark.parametrize(
    "metadata", [{"structure": "{ }"}, {"structure": "[NaN]"}, {"other": "{}"}, {"structure": "1", "b": ""}]
)
def test_another_text_in_a_file_is_refused(metadata: dict[str, str]) -> None:
    with pytest.raises(ContractError, match="expected"):
        load_model(safetensors.numpy.save(ARRAYS, metadata=metadata))


def test_a_header_that_is_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    content = save_model(ARRAYS)
    monkeypatch.setattr(model_file, "_MOST_HEADER", 16)
    with pytest.raises(ContractError, match="expected at most 16 bytes of names and shapes"):
        load_model(content)


@given(st.binary(max_size=64))
def test_any_bytes_are_a_model_or_an_error(content: bytes) -> None:
    with contextlib.suppress(ContractError, safetensors.SafetensorError, ValueError, KeyError):
        assert isinstance(load_model(content), sb.Model)
