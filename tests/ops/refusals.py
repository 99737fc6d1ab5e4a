"""What a call that does not fit is told: the same line by everybody who may be asked."""

from __future__ import annotations

import array_api_strict
import numpy as np
import pytest

from cuda import shim
from cuda.backends import on_gpu
from ops.on_cpu import worth
from sparsebench.ops import backends


def held(value):
    """An array that has nothing but the standard, where that knows its dtype."""
    known = isinstance(value, np.ndarray) and hasattr(array_api_strict, value.dtype.name)
    return array_api_strict.asarray(value, copy=True) if known else value


def told_by_all(error, primitive, arguments, keywords):
    """Everything that a primitive can be asked raises an error that names it, in the same line.

    Prices and kernels look at no values: what only those are wrong in, they cannot tell.
    """
    ways = [primitive, primitive.on_numpy_steadily, primitive.reference]
    ways += [primitive.caller(which) for which in backends.available(primitive) if which != "cuda"]
    ways += [] if error is IndexError else [primitive.cost, primitive.elements]
    device = shim.ShimDevice() if shim.MISSING is None else None
    if error is not IndexError and device and "cuda" in primitive.backends:
        ways.append(lambda *args, **kwargs: on_gpu(primitive, device, *args, **kwargs))
    with pytest.raises(error, match=rf"^{primitive.name}: ") as strictly:
        primitive(*map(held, arguments), **{name: held(value) for name, value in keywords.items()})
    assert "\n" not in str(strictly.value)
    lines = set()
    for way in ways:
        with worth(), pytest.raises(error, match=rf"^{primitive.name}: ") as told:
            way(*arguments, **keywords)
        lines.add(str(told.value))
    assert len(lines) == 1
    assert "\n" not in lines.pop()
    assert not device or device.launched == []


def each(wrong):
    """Parametrize a test by calls that are refused: an error, a primitive, arguments and keywords."""
    ids = [f"{error.__name__}-{primitive.name}-{place}" for place, (error, primitive, *_) in enumerate(wrong)]
    return pytest.mark.parametrize(("error", "primitive", "arguments", "keywords"), wrong, ids=ids)
