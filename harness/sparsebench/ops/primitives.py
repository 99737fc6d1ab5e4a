"""The table of all primitives. Importing it imports them all."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from typing import TYPE_CHECKING

from sparsebench.ops import elementary
from sparsebench.ops.families import FAMILIES

if TYPE_CHECKING:
    from sparsebench.ops.core.primitive import Primitive

_OPS = __name__.rpartition(".")[0]

__all__ = ["PRIMITIVES", "find_families"]

PRIMITIVES: dict[str, Primitive] = {
    name: getattr(importlib.import_module(f"{_OPS}.{family}"), name)
    for family, names in FAMILIES.items()
    for name in names
}
"""Every primitive by name."""


def find_families() -> dict[str, list[str]]:
    """Look for primitives in the modules of ``elementary`` and in the definitions of families.

    Returns
    -------
    dict
        Module, without the package → the names of its primitives, in the order in which they are written.
        What :data:`PRIMITIVES` has is what this found when `python -m sparsebench.meter.stubs` was last run.
    """
    from sparsebench.ops.core.primitive import Primitive  # noqa: PLC0415 - imports NumPy

    package = importlib.import_module(_OPS)
    folders = [found.name for found in pkgutil.iter_modules(package.__path__) if found.ispkg]
    names = [f"elementary.{found.name}" for found in pkgutil.iter_modules(elementary.__path__)]
    names += [f"{folder}.definition" for folder in folders if _has_definition(folder)]
    found = {}
    for name in names:
        module = importlib.import_module(f"{_OPS}.{name}")
        made = [value for value in vars(module).values() if isinstance(value, Primitive)]
        if members := [one.name for one in made if one.definition.__module__ == module.__name__]:
            found[name] = members
    return found


def _has_definition(folder: str) -> bool:
    return importlib.util.find_spec(f"{_OPS}.{folder}.definition") is not None
