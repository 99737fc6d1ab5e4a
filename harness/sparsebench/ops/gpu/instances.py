"""Every kernel that host code may ask for, so that all of them can be compiled before one is needed."""

from __future__ import annotations

import importlib
import pkgutil

import sparsebench.ops.gpu as families

__all__ = ["INSTANCES"]

_HERE = __name__.rpartition(".")[2]


def _instances() -> list[tuple[str, tuple[str, ...]]]:
    found: dict[str, list[str]] = {}
    for module in pkgutil.iter_modules(families.__path__):
        if module.name == _HERE:
            continue
        family = importlib.import_module(f"{families.__name__}.{module.name}")
        for file, expressions in getattr(family, "INSTANCES", ()):
            kept = found.setdefault(file, [])
            kept.extend(expression for expression in expressions if expression not in kept)
    return [(file, tuple(expressions)) for file, expressions in found.items()]


INSTANCES: list[tuple[str, tuple[str, ...]]] = _instances()
"""Files and the name expressions of their kernels, as the families name them."""
