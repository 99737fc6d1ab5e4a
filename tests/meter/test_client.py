"""What a submission sees: arrays without values, in an array API namespace."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from meter.metered import Meter
from sparsebench.errors import UncountedOperationError
from sparsebench.meter.values import DTYPES

X = np.array([[1.0, -2.0, 3.0], [0.5, 4.0, -1.0]], dtype=np.float32)


@pytest.fixture
def meter():
    meter = Meter()
    meter.x = meter.begin(X)
    meter.n = meter.put(np.array([5, 6, 7]))
    meter.b = meter.put(np.array([True, False, True]))
    return meter


def test_a_shape_that_depends_on_values_is_known_once_it_was_asked_for(meter):
    some = meter.x[meter.x[:, 0] > 0.7]
    assert (meter.x.known_shape, some.known_shape) == ((2, 3), None)
    assert some.shape == some.known_shape == (1, 3)


OPERATORS = {
    "add": lambda a: a + 2.0,
    "radd": lambda a: 2.0 + a,
    "rsub": lambda a: 2.0 - a,
    "rtruediv": lambda a: 2.0 / a,
    "rpow": lambda a: 2.0**a,
    "pow": lambda a: a**2.0,
    "neg": lambda a: -a,
    "pos": lambda a: +a,
    "abs": abs,
    "matmul": lambda a: a @ a.T,
    "rmatmul": lambda a: np.ones((1, 2), np.float32) @ a,
    "left-array": lambda a: np.ones(3, np.float32) * a,
    "eq": lambda a: a == 1.0,
    "ne": lambda a: a != 3.0,
    "lt": lambda a: a > 1.0,
    "ge": lambda a: a >= np.float32(1.0),
    "transpose": lambda a: a.T,
    "mT": lambda a: a.mT,
    "list-index": lambda a: a[[1, 0]],
    "list-in-a-tuple": lambda a: a[:, [2, 0]],
    "list-mask": lambda a: a[[True, False]],
    "new-axis": lambda a: a[:, None, ..., -1],
    "strong-scalar": lambda a: a * np.float64(2.0),
    "weak-scalar": lambda a: a * 2.0,
    "integer-scalar": lambda a: a * np.int64(2).item(),
    "bool-scalar": lambda a: a * True,
}


@pytest.mark.parametrize("operate", OPERATORS.values(), ids=OPERATORS.keys())
def test_operators_are_numpys(meter, operate):
    got, want = operate(meter.x), operate(X)
    assert got.dtype == want.dtype
    np.testing.assert_allclose(meter.get(got), want, rtol=1e-6)
    assert got.shape == want.shape
    assert (got.ndim, got.size) == (want.ndim, want.size)


INTEGERS = {
    "and": lambda n, b: n & 3,
    "or": lambda n, b: 8 | n,
    "xor": lambda n, b: n ^ n,
    "lshift": lambda n, b: n << 1,
    "rshift": lambda n, b: 64 >> n,
    "invert": lambda n, b: ~n,
    "invert-bool": lambda n, b: ~b,
    "and-bool": lambda n, b: b & ~b,
    "or-bool": lambda n, b: b | b,
    "xor-bool": lambda n, b: b ^ b,
    "sum-bool": lambda n, b: b + b,
}


@pytest.mark.parametrize("operate", INTEGERS.values(), ids=INTEGERS.keys())
def test_operators_on_integers_and_booleans(meter, operate):
    got, want = operate(meter.n, meter.b), operate(meter.get(meter.n), meter.get(meter.b))
    assert got.dtype == want.dtype
    np.testing.assert_array_equal(meter.get(got), want)


def test_rows_can_be_iterated(meter):
    assert [row.shape for row in meter.x] == [(3,), (3,)]
    assert len(meter.x) == 2


def test_writing(meter):
    out = meter.xp.zeros((2, 3), dtype=meter.xp.float32)
    out[:, 0] = meter.x[:, 1]
    out[[1]] = 7.0
    assert meter.get(out).tolist() == [[-2.0, 0.0, 0.0], [7.0, 7.0, 7.0]]


def test_an_array_knows_its_namespace_and_device(meter):
    assert meter.x.__array_namespace__() is meter.xp
    assert meter.x.device == "meter"
    assert meter.x.to_device("meter") is meter.x
    assert repr(meter.x) == f"{meter.x}" == "MeteredArray(shape=(2, 3), dtype=float32)"
    with pytest.raises(TypeError):
        hash(meter.x)


def test_comparison_with_something_else_is_not_ours(meter):
    assert (meter.x == "text") is False
    with pytest.raises(TypeError):
        meter.x + "text"


def test_the_namespace(meter):
    xp = meter.xp
    assert xp.float32 == np.float32
    assert (xp.pi, xp.newaxis) == (np.pi, None)
    assert xp.finfo(xp.float32).eps == np.finfo(np.float32).eps
    assert xp.isdtype(xp.int64, "integral")
    assert xp.can_cast(xp.int32, xp.float64)
    assert xp.result_type(meter.x, xp.float64) == np.float64
    assert xp.result_type(meter.x, 1.0) == np.float32
    assert xp.__name__ == "sparsebench.meter"
    assert not hasattr(xp, "_private")
    assert xp.__array_api_version__ == "2024.12"
    assert xp.linalg.matmul is xp.matmul
    assert xp.linalg is xp.linalg
    assert {"matmul", "float32", "linalg"} <= set(dir(xp))
    assert "vecdot" in dir(xp.linalg)
    assert xp.exp.__doc__.startswith("Price: 1 function evaluation")
    for name in ("nonsense", "getitem"):
        assert not hasattr(xp, name)
        with pytest.raises(UncountedOperationError, match=rf"xp\.{name}"):
            getattr(xp, name)
    with pytest.raises(UncountedOperationError, match=r"xp\.linalg\.nonsense"):
        _ = xp.linalg.nonsense


def test_questions_about_the_namespace(meter):
    xp = meter.xp
    info = xp.__array_namespace_info__()
    assert info.capabilities()["boolean indexing"] is True
    assert info.devices() == [info.default_device()] == [meter.x.device]
    assert info.default_dtypes()["real floating"] == xp.float64
    assert set(info.dtypes(kind="real floating")) == {"float32", "float64"}
    assert set(info.dtypes()) == set(DTYPES)
    assert xp.iinfo(xp.int8).max == 127
    assert xp.isdtype(meter.x.dtype, ("integral", "real floating"))
    assert xp.isdtype(xp.bool, xp.bool)
    with pytest.raises(ValueError, match="expected one of"):
        xp.isdtype(xp.bool, "whole")


def test_there_is_one_device(meter):
    assert meter.xp.zeros(2, device="meter").shape == (2,)
    with pytest.raises(ValueError, match="device"):
        meter.xp.zeros(2, device="gpu")
    assert meter.xp.from_dlpack(meter.x) is meter.x
    assert meter.get(meter.xp.from_dlpack(np.ones(2))).tolist() == [1.0, 1.0]
    for call in (
        lambda: meter.xp.asarray([1.0], copy=False),
        lambda: meter.xp.asarray(meter.x, dtype=np.float64, copy=False),
    ):
        with pytest.raises(ValueError, match="copy=False"):
            call()


def test_asarray(meter):
    xp = meter.xp
    assert xp.asarray(meter.x) is meter.x
    assert xp.asarray(meter.x, dtype="float32") is meter.x
    assert xp.asarray(meter.x, dtype=np.float64).dtype == np.float64
    copied = xp.asarray(meter.x, copy=True)
    copied[0, 0] = 9.0
    assert meter.get(meter.x)[0, 0] == 1.0
    assert meter.get(xp.asarray([[1, 2]], dtype=float)).tolist() == [[1.0, 2.0]]
    assert xp.astype(meter.n, float).dtype == np.float64
    assert xp.zeros(2, dtype=bool).dtype == np.bool_
    assert xp.sum(meter.x, axis=np.int64(0)).shape == (3,)
    assert xp.concat([meter.x, X]).shape == (4, 3)


def test_scalars_of_numpy_are_constants_with_a_width(meter):
    assert (meter.x + np.float64(1.0)).dtype == np.float64
    assert sorted(meter.engine.constants.values()) == [(1, 8)]
    assert (meter.x + np.float32(1.0)).dtype == np.float32
    assert meter.get(meter.xp.exp(1.0)) == np.exp(1.0)


@pytest.mark.parametrize("name", ["argsort", "sort"])
@pytest.mark.parametrize("descending", [False, True])
def test_orderings(meter, name, descending):
    x = np.array([3, 1, 3, 2, 1])
    got = meter.get(getattr(meter.xp, name)(meter.put(x), descending=descending))
    order = sorted(range(5), key=lambda i: (-x[i] if descending else x[i], i))
    assert got.tolist() == (order if name == "argsort" else x[order].tolist())


@pytest.mark.parametrize(
    ("shape", "index", "axis"), [((2, 3), (2, 1), 1), ((1, 3), (4, 2), -1), ((3, 2), (5, 1), 0)]
)
def test_take_along_axis_broadcasts_as_numpys(meter, shape, index, axis):
    x = np.arange(float(np.prod(shape))).reshape(shape)
    where = np.arange(np.prod(index)).reshape(index) % shape[axis]
    got = meter.get(meter.xp.take_along_axis(meter.put(x), meter.put(where), axis=axis))
    np.testing.assert_array_equal(got, np.take_along_axis(x, where, axis=axis))


def test_sums_of_another_width(meter):
    assert meter.xp.sum(meter.x, dtype=meter.xp.float64).dtype == np.float64
    assert meter.xp.sum(meter.b, dtype="float32").dtype == np.float32
    assert meter.xp.prod(meter.n, dtype="float64").dtype == np.float64
    assert meter.get(meter.xp.clip(meter.x)).tolist() == X.tolist()
    assert meter.get(meter.xp.mean(meter.xp.zeros((0,)))) != 0.0


@pytest.mark.parametrize("name", ["sum", "astype", "reshape", "argmax"])
def test_a_method_of_numpys_is_answered_with_the_namespace(meter, name):
    with pytest.raises(AttributeError, match=rf"{name}.*use the namespace: xp\.{name}\(x\)"):
        getattr(meter.x, name)
    assert not hasattr(meter.x, name)
    assert getattr(meter.x, name, None) is None
    assert meter.charges() == {}


def test_what_looks_for_protocols_finds_none_or_a_refusal(meter):
    for name in ("__array_interface__", "__array_struct__", "__cuda_array_interface__", "__wrapped__"):
        assert not hasattr(meter.x, name)
    for convert in (np.asarray, np.array, np.from_dlpack, copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(UncountedOperationError):
            convert(meter.x)
    with pytest.raises(UncountedOperationError):
        meter.x.tolist()
    with pytest.raises(UncountedOperationError, match=r"numpy\.sum"):
        np.sum(meter.x)
    with pytest.raises(TypeError):
        memoryview(meter.x)


def test_numpys_elementwise_functions_are_counted(meter):
    assert np.array_equal(meter.get(np.exp(meter.x)), meter.get(meter.xp.exp(meter.x)))
    assert np.array_equal(
        meter.get(np.arctan2(meter.x, meter.x)), meter.get(meter.xp.atan2(meter.x, meter.x))
    )
    flags = meter.x > 1.0
    assert np.array_equal(meter.get(np.invert(flags)), ~meter.get(flags))
    assert np.array_equal(meter.get(np.logical_and(flags, True)), meter.get(flags))
    for call in (
        lambda: np.add.reduce(meter.x),
        lambda: np.add(meter.x, 1.0, where=True),
        lambda: np.floor(meter.x),
    ):
        with pytest.raises(UncountedOperationError):
            call()
