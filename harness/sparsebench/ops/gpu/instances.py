"""Every kernel that host code may ask for, so that all of them can be compiled before one is needed."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil

from sparsebench.ops import gpu
from sparsebench.ops.families import FAMILIES

__all__ = ["INSTANCES"]

_OPS = "sparsebench.ops"


def _modules() -> list[str]:
    shared = [f"{gpu.__name__}.{module.name}" for module in pkgutil.iter_modules(gpu.__path__)]
    families = dict.fromkeys(name.partition(".")[0] for name in FAMILIES)
    every = (*shared, *(f"{_OPS}.{family}.on_cuda" for family in families))
    return [name for name in every if name != __name__ and importlib.util.find_spec(name)]


def _instances() -> list[tuple[str, tuple[str, ...]]]:
    found: dict[str, list[str]] = {}
    for name in _modules():
        module = importlib.import_module(name)
        for file, expressions in getattr(module, "INSTANCES", ()):
            kept = found.setdefault(file, [])
            kept.extend(expression for expression in expressions if expression not in kept)
    return [(file, tuple(expressions)) for file, expressions in found.items()]


INSTANCES: list[tuple[str, tuple[str, ...]]] = _instances()
"""Files and the name expressions of their kernels, as the CUDA backends and what they share name them."""
