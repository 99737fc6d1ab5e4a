"""Making data: random streams that mean the same everywhere, and the frame around a ``generate.py``."""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.errors import NotFoundError, SparsebenchError, UsageError
from sparsebench.ground.line_ends import with_lf
from sparsebench.tasks.discovery import load_task
from sparsebench.tasks.hashing import hash_batches
from sparsebench.tasks.importing import is_importing
from sparsebench.tasks.sources import missing_packages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from sparsebench.tasks.records import InstanceSpec, Split, Task

    Columns = Mapping[str, NDArray[Any]]
    Build = Callable[[InstanceSpec], Mapping[str, Columns | Callable[[], Iterable[Columns]]]]

__all__ = ["PROGRESS", "fresh_inputs", "run_generator", "secret_seed", "stream", "uniform_inputs"]

PROGRESS = "progress: "
"""What a line of a generator's standard error begins with, if it tells how far it is."""


def stream(*labels: str | int | None) -> np.random.Generator:
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


def secret_seed(content: bytes) -> int:
    """Turn the content of a seed file, with LF if it is text, into a seed: 256 bits, by SHA-256."""
    return int.from_bytes(hashlib.sha256(b"sparsebench seed 1\n" + with_lf(content)).digest(), "little")


def run_generator(build: Build, folder: Path, argv: Sequence[str] | None = None) -> None:
    """Make the Parquet files of a task: what ``python generate.py [--output DIR]`` does.

    Prints a line of JSON for each file: its instance, its name, and its columns with their hashes.

    Parameters
    ----------
    build
        From an instance's declaration to its files: name → columns; or, for what does not fit into memory,
        a function without arguments that gives the columns in batches.
    folder
        The version folder, whose ``task.toml`` lists the instances.
    argv
        Arguments; those of the process if None. Then an error of ours ends the process with one line.

    Raises
    ------
    NotFoundError
        If there is no instance of a name, or a package that data come from is not installed.
    UsageError
        If the generator is being imported, and not run as a script.
    """
    if is_importing():
        raise UsageError(
            f"{folder / 'generate.py'}: expected run_generator where it runs as a script, got it on import",
            help='put it below `if __name__ == "__main__":`',
        )
    try:
        _run(build, folder, _options(argv, folder))
    except SparsebenchError as error:
        if argv is not None:
            raise
        raise SystemExit(f"{error.what}; {error.help}") from None


def _run(build: Build, folder: Path, options: argparse.Namespace) -> None:
    for spec in _chosen(load_task(folder.resolve(), draft=True), options):
        if missing := missing_packages(spec.source.packages if spec.source else ()):
            raise NotFoundError(
                f"{spec.name}: cannot be derived without {', '.join(missing)}",
                help="install these versions; without them the hashes of the committed data still hold",
            )
        for name, made in build(spec).items():
            place = None if options.hashes else options.output / name
            hashes = _make(place, name, made, quick=spec.generated)
            sys.stdout.write(json.dumps({"instance": spec.name, "file": name, "columns": hashes}) + "\n")
            sys.stdout.flush()


def _options(argv: Sequence[str] | None, folder: Path) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Make this task's Parquet files again from their seeds.")
    parser.add_argument(
        "--output", type=Path, default=folder, help="where to put them (default: beside task.toml)"
    )
    parser.add_argument("--instances", default="", help="only these, with commas between them")
    parser.add_argument("--hashes", action="store_true", help="print the hashes, and write no file")
    parser.add_argument("--seed-file", type=Path, help="draw from the secret seed in this file")
    options = parser.parse_args(argv)
    if not options.hashes:
        options.output.mkdir(parents=True, exist_ok=True)
    return options


def _chosen(task: Task, options: argparse.Namespace) -> Iterator[InstanceSpec]:
    names = [name for name in options.instances.split(",") if name] or list(task.instances)
    for name in names:
        spec = task.spec(name)
        if options.seed_file is not None:
            spec = dataclasses.replace(spec, seed=secret_seed(options.seed_file.read_bytes()))
        yield spec


def _make(
    place: Path | None, name: str, made: Columns | Callable[[], Iterable[Columns]], *, quick: bool
) -> dict[str, str]:
    """Write a file, unless it is only to be hashed; give the hashes of its columns."""
    from sparsebench.tasks.parquet_writing import write_batches, write_columns  # noqa: PLC0415 - pyarrow only here

    if not callable(made):
        hashes = hash_batches([made])
        if place is not None:
            write_columns(place, made, quick=quick)
        return hashes
    if place is None:
        return hash_batches(_told(name, made()))
    # A second drawing is quicker than reading back what was written.
    write_batches(place, _told(f"{name}: writing", made()))
    return hash_batches(_told(f"{name}: hashing", made()))


def _told(name: str, batches: Iterable[Columns]) -> Iterator[Columns]:
    """Tell on standard error how many rows there are so far."""
    rows = 0
    for batch in batches:
        yield batch
        rows += len(next(iter(batch.values())))
        sys.stderr.write(f"{PROGRESS}{name}: {rows:,} rows\n")
        sys.stderr.flush()
