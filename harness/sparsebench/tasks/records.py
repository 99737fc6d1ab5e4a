"""What a task is: frozen records, nothing that reads a file until `Task.load` is called."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sparsebench.ground.naming import unknown_name
from sparsebench.tasks.given import METRICS, TARGET_DTYPES, Split, TaskInfo
from sparsebench.tasks.hashing import canonical_hash, table_hash

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = [
    "METRICS",
    "SPLITS",
    "TARGET_DTYPES",
    "Box",
    "Instance",
    "InstanceSpec",
    "Source",
    "Split",
    "Task",
    "TaskInfo",
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
    """Where real data come from."""

    title: str
    """What it is, one line."""
    licence: str
    """SPDX identifier, or a line that says under what terms it may be passed on."""
    url: str
    """Where its makers describe it."""
    packages: tuple[str, ...]
    """What must be installed to derive the data again: ``name==version`` of PyPI, or
    ``debian:name==version``; without a version where any will do."""


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
    """Names of the domains, whose numbers are the tags; empty where rows have no tags."""
    facts: dict[str, float] = field(default_factory=dict)
    """What is known of it beforehand, such as ``lipschitz`` or ``bayes_accuracy``."""
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
        """Hash of a file's logical values: of the hashes of its columns."""
        return table_hash(self.files[file])

    @property
    def public_test(self) -> bool:
        """Whether anybody can ship the answers of the test split, and no fresh inputs would tell."""
        return not self.fresh and self.commitment is None

    @property
    def identity(self) -> dict[str, Any]:
        """What a score depends on: the name and the data, not prose, seeds or names of files."""
        splits = {split: self.file_hash(file) for split, file in self.splits.items()}
        return {"name": self.name, "splits": splits}

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
        """sha256 of what scores depend on: name, version, metric, box, board, and each instance's data."""
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
        """Name of an instance → the public facts that a submission's constructor gets."""
        return {
            name: TaskInfo(
                self.ref,
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
            If no instance has that name; says which there are.
        """
        if instance not in self.instances:
            raise unknown_name("instance", instance, self.instances, where=self.ref)
        return self.instances[instance]

    def load(self, instance: str, *, progress: Callable[[str], None] | None = None) -> Instance:
        """Read an instance's splits, each file checked against its hash.

        What is not in the task's folder is made on first use, and kept in the user's cache.

        Parameters
        ----------
        instance
            Its name.
        progress
            Told in a line how far the making of data is.

        Raises
        ------
        NotFoundError
            If no instance has that name.
        UsageError
            If it is too large to be loaded at once.
        IntegrityError
            If a file cannot be read, breaks a rule of its columns, or is not what its hash says.
        """
        from sparsebench.tasks.loading import load_instance  # noqa: PLC0415 - pyarrow only where data are read

        return load_instance(self, instance, progress=progress)

    def fresh(
        self,
        instance: Instance,
        seed: int,
        n: int,
        *,
        seed_file: Path | None = None,
        drawn_from: Task | None = None,
    ) -> Split | None:
        """Draw new inputs of an instance, and label them: what no submission can have stored.

        They have the target, the distribution, the columns and the dtypes of the test split, and are in no
        split. The task's ``generate.py`` draws them, in this process, with the rights of the caller. No hash
        binds it to the data, so it is held to them: each time, labels of stored rows must come out.

        Parameters
        ----------
        instance
            What `load` gave.
        seed
            A whole number, secret until the submission has answered. It says which inputs; their stream is
            none that made stored data.
        n
            How many rows, from 1.
        seed_file, drawn_from
            Of a sealed instance: its secret seed, and the task that it was drawn from, the standard one of
            its name if None.

        Returns
        -------
        Split or None
            Arrays of n rows, read-only. None where there are no new inputs: for real data, where the training
            set is the test, where a generator has no function for it (`InstanceSpec.public_test`), and for
            sealed instances without their seed.

        Raises
        ------
        NotFoundError
            If no instance has that name, or there is no generator.
        UsageError
            If the seed is not the one that the instance is sealed with.
        IntegrityError
            If the generator does not agree with the stored rows, or gives stored ones.
        SparsebenchError
            If it fails.
        """
        from sparsebench.tasks.fresh import draw_fresh  # noqa: PLC0415 - only where something is drawn

        task, spec = self, self.spec(instance.name)
        if spec.commitment is not None and seed_file is not None:
            from sparsebench.tasks.authoring.sealing import opened_seal  # noqa: PLC0415 - seals are rare

            task, spec = opened_seal(self, seed_file, drawn_from)
        return draw_fresh(task, spec, instance, seed, n) if spec.fresh else None

    def stream(
        self,
        instance: str,
        split: str = "train",
        *,
        rows: int = 1 << 18,
        columns: tuple[str, ...] | None = None,
        progress: Callable[[str], None] | None = None,
    ) -> Iterator[dict[str, NDArray[Any]]]:
        """Read a split in batches, in constant memory.

        Each column is hashed as it passes; a fault is raised with the batch after the last, so a reader who
        stops before the end has not checked what was read.

        Parameters
        ----------
        instance, split
            What to read.
        rows
            Rows of a batch; the last one may have fewer.
        columns
            Names of the columns to read; all if None.
        progress
            As for `load`.

        Yields
        ------
        dict
            Column → array of shape ``(rows, ...)``.

        Raises
        ------
        NotFoundError, UsageError
            If no instance, split or column has that name.
        IntegrityError
            If the file is not what its hashes say.
        """
        from sparsebench.tasks.loading import stream_split  # noqa: PLC0415 - pyarrow only where data are read

        return stream_split(self, instance, split, rows=rows, columns=columns, progress=progress)


def _by_name(identity: dict[str, Any]) -> str:
    return str(identity["name"])
