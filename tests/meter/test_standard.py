"""What the array API standard says of single operations, where its conformance suite found us wrong."""

from __future__ import annotations

import inspect
import math

import numpy as np
import pytest

from meter.metered import Meter, furnished
from sparsebench.errors import UncountedOperationError

INF, NAN = math.inf, math.nan


@pytest.fixture
def meter():
    return furnished()


@pytest.mark.parametrize("name", ["cumulative_sum", "cumulative_prod"])
def test_running_sums_have_the_dtype_that_was_asked_for(meter, name):
    narrow = meter.put(np.array([200, 100], dtype=np.uint8))
    got = getattr(meter.xp, name)(narrow, dtype="uint8", include_initial=True)
    assert got.dtype == np.uint8
    assert meter.get(got).tolist() == ([0, 200, 44] if name == "cumulative_sum" else [1, 200, 32])
    assert getattr(meter.xp, name)(narrow).dtype == np.uint64


@pytest.mark.parametrize(
    ("z", "want"),
    [
        (complex(-0.0, 0.0), complex(0.0, 0.0)),
        (complex(-0.0, -0.0), complex(0.0, -0.0)),
        (complex(INF, 0.0), complex(INF, 0.0)),
        (complex(800.0, 0.0), complex(INF, 0.0)),
        (complex(-INF, INF), complex(-1.0, 0.0)),
        (complex(INF, INF), complex(INF, NAN)),
        (complex(-INF, NAN), complex(-1.0, 0.0)),
        (complex(INF, NAN), complex(INF, NAN)),
        (complex(NAN, 0.0), complex(NAN, 0.0)),
        (complex(1e-12, 1e-12), complex(1e-12, 1e-12)),
    ],
)
@pytest.mark.parametrize("shape", [(), (1,), (2, 2)])
def test_expm1_of_complex_numbers(meter, z, want, shape):
    given = np.full(shape, z, order="F")
    got = meter.get(meter.xp.expm1(meter.put(given)))
    np.testing.assert_allclose(got, np.full(shape, want), rtol=1e-9)
    zero = np.asarray(want).real == 0.0
    assert not zero or not np.signbit(got.real).any()
    assert np.array_equal(meter.get(meter.xp.expm1(z)), got.reshape(-1)[0], equal_nan=True)


@pytest.mark.parametrize("b", [2.0, -2.0, 1.0, -1.0, 0.0, -0.0])
@pytest.mark.parametrize("a", [INF, -INF])
@pytest.mark.parametrize("shape", [(), (3,)])
def test_tangents_keep_the_sign_of_what_vanishes(meter, a, b, shape):
    got = meter.get(meter.xp.tanh(meter.put(np.full(shape, complex(a, b)))))
    turned = meter.get(meter.xp.tan(meter.put(np.full(shape, complex(b, a)))))
    for real, imaginary in ((got.real, got.imag), (turned.imag, turned.real)):
        assert (real == math.copysign(1.0, a)).all()
        assert (imaginary == 0.0).all()
        assert (np.signbit(imaginary) == (math.copysign(1.0, b) < 0.0)).all()


@pytest.mark.parametrize("name", ["tan", "tanh"])
def test_other_tangents_are_numpys(meter, name):
    z = np.array([0.5 - 1.5j, complex(INF, NAN), complex(NAN, 0.0), complex(INF, INF), -0.0 + 0.0j])
    with np.errstate(all="ignore"):
        want = getattr(np, name)(z)
    np.testing.assert_array_equal(meter.get(getattr(meter.xp, name)(meter.put(z))), want)


@pytest.mark.parametrize("x", [0.5, -0.5, 0.0, -0.0, 0.999])
def test_infinite_powers_of_what_is_less_than_1(meter, x):
    powers = meter.xp.pow(meter.put(np.full(2, x)), meter.put(np.array([INF, -INF])))
    assert meter.get(powers).tolist() == [0.0, INF]
    assert not np.signbit(meter.get(powers)).any()


def test_sums_may_be_of_any_integer_dtype(meter):
    signed = meter.put(np.array([-1, 2], dtype=np.int8))
    got = meter.xp.sum(signed, dtype="uint8")
    assert (got.dtype, meter.get(got)) == (np.uint8, 1)


def test_dtypes_may_be_given_as_numpys_types(meter):
    xp = meter.xp
    assert xp.result_type(meter.x, np.float64) == xp.result_type(np.float64, np.float32) == np.float64
    assert xp.can_cast(np.float32, np.float64)
    assert xp.isdtype(np.float64, "real floating")
    assert xp.isdtype(np.float64, np.float64)
    assert (xp.finfo(np.float64).bits, xp.iinfo(np.int8).max) == (64, 127)


@pytest.mark.parametrize("far", [10**30, -(10**30)])
def test_a_diagonal_may_be_as_far_as_one_likes(meter, far):
    w = meter.params["w"]
    assert not meter.get(meter.xp.eye(3, k=far)).any()
    assert (meter.get(meter.xp.triu(w, k=far)) == meter.get(w) * (far < 0)).all()
    with pytest.raises(TypeError):
        meter.xp.eye(3, k=1.5)


def test_slices_have_bounds_of_numpys_integers(meter):
    assert meter.x[np.int64(1) : np.int8(3)].shape == (2,)
    assert meter.params["w"][:, np.uint8(1) :: np.int64(2)].shape == (2, 1)
    with pytest.raises(TypeError):
        meter.x[1.0:]
    with pytest.raises(UncountedOperationError, match="as a Python index"):
        meter.x[meter.n[0] :]


MISFITS = {
    "position": lambda m: m.x[9],
    "too-many": lambda m: m.x[0, 0],
    "two-dots": lambda m: m.x[..., ...],
    "mask": lambda m: m.x[m.b[:2]],
    "mask-of-other-axes": lambda m: m.params["w"][m.xp.zeros((0, 2), dtype="bool")],
    "mask-of-a-number": lambda m: m.x[0][m.b[:1]],
    "writing": lambda m: m.xp.zeros(3).__setitem__(3, 1.0),
}


@pytest.mark.parametrize("attempt", MISFITS.values(), ids=MISFITS.keys())
def test_an_index_that_does_not_fit_is_an_index_error(meter, attempt):
    with pytest.raises(IndexError):
        attempt(meter)
    assert meter.get(meter.x + 1.0) is not None  # nothing depended on values: the cell goes on


@pytest.mark.parametrize("shape", [(0,), (0, 3), (2, 0), (0, 0)])
def test_a_mask_without_elements_selects_nothing(meter, shape):
    w = meter.params["w"]
    mask = meter.xp.zeros(shape, dtype="bool")
    got = w[mask]
    assert got.shape == np.ones((2, 3))[np.zeros(shape, dtype=np.bool_)].shape
    out = w + 0.0
    out[mask] = 7.0
    assert (meter.get(out) == meter.get(w)).all()


def test_lists_of_arrays_are_given_where_the_standard_has_lists(meter):
    xp = meter.xp
    for several in (xp.meshgrid(meter.x, meter.n), xp.broadcast_arrays(meter.x, meter.n)):
        assert type(several) is list
        assert len(several) == 2
    for several in (xp.unstack(meter.x), xp.nonzero(meter.b)):
        assert type(several) is tuple


def test_what_a_submission_makes_may_be_written_to(meter):
    xp = meter.xp
    made = xp.asarray([[1.0, 2.0], [3.0, 4.0]])
    same = xp.asarray(made, copy=False)
    copied = xp.asarray(made, copy=True)
    made[0, 0] = meter.x[0]
    assert meter.get(same)[0, 0] == meter.get(meter.x)[0]
    assert meter.get(copied)[0, 0] == 1.0


def test_what_is_written_is_not_what_was_given():
    meter, given = Meter(), np.ones(3)
    made = meter.xp.asarray(given)
    made[0] = 5.0
    assert given.tolist() == [1.0, 1.0, 1.0]
    assert meter.get(meter.xp.asarray(given)).tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("floor", "(x, /)"),
        ("remainder", "(x1, x2, /)"),
        ("linalg.eigh", "(x, /)"),
        ("linalg.matrix_rank", "(x, /, *, rtol=None)"),
        ("linalg.svd", "(x, /, *, full_matrices=True)"),
    ],
)
def test_refused_functions_have_the_signatures_of_the_standard(meter, name, written):
    extension, _, last = name.rpartition(".")
    space = getattr(meter.xp, extension) if extension else meter.xp
    assert str(inspect.signature(getattr(space, last))) == written


def test_dlpack_has_the_signature_of_the_standard(meter):
    assert set(inspect.signature(meter.x.__dlpack__).parameters) == {
        *("stream", "max_version", "dl_device", "copy"),
    }
