"""sparsebench: accuracy versus active operations, counted by the harness."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sparsebench import ops
    from sparsebench.arrays import Array, Namespace
    from sparsebench.errors import SparsebenchError, UncountedOperationError
    from sparsebench.meter.notebook import metered
    from sparsebench.models import Experts, Routed, Router, Routes, Submission
    from sparsebench.ops.own import primitive
    from sparsebench.tasks import Split, TaskInfo

__all__ = [
    "Array",
    "Experts",
    "Namespace",
    "Routed",
    "Router",
    "Routes",
    "SparsebenchError",
    "Split",
    "Submission",
    "TaskInfo",
    "UncountedOperationError",
    "metered",
    "ops",
    "primitive",
]

_HOMES = {
    "Array": "arrays",
    "Experts": "models",
    "Namespace": "arrays",
    "Routed": "models",
    "Router": "models",
    "Routes": "models",
    "SparsebenchError": "errors",
    "Split": "tasks",
    "Submission": "models",
    "TaskInfo": "tasks",
    "UncountedOperationError": "errors",
    "metered": "meter.notebook",
    "primitive": "ops.own",
}


if not TYPE_CHECKING:  # or mypy takes any name for one of ours

    def __getattr__(name: str) -> Any:
        """Import a public name when it is first used, so that ``import sparsebench`` stays fast."""
        if name == "ops":
            return importlib.import_module("sparsebench.ops")
        if name not in _HOMES:
            raise AttributeError(f"module 'sparsebench' has no attribute {name!r}")
        return getattr(importlib.import_module(f"sparsebench.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
