"""The definition of a primitive, read once: what its annotations say, and that they fit together.

A name that nothing has would otherwise be noticed when somebody calls the primitive, or never.
"""

from __future__ import annotations

import inspect
import typing
from typing import TYPE_CHECKING, Any

from sparsebench.ops.core.arguments import Argument, Array, Axis, Layers, Length, Whole
from sparsebench.ops.core.shapes import ELLIPSIS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["annotated", "check_definition"]

_RESERVED = ("given", "has", "promoted")
"""What a call has beside its arguments."""


def annotated(definition: Callable[..., Any]) -> tuple[dict[str, Argument], tuple[Array, ...]]:
    """Return the parameters and the results of a definition, from its annotations.

    Raises
    ------
    TypeError
        If a parameter is not annotated, or the results are annotated with something else than arrays.
    """
    hints = typing.get_type_hints(definition, include_extras=True)
    told = {name: getattr(hint, "__metadata__", (None,))[0] for name, hint in hints.items()}
    gives = told.pop("return", None)
    names = list(inspect.signature(definition).parameters)
    for name in names:
        if not isinstance(told.get(name), Argument):
            raise TypeError(
                f"{definition.__name__}: the parameter {name} does not say what it is: write "
                f'{name}: Annotated[Any, real("n, d")] or another kind of sparsebench.ops.core.arguments'
            )
    gives = gives if isinstance(gives, tuple) else () if gives is None else (gives,)
    if not all(isinstance(one, Array) for one in gives):
        raise TypeError(f'{definition.__name__}: expected results such as Annotated[Any, real("n")]')
    return {name: told[name] for name in names}, gives  # type: ignore[misc]


def check_definition(
    definition: Callable[..., Any], arguments: Mapping[str, Argument], lengths: Mapping[str, Length]
) -> None:
    """Refuse a definition whose annotations do not fit together.

    Raises
    ------
    TypeError
        It names the primitive, the parameter and what is wrong with it.
    """
    parameters = inspect.signature(definition).parameters
    for name, told in arguments.items():
        several = parameters[name].kind is inspect.Parameter.VAR_POSITIONAL
        problems = [*_of_place(name, parameters[name], told), *_of_names(told, arguments, lengths)]
        if isinstance(told, Array) and told.shape is not None:
            problems += _of_shape(told)
        if several and isinstance(told, Array) and (told.none or told.below is not None):
            problems.append("any number of arrays can be neither optional nor indices")
        for problem in problems:
            raise TypeError(f"{definition.__name__}: the parameter {name}: {problem}")
    known = _always_known(arguments) | _sometimes_known(arguments)
    for axis, length in lengths.items():
        unknown = [need for need in inspect.signature(length.formula).parameters if need not in known]
        if len(unknown) > 1 or (unknown and axis not in known):
            raise TypeError(f"{definition.__name__}: the formula of {axis} needs {', '.join(unknown)}")


def _of_place(name: str, parameter: inspect.Parameter, told: Argument) -> Iterator[str]:
    if name in _RESERVED:
        yield f"a call has {name} for itself; choose another name"
    if parameter.kind in {parameter.POSITIONAL_ONLY, parameter.VAR_KEYWORD}:
        yield "expected one that may be given by name"
    if parameter.kind is parameter.VAR_POSITIONAL and not isinstance(told, Array | Layers):
        yield "expected arrays or layers of any number"


def _of_names(
    told: Argument, arguments: Mapping[str, Argument], lengths: Mapping[str, Length]
) -> Iterator[str]:
    """Yield what is wrong with the names of axes and of other parameters."""
    always, known = _always_known(arguments), _always_known(arguments) | _sometimes_known(arguments)
    if isinstance(told, Array) and told.below is not None and told.below not in known:
        yield f"below={told.below!r} is no axis of an argument"
    if isinstance(told, Array | Layers) and told.at is not None:
        index = arguments.get(told.at)
        if not isinstance(index, Array) or index.below is None or index.none:
            yield f"at={told.at!r} is no index: an integer array with `below`"
    if isinstance(told, Axis) and not isinstance(arguments.get(told.of), Array):
        yield f"{told.of!r} is no array of the call"
    if isinstance(told, Whole):
        ends = [end for end in (told.least, told.most) if isinstance(end, str)]
        yield from (f"{end!r} is no axis that every call has" for end in ends if end not in always)
    if isinstance(told, Layers) and told.features not in known | lengths.keys():
        yield f"features={told.features!r} is no axis of an argument"


def _of_shape(told: Array) -> Iterator[str]:
    shape = told.shape
    if shape is None:
        return
    for axis in shape.names:
        if axis != ELLIPSIS and not axis.isidentifier():
            yield f"{axis!r} in {shape.words!r} is no name of an axis"
    counts = [len(way.names) for way in shape.ways if ELLIPSIS not in way.names]
    if len(counts) != len(set(counts)):
        yield f"{shape.words!r} can be read in two ways"


def _always_known(arguments: Mapping[str, Argument]) -> set[str]:
    """Return the axes whose lengths every call tells, and the names of integers."""
    found = {name for name, told in arguments.items() if isinstance(told, Whole | Axis)}
    for told in arguments.values():
        if isinstance(told, Array) and told.shape is not None and not (told.none or told.plain):
            found |= set(told.shape.names) - set(told.shape.ways[-1].missing)
    return found


def _sometimes_known(arguments: Mapping[str, Argument]) -> set[str]:
    found: set[str] = set()
    for told in arguments.values():
        if isinstance(told, Array) and told.shape is not None:
            found |= set(told.shape.names)
        elif isinstance(told, Layers):
            found |= {told.experts, told.outputs}
    return found
