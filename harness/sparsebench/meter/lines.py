"""A profiler of a run in this process: which line of code asked for which operations."""

from __future__ import annotations

import inspect
import linecache
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sparsebench.meter.engine.loads import root_of
from sparsebench.meter.ledger import Ledger
from sparsebench.meter.values import Description, Handle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import FrameType

    import numpy as np

    from sparsebench.meter.engine.engine import Engine, Request

__all__ = ["NOWHERE", "Place", "Profiler", "Spent", "in_folder", "outside_packages"]


class Place(NamedTuple):
    """A line of code."""

    file: str
    """As Python names the file of the code."""
    line: int
    """Its number: of a statement over several lines, the one that Python is at."""
    function: str
    """The function that it is in."""

    @property
    def source(self) -> str:
        """The text of the line, without surrounding space; empty if it cannot be read."""
        return linecache.getline(self.file, self.line).strip()


NOWHERE = Place("", 0, "")
"""Where no line of the watched code is to be found."""


@dataclass
class Spent:
    """The operations of one line."""

    ledger: Ledger = field(default_factory=Ledger)
    """All that it was charged."""
    fixed: Ledger = field(default_factory=Ledger)
    """The part whose operands are parameters and constants alone: no input decides its result."""
    requests: int = 0
    """How often it asked."""


class Profiler:
    """An observer of an engine in this process: charges every request to the line that made it.

    Parameters
    ----------
    engine
        What to observe.
    own
        Whether a file, by Python's name for it, belongs to the code to watch.

    Attributes
    ----------
    spent
        The operations by phase, line, and the outermost line of the watched code in the call.
    """

    def __init__(self, engine: Engine, own: Callable[[str], bool]) -> None:
        self.spent: dict[tuple[str, Place, Place], Spent] = {}
        self._engine = engine
        self._own = own
        self._known: dict[str, bool] = {}
        self._of_inputs: set[int] = set()
        self._written: list[np.ndarray[Any, Any]] = []

    def begin(self, *inputs: Handle) -> None:
        """Take these arrays as the inputs, and forget all others."""
        self._of_inputs = {handle.number for handle in inputs}
        self._written.clear()

    def __call__(self, request: Request) -> None:
        """Record a request."""
        inner, outer = self._places()
        key = (self._engine.phase, inner, outer)
        spent = self.spent.setdefault(key, Spent())
        spent.requests += 1
        spent.ledger.charge(self._engine.phase, request.charges)
        if not self._depends(request):
            spent.fixed.charge(self._engine.phase, request.charges)

    def _depends(self, request: Request) -> bool:
        """Return whether a result depends on inputs, and note which arrays do."""
        if request.what == "constant":
            return False
        depends = any(self._of_an_input(handle) for handle in _handles([request.args, request.kwargs]))
        if depends and request.what == "call":
            told = request.told if isinstance(request.told, list) else [request.told]
            self._of_inputs.update(one.handle.number for one in told if isinstance(one, Description))
            if request.told is None:  # it was written to, and so were all views of its memory
                self._written.append(root_of(self._engine.value(request.args[0])))
        return depends

    def _of_an_input(self, handle: Handle) -> bool:
        if handle.number in self._of_inputs:
            return True
        root = root_of(self._engine.value(handle)) if self._written else None
        return any(root is written for written in self._written)

    def _places(self) -> tuple[Place, Place]:
        """Return the innermost and the outermost line of the watched code that is running."""
        frames = [frame for frame in _stack() if self._is_own(frame.f_code.co_filename)]
        return (_place(frames[0]), _place(frames[-1])) if frames else (NOWHERE, NOWHERE)

    def _is_own(self, file: str) -> bool:
        if file not in self._known:
            self._known[file] = self._own(file)
        return self._known[file]


def in_folder(folder: Path) -> Callable[[str], bool]:
    """Return a profiler that watches the code under a folder."""
    return lambda file: Path(file).is_relative_to(folder)


def outside_packages(file: str) -> bool:
    """Return a profiler that watches code that is not ours, NumPy's or Python's."""
    path = Path(file)
    ours, pythons = Path(__file__).parents[1], Path(inspect.__file__).parent
    if path.is_relative_to(ours) or "site-packages" in path.parts:
        return False
    return not path.is_relative_to(pythons) and not file.startswith("<frozen")


def _stack() -> Iterator[FrameType]:
    frame = inspect.currentframe()
    while frame is not None:
        yield frame
        frame = frame.f_back


def _place(frame: FrameType) -> Place:
    return Place(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)


def _handles(arguments: Iterable[Any]) -> Iterator[Handle]:
    for argument in arguments:
        if isinstance(argument, Handle):
            yield argument
        elif isinstance(argument, tuple | list):
            yield from _handles(argument)
        elif isinstance(argument, dict):
            yield from _handles(argument.values())
