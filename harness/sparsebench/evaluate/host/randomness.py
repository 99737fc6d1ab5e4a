"""A search for unseeded randomness in a submission's code, which is read but not run."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["unseeded"]

_SEEDED_BY_ARGUMENT = frozenset(
    {"default_rng", "RandomState", "SeedSequence", "PCG64", "Random", "Generator"}
)
_DRAWING_MODULES = ("np.random.", "numpy.random.", "random.", "secrets.", "torch.rand", "uuid.uuid")
_SEEDING = frozenset({"seed", "manual_seed"})
_ALWAYS = frozenset({"os.urandom", "time.time", "time.time_ns", "hash", "id"})


def unseeded(folder: Path, include: Sequence[Path] = ()) -> str:
    """Return the first call in a submission's code whose result may differ between processes.

    Parameters
    ----------
    folder
        The submission's folder.
    include
        The files that it includes.

    Returns
    -------
    str
        ``submission.py:12: np.random.default_rng()``; empty if none is found, which is no proof.
    """
    for file in (*sorted(folder.glob("*.py")), *include):
        try:
            tree = ast.parse(file.read_bytes())
        except (OSError, SyntaxError, ValueError):
            continue
        for call in _drawing(tree):
            return f"{file.name}:{call.lineno}: {ast.unparse(call)}"
    return ""


def _drawing(tree: ast.AST) -> Iterator[ast.Call]:
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    names = {id(call): ast.unparse(call.func) for call in calls}
    seeds = any(name.rpartition(".")[2] in _SEEDING for name in names.values())
    for call in sorted(calls, key=lambda call: call.lineno):
        name = names[id(call)]
        last = name.rpartition(".")[2]
        if last in _SEEDED_BY_ARGUMENT:
            drawn = not call.args and not call.keywords
        else:
            plain = "(" not in name  # a method of another call's result was checked with that call
            drawn = name in _ALWAYS or (plain and name.startswith(_DRAWING_MODULES) and not seeds)
        if drawn:
            yield call
