"""One call: its rule, its price, its execution, and its errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.errors import CellError, FailedError, MemoryLimitError, RefusedError, UncountedOperationError
from sparsebench.meter.engine.loads import root_of
from sparsebench.meter.rules import REFUSED, RULES, Arguments, Plan, Rule, check_arguments
from sparsebench.ops.charges import places

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sparsebench.meter.engine.loads import LoadTracker

__all__ = ["MOST_PER_CALL", "Planner", "find_rule", "run_call"]

MOST_PER_CALL = 1 << 38
"""Scalar operations that one call may cost: minutes of work, during which nothing can stop it."""

_MOST_PLANS = 1 << 12
_LONGEST_KEPT = 64

_PLAN_ERRORS = (TypeError, ValueError, ArithmeticError, AttributeError, LookupError)
_RUN_ERRORS = (*_PLAN_ERRORS, RuntimeError)


def find_rule(name: str) -> Rule:
    """Find the rule of an operation.

    Raises
    ------
    UncountedOperationError
        If it is refused, or has no price.
    """
    if name in REFUSED:
        reason, mend = REFUSED[name]
        raise UncountedOperationError(f"{name} is refused: {reason}", help=mend)
    if name not in RULES:
        mend = "write it with priced operations: docs/cost-model.md lists them"
        raise UncountedOperationError(f"{name} has no price", help=mend)
    return RULES[name]


class Planner:
    """The pricing of calls from their shapes and dtypes. Calls repeat in a pass, so plans are cached."""

    def __init__(self) -> None:
        self._plans: dict[Any, Plan] = {}

    def plan(
        self,
        rule: Rule,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        *,
        secret: bool,
        is_constant: Callable[[np.ndarray[Any, Any]], bool],
    ) -> tuple[Plan, Arguments | None]:
        """Price a call.

        Parameters
        ----------
        rule, args, kwargs
            The call.
        secret
            Whether a shape of an argument is a secret. Then an error must not be reported, and ends the cell.
        is_constant
            Returns whether an array is a parameter, a constant that predict made, or a slice of either: the
            cost of a look-up depends on it.

        Returns
        -------
        plan
            The cost of the call.
        bound
            The call as it was read for the plan (:meth:`~sparsebench.meter.rules.Rule.bound`), so that it is
            read once; None if the plan of a similar call was cached.

        Raises
        ------
        TypeError, ValueError, ...
            If the arguments do not fit.
        CellError
            If the cell must end, or the operation has no price.
        """
        named = _looks(tuple(kwargs.items()), is_constant) if kwargs else None
        key = rule.name, _looks(args, is_constant), named
        try:
            known = self._plans.get(key)
        except TypeError:  # a value that cannot come over a pipe, and that is refused below
            known = None
        if known is not None and not (secret and rule.tells_length):
            return known, None
        with places(lambda value: isinstance(value, np.ndarray) and is_constant(value)):
            plan, bound = _plan(rule, args, kwargs, secret=secret)
        if len(self._plans) >= _MOST_PLANS:
            self._plans.clear()
        # The cache must not grow with what a stranger sends.
        if all(map(_is_short, (args, *args, *kwargs.values()))):
            self._plans[key] = plan
        return plan, bound


def _is_short(value: Any) -> bool:
    return not isinstance(value, tuple | str) or len(value) <= _LONGEST_KEPT


def _looks(value: Any, is_constant: Callable[[np.ndarray[Any, Any]], bool]) -> Any:
    """Return everything that a plan may depend on: similar arguments have one plan."""
    if isinstance(value, np.ndarray):
        return value.shape, value.dtype, value.strides, value.flags.writeable, is_constant(value)
    if isinstance(value, tuple):
        return tuple([_looks(item, is_constant) for item in value])
    if isinstance(value, slice):  # which has no hash before Python 3.12
        return slice, value.start, value.stop, value.step
    return type(value), value  # True is not 1


def _plan(
    rule: Rule, args: tuple[Any, ...], kwargs: dict[str, Any], *, secret: bool
) -> tuple[Plan, Arguments]:
    check_arguments(rule, args, kwargs)
    if secret and rule.tells_length:
        message = f"{rule.name}: the number of results would tell a length that depends on values"
        raise FailedError(message, help="ask for x.shape first, which pays for it")
    try:
        bound = rule.bound(args, kwargs)
        plan = rule.plan(*bound[0], **bound[1])
    except MemoryError:
        raise _no_memory(rule) from None
    except _PLAN_ERRORS as error:
        if secret:
            raise _ends_the_cell(rule, error, args, secret=secret) from None
        raise
    if sum(charge.amount for charge in plan.charges) > MOST_PER_CALL:
        raise RefusedError(
            f"{rule.name}: more than {MOST_PER_CALL:,} operations in one call",
            help="do less, or in several calls",
        )
    return plan, bound


def run_call(
    rule: Rule, given: Arguments, bound: Arguments | None, loads: LoadTracker, *, secret: bool
) -> Any:
    """Execute a call. From here on an error may depend on values, so it ends the cell.

    Parameters
    ----------
    rule, given
        The call.
    bound
        The call as it was read for its plan, or None if it must still be read.
    loads
        The tracker of the parameter elements that are read.
    secret
        Whether a shape of an argument is a secret.

    Raises
    ------
    FailedError
        If the operation fails.
    MemoryLimitError
        If the machine's memory does not suffice.
    """
    try:
        with np.errstate(all="ignore"):
            read = rule.bound(*given) if bound is None else bound
            result = rule.run(*read[0], **read[1])
            if loads.active:
                _mark(rule, given, read, result, loads)
    except MemoryError:
        raise _no_memory(rule) from None
    except _RUN_ERRORS as error:
        raise _ends_the_cell(rule, error, given[0], secret=secret) from None
    return result


def _no_memory(rule: Rule) -> MemoryLimitError:
    message = f"{rule.name}: this machine has not enough memory"
    return MemoryLimitError(message, help="work on fewer elements at a time")


def _mark(rule: Rule, given: Arguments, read: Arguments, result: Any, loads: LoadTracker) -> None:
    """Note the elements of parameters that a call has read: none, where it got no rows and gave none."""
    arrays = _arrays((*given[0], *given[1].values()))
    if any(array.size == 0 for array in arrays) and all(array.size == 0 for array in _results(result)):
        return
    partly = list(rule.touched(*read[0], **read[1])) if rule.touched else []
    for array, key in partly:
        if key is not None:
            loads.read(array, key)
    skipped = [id(array) for array, _ in partly]
    for array in arrays:
        if id(array) in skipped:  # once for each of its occurrences
            skipped.remove(id(array))
        elif not rule.view or root_of(array) is not root_of(result):
            loads.read(array)


def _results(result: Any) -> Iterable[np.ndarray[Any, Any]]:
    """Return the arrays that a call gave; one that is not an array stands for elements."""
    given = result if isinstance(result, tuple) else (result,)
    return [each if isinstance(each, np.ndarray) else np.ones(1) for each in given]


def _ends_the_cell(rule: Rule, error: Exception, args: tuple[Any, ...], *, secret: bool) -> CellError:
    """Return the error of a failure, without values, and without shapes that depend on them."""
    if isinstance(error, IndexError) and not isinstance(error, ValueError):
        message = f"{rule.name}: an index is out of range"
        return FailedError(message, help="an index must stay inside its table")
    shapes = "shapes that depend on values" if secret else ", ".join(str(a.shape) for a in _arrays(args))
    message = f"{rule.name}: {type(error).__name__} on {shapes}"
    return FailedError(message, help=f"it is called as {rule.example}")


def _arrays(arguments: Iterable[Any]) -> list[np.ndarray[Any, Any]]:
    found: list[np.ndarray[Any, Any]] = []
    for argument in arguments:
        if isinstance(argument, np.ndarray):
            found.append(argument)
        elif isinstance(argument, tuple):
            found += _arrays(argument)
    return found
