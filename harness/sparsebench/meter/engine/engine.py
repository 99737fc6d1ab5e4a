"""The engine: executes array operations in the harness's process and counts them.

The other side holds handles: numbers that mean nothing to it. It may learn a result's dtype and the parts of
its shape that no value decides, and, for a price, one bit at a time.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sparsebench.errors import CellError, FailedError, RefusedError, UncountedOperationError
from sparsebench.meter.engine.execution import Planner, find_rule, run_call
from sparsebench.meter.engine.loads import root_of
from sparsebench.meter.engine.shelf import Shelf, frozen, unpaid
from sparsebench.meter.engine.values import Secret, array_hash
from sparsebench.meter.ledger import Ledger
from sparsebench.meter.rules.complexes import charged
from sparsebench.meter.values import DTYPES, Description, Handle
from sparsebench.ops.charges import Charge, selections

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from sparsebench.meter.engine.loads import LoadTracker
    from sparsebench.meter.engine.memory import Memory

__all__ = ["BITS_PER_INPUT", "DTYPES", "MOST_CONSTANTS", "MOST_REQUESTS", "Engine", "Request"]

BITS_PER_INPUT = 16
"""Bits that may leave the meter per input. Control flow needs fewer, computing outside of the meter needs
many: what Python computes from 16 bits fits into a table of 2^16 records."""

MOST_REQUESTS = 1 << 20
"""Requests that may be made for one batch of inputs: far more than a tree has levels."""

MOST_CONSTANTS = 1 << 16
"""Different arrays that a submission may make by itself."""


class Request(NamedTuple):
    """One request of the other side that was answered. Observers of an engine receive it."""

    what: str
    """``call``, ``constant``, ``bit`` or ``shape``."""
    name: str
    """The name of the rule, for a call; else empty."""
    args: tuple[Any, ...]
    """Arguments of a call; the handle of a bit or a shape; the array of a constant."""
    kwargs: dict[str, Any]
    """Arguments of a call by name."""
    told: Any
    """The answer: descriptions, a truth value, or a shape."""
    charges: tuple[Charge, ...]
    """Its charges."""


@dataclass
class _Reveals:
    """The number of bits that may still leave in this pass."""

    left: int = 0
    used: int = 0


@dataclass
class _Given:
    """Facts about the arrays of a call."""

    secrets: set[Secret]
    """The secrets in their shapes."""
    arrays: list[np.ndarray[Any, Any]]
    constant: set[int]
    """Those that belong to the model, by identity."""

    def is_constant(self, array: Any) -> bool:
        """Return whether an array of the call, or a plan's view of one, belongs to the model."""
        if any(array is one for one in self.arrays):
            return id(array) in self.constant
        root = root_of(array)
        return any(root is root_of(one) for one in self.arrays if id(one) in self.constant)

    def all_constant(self, values: Iterable[Any]) -> bool:
        """Return whether all arrays of some arguments are."""
        return all(
            self.all_constant(value) if isinstance(value, tuple) else self.is_constant(value)
            for value in values
            if isinstance(value, tuple | np.ndarray)
        )


class Engine:
    """The executor and counter of operations.

    Parameters
    ----------
    memory_limit
        Bytes of arrays that may be held at once.
    request_limit
        Most requests for one batch.

    Attributes
    ----------
    ledger
        The counts since the last call of :meth:`begin`.
    phase
        The phase that is charged: set by the harness, never by the submission.
    constants
        Arrays that the submission made by itself: the hash of each -> (elements, bytes).
    total
        Everything charged since :meth:`begin`, counted a second time and without phases: kind -> amount.
    observers
        Called with every request after its answer.
    parameters
        The descriptions of the model's arrays by name.
    """

    def __init__(self, *, memory_limit: int = 1 << 30, request_limit: int = MOST_REQUESTS) -> None:
        self.ledger = Ledger()
        self.phase = "experts"
        self.constants: dict[str, tuple[int, int]] = {}
        self._shelf = Shelf(memory_limit)
        self._planner = Planner()
        self._reveals = _Reveals()
        self._ended: CellError | None = None
        self._request_limit = request_limit
        self._requests = 0
        self.total: Counter[str] = Counter()
        self.observers: list[Callable[[Request], None]] = []
        self.parameters: dict[str, Description] = {}

    # Called by the harness --------------------------------------------------------------------------------

    @property
    def loads(self) -> LoadTracker:
        """The parameter elements that were read, while ``loads.active``."""
        return self._shelf.loads

    @property
    def memory(self) -> Memory:
        """The bytes that are held."""
        return self._shelf.memory

    @property
    def upcoming(self) -> int:
        """The number that the next array gets. Numbers follow from the requests: they reveal no value."""
        return self._shelf.upcoming

    @property
    def bits_revealed(self) -> int:
        """The bits that have left since :meth:`begin`."""
        return self._reveals.used

    def add_parameters(self, parameters: Mapping[str, np.ndarray[Any, Any]]) -> dict[str, Description]:
        """Add the model's arrays to the meter, read-only; they stay as long as the engine.

        Raises
        ------
        FailedError
            If one has a dtype that the meter does not know.
        """
        for name, array in parameters.items():
            if array.dtype.name not in DTYPES:
                message = f"parameter {name!r}: expected one of {', '.join(DTYPES)}, got {array.dtype}"
                raise FailedError(message, help="cast it in fit")
        told = {name: self._shelf.keep(array) for name, array in parameters.items()}
        self.parameters.update(told)
        return told

    def begin(self, rows: np.ndarray[Any, Any], *, inputs: int) -> Description:
        """Start counting anew for a batch of inputs.

        Every handle but those of parameters is forgotten: handles of earlier inputs that a child still holds
        are useless.
        """
        self._shelf.clear()
        self.ledger = Ledger()
        self._reveals = _Reveals(left=BITS_PER_INPUT * inputs)
        self._ended = None
        self._requests = 0
        self.total = Counter()
        return self.place(rows)

    def place(self, array: np.ndarray[Any, Any]) -> Description:
        """Add an array of the harness's own to a batch's inputs, read-only, until :meth:`begin`."""
        told = self._shelf.store(frozen(array))
        self.pin(told.handle)
        return told

    @contextlib.contextmanager
    def replaced(self, arrays: Mapping[Handle, np.ndarray[Any, Any]]) -> Iterator[None]:
        """Replace the arrays of parameters by others of the same shapes and dtypes, for a while."""
        before = {handle: self._shelf.replace(handle, array) for handle, array in arrays.items()}
        try:
            yield
        finally:
            for handle, array in before.items():
                self._shelf.replace(handle, array)

    def pin(self, handle: Handle) -> None:
        """Keep an array until the next :meth:`begin`, even if the other side drops it."""
        self._shelf.pin(handle)

    def describe(self, handle: Handle) -> Description:
        """Return what the other side may know about an array."""
        return self._shelf.describe(handle)

    def value(self, handle: Handle) -> np.ndarray[Any, Any]:
        """Return the array behind a handle. For the trusted side only."""
        return self._shelf.value(handle).array

    # Called by the submission's side, through a transport ---------------------------------------------------

    def call(
        self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Description | list[Description] | None:
        """Execute one operation and count it.

        Parameters
        ----------
        name
            The name of a rule.
        args, kwargs
            Its arguments; arrays as :class:`Handle`, and everything else plain.

        Raises
        ------
        UncountedOperationError
            If the operation has no price.
        TypeError, ValueError, ...
            If shapes or dtypes do not fit; these reveal nothing about values, so the submission may catch
            them.
        CellError
            If the cell must end: an error that depends on values, too much memory, an unknown handle. Every
            later request gets the same error.
        """
        self._admit_request()
        try:
            told, charges = self._call(name, args, kwargs)
        except UncountedOperationError:
            raise
        except CellError as error:
            self._ended = error
            raise
        if self.observers:
            self._observe(Request("call", name, args, kwargs, told, charges))
        return told

    def constant(self, array: np.ndarray[Any, Any]) -> Description:
        """Add an array that the submission made by itself. It counts as stored parameters.

        Raises
        ------
        TypeError
            If the meter does not know its dtype.
        MemoryLimitError
            If it is too large.
        """
        if array.dtype.name not in DTYPES:
            message = f"asarray: expected one of the dtypes {', '.join(DTYPES)}, got {array.dtype}"
            raise TypeError(message)
        self._admit_request()
        self.memory.admit(array.nbytes)
        self.constants[array_hash(array)] = (array.size, array.nbytes)
        if len(self.constants) > MOST_CONSTANTS:
            message = f"more than {MOST_CONSTANTS:,} different arrays were made in predict"
            raise self._end(RefusedError(message, help="make tables in fit"))
        told = self._shelf.keep(array, passing=True)
        self._observe(Request("constant", "", (array,), {}, told, ()))
        return told

    def reveal_bit(self, handle: Handle) -> bool:
        """Reveal the truth of a one-element array to the other side, for the price of a branch.

        Raises
        ------
        ValueError
            If it does not have exactly one element.
        CellError
            If that depends on values, or too many bits have left.
        """
        self._admit_request()
        value = self._shelf.value(handle)
        if value.array.size != 1:
            if unpaid(value):
                message = "bool: expected one element"
                raise self._end(FailedError(message, help="this shape depends on values; use xp.any first"))
            raise ValueError("bool: expected one element; use xp.any or xp.all, or a boolean mask")
        numeric = value.array.dtype != np.bool_
        charges = charged("not_equal", value.array.dtype, 1) if numeric else ()
        self._charge(charges)
        charges += self._spend(1)
        self.loads.read(value.array)
        bit = bool(value.array.reshape(())[()])
        self._observe(Request("bit", "", (handle,), {}, bit, charges))
        return bit

    def reveal_shape(self, handle: Handle) -> tuple[int, ...]:
        """Reveal a shape that depends on values to the other side, for the price of its bits."""
        self._admit_request()
        value = self._shelf.value(handle)
        charges: tuple[Charge, ...] = ()
        for secret in unpaid(value):
            charges += self._spend(secret.bits)
            secret.paid = True
        shape = tuple(value.array.shape)
        self._observe(Request("shape", "", (handle,), {}, shape, charges))
        return shape

    def free(self, numbers: Iterable[int]) -> None:
        """Forget handles that the other side has dropped."""
        self._shelf.free(numbers)

    # Internal ----------------------------------------------------------------------------------------------

    def _admit_request(self) -> None:
        """Admit one more request, unless the cell has ended or there were too many."""
        if self._ended:
            raise self._ended
        self._requests += 1
        if self._requests > self._request_limit:
            message = f"more than {self._request_limit:,} requests for one batch of inputs"
            raise self._end(RefusedError(message, help="work on whole arrays instead of single numbers"))

    def _observe(self, request: Request) -> None:
        for observer in self.observers:
            observer(request)

    def _end(self, error: CellError) -> CellError:
        """Store the error that ends the cell: every later request gets it again."""
        self._ended = error
        return error

    def _charge(self, charges: tuple[Charge, ...]) -> None:
        self.ledger.charge(self.phase, charges)
        for kind, _, amount in charges:
            self.total[kind] += amount

    def _call(
        self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[Description | list[Description] | None, tuple[Charge, ...]]:
        rule = find_rule(name)
        given = _Given(set(), [], set())
        args = tuple([self._resolve(value, given) for value in args])
        kwargs = {key: self._resolve(value, given) for key, value in kwargs.items()} if kwargs else kwargs
        secret, secrets = bool(given.secrets), given.secrets
        plan, bound = self._planner.plan(rule, args, kwargs, secret=secret, is_constant=given.is_constant)
        self.memory.admit(plan.nbytes)
        self._charge(plan.charges)
        result = run_call(rule, (args, kwargs), bound, self.loads, secret=secret)
        parts = [np.asarray(part) for part in (result if isinstance(result, tuple) else (result,))]
        charges = plan.charges
        if secret and rule.moves and _is_free(charges):
            # If an input decides a length, it decides the places of the numbers after it.
            extra = _moved([np.asarray(args[0][args[1]])] if result is None else parts)
            self._charge(extra)
            charges += extra
        # No input decides how many rows a mask of the model keeps.
        chosen = args[1:] if rule.name == "getitem" else args
        if (rows := rule.secret_rows(*args, **kwargs)) and not given.all_constant(chosen):
            secrets.add(Secret(rows))
        if result is None:
            self._shelf.write(args[0])
            return None, charges
        constant = not secrets and (
            rule.constant or (rule.wiring and given.all_constant((*args, *kwargs.values())))
        )
        carried = frozenset(secrets)
        told = [self._shelf.store(part, carried, constant=constant) for part in parts]
        return (told if isinstance(result, tuple) else told[0]), charges

    def _resolve(self, argument: Any, given: _Given) -> Any:
        """Replace handles by arrays, and note the facts about them."""
        if isinstance(argument, Handle):
            value = self._shelf.value(argument)
            given.secrets.update(unpaid(value))
            given.arrays.append(value.array)
            if self._shelf.is_constant(value):
                given.constant.add(id(value.array))
            return value.array
        if isinstance(argument, tuple):
            return tuple(self._resolve(item, given) for item in argument)
        return argument

    def _spend(self, bits: int) -> tuple[Charge, ...]:
        charges = (Charge("branch", "bool", bits),)
        self._charge(charges)
        self._reveals.left -= bits
        self._reveals.used += bits
        if self._reveals.left < 0:
            message = f"more than {BITS_PER_INPUT} bits per input left the meter"
            mend = "choose with ops.pack_bits and ops.gather instead of Python's if"
            raise self._end(RefusedError(message, help=mend))
        return charges


def _is_free(charges: tuple[Charge, ...]) -> bool:
    """Return whether nothing but loads is charged."""
    return not any(amount for kind, _, amount in charges if kind != "load")


def _moved(parts: Iterable[np.ndarray[Any, Any]]) -> tuple[Charge, ...]:
    return tuple(charge for part in parts for charge in selections(part.dtype, int(part.size)))
