"""What a pull request may bring to a board's repository: one new folder of a submission, and nothing else.

Everything is read from Git as data. Nothing of the pull request is checked out, so no link, hook, filter or
name of it touches the file system.
"""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING, NamedTuple

from sparsebench.errors import UsageError
from sparsebench.ground.line_ends import ATTRIBUTES
from sparsebench.ground.naming import NAME_PATTERN, is_file_everywhere
from sparsebench.leaderboard.escape import for_log

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["LARGEST_FILE", "LARGEST_FOLDER", "MOST_FILES", "Blob", "Pull", "check_pull", "export", "tree_of"]

SUBMISSIONS = "submissions"
"""The folder of a board's repository that has the submissions."""

LARGEST_FILE = 1 << 20
"""Bytes of a file, at most."""

LARGEST_FOLDER = 4 << 20
"""Bytes of all files of a submission, at most."""

MOST_FILES = 64
"""Files of a submission, at most."""

_LONGEST_NAME = 64
_DEEPEST = 6
_MANIFEST = "submission.toml"
_ATTRIBUTES = ".gitattributes"
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,99}")
_REGULAR = {"100644", "100755"}
_KINDS = {"120000": "a symbolic link", "160000": "a submodule", "040000": "a folder"}
_ALONE = "a pull request adds one new folder under submissions/; what else changes is a maintainer's to merge"
_SECONDS = 120


class Blob(NamedTuple):
    """A file in Git."""

    path: str
    """Its path in the repository."""
    mode: str
    """Its mode, in six digits."""
    object: str
    """The name of its content."""
    size: int
    """Bytes; 0 for what has no content."""


class Pull(NamedTuple):
    """A pull request that may be scored."""

    name: str
    """The name of the new folder under ``submissions``, which is the submission's."""
    base: str
    """The commit of the board that it is compared with, as 40 digits."""
    head: str
    """Its own last commit."""
    files: tuple[Blob, ...]
    """The files of the folder."""


def check_pull(repository: Path, base: str, head: str) -> Pull:
    """Check what a pull request touches.

    Parameters
    ----------
    repository
        A clone that has both commits.
    base, head
        The board's commit, and the last one of the pull request.

    Returns
    -------
    Pull
        The new folder. Its code has not been looked at.

    Raises
    ------
    UsageError
        The pull request touches anything but one new folder under ``submissions``; or the folder has a link,
        a name that is not plain, no ``submission.toml``, or files that are too large or too many; or there is
        no such commit, or not one alone at which the histories part, or one that the board's branch never
        was at.
    """
    base, head = (_commit(repository, each) for each in (base, head))
    fork = _fork(repository, base, head)
    name = _only_folder([path for path, _ in _changed(repository, fork, head)])
    inside = f"{SUBMISSIONS}/{name}/"
    for path, status in _changed(repository, fork, head):
        if status != "A":
            raise _refused(f"{_shown(path)} is changed, expected new files only")
    if tree_of(repository, base, inside):
        raise _refused(f"{inside} is there already, expected a new folder")
    if tree_of(repository, fork, inside):
        raise _refused(f"{inside} was there already where it begins, expected a new folder")
    files = tree_of(repository, head, inside)
    _check_files(files, inside)
    for blob in files:
        if blob.path == f"{inside}{_ATTRIBUTES}" and content_of(repository, blob) != ATTRIBUTES.encode():
            raise _refused(f"{blob.path}: expected what `sparsebench new` writes there")
    return Pull(name, base, head, tuple(files))


def _fork(repository: Path, base: str, head: str) -> str:
    """Return the commit at which two histories part, one that the board's branch was at.

    Of several, merging makes one that nobody has seen, and what a pull request changes is no longer what its
    tree differs in from one of them: it could bring back what an earlier one had changed and taken back. And
    at a commit in the middle of an earlier one, the tree may be anything, a workflow too.
    """
    told = _git(repository, "merge-base", "--all", base, head, fault="they have no commit in common")
    forks = told.decode("ascii").split()
    if len(forks) > 1:
        message = f"there are {len(forks)} commits that both histories have, and none of them is the last one"
        raise _refused(message, "add the folder in one commit on top of the board's last one")
    (fork,) = forks
    if fork not in _git(repository, "rev-list", "--first-parent", base).decode("ascii").split():
        raise _refused(
            f"it begins at {fork[:12]}, where the board never was", "merge the board's branch into it"
        )
    return fork


def _only_folder(paths: Sequence[str]) -> str:
    if not paths:
        raise _refused("it changes nothing")
    for path in paths:
        parts = path.split("/")
        if len(parts) < 3 or parts[0] != SUBMISSIONS:  # noqa: PLR2004 - submissions/NAME/FILE
            raise _refused(f"it touches {_shown(path)}")
    names = sorted({path.split("/")[1] for path in paths})
    if len(names) > 1:
        raise _refused(f"it touches {len(names)} folders under {SUBMISSIONS}: {_shown(', '.join(names))}")
    if not re.fullmatch(NAME_PATTERN, names[0]) or len(names[0]) > _LONGEST_NAME:
        raise _refused(f"{SUBMISSIONS}/{_shown(names[0])}: expected lower-case letters, digits and hyphens")
    _check_file(names[0], SUBMISSIONS)
    return names[0]


def _check_files(files: Sequence[Blob], inside: str) -> None:
    for blob in files:
        if blob.mode not in _REGULAR:
            kind = _KINDS.get(blob.mode, f"of mode {blob.mode}")
            raise _refused(f"{_shown(blob.path)} is {kind}, expected a file")
        if not _is_plain(blob.path.removeprefix(inside)):
            raise _refused(f"{_shown(blob.path)}: expected names of letters, digits, _, ., + and -")
        _check_file(blob.path.removeprefix(inside), inside.rstrip("/"))
        if blob.size > LARGEST_FILE:
            raise _refused(f"{blob.path} has {blob.size:,} bytes, expected at most {LARGEST_FILE:,}")
    total = sum(blob.size for blob in files)
    if total > LARGEST_FOLDER or len(files) > MOST_FILES:
        most = f"expected at most {MOST_FILES} and {LARGEST_FOLDER:,}"
        raise _refused(f"{inside} has {len(files)} files and {total:,} bytes, {most}")
    folded = [blob.path.casefold() for blob in files]
    if len(set(folded)) < len(folded):
        raise _refused(f"{inside} has names that differ by case alone, which some systems take for one")
    if f"{inside}{_MANIFEST}" not in {blob.path for blob in files}:
        raise _refused(f"there is no {inside}{_MANIFEST}")


def _is_plain(path: str) -> bool:
    parts = path.split("/")
    return path == _ATTRIBUTES or (
        len(parts) <= _DEEPEST
        and all(_PART.fullmatch(part) for part in parts)
        and "__pycache__" not in parts  # no hash covers it
    )


def _check_file(path: str, inside: str) -> None:
    # Whoever clones a board on Windows could not check such a file out, or gets another one.
    if not all(map(is_file_everywhere, path.split("/"))):
        raise _refused(f"{inside}/{path} has a name which no file of Windows can be called")


def tree_of(repository: Path, commit: str, inside: str) -> list[Blob]:
    """Return the files that a commit has in a folder, sorted by path.

    Parameters
    ----------
    repository
        The clone.
    commit
        40 digits.
    inside
        The folder's path with ``/`` at its end.
    """
    told = _git(repository, "ls-tree", "-r", "-l", "-z", "--full-tree", commit, "--", inside)
    found = []
    for line in filter(None, told.split(b"\0")):
        facts, _, path = line.decode("utf-8", "backslashreplace").partition("\t")
        mode, _, name, size = facts.split()
        found.append(Blob(path, mode, name, int(size) if size.isdigit() else 0))
    return sorted(found)


def content_of(repository: Path, blob: Blob) -> bytes:
    """Return the content of a file in Git."""
    return _git(repository, "cat-file", "blob", blob.object)


def export(repository: Path, blobs: Sequence[Blob], into: Path) -> None:
    """Write files of Git into a folder of their own, as plain files; what is none is left out.

    Parameters
    ----------
    repository
        The clone.
    blobs
        The files. No part of their paths may be ``..``, or empty.
    into
        The folder, which nobody else writes to.
    """
    for blob in blobs:
        parts = blob.path.split("/")
        assert not {"", ".", "..", ".git"} & set(parts)
        if blob.mode in _REGULAR:
            target = into.joinpath(*parts)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content_of(repository, blob))


def _changed(repository: Path, old: str, new: str) -> Iterator[tuple[str, str]]:
    """Yield path and kind of each change between two commits: ``A`` for a new file."""
    told = _git(repository, "diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", old, new)
    parts = told.split(b"\0")
    for facts, path in zip(parts[::2], parts[1::2], strict=False):
        yield path.decode("utf-8", "backslashreplace"), facts.split()[-1].decode("ascii", "replace")


def _commit(repository: Path, name: str) -> str:
    fault = f"there is no commit {_shown(name)}"
    given = f"{name}^{{commit}}"
    told = _git(repository, "rev-parse", "--verify", "--quiet", "--end-of-options", given, fault=fault)
    return told.strip().decode("ascii")


def _git(repository: Path, *arguments: str, fault: str = "") -> bytes:
    command = ["git", "--no-replace-objects", "-C", str(repository), *arguments]
    try:
        ran = subprocess.run(command, capture_output=True, check=False, timeout=_SECONDS)  # noqa: S603 - no shell
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"cannot run git: {error}", help="install git, and run this in a clone") from error
    if ran.returncode:
        told = fault or for_log(ran.stderr.decode("utf-8", "replace"))
        raise UsageError(
            f"{repository}: {told}",
            help="run this in a clone that has both commits: `git fetch` brings them",
        )
    return ran.stdout


def _refused(why: str, mend: str = _ALONE) -> UsageError:
    return UsageError(f"the pull request cannot be scored: {why}", help=mend)


def _shown(text: str) -> str:
    return for_log(text)
