"""From a version folder to arrays: values checked, hash compared, then handed out as splits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.errors import IntegrityError
from sparsebench.tasks.hashing import content_hash
from sparsebench.tasks.naming import unknown_name
from sparsebench.tasks.parquet import damaged, read_columns
from sparsebench.tasks.records import SPLITS, Instance, InstanceSpec, Split, Task

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["load_file", "load_instance"]


def load_instance(task: Task, name: str) -> Instance:
    """Read an instance of a task: see `Task.load`."""
    if name not in task.instances:
        raise unknown_name("instance", name, task.instances, where=task.ref)
    spec = task.instances[name]
    files = {file: load_file(task.folder / file, spec) for file in dict.fromkeys(spec.splits.values())}
    splits = {split: files[spec.splits[split]] for split in SPLITS}
    return Instance(task=task.ref, name=name, hash=spec.hash, small=spec.small, **splits)


def load_file(path: Path, spec: InstanceSpec) -> Split:
    """Read one Parquet file of an instance, wherever it lies.

    Parameters
    ----------
    path
        The file. Its name is looked up in `spec`.
    spec
        Says what shape, label dtype and hash to expect.

    Raises
    ------
    IntegrityError
        If the file cannot be read, has repeated ids, NaN or infinities, another shape or label dtype, or
        is not what its hash says.
    """
    columns = read_columns(path)
    _check_values(path, columns)
    _check_declared(path, columns, spec)
    _check_hash(path, content_hash(columns), spec.files[path.name])
    return Split(**columns)


def _check_values(path: Path, columns: dict[str, NDArray[Any]]) -> None:
    ids, counts = np.unique(columns["id"], return_counts=True)
    if len(ids) != len(columns["id"]):
        raise damaged(path, "id", "distinct ids", f"{ids[counts > 1][0]} more than once")
    for name in ("x", "y"):
        broken = int(np.count_nonzero(~np.isfinite(columns[name])))
        if broken:
            raise damaged(path, name, "finite values", f"{broken} that are NaN or infinite")


def _check_declared(path: Path, columns: dict[str, NDArray[Any]], spec: InstanceSpec) -> None:
    shape, dtype = columns["x"].shape[1:], columns["y"].dtype.name
    if shape != spec.input_shape:
        raise damaged(path, "x", f"inputs of shape {spec.input_shape} as task.toml says", str(shape))
    if dtype != spec.target_dtype:
        raise damaged(path, "y", f"{spec.target_dtype} as task.toml says", dtype)


def _check_hash(path: Path, got: str, expected: str) -> None:
    if got != expected:
        raise IntegrityError(
            f"{path}: expected content {expected}, got {got}",
            help="a changed hash is a new version; restore the file or run `sparsebench tasks verify`",
        )
