"""The arguments of operations: exactly those of their signatures, each of its kind.

An argument that NumPy knows but the meter does not (``out``, ``where``, ``casting``) could compute something
that is not counted, and an array instead of a plain number (the end of a range, a shift) could reveal its
value by the shape of the result. So every parameter of every rule has a kind: it is in its annotation, in the
signature of the function that executes the rule (:mod:`sparsebench.meter.rules.kinds`).
"""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any, NamedTuple, get_type_hints

import numpy as np

from sparsebench.errors import UncountedOperationError
from sparsebench.ops.core.kinds import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sparsebench.meter.rules.base import Rule

__all__ = ["check_arguments", "kinds_of", "typed"]


class _Takes(NamedTuple):
    """The arguments of a rule, in a form in which a valid call is recognised quickly."""

    signature: inspect.Signature
    positional: tuple[Kind, ...]
    several: Kind | None
    """The kind of all further positional arguments, where there may be any number."""
    names: dict[str, tuple[Kind, int]]
    """Arguments that may be given by name: the kind, and the position or one past the last."""
    required: int
    """How many positional arguments have no default."""
    needed: tuple[str, ...]
    """Names without a default that cannot be given by position."""


def check_arguments(rule: Rule, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Refuse arguments that a rule does not accept.

    Raises
    ------
    UncountedOperationError
        If there are more arguments than the operation has, or others.
    TypeError
        If one is missing, or of another kind. The error says nothing about the value of an array.
    """
    takes = _takes(rule)
    if not _fits(takes, args, kwargs):
        _explain(rule, takes.signature, args, kwargs)


def _fits(takes: _Takes, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Return whether a call is valid; :func:`_explain` finds out why one is not."""
    given = len(args)
    if given < takes.required or (given > len(takes.positional) and takes.several is None):
        return False
    if takes.needed and not all(name in kwargs for name in takes.needed):
        return False
    for kind, value in zip(takes.positional, args, strict=False):
        if not kind.fits(value):
            return False
    if takes.several is not None and not all(map(takes.several.fits, args[len(takes.positional) :])):
        return False
    for name, value in kwargs.items():
        known = takes.names.get(name)
        if known is None or known[1] < given or not known[0].fits(value):
            return False
    return True


def _explain(rule: Rule, signature: inspect.Signature, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Check every argument, and raise an error for the first wrong one."""
    try:
        given = signature.bind_partial(*args, **kwargs).arguments
    except TypeError as error:
        message = f"{rule.name}: {error}; arguments without a price are refused"
        raise UncountedOperationError(message, help=f"it is called as {rule.example}") from None
    kinds = kinds_of(rule)
    for name, parameter in signature.parameters.items():
        kind = kinds[name]
        several = parameter.kind is parameter.VAR_POSITIONAL
        if name not in given:
            if parameter.default is parameter.empty and not several:
                raise TypeError(f"{rule.name}: expected {name}, {kind.words}; it is called as {rule.example}")
            continue
        for value in given[name] if several else (given[name],):
            if not kind.fits(value):
                got = type(value).__name__
                told = f"{rule.name}: expected {name} to be {kind.words}, got {_NAMES.get(got, got)}"
                raise TypeError(f"{told}{_mend(kind, value)}")


_NAMES = {
    "NoneType": "None",
    "int": "an integer",
    "ndarray": "an array",
    "str": "text",
    "tuple": "a list or a tuple",
}


def _mend(kind: Kind, value: Any) -> str:
    """Return how to turn the given argument into the expected one, if that is known."""
    if isinstance(value, np.ndarray):
        return f"; {kind.mend}" if kind.mend else ""
    parts = value if isinstance(value, tuple) else ()
    if kind.typed.startswith(("Array", "Sequence[Array")) and any(isinstance(part, tuple) for part in parts):
        return "; make arrays of lists with xp.asarray"
    return "; make an array of it with xp.asarray" if kind.typed.startswith("Array") and parts else ""


@functools.cache
def _takes(rule: Rule) -> _Takes:
    """Read a rule's signature, and the kind of every parameter of it."""
    signature, kinds = rule.signature, kinds_of(rule)
    positional: list[Kind] = []
    several: Kind | None = None
    names: dict[str, tuple[Kind, int]] = {}
    needed: list[str] = []
    required = 0
    for name, parameter in signature.parameters.items():
        kind = kinds[name]
        if parameter.kind is parameter.VAR_POSITIONAL:
            several = kind
            continue
        if parameter.kind is not parameter.POSITIONAL_ONLY:
            place = (
                len(positional)
                if parameter.kind is parameter.POSITIONAL_OR_KEYWORD
                else len(signature.parameters)
            )
            names[name] = (kind, place)
        if parameter.kind is not parameter.KEYWORD_ONLY:
            positional.append(kind)
            required += parameter.default is parameter.empty
        elif parameter.default is parameter.empty:
            needed.append(name)
    return _Takes(signature, tuple(positional), several, names, required, tuple(needed))


def typed(rule: Rule, parameter: str) -> str:
    """Return the type of a rule's parameter, as the type stubs write it."""
    return kinds_of(rule)[parameter].typed


@functools.cache
def kinds_of(rule: Rule) -> Mapping[str, Kind]:
    """Return the kind of every parameter of a rule.

    Raises
    ------
    TypeError
        If a parameter has none: then the rule does not say what it accepts.
    """
    kinds = _annotated(rule) if rule.kinds is None else rule.kinds
    for name in rule.signature.parameters:
        if name not in kinds:
            raise TypeError(f"rule {rule.name}: its parameter {name} has no kind; {_how(rule, name)}")
    return kinds


def _annotated(rule: Rule) -> dict[str, Kind]:
    """Read the kinds in the annotations of the function that executes a rule."""
    try:
        hints = get_type_hints(rule.run, include_extras=True)
    except NameError as error:
        raise TypeError(
            f"rule {rule.name}: {error}; {_place(rule)} import it outside `if TYPE_CHECKING`"
        ) from error
    found = ((name, kind) for name, hint in hints.items() for kind in getattr(hint, "__metadata__", ()))
    return {name: kind for name, kind in found if isinstance(kind, Kind)}


def _how(rule: Rule, name: str) -> str:
    """Return where and how to give a parameter its kind."""
    if rule.kinds is not None:
        return f"write one for {name!r} into its `kinds`"
    return (
        f"{_place(rule)} write `{name}: Array`, or what else it takes, in the signature: "
        "the names are in sparsebench/meter/rules/kinds.py"
    )


def _place(rule: Rule) -> str:
    code = inspect.unwrap(rule.run).__code__
    return f"in {code.co_filename}, line {code.co_firstlineno},"
