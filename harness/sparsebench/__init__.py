"""sparsebench: accuracy versus active operations, counted by the harness."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from sparsebench.ground import lazy

if TYPE_CHECKING:
    from sparsebench import ops
    from sparsebench.api import Results, load_results, make_board, run
    from sparsebench.arrays import Array, Namespace
    from sparsebench.errors import SparsebenchError, UncountedOperationError
    from sparsebench.meter.model import Model
    from sparsebench.meter.notebook import metered
    from sparsebench.models.contract import Experts, Routed, Router, Routes, Submission
    from sparsebench.ops.core.own import primitive
    from sparsebench.tasks.given import Split, TaskInfo

__all__ = [
    "Array",
    "Experts",
    "Model",
    "Namespace",
    "Results",
    "Routed",
    "Router",
    "Routes",
    "SparsebenchError",
    "Split",
    "Submission",
    "TaskInfo",
    "UncountedOperationError",
    "load_results",
    "make_board",
    "metered",
    "ops",
    "primitive",
    "run",
]

_HOMES = {
    "api": ("Results", "load_results", "make_board", "run"),
    "arrays": ("Array", "Namespace"),
    "errors": ("SparsebenchError", "UncountedOperationError"),
    "meter.model": ("Model",),
    "meter.notebook": ("metered",),
    "models.contract": ("Experts", "Routed", "Router", "Routes", "Submission"),
    "ops.core.own": ("primitive",),
    "tasks.given": ("Split", "TaskInfo"),
}
_own, _ = lazy.attach(__name__, _HOMES)


if not TYPE_CHECKING:  # or mypy takes any name for one of ours

    def __getattr__(name: str) -> Any:
        """Import a public name when it is first used, so that ``import sparsebench`` stays fast."""
        return importlib.import_module("sparsebench.ops") if name == "ops" else _own(name)


def __dir__() -> list[str]:
    return sorted(__all__)
