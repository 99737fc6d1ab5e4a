"""Primitives: the operations of routed networks, each with several backends that must agree.

A primitive is called like a function. If an argument offers ``__sparsebench_call__`` (the meter's handles
do), the whole call is passed to it, so that it is one operation with one price. On NumPy arrays it runs a
fast backend or its steady one (:mod:`sparsebench.ops.backends`), on CuPy arrays its CUDA kernels. On any
other array it runs its definition, which is array API code.

A call is read once (:class:`sparsebench.ops.core.call.Call`): its price, its loads and its backends use that
record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.ops import backends
from sparsebench.ops.core.call import Call, Parser

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sparsebench.ops.charges import Charge
    from sparsebench.ops.core.arguments import Length

__all__ = ["AS_REFERENCE", "CONVENTION", "Primitive", "primitive"]

AS_REFERENCE = "what its reference costs, operation by operation"
CONVENTION = "a convention of the cost model"

_Read = list[tuple[Any, Any]]


class Primitive:
    """One operation and its backends. Made by the decorator :func:`primitive`.

    Attributes
    ----------
    name
        Its name in code and in stored files.
    definition
        The reference, in array API code, which defines the primitive. It takes the arguments themselves,
        unchecked.
    parser
        Its arguments, from the annotations of the definition.
    steady
        The same function of a :class:`~sparsebench.ops.core.call.Call` on NumPy arrays, which is
        batch-invariant: a row's bits do not depend on other rows. It may call other primitives only if it is
        run by :meth:`run_steadily`, which makes those steady too.
    charges
        The charges of a call; they depend only on shapes and dtypes.
    size
        The number of elements of a call's results and intermediate results, so that a call that is too large
        is refused before it runs.
    reads
        Pairs of (table, rows read), one for every argument of which only some rows are read (rows None:
        nothing is read); None if all arguments are read completely.
    backends
        The fast ones by name (:data:`sparsebench.ops.backends.BACKENDS`), each of which takes a call, and for
        ``cuda`` a device before it.
    price, source, example
        The price in words, where it comes from, and one line that uses the primitive: for the documentation.
    base
        True where the price is a convention of the cost model, not the price of the reference.
    """

    def __init__(
        self,
        definition: Callable[..., Any],
        parser: Parser,
        *,
        steady: Callable[[Call], Any] | None,
        cost: Callable[[Call], tuple[Charge, ...]],
        elements: Callable[[Call], int],
        read: Callable[[Call], _Read] | None,
        price: str,
        source: str,
        example: str,
        base: bool,
    ) -> None:
        self.name = definition.__name__
        self.definition = definition
        self.parser = parser
        self.steady = steady or self._run_definition
        self.charges = cost
        self.size = elements
        self.reads = read or (parser.read if parser.reads_records else None)
        self.backends: dict[str, Callable[..., Any]] = {}
        self.price, self.source, self.example = price, source, example
        self.base = base
        self.__doc__ = definition.__doc__  # so that help(ops.gather) tells about gather

    # Running ----------------------------------------------------------------------------------------------

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run on arguments of any library."""
        only_numpy, gpu, single = True, False, False
        for value in _arrays(args, kwargs):
            handed = getattr(value, "__sparsebench_call__", None)
            if handed is not None:
                return handed(self.name, args, kwargs)
            only_numpy = only_numpy and isinstance(value, np.ndarray | np.generic)
            gpu = gpu or hasattr(value, "__cuda_array_interface__")
            single = single or isinstance(value, np.generic)
        if only_numpy:
            args, kwargs = self.parser.with_arrays(args, kwargs) if single else (args, kwargs)
            return self.run_on_numpy(self.parser.parse(args, kwargs))
        return self._on_current_gpu(args, kwargs) if gpu else self.reference(*args, **kwargs)

    def reference(self, *args: Any, **kwargs: Any) -> Any:
        """Check a call, and run the definition."""
        self.parser.check_values(self.parser.parse(args, kwargs))
        return self.definition(*args, **kwargs)

    def _run_definition(self, call: Call) -> Any:
        args, kwargs = call.given
        return self.definition(*args, **kwargs)

    def run_on_numpy(self, call: Call) -> Any:
        """Run a call on NumPy arrays, with the policy of :func:`sparsebench.ops.backends.use`."""
        self.parser.check_values(call)
        for which in backends.asked():
            run = self.backends.get(which)
            made = NotImplemented if run is None else run(call)
            if made is not NotImplemented:
                backends.note(self.name, which)
                return made
        backends.note(self.name, "steady")
        return self.steady(call)

    def run_steadily(self, call: Call) -> Any:
        """Run the steady backend, and the steady backends of primitives that it calls."""
        with backends.use("steady"):
            self.parser.check_values(call)
            return self.steady(call)

    def run_on_gpu(self, device: Any, call: Call) -> Any:
        """Run the CUDA kernels, in parts where memory does not suffice; ``NotImplemented`` if they refuse."""
        from sparsebench.ops.gpu.chunking import in_parts  # noqa: PLC0415 - only where there is a GPU

        run = self.backends.get("cuda")
        return NotImplemented if run is None else in_parts(self, run, device, call)

    def _on_current_gpu(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run on CuPy arrays: the CUDA kernels, or the reference for calls that they do not support."""
        from sparsebench.ops.gpu.device import current_device  # noqa: PLC0415 - only where there is a GPU

        made = self.run_on_gpu(current_device(), self.parser.parse_on_gpu(args, kwargs))
        backends.note(self.name, "reference" if made is NotImplemented else "cuda")
        return self.reference(*args, **kwargs) if made is NotImplemented else made

    # The same from arguments ------------------------------------------------------------------------------

    def parse(self, *args: Any, **kwargs: Any) -> Call:
        """Read a call: :meth:`sparsebench.ops.core.call.Parser.parse`."""
        return self.parser.parse(args, kwargs)

    def caller(self, which: str, device: Any = None) -> Callable[..., Any] | None:
        """Return a function of arguments that runs one fast backend, whatever the policy.

        Parameters
        ----------
        which
            One of :data:`sparsebench.ops.backends.BACKENDS`.
        device
            Where to run, for ``cuda``.

        Returns
        -------
        callable or None
            It returns ``NotImplemented`` for calls that the backend does not support. None if the backend
            does not exist here.
        """
        if which not in backends.available(self):
            return None
        run = self.backends[which]

        def call_it(*args: Any, **kwargs: Any) -> Any:
            if which == "cuda":
                return run(device, self.parser.parse_on_gpu(args, kwargs))
            call = self.parser.parse(args, kwargs)
            self.parser.check_values(call)
            return run(call)

        return call_it

    def on_numpy_steadily(self, *args: Any, **kwargs: Any) -> Any:
        """Run the steady backend on arguments, and the steady backends of primitives that it calls."""
        return self.run_steadily(self.parser.parse(args, kwargs))

    def cost(self, *args: Any, **kwargs: Any) -> tuple[Charge, ...]:
        """Return the charges of a call with these arguments."""
        return self.charges(self.parser.parse(args, kwargs))

    def elements(self, *args: Any, **kwargs: Any) -> int:
        """Return the number of elements that a call with these arguments makes."""
        return self.size(self.parser.parse(args, kwargs))

    def touched(self, *args: Any, **kwargs: Any) -> _Read:
        """Return the parts of its tables that a call with these arguments reads."""
        return self.reads(self.parser.parse(args, kwargs)) if self.reads else []

    # What it is -------------------------------------------------------------------------------------------

    def on(self, backend: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Turn a function into a backend: a decorator for ``on_numpy``, ``on_numba`` and ``on_cuda``.

        Parameters
        ----------
        backend
            One of :data:`sparsebench.ops.backends.BACKENDS`.
        """
        if backend not in backends.BACKENDS:
            known = ", ".join(backends.BACKENDS)
            raise ValueError(f"{self.name}: expected one of {known} as a backend, got {backend!r}")

        if backend in self.backends:
            raise ValueError(f"{self.name}: expected one {backend} backend, got a second one")

        def register(run: Callable[..., Any]) -> Callable[..., Any]:
            self.backends[backend] = run
            return run

        return register

    @property
    def family(self) -> str:
        """The folder, or the module, of the primitive."""
        return self.definition.__module__.removesuffix(".definition").rpartition(".")[2]


def _arrays(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[Any]:
    return (value for value in (*args, *kwargs.values()) if hasattr(value, "dtype"))


def primitive(
    *,
    cost: Callable[[Call], tuple[Charge, ...]],
    elements: Callable[[Call], int],
    price: str,
    example: str,
    source: str = AS_REFERENCE,
    steady: Callable[[Call], Any] | None = None,
    read: Callable[[Call], _Read] | None = None,
    lengths: Mapping[str, Length] | None = None,
    check: Callable[[Call], None] | None = None,
    base: bool = False,
) -> Callable[[Callable[..., Any]], Primitive]:
    """Make a primitive from its definition, whose annotations describe its arguments.

    Parameters
    ----------
    cost, elements, steady, price, example, source, base
        As ``charges``, ``size`` and the others of :class:`Primitive`; ``steady`` defaults to the definition.
    read
        The rows read from tables, if the annotations (``at``) do not say it.
    lengths
        Axes whose lengths follow from other numbers, such as the nodes of a tree of a depth.
    check
        Raises an error for conditions that annotations cannot express.
    """

    def decorate(definition: Callable[..., Any]) -> Primitive:
        return Primitive(
            definition,
            Parser(definition, lengths, check),
            steady=steady,
            cost=cost,
            elements=elements,
            read=read,
            price=price,
            source=source,
            example=example,
            base=base,
        )

    return decorate
