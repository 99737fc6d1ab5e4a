"""The calls of ``cases`` on a GPU, with CuPy. ``pytest -m gpu tests/cuda`` runs them where there is one."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from cuda.cases import agree, all_cases, expected, run_on
from sparsebench import ops
from sparsebench.ops import backends


def _why_not():
    if importlib.util.find_spec("cupy") is None:
        return "CuPy is not installed: pip install 'sparsebench[gpu]'"
    import cupy

    return "" if cupy.cuda.is_available() else "CuPy finds no CUDA device"


_REASON = _why_not()
pytestmark = [pytest.mark.gpu, pytest.mark.skipif(bool(_REASON), reason=_REASON)]


def _there(part):
    """Copy an argument to the device."""
    import cupy

    return cupy.asarray(part) if isinstance(part, np.ndarray) else part


def _here(made):
    return tuple(part.get() for part in made) if isinstance(made, tuple) else made.get()


@pytest.mark.parametrize("n", [0, 1, 1003, 20_011])
@pytest.mark.parametrize("found", all_cases(), ids=str)
def test_a_case_agrees_with_the_reference(found, n):
    from sparsebench.ops.gpu.device import current_device

    args = found.make(np.random.default_rng(n), n)
    made = run_on(current_device(), found, tuple(map(_there, args)))
    assert made is not NotImplemented
    agree(_here(made), expected(found, args))


def _strided(part):
    """Return the same numbers from every other place of a larger array."""
    import cupy

    if not isinstance(part, np.ndarray) or not part.ndim:
        return _there(part)
    wide = cupy.zeros((*part.shape[:-1], 2 * part.shape[-1]), part.dtype)
    wide[..., ::2] = _there(part)
    return wide[..., ::2]


@pytest.mark.parametrize("found", all_cases(), ids=str)
def test_arrays_need_not_be_dense(found):
    from sparsebench.ops.gpu.device import current_device

    args = found.make(np.random.default_rng(5), 300)
    made = run_on(current_device(), found, tuple(map(_strided, args)))
    agree(_here(made), expected(found, args))


@pytest.mark.parametrize("found", all_cases(), ids=str)
def test_a_primitive_runs_its_kernels_on_the_current_stream(found):
    import cupy

    args = found.make(np.random.default_rng(3), 500)
    there = tuple(map(_there, args))
    cupy.cuda.get_current_stream().synchronize()
    with cupy.cuda.Stream(non_blocking=True) as stream, backends.recorded() as ran:
        made = ops.PRIMITIVES[found.primitive](*there, **found.options)
        stream.synchronize()
    assert (found.primitive, "cuda") in ran
    agree(_here(made), expected(found, args))
