"""Publishing a board into a folder that a static host serves: everything or nothing."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, NamedTuple

from sparsebench.boards.api import api_files
from sparsebench.boards.badges import badge_files
from sparsebench.boards.citing import bibtex
from sparsebench.boards.feed import atom
from sparsebench.boards.history import changes_of, check_scores, check_versions, earlier_of, events_of
from sparsebench.boards.record import RECORD, RELEASE_PATTERN, first_record, read_record, sha256
from sparsebench.errors import IntegrityError, UsageError
from sparsebench.ground.replacing import replace_all
from sparsebench.leaderboard.escape import for_markdown
from sparsebench.leaderboard.findings import findings_markdown
from sparsebench.leaderboard.publish import board_files, check_place
from sparsebench.leaderboard.tables import markdown
from sparsebench.results import bytes_of_rows

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from sparsebench.boards.edition import Edition
    from sparsebench.boards.record import Event, Record

__all__ = ["RELEASES", "Published", "publish", "tables_of"]

RELEASES = "releases"
"""The folder of earlier releases."""

_PICTURES = "pictures"  # a folder, since a task may be called as another file is
_PICTURE = f"![Quality against active operations per input, for each task]({_PICTURES}/board.svg)"


class Published(NamedTuple):
    """What was published."""

    folder: Path
    """Where."""
    files: tuple[str, ...]
    """The files, as paths with ``/`` in it."""
    removed: tuple[str, ...]
    """Files of the earlier publication that are no longer there."""
    events: tuple[Event, ...]
    """What is added to the feed."""


def publish(
    edition: Edition, folder: Path, *, accept_changes: bool = False, release: str | None = None
) -> Published:
    """Write a board with everything that a static host needs, or change nothing.

    Parameters
    ----------
    edition
        The board and its rows. The same rows make the same bytes, whenever they are published.
    folder
        The folder; made if missing. Files that are not of an earlier publication stay, and are never
        overwritten.
    accept_changes
        Whether scores of unchanged submissions may differ from the published ones; the feed tells.
    release
        Moves what is published to ``releases/NAME``, and begins new tables, which may be of other versions.

    Raises
    ------
    UsageError
        The folder cannot be written to, is that of something else, or holds a file of that name; or the
        release's name is taken, none, or there is nothing to release.
    IntegrityError
        What is published is of another scoring version, cost model or task hash; a score of an unchanged
        submission differs; or the record of what is published is damaged, or a file that is to be a release.
    """
    check_place(folder)
    before, now = read_record(folder), first_record(edition)
    _check_release(before, release, folder)
    changes = []
    if before is not None:
        if release is None:
            check_versions(before, now, str(folder))
        changes = changes_of(before, now)
        if not accept_changes:
            check_scores(changes)
        names = [*before.releases, *([release] if release else [])]
        kept = {"feed": before.feed, "releases": names, "earlier": earlier_of(before, now)}
        now = now.model_copy(update=kept)
    now = now.model_copy(update={"events": events_of(before, now, edition, changes, release)})
    files = tables_of(edition, now)
    now = now.model_copy(update={"files": {name: sha256(files[name]) for name in sorted(files)}})
    known: set[str] = set() if before is None else {RECORD, *before.files}
    moved = {} if before is None or release is None else _moved(folder, before, release)
    gone = sorted(known - files.keys() - {RECORD})
    _check_free(folder, {*files, *moved, *known, RECORD}, known)
    # The record comes first: after a crash it lists all that may be there; publishing again mends the rest.
    contents = {**moved, RECORD: now.content(), **files}
    try:
        replace_all({folder / n: text for n, text in contents.items()}, gone=[folder / n for n in gone])
    except OSError as fault:
        raise UsageError(
            f"cannot publish in {folder}: {fault.strerror or fault}",
            help="give a folder that can be written to",
        ) from fault
    _remove_empty(folder, gone)
    last = before.events[-1].number if before is not None and before.events else -1
    added = tuple(event for event in now.events if event.number > last)
    return Published(folder, tuple(sorted([*files, RECORD])), tuple(gone), added)


def tables_of(edition: Edition, record: Record) -> dict[str, bytes]:
    """Return path -> content of everything that is published, without its record."""
    board, said = edition.board, findings_markdown(edition.found)
    texts = {
        "index.html": edition.page,
        "board.md": f"# {for_markdown(edition.title)}\n\n{said}\n\n{_PICTURE}\n\n{markdown(board)}",
        "board.bib": bibtex(edition),
        "feed.xml": atom(edition, record),
    }
    return {
        **board_files(board, pictures=f"{_PICTURES}/"),
        **{name: text.encode() for name, text in texts.items()},
        "rows.parquet": bytes_of_rows(edition.rows),
        **badge_files(edition),
        **api_files(edition, releases=record.releases),
    }


def _check_release(before: Record | None, release: str | None, folder: Path) -> None:
    if release is None:
        return
    if not re.fullmatch(RELEASE_PATTERN, release):
        message = f"--release: expected lower-case letters, digits, points and hyphens, got {release!r}"
        raise UsageError(message, help="for example: --release 2026")
    if before is None:
        message = f"--release {release}: nothing is published in {folder}"
        raise UsageError(message, help="leave it out: there is nothing to keep")
    if release in before.releases or (folder / RELEASES / release).exists():
        message = f"{folder / RELEASES / release} is there already: a release stays what it is"
        raise UsageError(message, help="choose another name")


def _moved(folder: Path, before: Record, release: str) -> dict[str, bytes]:
    """Return path -> content of what was published, at its place among the releases."""
    found = {RECORD: (folder / RECORD).read_bytes()}
    for name, expected in before.files.items():
        path = folder / name
        found[name] = b""
        with contextlib.suppress(OSError):  # what cannot be read is not what was published either
            found[name] = path.read_bytes()
        if sha256(found[name]) != expected:
            raise IntegrityError(
                f"{path} is not what was published: a release keeps what was",
                help="bring it back, or publish once more without --release",
            )
    return {f"{RELEASES}/{release}/{name}": content for name, content in found.items()}


def _check_free(folder: Path, names: AbstractSet[str], known: AbstractSet[str]) -> None:
    """Check that nothing of somebody else is overwritten, and that no link leads elsewhere."""
    for name in sorted(names):
        target, parts = folder / name, name.split("/")
        between = (folder.joinpath(*parts[:end]) for end in range(1, len(parts) + 1))
        if any(path.is_symlink() for path in between):
            message = f"{target} lies behind a symbolic link, expected a folder that publish made"
            raise UsageError(message, help="remove the link, or publish --into another folder")
        if name not in known and target.exists():
            message = f"{target} is there already, and is of no earlier publication"
            raise UsageError(message, help="move it away, or publish --into another folder")


def _remove_empty(folder: Path, gone: Iterable[str]) -> None:
    """Remove the folders that are empty without the removed files."""
    for name in gone:
        parent = (folder / name).parent
        if parent != folder and parent.is_dir() and not any(parent.iterdir()):
            parent.rmdir()
