"""Calls that would compute, or take values out, without a charge: refused with a mend."""

from __future__ import annotations

import copy
import math
import operator
import pickle

import numpy as np
import pytest

from meter.metered import furnished
from sparsebench.errors import UncountedOperationError
from sparsebench.meter.rules import REFUSED


@pytest.fixture
def meter():
    return furnished()


UNCOUNTED = {
    "astype": lambda m: m.xp.astype(m.x, m.xp.int64),
    "astype-unsigned": lambda m: m.xp.asarray(m.x, dtype="uint8"),
    "sum-dtype": lambda m: m.xp.sum(m.x, dtype="int64"),
    "sum-bool": lambda m: m.xp.sum(m.x, dtype="bool"),
    "prod-dtype": lambda m: m.xp.prod(m.x, dtype=m.xp.int32),
    "setitem-cast": lambda m: m.xp.zeros(4, dtype="int64").__setitem__(..., m.x),
    "setitem-bool": lambda m: m.xp.zeros(4, dtype="bool").__setitem__(..., m.x),
    "setitem-narrow": lambda m: m.xp.zeros(4, dtype="int8").__setitem__(..., m.n),
    "setitem-int-to-bool": lambda m: m.xp.zeros(4, dtype="bool").__setitem__(..., m.n),
    "setitem-float-number": lambda m: m.xp.zeros(4, dtype="int64").__setitem__(0, 1.5),
    "ufunc-dtype": lambda m: m.xp.add(m.x, m.x, dtype="int64", casting="unsafe"),
    "ufunc-out": lambda m: m.xp.add(m.x, m.x, out=m.xp.zeros(4)),
    "ufunc-third": lambda m: m.xp.add(m.x, m.x, m.xp.zeros(4)),
    "unary-out": lambda m: m.xp.abs(m.x, m.xp.zeros(4)),
    "ufunc-where": lambda m: m.xp.exp(m.x, where=m.b),
    "sum-initial": lambda m: m.xp.sum(m.x, initial=m.x[0]),
    "sum-where": lambda m: m.xp.sum(m.x, where=m.b),
    "sum-out": lambda m: m.xp.sum(m.x, out=m.n),
    "clip-out": lambda m: m.xp.clip(m.x, 0.0, 1.0, out=m.n),
    "searchsorted-out": lambda m: m.xp.searchsorted(m.x, m.x, out=m.n),
    "var-out": lambda m: m.xp.var(m.x, out=m.n),
    "diff-initial": lambda m: m.xp.diff(m.x, initial=m.n),
    "unique-inverse": lambda m: m.xp.unique_values(m.x, return_inverse=True),
    "cumulative-dtype": lambda m: m.xp.cumulative_sum(m.x, dtype="int64"),
    "reshape-order": lambda m: m.xp.reshape(m.x, (2, 2), order="F"),
    "concat-dtype": lambda m: m.xp.concat([m.x, m.x], dtype="int64", casting="unsafe"),
    "matmul-dtype": lambda m: m.xp.matmul(m.x, m.x, dtype="int64", casting="unsafe"),
    "argmax-out": lambda m: m.xp.argmax(m.x, out=m.n),
    "floordiv": lambda m: m.x // 1.0,
    "mod": lambda m: m.x % 1.0,
    "integer-floordiv": lambda m: m.n // 2,
    "rfloordiv": lambda m: 7 // m.n,
    **{name: lambda m, name=name: getattr(m.xp, name)(m.x) for name in sorted(REFUSED)},
    "unknown": lambda m: m.xp.median(m.x),
    "hidden": lambda m: m.xp.getitem(m.x, 0),
    "float": lambda m: float(m.x[0]),
    "int": lambda m: int(m.n[0]),
    "complex": lambda m: complex(m.x[0]),
    "index": lambda m: operator.index(m.n[0]),
    "range": lambda m: range(m.zero),
    "format": lambda m: f"{m.x[0]:.2f}",
    "round": lambda m: round(m.x[0]),
    "round-digits": lambda m: round(m.x[0], 2),
    "floor": lambda m: math.floor(m.x[0]),
    "asarray": lambda m: np.asarray(m.x),
    "list-of-arrays": lambda m: m.xp.asarray([m.x[0], m.x[1]]),
    "dlpack": lambda m: np.from_dlpack(m.x),
    "dlpack-device": lambda m: m.x.__dlpack_device__(),
    "pickle": lambda m: pickle.dumps(m.x),
    "deepcopy": lambda m: copy.deepcopy(m.x),
    "tolist": lambda m: m.x.tolist(),
    "item": lambda m: m.x.item(),
}


@pytest.mark.parametrize("attack", UNCOUNTED.values(), ids=UNCOUNTED.keys())
def test_refused_with_a_mend(meter, attack):
    with pytest.raises(UncountedOperationError) as caught:
        attack(meter)
    assert caught.value.help
