"""A task that can be read: the declaration in its ``task.toml``, and access to its data."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from sparsebench.tasks.records import TaskSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from sparsebench.tasks.given import Split
    from sparsebench.tasks.records import Instance

__all__ = ["Task"]


@dataclass(frozen=True, slots=True)
class Task(TaskSpec):
    """A question with a frozen version: data, metric and scoring box."""

    @classmethod
    def of(cls, spec: TaskSpec) -> Task:
        """Make the task from the declaration in a ``task.toml``."""
        return cls(**{field.name: getattr(spec, field.name) for field in fields(TaskSpec)})

    def load(self, instance: str, *, progress: Callable[[str], None] | None = None) -> Instance:
        """Read an instance's splits, each file checked against its hash.

        Files that are not in the task's folder are made on first use, and kept in the user's cache.

        Parameters
        ----------
        instance
            Its name.
        progress
            Called with a line on the progress of making data.

        Raises
        ------
        NotFoundError
            If no instance has that name.
        UsageError
            If it is too large to be loaded at once.
        IntegrityError
            If a file cannot be read, breaks a rule of its columns, or has another hash.
        """
        from sparsebench.tasks.loading import load_instance  # noqa: PLC0415 - pyarrow only where data are read

        return load_instance(self.home(instance), instance, progress=progress)

    def fresh(
        self,
        instance: Instance,
        seed: int,
        n: int,
        *,
        seed_file: Path | None = None,
        drawn_from: TaskSpec | None = None,
    ) -> Split | None:
        """Draw and label new inputs of an instance, which no submission can have stored.

        They have the target, the distribution, the columns and the dtypes of the test split, and are in no
        split. The task's ``generate.py`` draws them, in this process, with the rights of the caller. No hash
        binds it to the data, so each call checks it: it must give stored rows their labels.

        Parameters
        ----------
        instance
            What `load` returned.
        seed
            A whole number, secret until the submission has answered. It determines the inputs; no stored data
            were made from their stream.
        n
            How many rows, from 1.
        seed_file, drawn_from
            For a sealed instance: its secret seed, and the task that it was drawn from; if None, the standard
            task of that name.

        Returns
        -------
        Split or None
            Arrays of n rows, read-only. None if there are no new inputs: for real data, if the training set
            is the test, if a generator has no function for it (`InstanceSpec.public_test`), and for sealed
            instances without their seed.

        Raises
        ------
        NotFoundError
            If no instance has that name, or there is no generator.
        UsageError
            If the instance is sealed with another seed.
        IntegrityError
            If the generator does not agree with the stored rows, or draws stored inputs.
        SparsebenchError
            If the generator fails.
        """
        from sparsebench.tasks.fresh import draw_fresh  # noqa: PLC0415 - only where something is drawn

        spec = self.spec(instance.name)
        task = self.home(instance.name)
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

        Each column is hashed as it passes; a wrong hash raises an error after the last batch, so a reader who
        stops before the end has not checked the data.

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
            If the file does not have its hashes.
        """
        from sparsebench.tasks.loading import stream_split  # noqa: PLC0415 - pyarrow only where data are read

        return stream_split(
            self.home(instance), instance, split, rows=rows, columns=columns, progress=progress
        )
