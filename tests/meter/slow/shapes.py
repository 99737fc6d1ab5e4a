"""Slow shapes and constants: numbers are moved about, and nothing is counted."""

from __future__ import annotations

import numpy as np

from meter.scalars import common, number
from meter.slow.arrays import Slow, cast, single


def _moved(function):
    def run(x, *args, **kwargs):
        return Slow(single(function(x.cells, *args, **kwargs)), x.dtype)

    return run


def _together(arrays):
    dtype = common(*arrays)
    return [cast(x, dtype).cells for x in arrays], dtype


def _joined(function):
    def run(arrays, *, axis=0):
        cells, dtype = _together(arrays)
        return Slow(function(cells, axis=axis), dtype)

    return run


def _several(function):
    def run(*arrays, **how):
        made = function(*(x.cells for x in arrays), **how)
        return tuple(Slow(cells, x.dtype) for cells, x in zip(made, arrays, strict=True))

    return run


def unstack(x, *, axis=0):
    turned = np.moveaxis(x.cells, axis, 0)
    return tuple(Slow(turned[row, ...], x.dtype) for row in range(len(turned)))


def _triangle(keeps):
    def run(x, *, k=0):
        cells = x.cells.copy()
        for place in np.ndindex(cells.shape):
            if not keeps(place[-1] - place[-2], k):
                cells[place] = number(0, x.dtype)
        return Slow(cells, x.dtype)

    return run


def _shift(sign):
    def run(x, *, axes=None):
        places = range(x.ndim) if axes is None else (axes if isinstance(axes, tuple) else (axes,))
        cells = x.cells
        for place in places:
            half = cells.shape[place] // 2
            cells = np.roll(cells, half if sign > 0 else -half, axis=place)
        return Slow(cells, x.dtype)

    return run


def _constant(function):
    return lambda *args, **kwargs: Slow.of(np.asarray(function(*args, **kwargs)))


def _like(value):
    def run(x, *args, dtype=None):
        (fill,) = args or (value,)
        return Slow.of(np.full(x.shape, fill, dtype=x.dtype if dtype is None else dtype))

    return run


def _frequencies(n, *, d=1.0):
    places = [*range((n + 1) // 2), *range(-(n // 2), 0)]
    return np.array([place / (n * d) for place in places])


def _half_frequencies(n, *, d=1.0):
    return np.array([place / (n * d) for place in range(n // 2 + 1)])


TABLE = {
    "arange": _constant(np.arange),
    "broadcast_arrays": _several(np.broadcast_arrays),
    "broadcast_to": _moved(np.broadcast_to),
    "concat": _joined(np.concatenate),
    "copy": _moved(np.copy),
    "empty": _constant(np.zeros),  # memory that was not cleared would show values of other inputs
    "empty_like": _like(0),
    "expand_dims": _moved(np.expand_dims),
    "eye": _constant(np.eye),
    "fft.fftfreq": _constant(_frequencies),
    "fft.fftshift": _shift(1),
    "fft.ifftshift": _shift(-1),
    "fft.rfftfreq": _constant(_half_frequencies),
    "flip": _moved(np.flip),
    "full": _constant(np.full),
    "full_like": _like(None),
    "linspace": _constant(np.linspace),
    "matrix_transpose": _moved(np.matrix_transpose),
    "meshgrid": _several(np.meshgrid),
    "moveaxis": _moved(np.moveaxis),
    "ones": _constant(np.ones),
    "ones_like": _like(1),
    "permute_dims": _moved(np.transpose),
    "repeat": _moved(np.repeat),
    "reshape": _moved(np.reshape),
    "roll": _moved(np.roll),
    "squeeze": _moved(np.squeeze),
    "stack": _joined(np.stack),
    "tile": _moved(np.tile),
    "tril": _triangle(lambda above, k: above <= k),
    "triu": _triangle(lambda above, k: above >= k),
    "unstack": unstack,
    "zeros": _constant(np.zeros),
    "zeros_like": _like(0),
}
