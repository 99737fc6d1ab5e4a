"""Some primitives, picked by what they are: a test of timing needs no particular one."""

from __future__ import annotations

from sparsebench.ops import PRIMITIVES


def picked(fits):
    """The name of the first primitive that fits."""
    return next(name for name, made in PRIMITIVES.items() if fits(made))


def _decides(made):
    return bool(made.parser.gives) and all(told.kinds == "iu" for told in made.parser.gives)


PLAIN = picked(lambda made: not made.backends and len(made.parser.arguments) == 1)
"""A function of one array, without fast backends."""
ROUTER = picked(lambda made: {"numpy", "numba", "cuda"} <= set(made.backends) and _decides(made))
"""It has all backends, and gives integers."""
SMOOTH = picked(lambda made: made.parser.gives and made.parser.gives[0].kinds == "f")
"""It gives real numbers."""
TWO = picked(lambda made: len(made.parser.gives) > 1)
"""It gives two arrays."""
