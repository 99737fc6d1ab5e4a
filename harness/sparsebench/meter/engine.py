"""The engine: executes array operations in the harness's process and counts them.

The other side holds handles: numbers that mean nothing to it. What it may learn is a result's dtype and the
parts of its shape that no value decides, and, for a price, one bit at a time.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.errors import FailedError, RefusedError, UncountedOperationError
from sparsebench.meter.ledger import Ledger
from sparsebench.meter.loads import LoadTracker
from sparsebench.meter.memory import Memory
from sparsebench.meter.rules import REFUSED, RULES, Rule
from sparsebench.meter.values import Description, Handle, Secret, Value
from sparsebench.ops.charges import Charge

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["BITS_PER_INPUT", "DTYPES", "Engine"]

BITS_PER_INPUT = 64
"""Bits that may leave the meter per input. Control flow needs few; computing on bits outside needs many."""

DTYPES = (
    "bool",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "float32",
    "float64",
)
"""The dtypes that the meter knows."""

_ARGUMENT_ERRORS = (TypeError, ValueError, ArithmeticError, AttributeError, KeyError)
_USE_PRICED = "write it with priced operations: docs/cost-model.md lists them"


@dataclass
class _Reveals:
    """How many bits may still leave in this pass."""

    left: int = 0
    used: int = 0


class Engine:
    """Executes and counts.

    Parameters
    ----------
    memory_limit
        Bytes of arrays that may be held at once.

    Attributes
    ----------
    ledger
        What was counted since :meth:`begin` was last called.
    phase
        The phase that is charged: set by the harness, never by the submission.
    loads
        Which parameter elements were read, while ``loads.active``.
    """

    def __init__(self, *, memory_limit: int = 1 << 30) -> None:
        self.memory = Memory(memory_limit)
        self.loads = LoadTracker()
        self.ledger = Ledger()
        self.phase = "experts"
        self.constants: dict[str, tuple[int, int]] = {}
        self._values: dict[int, Value] = {}
        self._next = 0
        self._kept: frozenset[int] = frozenset()
        self._pinned: set[int] = set()
        self._reveals = _Reveals()

    # What the harness calls -------------------------------------------------------------------------------

    def add_parameters(self, parameters: dict[str, np.ndarray[Any, Any]]) -> dict[str, Description]:
        """Put the model's arrays under the meter, read-only; they stay until the engine goes."""
        described = {name: self._keep(array) for name, array in parameters.items()}
        self._kept = frozenset(self._values)
        return described

    def begin(self, rows: np.ndarray[Any, Any], *, inputs: int) -> Description:
        """Start counting afresh for a batch of inputs.

        Every handle but the parameters' is forgotten: what a child holds of earlier inputs is worth nothing.
        """
        self._pinned.clear()
        self.free([number for number in self._values if number not in self._kept])
        self.memory.mark()
        self.ledger = Ledger()
        self.loads.reset()
        self._reveals = _Reveals(left=BITS_PER_INPUT * inputs)
        array = np.array(rows, order="C")
        array.flags.writeable = False
        told = self._store(array)
        self.pin(told.handle)
        return told

    def pin(self, handle: Handle) -> None:
        """Keep an array until the next :meth:`begin`, even if the other side drops it."""
        self._value(handle)
        self._pinned.add(handle.number)

    def describe(self, handle: Handle) -> Description:
        """Tell of an array what the other side may know."""
        return self._describe(handle.number, self._value(handle))

    def value(self, handle: Handle) -> np.ndarray[Any, Any]:
        """Look at the array behind a handle. For the trusted side only."""
        return self._value(handle).array

    @property
    def bits_revealed(self) -> int:
        """Bits that have left since :meth:`begin`."""
        return self._reveals.used

    # What the submission's side calls, through a transport --------------------------------------------------

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
            If shapes or dtypes do not fit; these say nothing about values, so the submission may catch them.
        CellError
            If the cell must end: an error that depends on values, too much memory, a handle of nobody.
        """
        rule = _rule(name)
        secrets: set[Secret] = set()
        args = tuple(self._resolve(value, secrets) for value in args)
        kwargs = {key: self._resolve(value, secrets) for key, value in kwargs.items()}
        _refuse_rounding(name, args)
        self._charge(rule, args, kwargs, secrets)
        result = self._execute(rule, args, kwargs, secrets)
        if rows := rule.secret_rows(*args, **kwargs):
            secrets.add(Secret(rows))
        return self._describe_result(result, frozenset(secrets))

    def constant(self, array: np.ndarray[Any, Any]) -> Description:
        """Take an array that the submission made by itself. It counts as stored parameters."""
        if array.dtype.name not in DTYPES:
            raise TypeError(
                f"asarray: dtype {array.dtype} is not known to the meter; expected one of {DTYPES}"
            )
        self.memory.admit(array.nbytes)
        content = hashlib.sha256(f"{array.dtype} {array.shape}".encode() + array.tobytes())
        self.constants[content.hexdigest()] = (array.size, array.nbytes)
        return self._keep(array, passing=True)

    def reveal_bit(self, handle: Handle) -> bool:
        """Give the truth of a one-element array to the other side, for the price of a branch."""
        value = self._value(handle)
        if value.array.size != 1:
            if self._unpaid(value):
                raise FailedError(
                    "bool: expected one element", help="this shape depends on values; use xp.any first"
                )
            raise ValueError("bool: expected one element; use xp.any or xp.all, or a boolean mask")
        if value.array.dtype != np.bool_:
            self.ledger.charge(self.phase, [Charge("cmp", value.array.dtype.name, 1)])
        self._spend(1)
        return bool(value.array.reshape(())[()])

    def reveal_shape(self, handle: Handle) -> tuple[int, ...]:
        """Give a shape that depends on values to the other side, for the price of the bits that it tells."""
        value = self._value(handle)
        for secret in self._unpaid(value):
            self._spend(secret.bits)
            secret.paid = True
        return tuple(value.array.shape)

    def free(self, numbers: Iterable[int]) -> None:
        """Forget handles that the other side has dropped."""
        for number in numbers:
            if number in self._kept or number in self._pinned:
                continue
            if (value := self._values.pop(number, None)) is not None:
                self.memory.drop(value.array)

    # Inside ------------------------------------------------------------------------------------------------

    def _charge(
        self, rule: Rule, args: tuple[Any, ...], kwargs: dict[str, Any], secrets: set[Secret]
    ) -> None:
        """Price a call and make sure that its result will fit, before anything is computed."""
        try:
            plan = rule.plan(*args, **kwargs)
        except _ARGUMENT_ERRORS as error:
            if secrets:
                raise _ends_the_cell(rule, error, args, secrets) from None
            raise
        self.memory.admit(plan.nbytes)
        self.ledger.charge(self.phase, plan.charges)

    def _execute(
        self, rule: Rule, args: tuple[Any, ...], kwargs: dict[str, Any], secrets: set[Secret]
    ) -> Any:
        """Compute. From here on an error may depend on values, so it ends the cell."""
        try:
            with np.errstate(all="ignore"):
                result = rule.run(*args, **kwargs)
                if self.loads.active and not rule.view:
                    self._mark(rule, args, kwargs)
        except (*_ARGUMENT_ERRORS, IndexError) as error:
            raise _ends_the_cell(rule, error, args, secrets) from None
        return result

    def _mark(self, rule: Rule, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        partly = list(rule.touched(*args, **kwargs)) if rule.touched else []
        for array, key in partly:
            if key is not None:
                self.loads.read(array, key)
        skip = {id(array) for array, _ in partly}
        for array in _arrays([*args, *kwargs.values()]):
            if id(array) not in skip:
                self.loads.read(array)

    def _resolve(self, argument: Any, secrets: set[Secret]) -> Any:
        """Put arrays in the place of handles, and note which secrets they carry."""
        if isinstance(argument, Handle):
            value = self._value(argument)
            secrets.update(self._unpaid(value))
            return value.array
        if isinstance(argument, tuple):
            return tuple(self._resolve(item, secrets) for item in argument)
        return argument

    def _value(self, handle: Handle) -> Value:
        try:
            return self._values[handle.number]
        except KeyError:
            message = "an array of an earlier call was used"
            raise RefusedError(message, help="predict must be a function of params and x alone") from None

    def _describe_result(
        self, result: Any, secrets: frozenset[Secret]
    ) -> Description | list[Description] | None:
        if result is None:
            return None
        if isinstance(result, tuple):
            return [self._store(np.asarray(part), secrets) for part in result]
        return self._store(np.asarray(result), secrets)

    def _keep(self, array: np.ndarray[Any, Any], *, passing: bool = False) -> Description:
        owned = np.array(array, order="C")
        owned.flags.writeable = False
        self.loads.watch(owned, passing=passing)
        return self._store(owned)

    def _store(self, array: np.ndarray[Any, Any], secrets: frozenset[Secret] = frozenset()) -> Description:
        number, self._next = self._next, self._next + 1
        self._values[number] = Value(array, secrets if array.ndim else frozenset())
        self.memory.hold(array)
        return self._describe(number, self._values[number])

    def _describe(self, number: int, value: Value) -> Description:
        shape = None if self._unpaid(value) else tuple(value.array.shape)
        return Description(Handle(number), value.array.dtype.name, value.array.ndim, shape)

    def _unpaid(self, value: Value) -> list[Secret]:
        return [secret for secret in value.secrets if not secret.paid]

    def _spend(self, bits: int) -> None:
        self.ledger.charge(self.phase, [Charge("branch", "bool", bits)])
        self._reveals.left -= bits
        self._reveals.used += bits
        if self._reveals.left < 0:
            message = f"more than {BITS_PER_INPUT} bits per input left the meter"
            raise RefusedError(
                message, help="choose with ops.pack_bits and ops.gather instead of Python's if"
            )


def _ends_the_cell(rule: Rule, error: Exception, args: tuple[Any, ...], secrets: set[Secret]) -> FailedError:
    """Say what went wrong without a word about values, nor about shapes that depend on them."""
    if isinstance(error, IndexError):
        return FailedError(
            f"{rule.name}: an index is out of range", help="an index must stay inside its table"
        )
    shapes = "shapes that depend on values" if secrets else ", ".join(str(a.shape) for a in _arrays(args))
    return FailedError(
        f"{rule.name}: {type(error).__name__} on {shapes}", help=f"it is called as {rule.example}"
    )


def _rule(name: str) -> Rule:
    if name in REFUSED:
        reason, mend = REFUSED[name]
        raise UncountedOperationError(f"{name} is refused: {reason}", help=mend)
    if name not in RULES:
        raise UncountedOperationError(f"{name} has no price", help=_USE_PRICED)
    return RULES[name]


def _refuse_rounding(name: str, args: tuple[Any, ...]) -> None:
    """Refuse a cast that would round real numbers for nothing."""
    if name == "astype" and args[0].dtype.kind == "f" and np.dtype(args[1]).kind in "iu":
        reason, mend = REFUSED["astype-integer"]
        raise UncountedOperationError(
            f"astype from {args[0].dtype} to {args[1]} is refused: {reason}", help=mend
        )


def _arrays(arguments: Iterable[Any]) -> Iterator[np.ndarray[Any, Any]]:
    for argument in arguments:
        if isinstance(argument, np.ndarray):
            yield argument
        elif isinstance(argument, tuple):
            yield from _arrays(argument)
