"""The functions of the namespace: how they are called, what they cost, and how they return results."""

from __future__ import annotations

import functools
import inspect
from collections import namedtuple
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Function", "Refusal", "check_device", "function", "refused", "results"]

_REFUSED_PAIRS = {"floor_divide", "remainder"}
_REFUSED_KEYWORDS: dict[str, dict[str, Any]] = {
    "linalg.matrix_rank": {"rtol": None},
    "linalg.pinv": {"rtol": None},
    "linalg.svd": {"full_matrices": True},
}
"""The standard's further arguments of refused functions after one array, with the defaults."""

_FAR = 1 << 62
"""More than any array is long: a diagonal beyond is not there, however far it is. The wire has 64 bits."""


class Function(NamedTuple):
    """The submission's side of an operation, without its execution and its price formula."""

    takes: Callable[..., Any]
    """Has the signature of the operation, and does nothing."""
    price: str
    """The price in words."""
    example: str
    """One line that uses it."""
    fields: tuple[str, ...] = ()
    """Names of the results where the standard gives them as a named tuple."""
    listed: bool = False
    """Whether several results come in a list, and not in a tuple."""
    device: bool = False
    """Whether it takes an argument ``device``, which is not sent to the meter: there is only one device."""


class Refusal(NamedTuple):
    """Why an operation is refused on purpose."""

    reason: str
    """What is wrong with it."""
    mend: str
    """What to use instead."""


def function(name: str, told: Function, call: Callable[..., Any]) -> Callable[..., Any]:
    """Make a function of the namespace, with the signature and the price of its operation."""

    def operate(*args: Any, **kwargs: Any) -> Any:
        if told.device and "device" in kwargs:
            check_device(kwargs.pop("device"))
        if type(kwargs.get("k")) is int:
            kwargs["k"] = min(max(kwargs["k"], -_FAR), _FAR)
        return call(name, *args, **kwargs)

    doc = f"Price: {told.price}.\n\nExample: ``{told.example}``"
    return _described(operate, name, doc, inspect.signature(told.takes))


def refused(name: str, refusal: Refusal, call: Callable[..., Any]) -> Callable[..., Any]:
    """Make a function that is refused, with the signature that the standard has for it."""

    def operate(*args: Any, **kwargs: Any) -> Any:
        return call(name, *args, **kwargs)

    arrays = ("x1", "x2") if name in _REFUSED_PAIRS else ("x",)
    places = [inspect.Parameter(array, inspect.Parameter.POSITIONAL_ONLY) for array in arrays]
    keywords = [
        inspect.Parameter(keyword, inspect.Parameter.KEYWORD_ONLY, default=default)
        for keyword, default in _REFUSED_KEYWORDS.get(name, {}).items()
    ]
    doc = f"Refused: {refusal.reason}; {refusal.mend}."
    return _described(operate, name, doc, inspect.Signature([*places, *keywords]))


def _described(
    operate: Callable[..., Any], name: str, doc: str, signature: inspect.Signature
) -> Callable[..., Any]:
    operate.__name__ = operate.__qualname__ = name.rpartition(".")[2]
    operate.__doc__ = doc
    operate.__signature__ = signature  # type: ignore[attr-defined]
    return operate


def check_device(device: Any) -> None:
    """Refuse any device but the one that there is.

    Raises
    ------
    ValueError
        If it is another.
    """
    if device not in (None, "meter"):
        raise ValueError(f"device: expected 'meter', got {device!r}")


@functools.cache
def results(name: str, fields: tuple[str, ...]) -> Callable[..., Any]:
    """Make the named tuple of an operation's results."""
    return namedtuple(f"{name}_result", fields)  # noqa: PYI024 - its fields are known at run time only
