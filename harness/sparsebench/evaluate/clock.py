"""The time of a cell: seconds by stage, of the harness and of the submission's processes."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["STAGES", "Clock", "Stage"]

STAGES = ("load", "start", "fit", "whole", "one by one", "together", "trials", "timing", "row")
"""The stages of a cell, in their order; ``start`` is all starts of processes, wherever they are. Inputs that
have to be run one by one because they do not cost the same are in ``one by one``."""


@dataclass
class Stage:
    """The time of a stage, in seconds."""

    wall: float = 0.0
    """By the clock on the wall."""
    own: float = 0.0
    """Of the processor, in this process."""
    child: float = 0.0
    """Of the processor, in the submission's processes."""

    @property
    def processor(self) -> float:
        """The seconds of processor time in all processes."""
        return self.own + self.child


class Clock:
    """A sum of the times of stages. Of nested stages, each second belongs to the innermost one.

    Attributes
    ----------
    stages
        Name -> its time so far.
    """

    def __init__(self) -> None:
        self.stages: dict[str, Stage] = {}
        self._open: list[str] = []
        self._since = (0.0, 0.0)

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure a stage."""
        self._note()
        self._open.append(name)
        try:
            yield
        finally:
            self._note()
            self._open.pop()

    def child(self, seconds: float) -> None:
        """Note processor seconds of a submission's process."""
        if self._open:
            self._of(self._open[-1]).child += seconds

    def _note(self) -> None:
        """Add the elapsed time to the current stage."""
        wall, own = time.perf_counter(), time.process_time()
        if self._open:
            stage = self._of(self._open[-1])
            stage.wall += wall - self._since[0]
            stage.own += own - self._since[1]
        self._since = wall, own

    def _of(self, name: str) -> Stage:
        return self.stages.setdefault(name, Stage())
