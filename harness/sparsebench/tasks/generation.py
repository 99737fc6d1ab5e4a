"""Making data: random streams that mean the same everywhere, and the frame around a ``generate.py``."""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.tasks.discovery import load_task
from sparsebench.tasks.hashing import content_hash

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from sparsebench.tasks.records import InstanceSpec, Split

    Build = Callable[[InstanceSpec], Mapping[str, Mapping[str, NDArray[Any]]]]

__all__ = ["fresh_inputs", "run_generator", "stream", "uniform_inputs"]


def stream(*labels: str | int) -> np.random.Generator:
    """Return the PCG64 stream of a list of labels: task, instance, seed, what it is for.

    Each purpose has its own stream, so that drawing more points does not change the target function.
    """
    key = hashlib.sha256("/".join(str(label) for label in labels).encode()).digest()
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(int.from_bytes(key[:16], "little"))))


def uniform_inputs(rng: np.random.Generator, shape: tuple[int, ...], *, low: int = -1) -> NDArray[np.float32]:
    """Draw float32 values uniformly from [low, 1), for low = -1 or 0.

    The stream gives multiples of 2^-24, and mapping them to [-1, 1) is exact, so the values are the same
    on every machine.
    """
    unit = rng.random(shape, dtype=np.float32)
    return unit if low == 0 else np.float32(2) * unit - np.float32(1)


def fresh_inputs(split: Split, rng: np.random.Generator, n: int) -> NDArray[np.float32]:
    """Draw inputs for timing, which are never scored: each feature resampled by itself.

    Each feature keeps its own distribution, and the rows are new.

    Parameters
    ----------
    split
        Where the values come from, inputs of shape ``(m, ...)``.
    rng
        The stream to draw from.
    n
        How many rows.

    Returns
    -------
    ndarray
        ``(n, ...)`` float32.
    """
    columns = split.x.reshape(len(split), -1)
    rows = rng.integers(len(split), size=(n, columns.shape[1]))
    return np.take_along_axis(columns, rows, axis=0).reshape(n, *split.x.shape[1:])


def run_generator(build: Build, folder: Path, argv: Sequence[str] | None = None) -> None:
    """Make every Parquet file of a task: what ``python generate.py [--output DIR]`` does.

    Prints each file's line of ``task.toml``: its name and the hash of its content.

    Parameters
    ----------
    build
        From an instance's declaration to its files: name → columns.
    folder
        The version folder, whose ``task.toml`` lists the instances.
    argv
        Arguments; those of the process if None.
    """
    from sparsebench.tasks.parquet import write_columns  # noqa: PLC0415 - pyarrow only where data are written

    parser = argparse.ArgumentParser(description="Make this task's Parquet files again from their seeds.")
    parser.add_argument(
        "--output", type=Path, default=folder, help="where to put them (default: beside task.toml)"
    )
    output: Path = parser.parse_args(argv).output
    output.mkdir(parents=True, exist_ok=True)
    for spec in load_task(folder).instances.values():
        for name, columns in build(spec).items():
            write_columns(output / name, columns)
            sys.stdout.write(f'"{name}" = "{content_hash(columns)}"\n')
