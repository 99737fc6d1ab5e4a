"""Makes the point sets of memorization@1: random points, random labels, no rule between them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sparsebench.tasks.generation import run_generator, stream, uniform_inputs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sparsebench.tasks import InstanceSpec

SIZES = {"n256-r4": 2**8, "n4096-r4": 2**12, "n65536-r4": 2**16}
DIMENSIONS = 4


def points(instance: str, seed: int) -> dict[str, NDArray[np.int64] | NDArray[np.float32]]:
    """Draw one instance: ``id`` (n,) int64, ``x`` (n, 4) and ``y`` (n,) float32, uniform on [-1, 1).

    Inputs have 24 random bits in each of four coordinates, so two equal rows are all but impossible;
    it is checked all the same, because a point with two labels could not be memorized.
    """
    n = SIZES[instance]
    x = uniform_inputs(stream("memorization@1", instance, seed, "x"), (n, DIMENSIONS))
    y = uniform_inputs(stream("memorization@1", instance, seed, "y"), (n,))
    assert len(np.unique(x, axis=0)) == n
    return {"id": np.arange(n, dtype=np.int64), "x": x, "y": y}


def build(spec: InstanceSpec) -> dict[str, dict[str, NDArray[np.int64] | NDArray[np.float32]]]:
    """Make the one file that is an instance's train, valid and test split."""
    return {f"{spec.name}.parquet": points(spec.name, spec.seed)}


if __name__ == "__main__":
    run_generator(build, Path(__file__).parent)
