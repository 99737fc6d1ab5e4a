"""State that ``fit`` left on ``self`` or in a module, and that ``predict`` misses in its own process."""

from __future__ import annotations

import dis
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparsebench.ground.meant import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import CodeType, FrameType

__all__ = ["left_behind"]

_MEND = "fit and predict run in different processes: return it from fit"
_LATE = frozenset({"predict", "route", "apply", "__init__"})


def left_behind(error: BaseException, parts: Sequence[Any], folder: Path) -> str:
    """Return the mend if an error in ``predict`` comes from state that ``fit`` kept; otherwise an empty text.

    Parameters
    ----------
    error
        What was raised.
    parts
        The submission, its router and its experts.
    folder
        The submission's code.
    """
    if type(error).__name__ == "NotFittedError":  # the wording of scikit-learn
        return _MEND
    if isinstance(error, AttributeError) and error.name and _is_of(error.obj, parts):
        return _missing(error.obj, error.name)
    if isinstance(error, NameError) and error.name and _is_set_by_code(error.name, folder):
        return _MEND
    for frame in _own_frames(error, folder):
        for part in parts:
            if frame.f_locals.get("self") is part and (name := _unset(error, frame, part)):
                return f"self.{name} is what __init__ made it: {_MEND}"
        if name := _unset_global(error, frame, folder):
            return f"{name} is what the module made it: {_MEND}"
    return ""


def _is_of(owner: Any, parts: Sequence[Any]) -> bool:
    """Return whether something is a part of the submission, or an object that a part holds."""
    held = [value for part in parts for value in getattr(part, "__dict__", {}).values()]
    return any(owner is one for one in (*parts, *held)) and hasattr(owner, "__dict__")  # no metered array


def _missing(owner: Any, name: str) -> str:
    """Return the mend of a missing name: the similar name that was meant, or that ``fit`` has set it."""
    if name in _stored(owner):
        return _MEND
    return did_you_mean(name, [*getattr(owner, "__dict__", {}), *dir(type(owner))]) or _MEND


def _codes(owner: Any) -> list[CodeType]:
    """Return the code of the methods of an object's class, without those that run in every process."""
    return [
        method.__code__
        for kind in type(owner).__mro__
        for name, method in vars(kind).items()
        if name not in _LATE and hasattr(method, "__code__")
    ]


def _stored(owner: Any) -> set[str]:
    """Return the names of attributes that these methods set."""
    steps = (step for code in _codes(owner) for step in dis.get_instructions(code))
    return {step.argval for step in steps if step.opname == "STORE_ATTR"}


def _mentioned(owner: Any) -> set[str]:
    """Return the names that these methods use."""
    return {name for code in _codes(owner) for name in code.co_names}


def _own_frames(error: BaseException, folder: Path) -> Iterator[FrameType]:
    """Yield the frames of the submission's own code, the innermost first."""
    found = []
    step = error.__traceback__
    while step is not None:
        if Path(step.tb_frame.f_code.co_filename).is_relative_to(folder):
            found.append(step.tb_frame)
        step = step.tb_next
    yield from reversed(found)


def _unset(error: BaseException, frame: FrameType, part: Any) -> str:
    """Return an empty attribute of ``self`` that a frame reads, and that another method fills."""
    values = getattr(part, "__dict__", {})
    empty = [name for name in frame.f_code.co_names if name in values and _is_empty(values[name], error)]
    filled = {name for name in empty if name in (_stored(part) if values[name] is None else _mentioned(part))}
    return next((name for name in empty if name in filled), "")


def _unset_global(error: BaseException, frame: FrameType, folder: Path) -> str:
    names = (name for name in frame.f_code.co_names if name in frame.f_globals)
    empty = (name for name in names if _is_empty(frame.f_globals[name], error))
    return next((name for name in empty if _is_set_by_code(name, folder)), "")


def _is_empty(value: Any, error: BaseException) -> bool:
    """Return whether a value would cause such an error because it was never filled."""
    if value is None:
        return isinstance(error, TypeError | AttributeError) and "NoneType" in str(error)
    return (
        isinstance(error, KeyError | IndexError | StopIteration)
        and isinstance(value, dict | list | tuple | set)
        and not len(value)
    )


def _is_set_by_code(name: str, folder: Path) -> bool:
    """Return whether a function of the submission sets a name of its module."""
    pattern = re.compile(rf"^\s*global\b[^#\n]*\b{re.escape(name)}\b", re.MULTILINE)
    return any(
        pattern.search(file.read_text(encoding="utf-8", errors="replace")) for file in folder.glob("*.py")
    )
