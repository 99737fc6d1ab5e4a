"""What an argument may be: kinds of values, dtypes, and how both are told."""

from __future__ import annotations

import array_api_strict
import ml_dtypes
import numpy as np
import pytest

from sparsebench.ops.core import arguments
from sparsebench.ops.core.arguments import (
    Array,
    Axis,
    DType,
    Flag,
    Layers,
    Number,
    Text,
    Whole,
    anything,
    ascending,
    booleans,
    integer,
    number,
    optional,
    ordered,
    real,
    real_or_number,
    word,
)

X = np.ones(2)
FITS = {
    "array": (real("n"), [X, np.float64(1.0), array_api_strict.ones(2)], [1.0, None, "x", [1.0]]),
    "array or number": (real_or_number(), [X, 1.0, 2, True], [None, 1j, "x"]),
    "array or none": (optional(real("n")), [X, None], [1.0, "x"]),
    "whole": (Whole(1), [1, np.int32(2), -1], [1.0, X, None, "1", True]),
    "axis": (Axis("x"), [-1, np.int64(1)], [1.0, None, True]),
    "number": (Number(), [1, 0.5], [1j, X, np.float32(0.5), np.float64(0.5), None]),
    "flag": (Flag(), [True, False, np.bool_(True)], [1, None]),
    "text": (Text(), ["ij,j"], [None, b"ij"]),
    "word": (word("one", "two"), ["one", "no"], [1, None]),
    "dtype": (DType(), [None, "float32", np.int8, array_api_strict.float32], [1, 2.0]),
    "layers": (Layers("E", "d"), [X, None], [1.0, "x"]),
}


@pytest.mark.parametrize("name", FITS)
def test_values_that_fit(name):
    told, fitting, others = FITS[name]
    assert all(told.fits(value) for value in fitting)
    assert not any(told.fits(value) for value in others)


KINDS = {"b": np.bool_, "i": np.int64, "u": np.uint8, "f": np.float32, "c": np.complex64}
TAKEN = [
    (anything(), "biufc"),
    (booleans(), "b"),
    (integer(), "iu"),
    (number(), "iuf"),
    (ordered(), "biuf"),
    (real(), "f"),
    (real_or_number(), "f"),
]


@pytest.mark.parametrize(("told", "kinds"), TAKEN, ids=[str(kinds) for _, kinds in TAKEN])
@pytest.mark.parametrize("library", [np, array_api_strict], ids=["numpy", "strict"])
def test_dtypes_that_are_taken(told, kinds, library):
    for kind, dtype in KINDS.items():
        array = library.zeros(2, dtype=getattr(library, np.dtype(dtype).name, dtype))
        assert told.takes(array) == (kind in kinds)


def test_dtypes_that_the_standard_does_not_know_are_told_by_name():
    short = np.ones(2, ml_dtypes.bfloat16)
    assert not real().takes(short)
    assert real().takes(short, also=("bfloat16",))
    assert not integer().takes(short, also=("bfloat16",))


def test_what_is_said_of_an_array_is_kept():
    told = optional(ascending(integer("n, k", below="E", at="index")))
    assert (told.kinds, told.below, told.at, told.none, told.ascending) == ("iu", "E", "index", True, True)
    assert told.shape.words == "n, k"
    assert real().shape is None
    assert not real("n").none


@pytest.mark.parametrize(
    ("told", "words", "typed"),
    [
        (real("n"), "an array", "Array"),
        (optional(real("n")), "an array or None", "Array | None"),
        (real_or_number(), "an array or a real Python number", "Array | float"),
        (Whole(0), "a Python integer, not negative", "int"),
        (Whole(1, "m"), "a Python integer", "int"),
        (Axis("x"), "a Python integer", "int"),
        (Number(), "a real Python number", "float"),
        (Flag(), "True or False", "bool"),
        (Text(), "text", "str"),
        (word("one", "two"), "'one' or 'two'", "Literal['one', 'two']"),
        (Layers("E", "d"), "an array or None", "Array | None"),
    ],
)
def test_kinds_are_told_in_words_and_in_stubs(told, words, typed):
    assert (told.kind.words, told.kind.typed) == (words, typed)


def test_a_dtype_may_be_none():
    assert DType().kind.words.endswith(" or None")


def test_what_is_public_is_there():
    assert all(hasattr(arguments, name) for name in arguments.__all__)
    assert isinstance(anything(), Array)
