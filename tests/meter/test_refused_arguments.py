"""Arguments of the right kind that an operation does not take: told before anything runs or is charged."""

from __future__ import annotations

import time

import numpy as np
import pytest

from meter.metered import Meter

X = np.array([[0.5, 1.5], [2.5, 3.5]])
B = X > 1.0
N = np.array([0, 1])
CALLS = {
    "arange-step": (lambda xp, x, b, n: xp.arange(3, step=0), ValueError, "step must not be 0"),
    "arange-dtype": (lambda xp, x, b, n: xp.arange(3, dtype=bool), TypeError, "numbers, got bool"),
    "tril": (lambda xp, x, b, n: xp.tril(x[0, :]), ValueError, "at least 2 axes, got 1"),
    "clip": (lambda xp, x, b, n: xp.clip(b, False), TypeError, "use xp.logical_and"),
    "diff": (lambda xp, x, b, n: xp.diff(b), TypeError, "use xp.not_equal"),
    "sorter-dtype": (
        lambda xp, x, b, n: xp.searchsorted(x[0, :], x, sorter=x[0, :]),
        TypeError,
        "integers, got float64; use xp.argsort",
    ),
    "sorter-shape": (
        lambda xp, x, b, n: xp.searchsorted(x[0, :], x, sorter=n[:1]),
        ValueError,
        r"shape \(2,\), got \(1,\)",
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_it_says_what_it_expects_and_charges_nothing(name):
    call, error, said = CALLS[name]
    meter = Meter()
    x, b, n = meter.begin(X), meter.put(B), meter.put(N)
    with pytest.raises(error, match=said):
        call(meter.xp, x, b, n)
    assert meter.charges() == {}


@pytest.mark.parametrize("dtype", ["(1,,2)f8", "9" * 5000 + "f8", "f8," * 100_000, ("f8", ()), "f8,f8", ""])
def test_a_text_is_a_dtype_or_nothing(dtype):
    """NumPy reads more into texts, at length, and has errors of its own for what it cannot read."""
    meter = Meter()
    x = meter.begin(X)
    start = time.perf_counter()
    with pytest.raises(TypeError, match="expected dtype to be one of the dtypes"):
        meter.engine.call("astype", (x.handle, dtype), {})
    assert time.perf_counter() - start < 1.0
    assert meter.xp.astype(x, "f4").dtype == np.float32


def test_other_numbers_stand_behind_a_parameter_for_a_while():
    """What audits do: the same shape and dtype, and then it is as it was."""
    meter = Meter({"w": X})
    w = meter.params["w"]
    with meter.engine.replaced({w.handle: X + 1.0}):
        assert meter.get(w + 0.0).tolist() == (X + 1.0).tolist()
    assert meter.get(w + 0.0).tolist() == X.tolist()


def test_only_a_parameter_is_replaced_and_only_by_its_like():
    meter = Meter({"w": X})
    x = meter.begin(X)
    for handle, array in ((x.handle, X), (meter.params["w"].handle, X[0]), (meter.params["w"].handle, B)):
        with pytest.raises(AssertionError), meter.engine.replaced({handle: array}):
            pass
