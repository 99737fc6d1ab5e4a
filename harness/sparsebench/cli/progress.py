"""Progress: a bar on a terminal, a line per finished cell elsewhere; always on standard error."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Any, Self

import click

if TYPE_CHECKING:
    from sparsebench.evaluate.clock import Clock
    from sparsebench.results import Row

__all__ = ["Progress", "Telling"]


class Progress:
    """A display of how far a run is. A context manager.

    Parameters
    ----------
    total
        How many cells there are.
    quiet
        Print nothing but that the run was interrupted.
    verbose
        Print how long the stages of every cell took, on a terminal too.
    """

    def __init__(self, total: int, *, quiet: bool = False, verbose: bool = False) -> None:
        self._quiet, self._verbose = quiet, verbose
        self._clock: Clock | None = None
        self.done = 0
        self._total = total
        self._begin = time.monotonic()
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def start(self) -> None:
        """Show the bar on a terminal; from then on a thread draws it. May be called again."""
        if not self._quiet and self._bar is None and sys.stderr.isatty() and not os.environ.get("CI"):
            self._bar, self._task = _bar(self._total)
            self._bar.start()

    def took(self, clock: Clock) -> None:
        """Note the stages' times of the cell that is reported next."""
        self._clock = clock

    def advance(self, row: Row) -> None:
        """Note a finished cell."""
        self.done += 1
        clock, self._clock = self._clock, None
        if self._quiet:
            return
        label = f"{row.submission}/{row.variant} {row.instance} seed {row.seed}"
        if self._bar is not None:
            self._bar.update(self._task, advance=1, description=label)
            if row.status != "ok":
                self._bar.console.print(f"{row.status}: {label}: {row.reason}", markup=False, style="yellow")
            if self._verbose:
                self._bar.console.print(f"{label}: {_stages(clock)}", markup=False)
            return
        seconds = time.monotonic() - self._begin
        figures = f"ops {row.ops:g}, quality {row.quality:.3f}" if row.status == "ok" else str(row.reason)
        self.say(f"[{self.done}/{self._total}, {seconds:.0f} s] {row.status} {label}: {figures}")
        if self._verbose:
            self.say(f"  {_stages(clock)}")

    def say(self, text: str) -> None:
        """Print a line."""
        click.echo(text, err=True)


class Telling:
    """A display of what is being made: a changing line on a terminal, elsewhere the first line of each thing.

    A context manager; call it with a line.
    """

    def __init__(self) -> None:
        self._status: Any = None
        self._told: set[str] = set()

    def __enter__(self) -> Self:
        if sys.stderr.isatty() and not os.environ.get("CI"):
            from rich.console import Console  # noqa: PLC0415 - only on a terminal

            self._status = Console(stderr=True).status("working")
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._status is not None:
            self._status.stop()

    def __call__(self, line: str) -> None:
        """Show a line. Of lines that differ only after a colon, a log gets the first."""
        if self._status is not None:
            self._status.update(line)
        elif (thing := line.rpartition(": ")[0] or line) not in self._told:
            self._told.add(thing)
            click.echo(line, err=True)

    @staticmethod
    def print(line: str) -> None:
        """Print a line of the output."""
        click.echo(line)


def _stages(clock: Clock | None) -> str:
    """Describe how long stages took, in their order: in seconds of wall-clock time."""
    from sparsebench.evaluate.clock import STAGES  # noqa: PLC0415 - keeps `--help` quick

    if clock is None or not clock.stages:
        return "nobody knows where its time went"
    known = [name for name in STAGES if name in clock.stages]
    return ", ".join(f"{name} {clock.stages[name].wall:.2f} s" for name in known)


def _bar(total: int) -> tuple[Any, Any]:
    """Make a bar with the time that is left."""
    from rich import progress  # noqa: PLC0415 - only on a terminal
    from rich.console import Console  # noqa: PLC0415

    columns = (
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TimeElapsedColumn(),
        progress.TimeRemainingColumn(),
        progress.TextColumn("{task.description}", markup=False),
    )
    bar = progress.Progress(*columns, console=Console(stderr=True))
    return bar, bar.add_task("starting", total=total)
