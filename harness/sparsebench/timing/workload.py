"""A workload: one call of a primitive, of a size that is useful for timing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.ops import PRIMITIVES

if TYPE_CHECKING:
    from collections.abc import Callable

    from sparsebench.ops import Primitive

__all__ = ["Work", "Workload"]

_NO_ARITHMETIC = (
    "lookup",
    "load",
    "mac",
    "branch",
    "address",
    "select",
)  # a mac is also counted as mul and add


@dataclass(frozen=True)
class Work:
    """The least work of a call."""

    bytes: int
    """Bytes that must be moved: inputs read once (of tables, the records that are addressed), results written
    once."""
    operations: int
    """Active operations: the scalar arithmetic of the primitive's price."""
    paired: int
    """Of these, real multiplications that have an addition, and these additions. Only these can be held
    against the rate of a matrix product, whose units do both at once; comparisons have other units."""
    lookups: int
    """Look-ups of its price."""


@dataclass(frozen=True)
class Workload:
    """One call of a primitive."""

    primitive: str
    """Which."""
    note: str
    """The sizes, in words."""
    rows: int
    """How many rows the inputs have."""
    quick_rows: int
    """The same for a quick look."""
    draw: Callable[[np.random.Generator, int, str], tuple[Any, ...]]
    """Draws the arguments for so many rows and a dtype."""
    by_row: tuple[int, ...] = (0,)
    """Arguments that have rows: the reference is asked about some of these. Empty: about the whole."""
    options: dict[str, Any] = field(default_factory=dict)
    """Keyword arguments."""

    @property
    def of(self) -> Primitive:
        """The primitive itself."""
        return PRIMITIVES[self.primitive]

    def make(self, seed: int, rows: int, dtype: str) -> tuple[Any, ...]:
        """Draw the arguments.

        Parameters
        ----------
        seed
            The seed of the generator.
        rows
            The number of rows.
        dtype
            The dtype of the real arrays; ``bfloat16`` needs the package ml_dtypes.
        """
        return self.draw(np.random.default_rng(seed), rows, dtype)

    def work(self, args: tuple[Any, ...], result: Any) -> Work:
        """Return the work of a call.

        Parameters
        ----------
        args
            The arguments, as NumPy arrays.
        result
            The result, on any device.
        """
        stand_ins = tuple(map(_known, args))
        amounts: Counter[str] = Counter()
        real: Counter[str] = Counter()
        for charge in self.of.cost(*stand_ins, **self.options):
            amounts[charge.kind] += charge.amount
            real[charge.kind] += charge.amount if charge.dtype.startswith("float") else 0
        arithmetic = sum(amount for kind, amount in amounts.items() if kind not in _NO_ARITHMETIC)
        results = result if isinstance(result, tuple) else (result,)
        moved = self._read(args, stand_ins) + sum(int(part.nbytes) for part in results)
        return Work(moved, arithmetic, 2 * min(real["mul"], real["add"]), amounts["lookup"])

    def _read(self, args: tuple[Any, ...], stand_ins: tuple[Any, ...]) -> int:
        bytes_of = {
            id(known): int(part.nbytes)
            for known, part in zip(stand_ins, args, strict=True)
            if isinstance(part, np.ndarray)
        }
        touched = self.of.touched(*stand_ins, **self.options)
        for table, rows in touched:
            whole = bytes_of.get(id(table), 0)
            bytes_of[id(table)] = min(whole, _bytes_of(table, rows, whole))
        return sum(bytes_of.values())


def _known(value: Any) -> Any:
    """Return bfloat16 numbers, which NumPy's own functions do not know, as float32."""
    short = isinstance(value, np.ndarray) and value.dtype.name == "bfloat16"
    return value.astype(np.float32) if short else value


def _bytes_of(table: Any, read: Any, whole: int) -> int:
    """Count the bytes read, of ``whole``; ``read`` is a mask of the first axes, or the rows' numbers."""
    if read is None or not table.size:
        return 0
    mask = read
    if read.dtype != np.bool_:
        mask = np.zeros(table.shape[0], dtype=np.bool_)
        mask[read] = True
    return int(mask.sum()) * (whole // int(mask.size))
