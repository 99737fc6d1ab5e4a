"""What tests of the fast backends on the processor share: runs of one, whatever it is worth."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest

from ops.drawn import decides
from sparsebench.ops import backends, jit

NUMBA = pytest.mark.skipif(not backends.has_numba(), reason="Numba, of the extra 'fast', is not installed")
BACKENDS = ["numpy", pytest.param("numba", marks=NUMBA)]
EACH = pytest.mark.parametrize("which", BACKENDS)


@contextlib.contextmanager
def worth():
    """Let compiled loops take what is too small for them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jit, "WORTH", 0)
        yield


@contextlib.contextmanager
def using(which):
    """Run primitives by one backend for a while; give the record of what ran."""
    with worth(), backends.use(which), backends.recorded() as record:
        yield record


def fast(which, primitive, *args, **kwargs):
    """Run a fast backend, which must take the arguments."""
    with worth():
        made = primitive.caller(which)(*args, **kwargs)
    assert made is not NotImplemented
    return made


def as_tuple(made):
    return made if isinstance(made, tuple) else (made,)


def agrees_with(primitive, got, want):
    """Integers are equal, real numbers beside them near one by one, and others near to the norm of all."""
    for one, other in zip(as_tuple(got), as_tuple(want), strict=True):
        assert (one.dtype, one.shape) == (other.dtype, other.shape)
        limit = 1e-5 if other.dtype == np.float32 else 1e-12
        if other.dtype.kind != "f":
            np.testing.assert_array_equal(one, other)
        elif decides(primitive):
            np.testing.assert_allclose(one, other, rtol=limit)
        else:
            assert np.linalg.norm(one - other) <= limit * np.linalg.norm(other)


def check(which, primitive, args, kwargs):
    """A backend gives what the steady one does, whose sort is stable as the standard's is."""
    agrees_with(
        primitive, fast(which, primitive, *args, **kwargs), primitive.on_numpy_steadily(*args, **kwargs)
    )
