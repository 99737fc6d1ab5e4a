"""The arguments of a model from the rows of a split: inputs and, if the submission uses them, domains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sparsebench.tasks import fresh_inputs

if TYPE_CHECKING:
    import numpy as np

    from sparsebench.meter import Description, Engine
    from sparsebench.tasks import Split

__all__ = ["Inputs", "fresh", "shown"]


@dataclass(frozen=True, eq=False)
class Inputs:
    """The rows that a model predicts. A submission's process learns of nothing else."""

    x: np.ndarray[Any, Any]
    """Inputs ``(n, ...)``."""
    tag: np.ndarray[Any, Any] | None = None
    """The domain of each row, int64 ``(n,)``; None if the submission does not get it."""

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, rows: slice | np.ndarray[Any, Any]) -> Inputs:
        """Choose rows."""
        return Inputs(self.x[rows], None if self.tag is None else self.tag[rows])

    def begin(self, engine: Engine) -> tuple[Description, Description | None]:
        """Begin a batch of these rows: add them to the meter, free of charge."""
        x = engine.begin(self.x, inputs=len(self))
        return x, None if self.tag is None else engine.place(self.tag)


def shown(split: Split, *, uses_tags: bool) -> Inputs:
    """Return the inputs of a split for a submission, with domains if the submission uses them."""
    return Inputs(split.x, _domains(split) if uses_tags else None)


def fresh(split: Split, rng: np.random.Generator, n: int, *, uses_tags: bool) -> Inputs:
    """Draw inputs for timing, which are never scored: each feature, and the domain, resampled by itself."""
    x = fresh_inputs(split, rng, n)
    return Inputs(x, rng.choice(_domains(split), n) if uses_tags else None)


def _domains(split: Split) -> np.ndarray[Any, Any]:
    assert split.tag is not None, "a plan with uses_tags has instances with domains"
    return split.tag
