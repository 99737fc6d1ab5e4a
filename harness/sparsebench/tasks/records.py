"""The frozen records that make up a task; nothing here reads a file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sparsebench.errors import NotFoundError
from sparsebench.ground.naming import unknown_name
from sparsebench.tasks.given import METRICS, TARGET_DTYPES, Split, TaskInfo
from sparsebench.tasks.hashing import canonical_hash, table_hash

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "METRICS",
    "SPLITS",
    "TARGET_DTYPES",
    "Box",
    "Instance",
    "InstanceSpec",
    "Source",
    "Split",
    "TaskInfo",
    "TaskSpec",
]

SPLITS = ("train", "valid", "test")
"""The splits that every instance has."""


@dataclass(frozen=True, slots=True)
class Box:
    """The frozen scoring box of a task: log2 of operations between two bounds, times quality in [0, 1]."""

    log2_ops_low: float
    """log2 of the cheapest cost that counts, in operations per input."""
    log2_ops_high: float
    """log2 of the dearest cost that counts, in operations per input."""


@dataclass(frozen=True, slots=True)
class Source:
    """The source of real data."""

    title: str
    """What it is, one line."""
    licence: str
    """SPDX identifier, or a line on the terms under which it may be distributed."""
    url: str
    """Where its makers describe it."""
    packages: tuple[str, ...]
    """The packages required to derive the data again: ``name==version`` of PyPI, or ``debian:name==version``;
    without a version if any is accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceSpec:
    """One draw of a task's data, as ``task.toml`` declares it."""

    name: str
    """Unique within its task."""
    description: str
    """One line for people."""
    seed: int | None
    """The seed its data were generated from; None where it is secret."""
    small: bool
    """Whether it is quick enough for a first try."""
    board: bool = True
    """Whether the board is scored on it. Others are run by name, for studies."""
    generated: bool = False
    """Whether its files are not in the task's folder, but made on first use."""
    streamed: bool = False
    """Whether it is too large to be loaded at once, and can only be read in batches."""
    fresh: bool = False
    """Whether its generator draws and labels new inputs: see `Task.fresh`."""
    classes: int | None = None
    """How many classes its labels have, ``0 … classes - 1``; None for real labels."""
    domains: tuple[str, ...] = ()
    """Names of the domains, numbered in this order; empty if rows have none."""
    facts: dict[str, float] = field(default_factory=dict)
    """Facts known beforehand, such as ``lipschitz`` or ``bayes_accuracy``."""
    source: Source | None = None
    """Where its data come from, if they are real."""
    commitment: str | None = None
    """sha256 of the secret seed, if it is sealed."""
    input_shape: tuple[int, ...]
    """Shape of one input."""
    target_dtype: str
    """One of `TARGET_DTYPES`."""
    splits: dict[str, str]
    """Split → name of its file, for each of `SPLITS`; splits may share a file."""
    files: dict[str, dict[str, str]]
    """Name of a file → its columns → hash of each column's logical values."""

    def file_hash(self, file: str) -> str:
        """Return the hash of a file's logical values: that of the hashes of its columns."""
        return table_hash(self.files[file])

    @property
    def public_test(self) -> bool:
        """Whether a submission can ship the answers of the test split without fresh inputs exposing it."""
        return not self.fresh and self.commitment is None

    @property
    def identity(self) -> dict[str, Any]:
        """Everything that a score depends on: the name and the data, not prose, seeds or names of files."""
        splits = {split: self.file_hash(file) for split, file in self.splits.items()}
        return {"name": self.name, "splits": splits}

    @property
    def hash(self) -> str:
        """The SHA-256 of `identity`, which needs no data to be read."""
        return canonical_hash(self.identity)


@dataclass(frozen=True, slots=True, eq=False)
class Instance:
    """One draw of a task's data, read and checked."""

    task: str
    """The task's reference, such as ``"memorization@1"``."""
    name: str
    """The instance's name."""
    train: Split
    """The data from which `fit` learns."""
    valid: Split
    """The data with which `fit` may choose settings."""
    test: Split
    """The scored data. They never leave the harness's process."""
    hash: str
    """`InstanceSpec.hash`."""
    small: bool
    """Whether it is quick enough for a first try."""


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """A question with a frozen version, as ``task.toml`` declares it: data, metric and scoring box."""

    folder: Path
    """The version folder: ``task.toml``, ``generate.py`` and the Parquet files."""
    name: str
    """Lower-case words joined by hyphens."""
    version: int
    """Counts from 1. Changed data, metric or box are a new version."""
    title: str
    """One line for people."""
    statement: str
    """The question, for people."""
    metric: str
    """One of `METRICS`."""
    licence: str
    """SPDX identifier of the data's licence."""
    box: Box
    """The scoring box."""
    instances: dict[str, InstanceSpec]
    """Name → instance: those of the version that this one continues, then its own in the order of
    ``task.toml``."""
    earlier: TaskSpec | None = None
    """The version that this one continues, with the same metric and box; None for a first version. Its
    instances are this one's too, unchanged: their data lie with it, and its rows count for both."""

    @property
    def ref(self) -> str:
        """The reference, such as ``"memorization@1"``."""
        return f"{self.name}@{self.version}"

    @property
    def versions(self) -> tuple[str, ...]:
        """References of this version and of those that it continues, newest first."""
        return (self.ref, *(self.earlier.versions if self.earlier else ()))

    @property
    def own(self) -> dict[str, InstanceSpec]:
        """The instances that came with this version, whose data are made and kept in its folder."""
        return {name: spec for name, spec in self.instances.items() if self.home(name) is self}

    @property
    def homes(self) -> dict[str, TaskSpec]:
        """Each instance of an earlier version → the version that it came with, of which its rows are."""
        return {name: self.home(name) for name in (self.earlier.instances if self.earlier else ())}

    def home(self, instance: str) -> TaskSpec:
        """Return the version that an instance came with: this one, unless an earlier one has it."""
        if self.earlier is not None and instance in self.earlier.instances:
            return self.earlier.home(instance)
        return self

    def own_spec(self, instance: str) -> InstanceSpec:
        """Return the declaration of an instance whose data are made and kept with this version.

        Raises
        ------
        NotFoundError
            If no instance has that name, or it came with an earlier version.
        """
        spec, home = self.spec(instance), self.home(instance)
        if home is not self:
            message = f"{self.ref} has the data of {instance} from {home.ref}, which it continues"
            raise NotFoundError(message, help=f"name {home.ref}")
        return spec

    @property
    def hash(self) -> str:
        """The SHA-256 of all that scores depend on: name, version, metric, box, board and instances' data."""
        return canonical_hash(
            {
                "name": self.name,
                "version": self.version,
                "metric": self.metric,
                "box": [float(self.box.log2_ops_low), float(self.box.log2_ops_high)],
                "board": sorted(self.board),
                "instances": sorted((spec.identity for spec in self.instances.values()), key=_by_name),
            }
        )

    @property
    def board(self) -> tuple[str, ...]:
        """Names of the instances that the board is scored on."""
        return tuple(name for name, spec in self.instances.items() if spec.board)

    @property
    def info(self) -> dict[str, TaskInfo]:
        """The name of an instance → the public facts that a submission's constructor gets."""
        return {
            name: TaskInfo(
                self.home(name).ref,
                self.metric,
                spec.input_shape,
                spec.target_dtype,
                spec.classes,
                len(spec.domains) or None,
            )
            for name, spec in self.instances.items()
        }

    def spec(self, instance: str) -> InstanceSpec:
        """Return the declaration of an instance.

        Raises
        ------
        NotFoundError
            If no instance has that name; the error lists those that exist.
        """
        if instance not in self.instances:
            raise unknown_name("instance", instance, self.instances, where=self.ref)
        return self.instances[instance]


def _by_name(identity: dict[str, Any]) -> str:
    return str(identity["name"])
