"""What a model may have beside its arrays: one text for each structure, and nothing else is taken."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparsebench.errors import ContractError
from sparsebench.meter.structure import DEEPEST, MOST_BYTES, decode, encode, size_of

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
PLAIN = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)
ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())
    | st.binary()
    | st.builds(np.float64, st.floats()),
    lambda inner: (
        st.lists(inner) | st.tuples(inner) | st.dictionaries(st.none() | st.integers() | st.text(), inner)
    ),
    max_leaves=20,
)


def shown(value: Any) -> str:
    """Show a structure so that 1, 1.0 and True differ, and -0.0 and 0.0."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{key!r}:{shown(value[key])}" for key in sorted(value)) + "}"
    return f"[{','.join(map(shown, value))}]" if isinstance(value, list) else f"{type(value)} {value!r}"


@given(PLAIN)
def test_a_structure_comes_back_as_it_was(structure: Any) -> None:
    text = encode(structure)
    again = decode(text)
    assert shown(again) == shown(structure)
    assert encode(again) == text
    assert json.loads(text) == structure


@given(ANY)
def test_whatever_is_taken_comes_back_as_it_was(structure: Any) -> None:
    with contextlib.suppress(ContractError):
        assert shown(decode(encode(structure))) == shown(structure)


@given(st.text() | PLAIN.map(json.dumps) | PLAIN.map(lambda value: json.dumps(value, indent=1)))
def test_any_text_is_the_one_of_a_structure_or_an_error(text: str) -> None:
    with contextlib.suppress(ContractError):
        assert encode(decode(text)) == text


@given(st.dictionaries(TEXTS, st.integers(0, 9), min_size=2, max_size=6), st.randoms())
def test_an_order_of_keys_holds_nothing(structure: dict[str, int], random: Any) -> None:
    items = list(structure.items())
    random.shuffle(items)
    assert encode(dict(items)) == encode(structure)
    assert list(decode(encode(dict(items)))) == sorted(structure)


def test_every_copy_is_another() -> None:
    text = encode({"a": [1]})
    first, second = decode(text), decode(text)
    first["a"].append(2)
    assert second == {"a": [1]}


def nested(depth: int) -> Any:
    value: Any = 0
    for _ in range(depth):
        value = [value]
    return value


def doubled(times: int) -> list[Any]:
    """Hold one list many times: 2 to the power of that, written out."""
    value: list[Any] = []
    for _ in range(times):
        value = [value, value]
    return value


def endless() -> list[Any]:
    value: list[Any] = []
    value.append(value)
    return value


@pytest.mark.parametrize(
    ("structure", "what", "mend"),
    [
        ((1, 2), r"structure: expected dict, list, str, .*, got tuple", "write list"),
        ({"tree": {"left": {1, 2}}}, r"structure\.tree\.left: expected .*, got set", "write sorted"),
        ([0, [np.int64(3)]], r"structure\[1\]\[0\]: expected .*, got numpy\.int64", "write int"),
        ([np.float64(3)], r"structure\[0\]: expected .*, got numpy\.float64", "float"),
        ({"w": np.zeros(2)}, r"structure\.w: expected .*, got numpy\.ndarray", "among the arrays"),
        ({1: 2}, r"structure: expected keys of type str, got int", "write str"),
        ([float("nan")], r"structure\[0\]: expected a finite number, got nan", "None"),
        ([1.0, -float("inf")], r"structure\[1\]: expected a finite number, got -inf", "None"),
        ({"a\nb\x1b": {1}}, r"structure\.'a\\nb\\x1b': expected .*, got set", "write sorted"),
        ({"k" * 99: {1}}, rf"structure\.{'k' * 40}: expected .*, got set", "write sorted"),
        ([2**64], r"structure\[0\]: expected an integer of at most 64 bits", "arrays"),
        ([-(2**63) - 1], r"structure\[0\]: expected an integer of at most 64 bits", "arrays"),
        (["\ud800"], r"structure\[0\]: expected text that UTF-8 can hold", "uint8"),
        ({"\udfff": 1}, r"structure: expected text that UTF-8 can hold", "uint8"),
        (nested(DEEPEST + 1), r"structure: expected at most 64 lists and dicts within", "number the nodes"),
        (endless(), r"structure: expected at most 64 lists and dicts within", "number the nodes"),
        ("x" * MOST_BYTES, r"structure: expected at most 1,048,576 bytes of JSON, got more", "arrays"),
        ("\n" * (MOST_BYTES // 2), r"structure: expected at most 1,048,576 bytes", "arrays"),
        ([0] * (MOST_BYTES // 2), r"structure: expected at most 1,048,576 bytes", "arrays"),
        (doubled(60), r"structure: expected at most 1,048,576 bytes", "arrays"),
        (["x" * 1000] * 100_000, r"structure: expected at most 1,048,576 bytes", "arrays"),
        (Ellipsis, r"structure: expected .*, got ellipsis", "no objects"),
    ],
)
def test_what_is_no_plain_json_is_refused_in_a_line(structure: Any, what: str, mend: str) -> None:
    with pytest.raises(ContractError, match=what) as caught:
        encode(structure)
    assert "\n" not in caught.value.what
    assert mend in caught.value.help


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "nan", "NaN", "[Infinity]", "[-Infinity]", "1e999", "1" * 5000, f"[{2**64}]"),
        *('{"b":1,"a":2}', '{"a":1,"a":2}', "[1, 2]", "-0", "1e5", "1.00", r'"\u0061"', '"\ud800"'),
        *("[" * 100_000, "[" * 65 + "]" * 65, "x" * (MOST_BYTES + 1), " 1", "1 "),
    ],
    ids=repr,
)
def test_texts_of_strangers_are_refused(text: str) -> None:
    with pytest.raises(ContractError, match="structure"):
        decode(text)


def test_the_largest_that_there_may_be() -> None:
    for structure in ("x" * (MOST_BYTES - 2), nested(DEEPEST), [2**64 - 1, -(2**63)], -0.0):
        assert shown(decode(encode(structure))) == shown(structure)
    assert size_of("x" * (MOST_BYTES - 2)) == MOST_BYTES


def test_bytes_are_counted_as_they_are_stored() -> None:
    assert [size_of(each) for each in (None, {}, {"a": 1}, "ü", [None])] == [0, 2, 7, 4, 6]
