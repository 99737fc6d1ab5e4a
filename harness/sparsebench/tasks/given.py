"""The parts of a task that a submission gets: labelled rows to learn from, and public facts.

The submission's process imports this module, and nothing else of tasks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["METRICS", "TARGET_DTYPES", "Split", "TaskInfo"]

METRICS = ("nmse", "recall", "accuracy")
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
        lengths = {name: len(values) for name, values in self.columns.items()}
        if len(set(lengths.values())) != 1:
            raise ValueError(f"split: expected columns of one length, got {lengths}")

    def __len__(self) -> int:
        return len(self.id)

    @property
    def columns(self) -> dict[str, NDArray[Any]]:
        """The arrays by name, ``tag`` only where there is one."""
        return {name: getattr(self, name) for name in self.__slots__ if getattr(self, name) is not None}


@dataclass(frozen=True, slots=True)
class TaskInfo:
    """The public facts of one instance: all that a submission's constructor gets."""

    task: str
    """The task's reference, such as ``"memorization@1"``."""
    metric: str
    """One of `METRICS`."""
    input_shape: tuple[int, ...]
    """Shape of one input: ``x`` is ``(n, *input_shape)``."""
    target_dtype: str
    """One of `TARGET_DTYPES`: the dtype that predictions are expected in."""
    classes: int | None = None
    """The number of classes, with labels ``0 … classes - 1``; None if labels are real numbers."""
    domains: int | None = None
    """The number of domains, ``0 … domains - 1``; None if rows have none."""
