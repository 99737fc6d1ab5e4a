"""What an argument can be: which values fit a kind, and how it is told."""

from __future__ import annotations

import numpy as np
import pytest

from sparsebench.ops.core import kinds

X = np.ones(2)
FITS = {
    "array": (kinds.ARRAY, [X], [1.0, (1.0,), np.float64(1.0), None]),
    "operand": (kinds.OPERAND, [X, 1, 1.0, 1j, True], ["1", None, 10**30]),
    "number": (kinds.NUMBER, [1, 1.0, 1j, True], [X, 10**30]),
    "real": (kinds.REAL, [1, 1.0], [1j, X]),
    "integer": (kinds.INTEGER, [-1, 2**64 - 1, -(2**63)], [True, 1.0, 2**64, np.int64(1)]),
    "length": (kinds.LENGTH, [0, 3], [-1, True]),
    "flag": (kinds.FLAG, [True], [1, None]),
    "dtype": (kinds.DTYPE, ["f4", "float32", np.int64, bool], [">f4", "f2", "f4,f4", "9" * 99, "no", None]),
    "index": (kinds.INDEX, [0, None, ..., slice(1, None), X], [True, 1.0, slice(X, None), (0,)]),
    "text": (kinds.TEXT, ["ij,j"], [b"ij", None]),
    "integers": (kinds.INTEGERS, [-1, (), (0, -1)], [(True,), None, [0]]),
    "lengths": (kinds.LENGTHS, [2, (2, 3)], [-1, (2, -3)]),
    "axis": (kinds.AXIS, [None, -1], [(0,), True]),
    "axes": (kinds.AXES, [None, -1, (0, 1)], [((0,),)]),
    "either": (kinds.either(kinds.ARRAY, kinds.REAL), [X, 1.0], [1j, None]),
    "some": (kinds.tuple_of(kinds.ARRAY, "a sequence of arrays", 1), [(X,), (X, X)], [(), X, (1.0,)]),
    "one": (kinds.one_of("left", "right"), ["left"], ["up", X, None]),
}


@pytest.mark.parametrize("name", FITS)
def test_what_fits(name):
    kind, fitting, others = FITS[name]
    assert all(kind.fits(value) for value in fitting)
    assert not any(kind.fits(value) for value in others)


def test_kinds_made_of_others_tell_what_they_are():
    some = kinds.tuple_of(kinds.ARRAY, "a sequence of arrays", 1)
    for kind, words, typed in (
        (kinds.or_none(kinds.ARRAY), "an array or None", "Array | None"),
        (kinds.AXES, "a Python integer or a tuple of them or None", "int | Sequence[int] | None"),
        (some, "a sequence of arrays", "Sequence[Array]"),
        (kinds.either(kinds.ARRAY, kinds.REAL), "an array or a real Python number", "Array | float"),
        (kinds.one_of("left", "right"), "'left' or 'right'", "Literal['left', 'right']"),
    ):
        assert (kind.words, kind.typed, kind.mend) == (words, typed, "")
