"""Primitives: the operations that routed networks are made of, each with several faces that must agree.

A primitive is called like a function. Called on NumPy arrays it runs its CPU implementation. Called on an
array that offers ``__sparsebench_call__`` (the meter's handles do), it is handed over whole, so that it is
one operation with one price. On any other array it runs its reference, which is array API code.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sparsebench.ops.charges import Charge

__all__ = ["AS_REFERENCE", "CONVENTION", "PRIMITIVES", "Primitive", "primitive"]

AS_REFERENCE = "what its reference costs, operation by operation"
CONVENTION = "a convention of the cost model"

PRIMITIVES: dict[str, Primitive] = {}
"""Every primitive by name."""


@dataclass(frozen=True, eq=False)
class Primitive:
    """One operation and its faces. Made by the decorator :func:`primitive`."""

    name: str
    """The name it is called and stored by."""
    reference: Callable[..., Any]
    """The definition, in array API code."""
    cpu: Callable[..., Any]
    """The same function of NumPy arrays, faster."""
    cost: Callable[..., tuple[Charge, ...]]
    """What a call is charged, from the same arguments; only shapes and dtypes are looked at."""
    elements: Callable[..., int]
    """How many elements the results of a call hold, so that a call too large is refused before it runs."""
    touched: Callable[..., Iterable[tuple[Any, Any]]] | None
    """Pairs of (table, rows read), one for every argument of which only some rows are read (rows None:
    nothing is read); None if all arguments are read whole."""
    price: str
    """The price in words, for the documentation."""
    source: str
    """Where the price comes from, for the documentation."""
    example: str
    """One line that uses it."""
    base: bool
    """True where the price is a convention of the cost model, not the price of the reference."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run on whatever the arguments are."""
        only_numpy = True
        for value in _arrays(args, kwargs):
            handed = getattr(value, "__sparsebench_call__", None)
            if handed is not None:
                return handed(self.name, args, kwargs)
            only_numpy = only_numpy and isinstance(value, np.ndarray | np.generic)
        if not only_numpy:
            return self.reference(*args, **kwargs)
        # Before NumPy 2.1 a single number has no namespace, but an array of no axes has.
        return self.cpu(*map(_as_array, args), **{name: _as_array(value) for name, value in kwargs.items()})


def _as_array(value: Any) -> Any:
    return np.asarray(value) if isinstance(value, np.generic) else value


def _arrays(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[Any]:
    return (value for value in (*args, *kwargs.values()) if hasattr(value, "dtype"))


def primitive(
    *,
    cost: Callable[..., tuple[Charge, ...]],
    elements: Callable[..., int],
    price: str,
    example: str,
    source: str = AS_REFERENCE,
    cpu: Callable[..., Any] | None = None,
    touched: Callable[..., Iterable[tuple[Any, Any]]] | None = None,
    base: bool = False,
) -> Callable[[Callable[..., Any]], Primitive]:
    """Make a primitive of its reference.

    Parameters
    ----------
    cost, elements, price, example, source, cpu, touched, base
        The fields of :class:`Primitive` of the same names; ``cpu`` defaults to the reference.
    """

    def decorate(reference: Callable[..., Any]) -> Primitive:
        name = reference.__name__
        made = Primitive(
            name, reference, cpu or reference, cost, elements, touched, price, source, example, base
        )
        object.__setattr__(made, "__doc__", reference.__doc__)  # so that help(ops.gather) tells about gather
        PRIMITIVES[name] = made
        return made

    return decorate
