"""Makes the instances of cube@1: what they ask for is in `targets`, how inputs are drawn in `rows`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rows import codes_of, inputs_of, split_rows, stored, unseen
from targets import target

from sparsebench.tasks.generation import run_generator

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from targets import Codes

    from sparsebench.tasks import InstanceSpec

    Columns = dict[str, NDArray[np.int64] | NDArray[np.float32]]


def build(spec: InstanceSpec) -> dict[str, Columns]:
    """Make an instance's three files; ids run through train, valid and test."""
    (n,) = spec.input_shape
    codes, files, start = stored(spec.name, spec.seed, n), {}, 0
    for split, rows in split_rows(n).items():
        end = start + rows
        ids = np.arange(start, end, dtype=np.int64)
        files[f"{spec.name}-{split}.parquet"] = {"id": ids, **_columns(spec, codes[start:end])}
        start = end
    return files


def fresh(spec: InstanceSpec, rng: np.random.Generator, n: int) -> Columns:
    """Draw n new inputs of an instance's target and label them: columns ``x``, ``y``, and ``tag`` if any."""
    (width,) = spec.input_shape
    return _columns(spec, unseen(spec.name, spec.seed, width, rng, n))


def label(spec: InstanceSpec, x: NDArray[np.float32]) -> NDArray[np.int64]:
    """Label inputs ``(m, n)`` again: ``(m,)``."""
    return target(spec.name, spec.seed).labels(codes_of(x))


def _columns(spec: InstanceSpec, codes: Codes) -> Columns:
    function = target(spec.name, spec.seed)
    columns: Columns = {"x": inputs_of(codes, *spec.input_shape), "y": function.labels(codes)}
    return columns | ({"tag": function.tags(codes)} if spec.domains else {})


if __name__ == "__main__":
    run_generator(build, Path(__file__).parent)
