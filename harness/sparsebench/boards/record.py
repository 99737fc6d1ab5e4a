"""``published.json``: what lies in a published folder, what it was scored by, and what has changed since.

It is read back when the folder is published again, so it is checked like all that others may edit.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sparsebench.errors import IntegrityError
from sparsebench.ground.wording import expectation

if TYPE_CHECKING:
    from pathlib import Path

    from sparsebench.boards.edition import Edition
    from sparsebench.leaderboard.board import TaskScore

__all__ = [
    "RECORD",
    "RELEASE_PATTERN",
    "Earlier",
    "Event",
    "Figures",
    "Record",
    "RecordedEntry",
    "RecordedTask",
    "first_record",
    "read_record",
    "sha256",
]

RECORD = "published.json"
"""The name of the file."""

RELEASE_PATTERN = r"^[a-z0-9]+([.-][a-z0-9]+)*$"
"""What a release may be called."""

_FEED = r"^urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
# Every part of a path begins with a letter or a digit: no path leads out of the folder, and none is hidden.
_PATH = r"^[A-Za-z0-9][A-Za-z0-9_.@-]*(/[A-Za-z0-9][A-Za-z0-9_.@-]*)*$"
_MEND = "bring back the one that `sparsebench publish` wrote, or publish --into another folder"
_MOST_BYTES = 64 << 20

Kind = Literal["begun", "entered", "changed", "left", "tasks", "places", "rescored", "release"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Figures(_Strict):
    """The figures of an entry on a task. All but the places follow from its own rows."""

    instances: int
    """Instances of the board."""
    seeds: int
    """Of how many of the board's seeds it has rows."""
    failed_share: float
    """Share of the cells that failed or are missing."""
    score: float
    """The ranked score."""
    low: float | None
    """Lower end of its interval."""
    high: float | None
    """Upper end."""
    score_plain: float
    """The mean area, of all seeds together."""
    rank_best: int | None
    """The best place that it may hold."""
    rank_worst: int | None
    """The worst."""


class RecordedTask(_Strict):
    """A task of the board."""

    ref: str
    """Task reference."""
    hash: str
    """Content hash that the rows were made with."""


class RecordedEntry(_Strict):
    """An entry of the board."""

    submission_hash: str
    """Content hash of the state of its folder whose rows count."""
    tasks: dict[str, Figures]
    """Task reference -> its figures there."""


class Earlier(_Strict):
    """Figures that were published once, by the same versions, and are not now."""

    submission: str
    """Name of the submission."""
    submission_hash: str
    """Content hash of the state of its folder that they are of."""
    task: RecordedTask
    """Of which task."""
    figures: Figures
    """What was published last."""


class Event(_Strict):
    """A change, as the feed tells it."""

    number: Annotated[int, Field(ge=0)]
    """Its number, of all since the first publication."""
    kind: Kind
    """What changed."""
    title: str
    """One line."""
    text: str
    """The rest, in plain text."""
    updated: Annotated[str, Field(pattern=r"^[0-9T:.+Z-]{10,40}$")]
    """When the newest row that it is about ended."""


class Record(_Strict):
    """The content of the file."""

    format: Literal[1]
    """Version of these fields."""
    feed: Annotated[str, Field(pattern=_FEED)]
    """The feed's identity, made of the first publication."""
    scoring_version: int
    """Version of the rules that scores go by."""
    cost_model: int
    """Version of the price list."""
    tasks: list[RecordedTask]
    """The board's tasks."""
    entries: dict[str, RecordedEntry]
    """Submission -> what is known of it."""
    earlier: list[Earlier] = Field(default_factory=list)
    """What was known of code that is not on the board, or not on a task: it may come back."""
    events: list[Event]
    """The newest changes, the oldest first."""
    releases: list[Annotated[str, Field(pattern=RELEASE_PATTERN)]]
    """Names of earlier releases, the oldest first."""
    files: dict[Annotated[str, Field(pattern=_PATH)], Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]]
    """Every other file of the publication, except those of releases -> its SHA-256."""

    def content(self) -> bytes:
        """Return the bytes of the file: JSON in ASCII, so that no name changes how it reads."""
        return (json.dumps(self.model_dump(), indent=1, allow_nan=False) + "\n").encode("ascii")


def first_record(edition: Edition) -> Record:
    """Return the record of a board, without files, and without anything that was before it."""
    board = edition.board
    assert board.scoring_version is not None
    assert board.cost_model is not None
    entries = {
        entry.submission: RecordedEntry(
            submission_hash=edition.state(entry),
            tasks={score.task: _figures(score) for score in entry.tasks if score is not None},
        )
        for entry in sorted(board.entries, key=lambda entry: entry.submission)
    }
    bare = Record(
        format=1,
        feed=f"urn:uuid:{uuid.UUID(int=0)}",
        scoring_version=board.scoring_version,
        cost_model=board.cost_model,
        tasks=[RecordedTask(ref=task.ref, hash=task.hash) for task in board.tasks],
        entries=entries,
        earlier=[],
        events=[],
        releases=[],
        files={},
    )
    # Dates of rows are in it: boards of one title with the same entries are other boards.
    begun = (edition.title, edition.base_url, edition.updated, bare.model_dump_json())
    identity = uuid.uuid5(uuid.NAMESPACE_URL, "\n".join(begun))
    return bare.model_copy(update={"feed": f"urn:uuid:{identity}"})


def _figures(score: TaskScore) -> Figures:
    return Figures(
        instances=len(score.areas),
        seeds=score.seeds,
        failed_share=score.failed_share,
        score=score.score,
        low=score.low,
        high=score.high,
        score_plain=score.plain,
        rank_best=None if score.rank is None else score.rank.best,
        rank_worst=None if score.rank is None else score.rank.worst,
    )


def read_record(folder: Path) -> Record | None:
    """Read the record of what is published in a folder; None if nothing is.

    Raises
    ------
    IntegrityError
        It is not one that was written here.
    """
    path = folder / RECORD
    try:
        if path.is_symlink() or path.stat().st_size > _MOST_BYTES:
            raise IntegrityError(f"{path} is a link, or larger than any record", help=_MEND)
        return Record.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as fault:
        raise IntegrityError(f"cannot read {path}: {fault.strerror or fault}", help=_MEND) from fault
    except ValidationError as fault:
        first = fault.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        told = "JSON" if first["type"] == "json_invalid" else expectation(dict(first))
        raise IntegrityError(f"{path}: {where}: expected {told}", help=_MEND) from fault


def sha256(content: bytes) -> str:
    """Return the SHA-256 of a file's content in hexadecimal."""
    return hashlib.sha256(content).hexdigest()
