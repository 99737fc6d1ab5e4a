"""From a version folder to arrays: values are checked, hashes compared, then splits returned."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.errors import IntegrityError, UsageError
from sparsebench.ground.naming import unknown_name
from sparsebench.tasks.cache import locate
from sparsebench.tasks.hashing import ColumnHasher, changed_columns, column_hashes
from sparsebench.tasks.parquet import read_batches, read_columns
from sparsebench.tasks.parquet_faults import damaged
from sparsebench.tasks.records import SPLITS, Instance, InstanceSpec, Split, TaskSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["check_file", "load_file", "load_instance", "stream_file", "stream_split"]

_BATCH = 1 << 18


def load_instance(task: TaskSpec, name: str, *, progress: Callable[[str], None] | None = None) -> Instance:
    """Read an instance of a task: see `Task.load`."""
    spec = task.spec(name)
    if spec.streamed:
        raise UsageError(
            f"{task.ref}/{name} is too large to be loaded at once",
            help=f"read it in batches: sparsebench.tasks.load_task({task.ref!r}).stream({name!r})",
        )
    files = {
        file: load_file(locate(task, spec, file, progress=progress), spec, file)
        for file in dict.fromkeys(spec.splits.values())
    }
    splits = {split: files[spec.splits[split]] for split in SPLITS}
    _check_counts(task, spec, splits["train"])
    return Instance(task=task.ref, name=name, hash=spec.hash, small=spec.small, **splits)


def _check_counts(task: TaskSpec, spec: InstanceSpec, train: Split) -> None:
    """Check that train has as many classes and domains as declared: so the data's hashes fix the numbers."""
    for name, declared, values in (
        ("classes", spec.classes, train.y),
        ("domains", len(spec.domains) or None, train.tag),
    ):
        if declared is not None and values is not None and int(values.max()) + 1 != declared:
            raise IntegrityError(
                f"{task.ref}/{spec.name}: {name}: expected {int(values.max()) + 1}, as its train split has, "
                f"got {declared}",
                help=f"mend {name} in task.toml",
            )


def stream_split(
    task: TaskSpec,
    name: str,
    split: str,
    *,
    rows: int,
    columns: Sequence[str] | None,
    progress: Callable[[str], None] | None = None,
) -> Iterator[dict[str, NDArray[Any]]]:
    """Read a split of a task in batches: see `Task.stream`."""
    spec = task.spec(name)
    if split not in spec.splits:
        raise unknown_name("split", split, spec.splits, where=f"{task.ref}/{name}")
    if rows < 1:
        raise UsageError(f"rows: expected at least 1, got {rows}", help="give the rows of a batch")
    file = spec.splits[split]
    for column in columns or ():
        if column not in spec.files[file]:
            raise unknown_name("column", column, spec.files[file], where=file)
    return stream_file(locate(task, spec, file, progress=progress), spec, file, rows=rows, columns=columns)


def load_file(path: Path, spec: InstanceSpec, file: str) -> Split:
    """Read one Parquet file of an instance, wherever it lies.

    Parameters
    ----------
    path
        Where it lies.
    spec
        The expected shape, label dtype and hashes.
    file
        Its name in `spec`.

    Raises
    ------
    IntegrityError
        If the file cannot be read, has repeated ids, NaN or infinities, labels or domains that do not exist,
        another shape or label dtype, or other hashes.
    """
    columns = _shaped(read_columns(path), spec)
    check_ids(path, columns["id"])
    _check_values(path, columns, spec)
    _check_hashes(path, column_hashes(columns), spec.files[file])
    return Split(**columns)


def stream_file(
    path: Path, spec: InstanceSpec, file: str, *, rows: int = _BATCH, columns: Sequence[str] | None = None
) -> Iterator[dict[str, NDArray[Any]]]:
    """Read one Parquet file of an instance in batches, wherever it lies.

    Ids are accepted as distinct if they ascend: no more can be checked in constant memory.

    Parameters
    ----------
    path, spec, file
        As for `load_file`.
    rows
        Rows of a batch.
    columns
        Which columns; all if None.

    Raises
    ------
    IntegrityError
        As `load_file`; after the last batch, if the values do not have their hashes.
    """
    hashers: dict[str, ColumnHasher] = {}
    last = np.iinfo(np.int64).min
    for read in read_batches(path, rows=rows, columns=columns):
        batch = _shaped(read, spec)
        hashers = hashers or {name: ColumnHasher(name) for name in batch}
        if "id" in batch:
            last = _check_ascending(path, batch["id"], last)
        _check_values(path, batch, spec)
        for name, values in batch.items():
            hashers[name].add(values)
        yield batch
    got = {name: hasher.hash() for name, hasher in hashers.items()}
    _check_hashes(path, got, {name: spec.files[file][name] for name in got if name in spec.files[file]})


def check_file(path: Path, spec: InstanceSpec, file: str) -> int:
    """Check one Parquet file as `load_file` does, in constant memory if it is streamed.

    Returns
    -------
    int
        The number of its rows.

    Raises
    ------
    IntegrityError
        As `load_file`.
    """
    if not spec.streamed:
        return len(load_file(path, spec, file))
    return sum(len(batch["id"]) for batch in stream_file(path, spec, file))


def check_ids(path: Path, ids: NDArray[np.int64]) -> None:
    """Refuse repeated ids.

    Raises
    ------
    IntegrityError
        If there are any; it names one of them.
    """
    found, counts = np.unique(ids, return_counts=True)
    if len(found) != len(ids):
        raise damaged(path, "id", "distinct ids", f"{found[counts > 1][0]} more than once")


def _check_ascending(path: Path, ids: NDArray[np.int64], last: int) -> int:
    if len(ids) and (int(ids[0]) <= last or bool(np.any(ids[1:] <= ids[:-1]))):
        raise damaged(path, "id", "ascending ids", "one that is not above the one before it")
    return int(ids[-1]) if len(ids) else last


def _shaped(columns: dict[str, NDArray[Any]], spec: InstanceSpec) -> dict[str, NDArray[Any]]:
    """Return inputs with their axes, which some writers drop: they store a tensor as a list of its values."""
    x = columns.get("x")
    if x is None or x.ndim != 2 or x.shape[1] != math.prod(spec.input_shape):  # noqa: PLR2004 - rows and values
        return columns
    return columns | {"x": x.reshape(-1, *spec.input_shape)}


def _check_values(path: Path, columns: dict[str, NDArray[Any]], spec: InstanceSpec) -> None:
    if "x" in columns and columns["x"].shape[1:] != spec.input_shape:
        got = str(columns["x"].shape[1:])
        raise damaged(path, "x", f"inputs of shape {spec.input_shape} as task.toml says", got)
    if "y" in columns and columns["y"].dtype.name != spec.target_dtype:
        raise damaged(path, "y", f"{spec.target_dtype} as task.toml says", columns["y"].dtype.name)
    for name in ("x", "y"):
        if name in columns and not np.isfinite(columns[name]).all():
            broken = int(np.count_nonzero(~np.isfinite(columns[name])))
            raise damaged(path, name, "finite values", f"{broken} that are NaN or infinite")
    _check_numbers(path, "y", columns, spec.classes)
    _check_numbers(path, "tag", columns, len(spec.domains) or None)


def _check_numbers(path: Path, name: str, columns: dict[str, NDArray[Any]], count: int | None) -> None:
    """Check that labels and domains are numbers of existing classes and domains."""
    if name not in columns or count is None:
        return
    wrong = (columns[name] < 0) | (columns[name] >= count)
    if wrong.any():
        raise damaged(path, name, f"numbers from 0 to {count - 1}", str(columns[name][wrong][0]))


def _check_hashes(path: Path, got: dict[str, str], expected: dict[str, str]) -> None:
    if set(got) != set(expected):
        raise damaged(path, None, f"the columns {', '.join(expected)}", ", ".join(got))
    for name in changed_columns(expected, got):
        raise IntegrityError(
            f"{path}: column {name!r}: expected content {expected[name]}, got {got[name]}",
            help="a changed hash is a new version; restore the file or run `sparsebench tasks verify`",
        )
