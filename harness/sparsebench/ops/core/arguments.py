"""The arguments of primitives, defined once: in the annotations of the definition.

    def tree_route(key: Annotated[Any, ordered("...")], thresholds: Annotated[Any, ordered("nodes")]) -> ...

From these annotations come the checks and their wording, the refusals of the meter, the type stubs, the page
of operations, the loads from a table, the split into parts if a GPU's memory does not suffice, and the random
calls of the property tests.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.ops.core.kinds import (
    ARRAY,
    DTYPE,
    FLAG,
    INTEGER,
    LENGTH,
    REAL,
    TEXT,
    Kind,
    either,
    one_of,
    or_none,
)
from sparsebench.ops.core.shapes import Shape

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "Argument",
    "Array",
    "Axis",
    "DType",
    "Flag",
    "Layers",
    "Length",
    "Number",
    "Text",
    "Whole",
    "anything",
    "ascending",
    "booleans",
    "integer",
    "number",
    "optional",
    "ordered",
    "real",
    "real_or_number",
    "word",
]

_INTEGER = "integers (ops.quantize or ops.pack_bits make them)"
_REAL = "real numbers (xp.astype makes them of integers)"
_NAMES = {"b": "bool", "iu": "integral", "f": "real floating"}


class Argument:
    """The allowed values of one argument."""

    kind: Kind
    """The kind of argument that the meter accepts: arrays, and Python's own values."""

    def fits(self, value: Any) -> bool:
        """Return whether a value is of this kind, arrays of any library included."""
        return self.kind.fits(value)

    def suits(self, value: Any) -> bool:
        """Return whether a quick check shows that a value needs no further checks."""
        return self.fits(value)


def _is_array(value: Any) -> bool:
    return hasattr(value, "dtype")


@dataclass(frozen=True)
class Array(Argument):
    """An array."""

    kinds: str
    """Letters of the kinds of dtypes that fit, as NumPy has them; empty for all."""
    numbers: str
    """These kinds in words."""
    shape: Shape | None = None
    """None if any will do."""
    below: str | None = None
    """For an index: the axis, or the argument, whose length its values are below."""
    at: str | None = None
    """For a table: the index whose records alone are read of it."""
    none: bool = False
    """Whether None will do."""
    plain: bool = False
    """Whether a real Python number will do."""
    ascending: bool = False
    """Whether its values must ascend, which is not checked: otherwise the result has no meaning."""

    @property
    def kind(self) -> Kind:  # type: ignore[override]
        """The kind of the argument, as for :class:`Argument`."""
        plain = either(ARRAY, REAL) if self.plain else ARRAY
        return or_none(plain) if self.none else plain

    def fits(self, value: Any) -> bool:
        """Check a value as :class:`Argument` does."""
        if value is None:
            return self.none
        return _is_array(value) or (self.plain and _is_real(value))

    def suits(self, value: Any) -> bool:
        """Check a value as :class:`Argument` does, also for an array that may be a number."""
        return (self.plain and _is_real(value)) or (value.dtype.kind in self.kinds and self.shape is None)

    def takes(self, array: Any, also: tuple[str, ...] = ()) -> bool:
        """Return whether an array's dtype is one of the kinds.

        Parameters
        ----------
        array
            Of any library that follows the array API standard.
        also
            Names of dtypes that also count as real, although the standard does not know them.
        """
        if not self.kinds:
            return True
        kind = getattr(array.dtype, "kind", None)
        if kind is not None:
            return kind in self.kinds or (array.dtype.name in also and "f" in self.kinds)
        names = tuple(name for letters, name in _NAMES.items() if letters in self.kinds)
        return bool(array.__array_namespace__().isdtype(array.dtype, names))


def _array(kinds: str, numbers: str) -> Callable[..., Array]:
    def make(shape: str | None = None, *, below: str | None = None, at: str | None = None) -> Array:
        return Array(kinds, numbers, None if shape is None else Shape(shape), below, at)

    return make


anything = _array("", "an array")
booleans = _array("b", "booleans")
integer = _array("iu", _INTEGER)
number = _array("iuf", "integers or real numbers")
ordered = _array("biuf", "numbers that are not complex")
real = _array("f", _REAL)


def real_or_number() -> Array:
    """Return the argument with a real Python number allowed instead of an array."""
    return replace(real(), plain=True)


def ascending(array: Array) -> Array:
    """Return the argument with the note that its values ascend."""
    return replace(array, ascending=True)


def optional(array: Array) -> Array:
    """Return the argument with None allowed as well."""
    return replace(array, none=True)


@dataclass(frozen=True)
class Whole(Argument):
    """A Python integer in a range, including both ends."""

    least: int | str
    most: int | str | None = None
    """A number, or the name of an axis whose length it is; None if there is none."""

    @property
    def kind(self) -> Kind:  # type: ignore[override]
        """The kind of the argument, as for :class:`Argument`."""
        return LENGTH if self.most is None and isinstance(self.least, int) and self.least >= 0 else INTEGER

    def fits(self, value: Any) -> bool:
        """Check a value as :class:`Argument` does; refuse arrays, whose value a shape would reveal."""
        return _is_integer(value)

    def holds(self, value: int) -> bool:
        """Return whether a value is in the range, as far as this is known without the call."""
        least, most = self.least, self.most
        return (isinstance(least, str) or value >= least) and (
            most is None or isinstance(most, str) or value <= most
        )

    @property
    def depends(self) -> bool:
        """Whether an end of the range is the length of an axis."""
        return isinstance(self.least, str) or isinstance(self.most, str)


@dataclass(frozen=True)
class Axis(Argument):
    """A Python integer that names an axis of an array, along which there is at least one element.

    The length along it is the call's item of the argument's name.
    """

    of: str
    """The array."""
    kind = INTEGER

    def fits(self, value: Any) -> bool:
        """Check a value as :class:`Argument` does."""
        return _is_integer(value)


@dataclass(frozen=True)
class Number(Argument):
    """A real Python number."""

    kind = REAL

    def fits(self, value: Any) -> bool:
        """Check a value as :class:`Argument` does."""
        return _is_real(value)


def _is_integer(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _is_real(value: Any) -> bool:
    # NumPy's numbers have a width, which would matter for promotion; its float64 is a float too.
    return isinstance(value, int | float) and not isinstance(value, np.generic)


@dataclass(frozen=True)
class Flag(Argument):
    """True or False."""

    kind = FLAG

    def fits(self, value: Any) -> bool:
        """Check a value as :class:`Argument` does."""
        return isinstance(value, bool | np.bool_)


@dataclass(frozen=True)
class Text(Argument):
    """A text; one of the given words, if there are any."""

    options: tuple[str, ...] = ()

    @property
    def kind(self) -> Kind:  # type: ignore[override]
        """The kind of the argument, as for :class:`Argument`."""
        return one_of(*self.options) if self.options else TEXT

    def fits(self, value: Any) -> bool:
        """Check a value as :class:`Argument` does; the words are checked later."""
        return isinstance(value, str)

    def suits(self, value: Any) -> bool:
        """Check a value as :class:`Argument` does."""
        return value in self.options or (not self.options and isinstance(value, str))


def word(*options: str) -> Text:
    """Return a text argument with these allowed words."""
    return Text(options)


@dataclass(frozen=True)
class DType(Argument):
    """A dtype, or None for the usual one."""

    kind = or_none(DTYPE)

    def fits(self, value: Any) -> bool:
        """Check a value as :class:`Argument` does; a library reports unknown dtypes itself."""
        return value is None or not isinstance(value, int | float)


@dataclass(frozen=True)
class Layers(Argument):
    """One to three layers of every expert: weights ``(E, h, d)`` and biases ``(E, h)`` or None, in turn."""

    experts: str
    """The axis of the experts."""
    features: str
    """The axis of what the first layer is applied to."""
    outputs: str = "h"
    """The axis of what the last layer gives."""
    at: str | None = None
    """The index of the experts that alone are read."""
    kind = or_none(ARRAY)

    def fits(self, value: Any) -> bool:
        """Check a value as :class:`Argument` does, for one of the arrays."""
        return value is None or _is_array(value)


@dataclass(frozen=True)
class Length:
    """The length of an axis that follows from other numbers of the call, or from which they follow."""

    words: str
    """The formula, for a message."""
    formula: Callable[..., int]
    """Takes lengths and Python integers by name, and grows with each of them."""
