"""The identity of a cell, and its key: a hash of everything that its scores may depend on."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from typing import Any, Self

__all__ = ["Identity", "cell_key"]


@dataclass(frozen=True, kw_only=True)
class Identity:
    """The identity of a cell. A cell to be run has these fields, and its row has columns of these names."""

    task: str
    """Task reference, such as ``memorization@1``."""
    task_hash: str
    """Content hash of the task's version."""
    instance: str
    """Name of the instance."""
    instance_hash: str
    """Hash of the instance's logical values."""
    submission: str
    """Name of the submission."""
    submission_hash: str
    """Content hash of the submission's folder and of what it includes."""
    variant: str
    """Name of the variant."""
    seed: int
    """Seed of the cell, the unit of replication."""
    scoring_version: int
    """Version of the rules that make ``error`` and ``quality``."""
    cost_model: int
    """Version of the price list."""

    @classmethod
    def of(cls, holder: Any) -> Self:
        """Return the identity of a cell to be run, or of a row: of anything with these fields."""
        return cls(**{field.name: getattr(holder, field.name) for field in fields(Identity)})

    @property
    def identity_columns(self) -> dict[str, Any]:
        """The fields above by name, as in a row; without those that a subclass adds."""
        return {field.name: getattr(self, field.name) for field in fields(Identity)}

    @property
    def key(self) -> str:
        """The key of the cell. Two runs with the same key must agree in every field that is not a time.

        SHA-256, 64 hexadecimal digits, of the fields as canonical JSON: an object with sorted keys, no
        spaces, ASCII only.
        """
        text = json.dumps(self.identity_columns, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode("ascii")).hexdigest()

    @property
    def place(self) -> tuple[str, str, str, str, int]:
        """The cell's place in a list: by task, instance, submission, variant and seed."""
        return self.task, self.instance, self.submission, self.variant, self.seed

    @property
    def label(self) -> str:
        """The cell as a line for people."""
        return f"{self.submission}/{self.variant} on {self.task}/{self.instance}, seed {self.seed}"


def cell_key(**identity: Any) -> str:
    """Return the key of a cell: see :attr:`Identity.key`.

    Parameters
    ----------
    identity
        All fields of :class:`Identity`.
    """
    return Identity(**identity).key
