"""Primitives: the operations that routed networks are made of, each with several faces that must agree.

A primitive is called like a function. Called on an array that offers ``__sparsebench_call__`` (the meter's
handles do), it is handed over whole, so that it is one operation with one price. On NumPy arrays it runs a
fast face or its steady one (:mod:`sparsebench.ops.backends`), on CuPy arrays its CUDA kernels. On any other
array it runs its reference, which is array API code.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.ops import backends

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sparsebench.ops.charges import Charge

__all__ = ["AS_REFERENCE", "CONVENTION", "Primitive", "primitive"]

AS_REFERENCE = "what its reference costs, operation by operation"
CONVENTION = "a convention of the cost model"


@dataclass(frozen=True, eq=False)
class Primitive:
    """One operation and its faces. Made by the decorator :func:`primitive`."""

    name: str
    """The name it is called and stored by."""
    reference: Callable[..., Any]
    """The definition, in array API code."""
    steady: Callable[..., Any]
    """The same function of NumPy arrays, in which a row's bits do not depend on the rows beside it. It may
    call other primitives only where it is run by :meth:`on_numpy_steadily`, which makes those steady too."""
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
        only_numpy, gpu = True, None
        for value in _arrays(args, kwargs):
            handed = getattr(value, "__sparsebench_call__", None)
            if handed is not None:
                return handed(self.name, args, kwargs)
            only_numpy = only_numpy and isinstance(value, np.ndarray | np.generic)
            gpu = value if hasattr(value, "__cuda_array_interface__") else gpu
        if only_numpy:
            # Before NumPy 2.1 a single number has no namespace, but an array of no axes has.
            return self.on_numpy(
                *map(_as_array, args), **{name: _as_array(value) for name, value in kwargs.items()}
            )
        return (self.reference if gpu is None else self._on_gpu)(*args, **kwargs)

    def on_numpy(self, *args: Any, **kwargs: Any) -> Any:
        """Run on NumPy arrays, by the policy of :func:`sparsebench.ops.backends.use`."""
        made = backends.run_on_numpy(self.name, self.family, args, kwargs)
        if made is not NotImplemented:
            return made
        backends.note(self.name, "steady")
        return self.steady(*args, **kwargs)

    def on_numpy_steadily(self, *args: Any, **kwargs: Any) -> Any:
        """Run the steady face, and the steady faces of what it calls."""
        with backends.use("steady"):
            return self.steady(*args, **kwargs)

    def _on_gpu(self, *args: Any, **kwargs: Any) -> Any:
        """Run the CUDA kernels, or the reference for what they do not take."""
        from sparsebench.ops.gpu.device import current_device  # noqa: PLC0415 - only where there is a GPU
        from sparsebench.ops.gpu.parts import in_parts  # noqa: PLC0415 - the same

        device = current_device()
        found = backends.face("cuda", self.family, self.name)
        made = NotImplemented if found is None else in_parts(found, self.name, device, args, kwargs)
        backends.note(self.name, "reference" if made is NotImplemented else "cuda")
        return self.reference(*args, **kwargs) if made is NotImplemented else made

    @property
    def family(self) -> str:
        """The module that it is in, which names the modules of its fast faces."""
        return self.reference.__module__.removesuffix(".definition").rpartition(".")[2]


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
    steady: Callable[..., Any] | None = None,
    touched: Callable[..., Iterable[tuple[Any, Any]]] | None = None,
    base: bool = False,
) -> Callable[[Callable[..., Any]], Primitive]:
    """Make a primitive of its reference; those of sparsebench are listed in :mod:`sparsebench.ops.families`.

    Parameters
    ----------
    cost, elements, price, example, source, steady, touched, base
        The fields of :class:`Primitive` of the same names; ``steady`` defaults to the reference.
    """

    def decorate(reference: Callable[..., Any]) -> Primitive:
        name = reference.__name__
        made = Primitive(
            name, reference, steady or reference, cost, elements, touched, price, source, example, base
        )
        object.__setattr__(made, "__doc__", reference.__doc__)  # so that help(ops.gather) tells about gather
        return made

    return decorate
