"""Progress: a bar on a terminal, a line per finished cell elsewhere; always on standard error."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Any, Self

import click

if TYPE_CHECKING:
    from sparsebench.results import Row

__all__ = ["Progress"]


class Progress:
    """Tells how far a run is. A context manager.

    Parameters
    ----------
    total
        How many cells there are.
    """

    def __init__(self, total: int) -> None:
        self.done = 0
        self._total = total
        self._begin = time.monotonic()
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty() and not os.environ.get("CI"):
            self._bar, self._task = _bar(self._total)
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def advance(self, row: Row) -> None:
        """Note a finished cell."""
        self.done += 1
        label = f"{row.submission}/{row.variant} {row.instance} seed {row.seed}"
        if self._bar is not None:
            self._bar.update(self._task, advance=1, description=label)
            if row.status != "ok":
                self._bar.console.print(f"{row.status}: {label}: {row.reason}", markup=False, style="yellow")
            return
        seconds = time.monotonic() - self._begin
        figures = f"ops {row.ops:g}, quality {row.quality:.3f}" if row.status == "ok" else str(row.reason)
        self.say(f"[{self.done}/{self._total}, {seconds:.0f} s] {row.status} {label}: {figures}")

    def say(self, text: str) -> None:
        """Print a line."""
        click.echo(text, err=True)


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
