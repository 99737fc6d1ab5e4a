from __future__ import annotations

import functools
import importlib
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from sparsebench.tasks import load_task
from sparsebench.tasks.sources import missing_packages

TASK = load_task("lipschitz-regression@1")
SPECS = TASK.instances
MANIFOLDS = [f"{name}-k{k}-d{d}" for name in ("subspace", "curved") for k in (2, 3) for d in (16, 64, 256)]
REAL = ["etopo5", "sst"]
# Name → number of inputs, and their range.
FORMULAS = {
    "polynomial": (8, -1),
    "hypercube": (8, -1),
    "distance-2d": (2, 0),
    "distance-3d": (3, 0),
    "mcshane-2d": (2, 0),
    "mcshane-3d": (3, 0),
    "sin-2d": (2, 0),
    "sin-3d": (3, 0),
    "rough-1d": (1, 0),
    "ackley": (2, -1),
    "rastrigin": (2, -1),
    "convac": (16, -1),
}


def load_generator():
    """Import generate.py and its siblings, whose names are common: none of another task's, and none stay."""
    names = [path.stem for path in TASK.folder.glob("*.py")]
    others = {name: sys.modules.pop(name) for name in names if name in sys.modules}
    sys.path.insert(0, str(TASK.folder))
    try:
        module = importlib.import_module("generate")
        module.intervals = importlib.import_module("intervals")
    finally:
        sys.path.remove(str(TASK.folder))
        for name in names:
            sys.modules.pop(name, None)
        sys.modules.update(others)
    return module


GENERATE = load_generator()


def streams(name):
    return GENERATE.Streams(name, SPECS[name].seed)


def problem(name):
    return GENERATE.problem(name, SPECS[name].seed)


@functools.cache
def built(name):
    return GENERATE.build(SimpleNamespace(name=name, seed=SPECS[name].seed))


@functools.cache
def sampled(name):
    return problem(name).sample()


def skip_without_source(name):
    missing = missing_packages(SPECS[name].source.packages)
    if missing:
        pytest.skip(f"{name} cannot be derived without {', '.join(missing)}")


def quotients(function, x, z):
    return np.abs(function(x) - function(z)) / np.sqrt(((x - z) ** 2).sum(axis=1))


def gradients(function, x, step=1e-6):
    shifts = step * np.eye(x.shape[1])
    return np.stack([(function(x + s) - function(x - s)) / (2 * step) for s in shifts], axis=1)
