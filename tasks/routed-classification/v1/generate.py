"""Makes the instances of routed-classification@1, each in the module of its kind beside this file."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from sparsebench.tasks.generation import run_generator

if TYPE_CHECKING:
    from types import ModuleType

    import numpy as np
    from numpy.typing import NDArray

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
    """Make an instance's three files; columns ``id``, ``x``, ``y`` and ``tag``."""
    return cast("Files", _module(spec).build(spec))


def fresh(spec: InstanceSpec, rng: np.random.Generator, n: int) -> dict[str, NDArray[Any]] | None:
    """Draw new inputs and label them: columns ``x``, ``y`` and ``tag`` of n rows; None for real data."""
    return None if spec.source else cast("dict[str, NDArray[Any]]", _module(spec).fresh(spec, rng, n))


def label(spec: InstanceSpec, x: NDArray[np.float32]) -> NDArray[np.int64] | None:
    """Give the best labels that x tells, those before the noise; None for real data."""
    return None if spec.source else cast("NDArray[np.int64]", _module(spec).label(spec, x))


def _module(spec: InstanceSpec) -> ModuleType:
    """Import the module that makes an instance; when its turn comes, as those of real data need packages."""
    return importlib.import_module(MODULES[spec.name])


if __name__ == "__main__":
    run_generator(build, Path(__file__).parent)
