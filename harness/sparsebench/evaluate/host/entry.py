"""Checks of a submission before anything runs: its requirements, and the name in ``entry``."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from sparsebench.errors import ContractError
from sparsebench.models.requirements import check_requirements

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sparsebench.models import SubmissionFolder

__all__ = ["check_entry"]


def check_entry(folder: SubmissionFolder) -> None:
    """Check the requirements, and find the entry's name in its module, which is read but not run.

    Raises
    ------
    UsageError
        If a package in ``requires`` is not installed.
    ContractError
        If the module is not Python, or defines no such name.
    """
    check_requirements(folder.manifest.requires)
    module, _, name = folder.manifest.entry.partition(":")
    file = folder.path / f"{module}.py"
    try:
        tree = ast.parse(file.read_bytes(), filename=str(file))
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        where = f"{file}:{line}" if line else str(file)
        raise ContractError(
            f"{where}: not valid Python: {getattr(error, 'msg', error)}", help="mend it"
        ) from None
    names = {bound for statement in tree.body for bound in _bound(statement)}
    if name not in names and "*" not in names:
        there = ", ".join(sorted(n for n in names if n[:1].isupper())) or "none"
        message = f"{folder.path.name}/submission.toml: entry: {file.name} defines no {name!r}"
        raise ContractError(message, help=f"define it, or mend the entry; classes there: {there}")


def _bound(statement: ast.AST) -> Iterator[str]:
    """Yield the names that a top-level statement may bind, also inside of ``if`` or ``try``."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        yield statement.name
        return  # names inside do not belong to the module
    if isinstance(statement, ast.Import | ast.ImportFrom):
        yield from ((alias.asname or alias.name).partition(".")[0] for alias in statement.names)
    elif isinstance(statement, ast.Name) and isinstance(statement.ctx, ast.Store):
        yield statement.id
    for part in ast.iter_child_nodes(statement):
        yield from _bound(part)
