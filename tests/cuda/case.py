"""What cases of kernels are written with: it knows nothing of what is tested."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Case:
    """A call of a primitive."""

    primitive: str
    make: Callable[[np.random.Generator, int], tuple[Any, ...]]
    """Returns the arguments, NumPy arrays, from random numbers and a number of rows."""
    options: dict[str, Any]
    """Keyword arguments."""
    note: str = ""
    """Tells cases of one primitive apart."""

    def __str__(self) -> str:
        return f"{self.primitive}-{self.note}" if self.note else self.primitive


def case(primitive: str, make: Any, note: str = "", **options: Any) -> Case:
    """Make a case."""
    return Case(primitive, make, options, note)


def quarters(rng, shape, dtype=np.float32, limit=12):
    """Draw numbers in which products and sums are exact, so that answers must be equal, ties and all."""
    return (rng.integers(-limit, limit + 1, size=shape) / 4).astype(dtype)


def taken(rng, n, experts, k, kind, dtype=np.int64):
    """Draw experts: evenly, most of them few, or one for all."""
    shape = (n,) if k is None else (n, k)
    if kind == "one":
        return np.full(shape, experts - 1, dtype)
    if kind == "skewed":
        return np.minimum(rng.geometric(0.4, shape) - 1, experts - 1).astype(dtype)
    return rng.integers(0, experts, shape).astype(dtype)


def layers(rng, experts, widths, dtype=np.float32, bias=True):
    """Draw weights and biases of layers in turns."""
    made = []
    for d, h in itertools.pairwise(widths):
        made.append((rng.standard_normal((experts, h, d)) / max(d, 1) ** 0.5).astype(dtype))
        made.append(rng.standard_normal((experts, h)).astype(dtype) if bias else None)
    return made
