"""Sets: the distinct elements of an array. How many there are is a secret until it is paid for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sparsebench.meter.engine.memory import PER_HANDLE
from sparsebench.meter.rules.base import Plan, Rule
from sparsebench.meter.rules.complexes import charged, spread
from sparsebench.meter.rules.kinds import Array
from sparsebench.ops.charges import Charge, bits_to_choose

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["RULES"]

_FIELDS = ("values", "indices", "inverse_indices", "counts")
_BYTES_BESIDE = 8 * 8
"""Bytes per element of what is not of the array's dtype: order, room to sort, starts, and four results."""
_LEXICOGRAPHIC = {"cmp": 3, "logic": 2}  # a < c, or a = c and b < d


class _Distinct(NamedTuple):
    """The facts about distinct elements, in ascending order."""

    ordered: Any
    """All elements in order."""
    order: Any
    """Where they were; equal ones in their order."""
    is_new: Any
    """Which of them differ from the one before. NaN differs from NaN."""

    @property
    def starts(self) -> Any:
        """Return where new elements start in the order."""
        return np.flatnonzero(self.is_new)

    def values(self) -> Any:
        """Return the distinct elements."""
        return self.ordered[self.is_new]

    def indices(self) -> Any:
        """Return the place of each element's first occurrence."""
        return self.order[self.is_new]

    def counts(self) -> Any:
        """Return how often each element occurs."""
        return np.diff(self.starts, append=self.ordered.size)

    def inverse_indices(self, shape: tuple[int, ...]) -> Any:
        """Return for every element the place of its value."""
        inverse = np.empty(self.order.size, dtype=np.int64)
        inverse[self.order] = np.cumsum(self.is_new) - 1
        return inverse.reshape(shape)


def _distinct(x: Any) -> _Distinct:
    flat = x.reshape(-1)
    order = np.argsort(flat, kind="stable")
    ordered = flat[order]
    is_new = np.ones(ordered.size, dtype=np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=is_new[1:])
    return _Distinct(ordered, order, is_new)


def _unique_all(x: Array, /) -> Any:
    found = _distinct(x)
    return found.values(), found.indices(), found.inverse_indices(x.shape), found.counts()


def _unique_counts(x: Array, /) -> Any:
    found = _distinct(x)
    return found.values(), found.counts()


def _unique_inverse(x: Array, /) -> Any:
    found = _distinct(x)
    return found.values(), found.inverse_indices(x.shape)


def _unique_values(x: Array, /) -> Any:
    return _distinct(x).values()


def _plan(x: Any, /) -> Plan:
    """Return the plan of a sort, and of a comparison of each element with the one before."""
    steps = x.size * bits_to_choose(x.size)
    is_complex = x.dtype.kind == "c"
    sorting = spread(_LEXICOGRAPHIC, x.dtype, steps) if is_complex else (Charge("cmp", x.dtype.name, steps),)
    different = charged("not_equal", x.dtype, max(x.size - 1, 0))
    nbytes = x.size * (3 * x.itemsize + _BYTES_BESIDE) + len(_FIELDS) * PER_HANDLE
    return Plan(sorting + different, nbytes)


def _rule(name: str, run: Callable[..., Any], *fields: str) -> Rule:
    return Rule(
        name,
        run,
        _plan,
        "m terms: m⌈log2 m⌉ + (m - 1) comparisons; of complex numbers 3 comparisons and 2 logical operations "
        "to order, 2 and 1 to tell apart",
        f"xp.{name}(x)",
        source="a sort, then each element is compared with the one before",
        secret_rows=lambda x, /: int(x.size),
        fields=fields,
    )


RULES: tuple[Rule, ...] = (
    _rule("unique_all", _unique_all, *_FIELDS),
    _rule("unique_counts", _unique_counts, "values", "counts"),
    _rule("unique_inverse", _unique_inverse, "values", "inverse_indices"),
    _rule("unique_values", _unique_values),
)
"""The rules of sets."""
