"""``report.json``: what an evaluation of a pull request found, as one workflow hands it to another one.

The workflow that reads it has rights which the one that wrote it has not, and whoever opens a pull request
can have the latter write anything. So it is read as a stranger's: its size, every field, every name.
"""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sparsebench.errors import IntegrityError
from sparsebench.ground.naming import NAME_PATTERN
from sparsebench.ground.wording import expectation

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["REPORT", "Beside", "Report", "TaskReport", "VariantReport", "is_name", "read_report"]

REPORT = "report.json"
"""The name of the file."""

MOST_BYTES = 1 << 18
"""Bytes of the file, at most."""

_MEND = "nothing is said about this pull request; score it again: `sparsebench board score`"
_LONGEST_NAME = 64
_Name = Annotated[str, Field(pattern=NAME_PATTERN, max_length=_LONGEST_NAME)]
_Ref = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*@[0-9]{1,4}$", max_length=70)]
_Commit = Annotated[str, Field(pattern=r"^[0-9a-f]{40}([0-9a-f]{24})?$")]
_Number = Annotated[int, Field(ge=0, le=10**6)]
_Share = Annotated[float, Field(ge=0, le=1)]
_Cost = Annotated[float, Field(ge=0, le=1e18)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class VariantReport(_Strict):
    """One variant on one task."""

    variant: _Name
    """Its name."""
    ops: _Cost | None
    """Operations per input, mean over the cells that ran."""
    quality: _Share
    """Mean over all cells, 0 for one that failed."""
    cells: _Number
    """Cells of the board."""
    ok: _Number
    """Of those, cells that ran."""


class Beside(_Strict):
    """Another entry on the same task."""

    submission: _Name
    """Its name."""
    role: Literal["reference", "constant", "first", "above", "below"]
    """The dense reference, the best constant, the first place, or the next score."""
    score: _Share
    """Its score."""
    difference: Annotated[float, Field(ge=-1, le=1)]
    """The submission's score less this one."""
    verdict: Literal["better", "worse", "not told apart", "not ranked"]
    """Whether the test of the board tells them apart, and which way, seen from the submission."""


class TaskReport(_Strict):
    """The row of the submission on one task."""

    task: _Ref
    """Task reference."""
    instances: _Number
    """Instances of the board."""
    seeds: _Number
    """Seeds of the board."""
    score: _Share
    """The ranked score."""
    low: _Share | None
    """Lower end of its interval."""
    high: _Share | None
    """Upper end."""
    exact: bool
    """Whether all seeds give one score."""
    rank_best: _Number | None
    """The best place that it may hold."""
    rank_worst: _Number | None
    """The worst."""
    ranked: _Number
    """How many entries are ranked, with this one."""
    router_share: _Share | None
    """The router's part of the operations."""
    failed_share: _Share
    """Share of the cells that failed."""
    variants: Annotated[list[VariantReport], Field(max_length=16)]
    """Its variants."""
    beside: Annotated[list[Beside], Field(max_length=5)]
    """Entries to compare it with."""


class Report(_Strict):
    """The content of the file."""

    format: Literal[1]
    """Version of these fields."""
    head: _Commit
    """The commit that was scored."""
    submission: _Name
    """Name of the submission."""
    submission_hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """Content hash of its folder."""
    scoring_version: _Number
    """Version of the rules that scores go by."""
    cost_model: _Number
    """Version of the price list."""
    tasks: Annotated[list[TaskReport], Field(min_length=1, max_length=32)]
    """One for each task of the board that it answers."""

    def content(self) -> bytes:
        """Return the bytes of the file."""
        return (self.model_dump_json(indent=1) + "\n").encode()


def is_name(name: str) -> bool:
    """Return whether a report may name this: whether a submission may be called so."""
    return len(name) <= _LONGEST_NAME and re.fullmatch(NAME_PATTERN, name) is not None


def read_report(artifact: Path, *, head: str | None = None) -> Report:
    """Read what somebody says an evaluation found.

    Parameters
    ----------
    artifact
        The folder that has the file, and whatever else: nothing else is looked at.
    head
        The commit that it must be about, where that is known.

    Raises
    ------
    IntegrityError
        There is no such file, it is a link or too large, it has another field, a number that is none or out
        of its range, or a name that no submission, variant or task may have; or it is about another commit.
    """
    path = artifact / REPORT
    try:
        report = Report.model_validate_json(_bytes_of(path))
    except OSError as fault:
        raise IntegrityError(f"cannot read {path}: {fault.strerror or fault}", help=_MEND) from fault
    except ValidationError as fault:
        first = fault.errors(include_url=False)[0]
        # Keys may be anything here: only those of our own models are repeated.
        known = [str(part) for part in first["loc"] if part in _FIELDS or isinstance(part, int)]
        told = "JSON" if first["type"] == "json_invalid" else expectation(dict(first))
        raise IntegrityError(
            f"{path}: {'.'.join(known) or 'the file'}: expected {told}", help=_MEND
        ) from fault
    if head is not None and report.head != head:
        raise IntegrityError(f"{path} is about another commit than the pull request's last one", help=_MEND)
    return report


_FIELDS = {name for model in (Report, TaskReport, VariantReport, Beside) for name in model.model_fields}


def _bytes_of(path: Path) -> bytes:
    """Read a regular file of at most so many bytes, without following a link."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode) or path.is_symlink():
            raise IntegrityError(f"{path}: expected a regular file", help=_MEND)
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise IntegrityError(f"{path}: expected at most {MOST_BYTES:,} bytes", help=_MEND)
    return content
