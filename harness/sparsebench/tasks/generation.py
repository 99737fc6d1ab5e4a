"""Making data: the frame around a ``generate.py``, and the functions that it imports."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparsebench.errors import NotFoundError, SparsebenchError, UsageError
from sparsebench.tasks.hashing import hash_batches
from sparsebench.tasks.importing import is_importing
from sparsebench.tasks.making import PROGRESS
from sparsebench.tasks.sources import missing_packages
from sparsebench.tasks.standard import read_spec
from sparsebench.tasks.streams import fresh_inputs, secret_seed, stream, uniform_inputs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from sparsebench.tasks.records import InstanceSpec, TaskSpec

    Columns = Mapping[str, NDArray[Any]]
    Build = Callable[[InstanceSpec], Mapping[str, Columns | Callable[[], Iterable[Columns]]]]

__all__ = ["fresh_inputs", "run_generator", "secret_seed", "stream", "uniform_inputs"]


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
        Arguments; if None, those of the process. In that case an error of ours ends the process with one
        line.

    Raises
    ------
    NotFoundError
        If an instance does not exist, or a package that data come from is not installed.
    UsageError
        If the generator is imported, and not run as a script.
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
    for spec in _chosen(read_spec(folder.resolve(), draft=True), options):
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


def _chosen(task: TaskSpec, options: argparse.Namespace) -> Iterator[InstanceSpec]:
    names = [name for name in options.instances.split(",") if name] or list(task.own)
    for name in names:
        spec = task.own_spec(name)
        if options.seed_file is not None:
            spec = dataclasses.replace(spec, seed=secret_seed(options.seed_file.read_bytes()))
        yield spec


def _make(
    place: Path | None, name: str, made: Columns | Callable[[], Iterable[Columns]], *, quick: bool
) -> dict[str, str]:
    """Write a file, unless it is only hashed; return the hashes of its columns."""
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
    """Yield batches, and report on standard error how many rows there are so far."""
    rows = 0
    for batch in batches:
        yield batch
        rows += len(next(iter(batch.values())))
        sys.stderr.write(f"{PROGRESS}{name}: {rows:,} rows\n")
        sys.stderr.flush()
