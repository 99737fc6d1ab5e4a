"""What a task is: frozen records, nothing that reads a file until `Task.load` is called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sparsebench.tasks.hashing import canonical_hash

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "METRICS",
    "SPLITS",
    "TARGET_DTYPES",
    "Box",
    "Instance",
    "InstanceSpec",
    "Split",
    "Task",
    "TaskInfo",
]

SPLITS = ("train", "valid", "test")
"""The splits that every instance has."""

METRICS = ("nmse", "recall")
"""The error metrics a task may name."""

TARGET_DTYPES = ("float32", "int64")
"""The dtypes a label may have."""


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Inputs and labels; all arrays have the same length n.

    Arrays read from a task's files are read-only.
    """

    id: NDArray[np.int64]
    """Stable row numbers, distinct, ``(n,)`` int64."""
    x: NDArray[np.float32]
    """Inputs, ``(n, ...)`` float32, finite."""
    y: NDArray[Any]
    """Labels, ``(n,)``, float32 (finite) or int64."""
    tag: NDArray[np.int64] | None = None
    """The domain of each row, ``(n,)`` int64, or None where the task has no domains."""

    def __post_init__(self) -> None:
        lengths = {
            name: len(getattr(self, name)) for name in self.__slots__ if getattr(self, name) is not None
        }
        if len(set(lengths.values())) != 1:
            raise ValueError(f"split: expected columns of one length, got {lengths}")

    def __len__(self) -> int:
        return len(self.id)


@dataclass(frozen=True, slots=True)
class Box:
    """The frozen scoring box of a task: log2 of operations between two bounds, times quality in [0, 1]."""

    log2_ops_low: float
    """log2 of the cheapest cost that counts, in operations per input."""
    log2_ops_high: float
    """log2 of the dearest cost that counts, in operations per input."""


@dataclass(frozen=True, slots=True)
class TaskInfo:
    """What a submission's constructor is told: public facts of one instance, and no more."""

    task: str
    """The task's reference, such as ``"memorization@1"``."""
    metric: str
    """One of `METRICS`."""
    input_shape: tuple[int, ...]
    """Shape of one input: ``x`` is ``(n, *input_shape)``."""
    target_dtype: str
    """One of `TARGET_DTYPES`: the dtype that predictions are expected in."""


@dataclass(frozen=True, slots=True)
class InstanceSpec:
    """One draw of a task's data, as ``task.toml`` declares it."""

    name: str
    """Unique within its task."""
    description: str
    """One line for people."""
    seed: int
    """The seed its data were generated from."""
    small: bool
    """Whether it is quick enough for a first try."""
    input_shape: tuple[int, ...]
    """Shape of one input."""
    target_dtype: str
    """One of `TARGET_DTYPES`."""
    splits: dict[str, str]
    """Split → name of its file, for each of `SPLITS`; splits may share a file."""
    files: dict[str, str]
    """Name of a file → hash of its logical values."""

    @property
    def identity(self) -> dict[str, Any]:
        """What a score depends on: the name and the data, not prose, seeds or names of files."""
        return {"name": self.name, "splits": {split: self.files[file] for split, file in self.splits.items()}}

    @property
    def hash(self) -> str:
        """sha256 of `identity`, known without reading any data."""
        return canonical_hash(self.identity)


@dataclass(frozen=True, slots=True, eq=False)
class Instance:
    """One draw of a task's data, read and checked."""

    task: str
    """The task's reference, such as ``"memorization@1"``."""
    name: str
    """The instance's name."""
    train: Split
    """What `fit` learns from."""
    valid: Split
    """What `fit` may choose settings with."""
    test: Split
    """What is scored. Never leaves the harness's process."""
    hash: str
    """`InstanceSpec.hash`."""
    small: bool
    """Whether it is quick enough for a first try."""


@dataclass(frozen=True, slots=True)
class Task:
    """A question with a frozen version: data, metric and scoring box."""

    folder: Path
    """The version folder: ``task.toml``, ``generate.py`` and the Parquet files."""
    name: str
    """Lower-case words joined by hyphens."""
    version: int
    """Counts from 1. Changed data, metric or box are a new version."""
    title: str
    """One line for people."""
    statement: str
    """What is asked, for people."""
    metric: str
    """One of `METRICS`."""
    licence: str
    """SPDX identifier of the data's licence."""
    box: Box
    """The scoring box."""
    instances: dict[str, InstanceSpec]
    """Name → instance, in the order of ``task.toml``."""

    @property
    def ref(self) -> str:
        """The reference, such as ``"memorization@1"``."""
        return f"{self.name}@{self.version}"

    @property
    def hash(self) -> str:
        """sha256 of what scores depend on: name, version, metric, box, and each instance's data."""
        return canonical_hash(
            {
                "name": self.name,
                "version": self.version,
                "metric": self.metric,
                "box": [float(self.box.log2_ops_low), float(self.box.log2_ops_high)],
                "instances": sorted((spec.identity for spec in self.instances.values()), key=_by_name),
            }
        )

    @property
    def info(self) -> dict[str, TaskInfo]:
        """Name of an instance → the public facts that a submission's constructor gets."""
        return {
            name: TaskInfo(self.ref, self.metric, spec.input_shape, spec.target_dtype)
            for name, spec in self.instances.items()
        }

    def load(self, instance: str) -> Instance:
        """Read an instance's splits, each file checked against its hash.

        Raises
        ------
        NotFoundError
            If no instance has that name.
        IntegrityError
            If a file cannot be read, breaks a rule of its columns, or is not what its hash says.
        """
        from sparsebench.tasks.loading import load_instance  # noqa: PLC0415 - pyarrow only where data are read

        return load_instance(self, instance)


def _by_name(identity: dict[str, Any]) -> str:
    return str(identity["name"])
