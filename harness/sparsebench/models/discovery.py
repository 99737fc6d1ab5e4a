"""Finding submissions: by path, or by the name of one that is shipped."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sparsebench.errors import ContractError, ManifestError, NotFoundError
from sparsebench.ground.line_ends import differ_by_line_ends, with_lf
from sparsebench.ground.meant import did_you_mean
from sparsebench.models.includes import find_includes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sparsebench.models.manifest import Manifest, Variant

__all__ = [
    "SubmissionFolder",
    "find_submission",
    "folder_hash",
    "is_shipped",
    "shipped_names",
    "shipped_root",
]

MANIFEST = "submission.toml"


@dataclass(frozen=True)
class SubmissionFolder:
    """A submission on disk."""

    path: Path
    """The folder."""
    manifest: Manifest
    """Its ``submission.toml``."""
    hash: str
    """Content hash of the folder and of what it includes, see :func:`folder_hash`."""
    include: tuple[Path, ...] = ()
    """The files that it includes."""

    def differs_by_line_ends(self, expected: str) -> bool:
        """Return whether another hash differs only by line ends: it is that of the files with CR LF."""
        return differ_by_line_ends(expected, lambda spelled: _hash(self.path, self.include, spelled))

    def variants(self, names: tuple[str, ...] = ()) -> list[Variant]:
        """Return the variants with these names, all if none are given.

        Raises
        ------
        NotFoundError
            If no variant has one of the names.
        """
        known = {variant.name: variant for variant in self.manifest.variants}
        for name in names:
            if name not in known:
                raise _not_found(f"variant of {self.manifest.name}", name, list(known))
        return [variant for name, variant in known.items() if not names or name in names]


def shipped_root() -> Path:
    """Return the folder of the shipped submissions: in the wheel, or in the source tree."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "_data" / "submissions"
    return inside if inside.is_dir() else package.parents[1] / "submissions"


def shipped_names() -> list[str]:
    """Return the names of the submissions that come with sparsebench."""
    return sorted(path.parent.name for path in shipped_root().glob(f"*/{MANIFEST}"))


@functools.cache
def is_shipped(name: str, content: str) -> bool:
    """Return whether a submission is an unchanged one that comes with sparsebench.

    Parameters
    ----------
    name
        Its name.
    content
        What :func:`folder_hash` returns for its folder and its included files.
    """
    return name in shipped_names() and find_submission(str(shipped_root() / name)).hash == content


def find_submission(reference: str) -> SubmissionFolder:
    """Find a submission by the path of its folder, or else by the name of a shipped one.

    Raises
    ------
    NotFoundError
        If there is neither.
    ManifestError
        If its ``submission.toml`` does not validate, or names a file that it may not include.
    ContractError
        If the module that ``entry`` names is not in the folder.
    """
    from sparsebench.models.manifest import read_manifest  # noqa: PLC0415 - pydantic is not needed to import us

    path = _locate(reference)
    manifest = read_manifest(path / MANIFEST)
    module = manifest.entry.partition(":")[0]
    if not (path / f"{module}.py").is_file():
        message = f"{path / MANIFEST}: entry: there is no {module}.py beside it"
        raise ContractError(message, help="entry is module:name; write the module or mend the entry")
    include = find_includes(path / MANIFEST, manifest.include)
    return SubmissionFolder(path, manifest, folder_hash(path, include), include)


def _locate(reference: str) -> Path:
    path = Path(reference)
    if not reference.strip():
        raise _not_found("submission", reference, shipped_names())
    if (path / MANIFEST).is_file():
        return path.resolve()
    if path.name == MANIFEST and path.is_file():
        return path.resolve().parent
    if path.is_dir():
        raise ManifestError(f"{path}: there is no {MANIFEST} in it", help="`sparsebench new NAME` writes one")
    shipped = shipped_root() / reference
    if reference in shipped_names():
        return shipped
    if path.name != reference:
        message = f"{reference}: there is no such folder"
        raise NotFoundError(message, help=f"give the path of a folder with a {MANIFEST}")
    raise _not_found("submission", reference, shipped_names(), here=_beside(path))


def _beside(path: Path) -> list[str]:
    """Return the names of the submissions in the folder where one was looked for."""
    try:
        return sorted(found.parent.name for found in path.absolute().parent.glob(f"*/{MANIFEST}"))
    except OSError:
        return []


def _not_found(what: str, name: str, known: list[str], *, here: Sequence[str] = ()) -> NotFoundError:
    guess = did_you_mean(name, here) or did_you_mean(name, known)
    mend = f"{guess} there are: {', '.join(known)}".lstrip()
    return NotFoundError(f"there is no {what} called {name!r}", help=mend)


def folder_hash(path: Path, include: Sequence[Path] = ()) -> str:
    """Hash the names and bytes of a folder's files, text with LF, without caches and hidden files.

    Parameters
    ----------
    path
        The folder.
    include
        Files that count as if they lay in it, each under its own name.

    Returns
    -------
    str
        SHA-256 in hexadecimal, over the sorted relative paths.
    """
    return _hash(path, include, with_lf)


def _hash(path: Path, include: Sequence[Path], spelled: Callable[[bytes], bytes]) -> str:
    digest = hashlib.sha256()
    named = [(file.relative_to(path).as_posix(), file) for file in _files(path)]
    for name, file in sorted(named + [(file.name, file) for file in include]):
        content = spelled(file.read_bytes())
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _files(path: Path) -> Iterator[Path]:
    for file in path.rglob("*"):
        parts = file.relative_to(path).parts
        if file.is_file() and "__pycache__" not in parts and not any(part.startswith(".") for part in parts):
            yield file
