"""Makes the instances of routed-classification@1, each in the module of its kind beside this file."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from sparsebench.tasks.generation import run_generator

if TYPE_CHECKING:
    from sparsebench.tasks import InstanceSpec

    Files = dict[str, dict[str, Any]]

MODULES = {
    "synthetic-4": "synthetic",
    "synthetic-16": "synthetic",
    "synthetic-16-piecewise": "synthetic",
    "fashion": "fashion",
    "language-id": "language",
    "sensors": "sensors",
}
"""Instance → the module that makes it."""


def build(spec: InstanceSpec) -> Files:
    """Make an instance's three files; columns ``id``, ``x``, ``y`` and ``tag``.

    A module is imported only when its turn comes: those of real data need packages that may be missing.
    """
    return cast("Files", importlib.import_module(MODULES[spec.name]).build(spec))


if __name__ == "__main__":
    run_generator(build, Path(__file__).parent)
