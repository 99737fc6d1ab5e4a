"""CuPy's arrays are given the namespace that they do not name themselves; NumPy stands in for CuPy."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from sparsebench.ops.gpu import namespace
from sparsebench.ops.gpu.namespace import Namespace

LACKING = SimpleNamespace(
    broadcast_arrays=np.broadcast_arrays, moveaxis=np.moveaxis, matmul=np.matmul, exp=np.exp, pi=np.pi
)


@pytest.mark.parametrize(
    ("a", "b", "axis"),
    [
        ((3, 4), (3, 4), -1),
        ((3, 4), (3, 1), 0),
        ((4,), (3, 4), -1),
        ((2, 3, 4), (3, 1), -2),
        ((3, 0), (3, 0), -1),
    ],
)
@pytest.mark.parametrize("kind", ["float64", "complex128"])
def test_vecdot(a, b, axis, kind):
    rng = np.random.default_rng(0)
    x, y = (np.asarray(rng.standard_normal(shape) * (1 + 1j), dtype=complex) for shape in (a, b))
    x, y = (part if kind == "complex128" else part.real for part in (x, y))
    expected = np.sum(np.conj(x) * y, axis=axis)
    np.testing.assert_allclose(Namespace(LACKING).vecdot(x, y, axis=axis), expected, rtol=1e-12)
    np.testing.assert_allclose(
        Namespace(np).vecdot(*np.broadcast_arrays(x, y), axis=axis), expected, rtol=1e-12
    )


def test_unstack():
    x = np.arange(6).reshape(2, 3)
    assert [part.tolist() for part in Namespace(LACKING).unstack(x, axis=1)] == [[0, 3], [1, 4], [2, 5]]


def test_the_rest_is_the_module():
    assert Namespace(LACKING).exp is np.exp
    with pytest.raises(AttributeError, match="nothing"):
        Namespace(LACKING).nothing  # noqa: B018 - looking it up is what fails


@pytest.mark.parametrize("named", [False, True])
def test_arrays_name_it_unless_they_do_already(monkeypatch, named):
    own = {"__array_namespace__": lambda self: "their own"} if named else {}
    module = SimpleNamespace(ndarray=type("ndarray", (), own), exp=np.exp)
    monkeypatch.setitem(sys.modules, "cupy", module)
    namespace.give_namespace()
    namespace.give_namespace()
    found = module.ndarray().__array_namespace__()
    assert found == "their own" if named else found.exp is np.exp
