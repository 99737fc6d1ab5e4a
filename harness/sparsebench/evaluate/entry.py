"""A look at a submission's code before anything runs: whether it has what ``entry`` names."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from sparsebench.errors import ContractError

if TYPE_CHECKING:
    from sparsebench.models import SubmissionFolder

__all__ = ["check_entry"]


def check_entry(folder: SubmissionFolder) -> None:
    """Read the entry's module, without running it, and look for the name.

    Raises
    ------
    ContractError
        If the module is not Python, or defines no such name.
    """
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


def _bound(statement: ast.stmt) -> list[str]:
    """Names that a top-level statement may bind."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return [statement.name]
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return [(alias.asname or alias.name).partition(".")[0] for alias in statement.names]
    return [
        node.id
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]
