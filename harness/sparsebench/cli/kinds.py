"""Types of options like those of click, whose errors are worded by us."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sparsebench.cli.mistakes import guess

if TYPE_CHECKING:
    _ChoiceType = click.Choice[str]
    _PathType = click.Path
else:  # older releases of click have no type parameter there
    _ChoiceType, _PathType = click.Choice, click.Path

__all__ = ["OneOf", "PathTo", "Whole"]


class OneOf(_ChoiceType):
    """One of a few words."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Find a word among those allowed."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            known = [str(choice) for choice in self.choices]
            message = f"expected one of {', '.join(known)}, got {value!r}"
            self.fail(f"{message}; {guess(str(value), known) or 'choose one of these'}", param, ctx)


class Whole(click.IntRange):
    """A whole number within limits."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read a number."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            self.fail(f"expected {self._wanted()}, got {str(value)!r}; give such a number", param, ctx)

    def _wanted(self) -> str:
        if self.max is None:
            return f"a whole number of at least {self.min}"
        return f"a whole number from {self.min} to {self.max}"


class PathTo(_PathType):
    """The path of a file or of a folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read a path, and check what is there."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            wanted = "a folder" if self.dir_okay and not self.file_okay else "a file"
            mend = "mend the path" if self.exists else f"give the path of {wanted}, or a new one"
            self.fail(f"expected {wanted}, got {_there(Path(value))}; {mend}", param, ctx)


def _there(path: Path) -> str:
    """Describe what is at a path, if it is not as it should be."""
    if path.is_dir():
        return f"the folder {str(path)!r}"
    if path.exists():
        return f"the file {str(path)!r}"
    return f"{str(path)!r}, where there is nothing"
