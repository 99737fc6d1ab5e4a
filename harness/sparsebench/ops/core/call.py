"""A call of a primitive, read once: its arguments, the lengths of their axes, and their checks.

Prices, loads and every backend take this record, so none of them checks the arguments again.
"""

from __future__ import annotations

import inspect
import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.ops.core.arguments import Array, Axis, Layers, Length, Text, Whole
from sparsebench.ops.core.definitions import annotated, check_definition
from sparsebench.ops.core.layers import stacked, tables_of
from sparsebench.ops.core.shapes import ELLIPSIS, Mismatch, Shape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sparsebench.ops.core.layers import Layer

__all__ = ["Call", "Parser"]

_MISSING = -1
_MOST_TRIES = 64
"""Steps in which a length is looked for: formulas grow as powers do."""
_MOST_SOLVED = 256


class Call:
    """The arguments of a primitive's call.

    Arguments are attributes by their names; layers are a tuple of
    :class:`~sparsebench.ops.core.layers.Layer`. Lengths are items by the names of axes, such as
    ``call["n"]``: 1 for an axis in brackets that is missing, and for ``...`` the product of all its lengths.
    ``given`` are the original arguments.
    """

    def __init__(
        self,
        arguments: Mapping[str, Any],
        lengths: dict[str, Any],
        given: tuple[tuple[Any, ...], Mapping[str, Any]],
    ) -> None:
        self.__dict__.update(arguments)
        self.given = given
        self._lengths = lengths

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...
        def __setattr__(self, name: str, value: Any) -> None: ...

    def __getitem__(self, axis: str) -> int:
        length = self._lengths[axis]
        return math.prod(length) if axis == ELLIPSIS else 1 if length == _MISSING else int(length)

    def has(self, axis: str) -> bool:
        """Return whether an axis in brackets exists."""
        return bool(self._lengths[axis] != _MISSING)

    def promoted(self, *names: str) -> np.dtype[Any]:
        """Return the dtype that NumPy's promotion gives to some arguments; None does not count."""
        given = (getattr(self, name) for name in names)
        return np.result_type(*(array.dtype for array in given if array is not None))


class Parser:
    """A reader of one primitive's calls, by the annotations of its definition.

    Parameters
    ----------
    definition
        A function whose parameters are annotated with their allowed values
        (:mod:`sparsebench.ops.core.arguments`).
    lengths
        Axes whose lengths follow from other numbers.
    check
        Raises an error for conditions that annotations cannot express.

    Raises
    ------
    TypeError
        If a parameter is not annotated in this way, or annotations do not fit together.
    """

    def __init__(
        self,
        definition: Callable[..., Any],
        lengths: Mapping[str, Length] | None = None,
        check: Callable[[Call], None] | None = None,
    ) -> None:
        self.name = definition.__name__
        self.signature = inspect.signature(definition)
        self.arguments, self.gives = annotated(definition)
        self.formulas = dict(lengths or {})
        check_definition(definition, self.arguments, self.formulas)
        self._needs = {
            axis: tuple(inspect.signature(told.formula).parameters) for axis, told in self.formulas.items()
        }
        self._solved: dict[tuple[Any, ...], int] = {}
        self._check = check
        self._defaults = {
            name: parameter.default
            for name, parameter in self.signature.parameters.items()
            if parameter.default is not parameter.empty
        }
        kinds = self.signature.parameters.values()
        self._places = tuple(part.name for part in kinds if part.kind is part.POSITIONAL_OR_KEYWORD)
        self._several = next((part.name for part in kinds if part.kind is part.VAR_POSITIONAL), None)
        fixed = [(name, told) for name, told in self.arguments.items() if name != self._several]
        self._wholes = tuple((name, told) for name, told in fixed if isinstance(told, Whole))
        self._arrays = tuple(
            (name, told) for name, told in fixed if isinstance(told, Array) and not told.plain
        )
        known = {name for name, _ in (*self._wholes, *self._arrays)}
        self._others = tuple((name, told) for name, told in fixed if name not in known)
        self._later = tuple(
            (name, told)
            for name, told in self.arguments.items()
            if isinstance(told, Layers | Axis) or (isinstance(told, Whole) and told.depends)
        )
        self._indices = tuple(
            (name, told.below)
            for name, told in self.arguments.items()
            if isinstance(told, Array) and told.below is not None
        )

    # Reading ----------------------------------------------------------------------------------------------

    def parse(self, args: tuple[Any, ...], kwargs: Mapping[str, Any], also: tuple[str, ...] = ()) -> Call:
        """Read a call. Only shapes, dtypes and Python's own values are examined.

        Parameters
        ----------
        args, kwargs
            The arguments.
        also
            Names of dtypes that count as real numbers here.

        Raises
        ------
        TypeError
            If an argument is missing, is one too many, or has another kind or dtype.
        ValueError
            If the shapes do not fit, or a Python number is out of its range.
        """
        given = self._bind(args, kwargs)
        lengths = self._measured(given)
        if lengths is None:  # another library's array, or an invalid call: check it in full
            lengths = self._look_closely(given, also)
        for name, told in self._later:
            if isinstance(told, Layers):
                given[name] = self._stacked(name, given[name], told, lengths)
            elif isinstance(told, Whole):
                self._check_range(name, given[name], told, lengths)
            else:
                lengths[name] = self._along(given[told.of], given[name], name)
        call = Call(given, lengths, (args, kwargs))
        if self._check is not None:
            self._check(call)
        return call

    def parse_on_gpu(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Call:
        """Read a call on a GPU's arrays: as :meth:`parse`, but bfloat16 numbers are real numbers too."""
        return self.parse(args, kwargs, also=("bfloat16",))

    def _measured(self, given: dict[str, Any]) -> dict[str, Any] | None:
        """Return the lengths of a call's axes if a quick check shows that it is valid, else None."""
        lengths: dict[str, Any] = {}
        try:
            for name, whole in self._wholes:
                lengths[name] = value = given[name]
                if type(value) is not int or not whole.holds(value):
                    return None
            for name, array in self._arrays:
                value = given[name]
                if value is None and array.none:
                    continue
                if array.kinds and value.dtype.kind not in array.kinds:
                    return None
                if array.shape is not None:
                    array.shape.measure(value.shape, lengths)
            if not self._rest_suits(given, lengths):
                return None
            self._follow(lengths)
        except (AttributeError, Mismatch):
            return None
        return lengths

    def _rest_suits(self, given: dict[str, Any], lengths: dict[str, Any]) -> bool:
        several = self._several
        return all(told.suits(given[name]) for name, told in self._others) and (
            several is None or self._all_suit(given[several], lengths)
        )

    def _all_suit(self, values: tuple[Any, ...], lengths: dict[str, Any]) -> bool:
        told = self.arguments[self._several or ""]
        kinds = told.kinds if isinstance(told, Array) else "f"
        none = isinstance(told, Layers)
        if not all((none and one is None) or not kinds or one.dtype.kind in kinds for one in values):
            return False
        if isinstance(told, Array) and told.shape is not None:
            _measure(told.shape, values, lengths)
        return True

    def _look_closely(self, given: dict[str, Any], also: tuple[str, ...]) -> dict[str, Any]:
        """Return the lengths of a call's axes, or raise an error that describes the first fault."""
        for name, value in given.items():
            self._check_kind(name, value, also)
        lengths = self._integers(given)
        try:
            for name, value in given.items():
                told = self.arguments[name]
                if isinstance(told, Array) and told.shape is not None:
                    _measure(told.shape, value, lengths)
            self._follow(lengths)
        except Mismatch:
            raise self._unfit(given) from None
        return lengths

    def _bind(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Return all arguments by name, in the order of the signature."""
        places = self._places
        if not kwargs and len(args) == len(self.arguments) == len(places):  # most calls
            return dict(zip(places, args, strict=True))
        given = dict(self._defaults)
        given.update(zip(places, args, strict=False))
        given.update(kwargs)
        beyond = args[len(places) :]
        if self._several is not None:
            given[self._several] = beyond
        known = len(given) == len(self.arguments) and given.keys() == self.arguments.keys()
        twice = any(name in kwargs for name in places[: len(args)])
        if not known or twice or (beyond and self._several is None) or self._several in kwargs:
            try:
                self.signature.bind(*args, **kwargs)
            except TypeError as error:
                raise TypeError(f"{self.name}: {error}") from None
        return {name: given[name] for name in self.arguments}

    def _check_kind(self, name: str, value: Any, also: tuple[str, ...]) -> None:
        """Refuse a value that is not of the argument's kind."""
        told = self.arguments[name]
        for one in value if name == self._several else (value,):
            if not told.fits(one):
                raise TypeError(
                    f"{self.name}: expected {name} to be {told.kind.words}, got {type(one).__name__}"
                )
            takes = (
                told.takes if isinstance(told, Array) else _REAL.takes if isinstance(told, Layers) else None
            )
            if takes is not None and hasattr(one, "dtype") and not takes(one, also):
                numbers = told.numbers if isinstance(told, Array) else _REAL.numbers
                raise TypeError(f"{self.name}: expected {name} to be {numbers}, got {one.dtype}")
        if isinstance(told, Text) and told.options and value not in told.options:
            options = ", ".join(map(repr, told.options))
            raise ValueError(f"{self.name}: expected {name} to be one of {options}, got {value!r}")

    def _integers(self, given: dict[str, Any]) -> dict[str, Any]:
        """Return the Python integers of a call, which are lengths too, converted to plain ``int``."""
        found: dict[str, Any] = {}
        for name, told in self._wholes:
            found[name] = given[name] = int(given[name])
            if not told.depends:  # the other end is not known yet
                self._check_range(name, given[name], told, {})
        return found

    def _check_range(self, name: str, value: int, told: Whole, lengths: Mapping[str, Any]) -> None:
        """Refuse an integer outside its range, as far as the range is known by now."""
        least: int = lengths[told.least] if isinstance(told.least, str) else told.least
        most: int | None = lengths[told.most] if isinstance(told.most, str) else told.most
        if value < least or (most is not None and value > most):
            expected = f"be at least {least}" if told.most is None else f"be in [{least}, {most}]"
            raise ValueError(f"{self.name}: {name} must {expected}, got {value}")

    def _stacked(
        self, name: str, arrays: tuple[Any, ...], told: Layers, lengths: dict[str, Any]
    ) -> tuple[Layer, ...]:
        """Return arrays as layers, and record their lengths."""
        layers = stacked(self.name, arrays, lengths[told.features])
        experts = layers[0].weights.shape[0]
        known = lengths.setdefault(told.experts, experts)
        if known != experts:
            expected = f"{name} of {told.experts} = {known} experts"
            raise ValueError(f"{self.name}: expected {expected}, got {experts}")
        lengths[told.outputs] = layers[-1].weights.shape[1]
        return layers

    def _along(self, x: Any, axis: int, name: str) -> int:
        """Return the length of an array along an axis."""
        if not -x.ndim <= axis < x.ndim:
            raise ValueError(f"{self.name}: {name} must be in [{-x.ndim}, {x.ndim}), got {axis}")
        length = int(x.shape[axis])
        if not length:
            got = tuple(x.shape)
            raise ValueError(f"{self.name}: expected at least one element along {name} {axis}, got {got}")
        return length

    def _follow(self, lengths: dict[str, Any]) -> None:
        """Compute the lengths that follow from others, and those from which others follow."""
        for axis, told in self.formulas.items():
            unknown = [name for name in self._needs[axis] if name not in lengths]
            if unknown:
                self._solve(axis, unknown[0], lengths)
            else:
                made = told.formula(*(lengths[name] for name in self._needs[axis]))
                if lengths.setdefault(axis, made) != made:
                    raise Mismatch

    def _solve(self, axis: str, unknown: str, lengths: dict[str, Any]) -> None:
        """Find the number from which a length follows."""
        needs, length = self._needs[axis], lengths.get(axis)
        known = (axis, length, *(lengths.get(name) for name in needs))
        found = self._solved.get(known)
        if found is None:
            found = _found(self.formulas[axis], needs, unknown, length, lengths)
            if len(self._solved) >= _MOST_SOLVED:
                self._solved.clear()
            self._solved[known] = found
        lengths[unknown] = found

    def _unfit(self, given: Mapping[str, Any]) -> ValueError:
        """Return the error that states the expected shapes and the given ones."""
        expected, got = [], []
        for name, told in self.arguments.items():
            if isinstance(told, Array) and told.shape is not None:
                expected.append(f"{name} {self.written(told.shape)}")
                got.append(f"{name} {_shapes(given[name])}")
        return ValueError(f"{self.name}: expected {', '.join(expected)}; got {', '.join(got)}")

    def needs(self, axis: str) -> tuple[str, ...]:
        """Return the numbers from which the length of an axis follows; none if it is independent."""
        return self._needs.get(axis, ())

    def written(self, shape: Shape) -> str:
        """Return a shape as in the documentation, with formulas for lengths that follow from others."""
        words = shape.words
        for axis, told in self.formulas.items():
            words = ", ".join(told.words if part == axis else part for part in words.split(", "))
        single = words and not any(mark in words for mark in (",", "..."))
        return f"({words},)" if single else f"({words})"

    def part(self, call: Call, names: Iterable[str], part: slice) -> Call:
        """Return the call with a part of the rows of some arguments."""
        args, kwargs = call.given
        cut = tuple(
            value[part] if name in names else value
            for name, value in itertools.zip_longest(self._places[: len(args)], args)
        )
        named = {name: value[part] if name in names else value for name, value in kwargs.items()}
        return self.parse_on_gpu(cut, named)

    def with_arrays(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return arguments with arrays without axes instead of NumPy's numbers, where arrays are expected."""
        names = itertools.zip_longest(self._places[: len(args)], args, fillvalue=self._several)
        return (
            tuple(self._as_array(name, value) for name, value in names),
            {name: self._as_array(name, value) for name, value in kwargs.items()},
        )

    def _as_array(self, name: str | None, value: Any) -> Any:
        # Before NumPy 2.1 a single number has no namespace, but an array without axes has one.
        is_number = isinstance(value, np.generic) and isinstance(self.arguments.get(name or ""), Array)
        return np.asarray(value) if is_number else value

    # What else annotations say ----------------------------------------------------------------------------

    def check_values(self, call: Call) -> None:
        """Refuse indices that are out of range, which shapes do not show.

        Raises
        ------
        IndexError
            If a value is negative, or not below its limit.
        """
        for name, axis in self._indices:
            index, most = getattr(call, name), call[axis]
            xp = index.__array_namespace__() if hasattr(index, "__array_namespace__") else np
            if index.size and (int(xp.min(index)) < 0 or int(xp.max(index)) >= most):
                raise IndexError(f"{self.name}: {name} has a value outside [0, {most})")

    def read(self, call: Call) -> list[tuple[Any, Any]]:
        """Return the tables of which only some records are read, with the indices of those records."""
        found = []
        for name, told in self.arguments.items():
            if isinstance(told, Array | Layers) and told.at is not None:
                value, index = getattr(call, name), getattr(call, told.at)
                if isinstance(told, Layers):
                    found += [(table, index) for table in tables_of(value)]
                elif name == self._several:
                    found += [(table, index) for table in value]
                elif value is not None:
                    found.append((value, index))
        return found

    @property
    def reads_records(self) -> bool:
        """Whether some argument is a table of which only records are read."""
        return any(getattr(told, "at", None) is not None for told in self.arguments.values())

    @property
    def by_rows(self) -> tuple[str, ...]:
        """The arguments that have a row for every row of the results, and may be cut into parts."""
        first = next((told.shape.first for told in self.gives if told.shape is not None), "")
        return tuple(
            name
            for name, told in self.arguments.items()
            if first and isinstance(told, Array) and told.shape is not None and told.shape.first == first
        )


_REAL = Array("f", "real numbers")


def _shapes(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(_shapes, value)) or "none"
    return str(tuple(value.shape)) if hasattr(value, "shape") else repr(value)


def _measure(shape: Shape, value: Any, lengths: dict[str, Any]) -> None:
    """Record the lengths of the axes of one or several arrays; each has its own axes at ``...``."""
    if isinstance(value, tuple):
        shared = lengths.get(ELLIPSIS)
        for one in value:
            shape.measure(tuple(one.shape), lengths, apart=True)
        if shared is None:
            lengths.pop(ELLIPSIS, None)
        else:
            lengths[ELLIPSIS] = shared
    elif hasattr(value, "dtype"):
        shape.measure(tuple(value.shape), lengths)


def _found(
    told: Length, needs: tuple[str, ...], unknown: str, length: int | None, lengths: Mapping[str, Any]
) -> int:
    """Try numbers, from 0 on, until a formula gives a length."""
    for guess in () if length is None else range(_MOST_TRIES):
        made = told.formula(*(guess if name == unknown else lengths[name] for name in needs))
        if made == length:
            return guess
        if made > (length or 0):
            break
    raise Mismatch
