"""Makes the new instances of lipschitz-regression@2, max-affine targets; others are those of version 1."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from affine import REF, MaxAffine, max_affine, normal_inputs

from sparsebench.tasks.generation import run_generator, stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sparsebench.tasks import InstanceSpec

ROWS = {"train": 16384, "valid": 2048, "test": 4096}


def target(spec: InstanceSpec) -> MaxAffine:
    """Draw an instance's target: x ``(n, d)`` float64 → ``(n,)``."""
    return max_affine(spec.name, spec.seed, spec.input_shape[0])


def build(spec: InstanceSpec) -> dict[str, dict[str, NDArray[np.int64] | NDArray[np.float32]]]:
    """Make an instance's three files; ids run through train, valid and test."""
    x = normal_inputs(stream(REF, spec.name, spec.seed, "x"), sum(ROWS.values()), spec.input_shape[0])
    y = label(spec, x)
    assert len(np.unique(x, axis=0)) == len(x), "a test row must not appear in train"
    files, start = {}, 0
    for split, rows in ROWS.items():
        part = slice(start, start + rows)
        ids = np.arange(start, start + rows, dtype=np.int64)
        files[f"{spec.name}-{split}.parquet"] = {"id": ids, "x": x[part], "y": y[part]}
        start += rows
    return files


def fresh(spec: InstanceSpec, rng: np.random.Generator, n: int) -> dict[str, NDArray[np.float32]]:
    """Draw new inputs of an instance's target and label them: columns ``x`` and ``y`` of n rows."""
    x = normal_inputs(rng, n, spec.input_shape[0])
    return {"x": x, "y": label(spec, x)}


def label(spec: InstanceSpec, x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Label inputs ``(n, d)``: ``(n,)``, rounded once to float32."""
    return target(spec)(x.astype(np.float64)).astype(np.float32)


if __name__ == "__main__":
    run_generator(build, Path(__file__).parent)
