"""The Python packages that a submission requires: a check, before anything runs, that they are installed.

Requirements are read in pip's notation (``name[extra]>=1.2,<2``), without a package for that. Environment
markers are not evaluated: a requirement with one is left to pip.
"""

from __future__ import annotations

import importlib.metadata
import re
from typing import TYPE_CHECKING, NamedTuple

from sparsebench.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["check_requirements", "check_spelling"]

_REQUIREMENT = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[[\w\s,.-]*\])?\s*"
    r"(?:@\s*(?P<url>\S+)|(?P<open>\()?(?P<wanted>[^();@]*)(?(open)\)))\s*(?P<marker>;.*)?"
)
_WANTED = re.compile(r"(?P<how>===|==|!=|~=|<=|>=|<|>)\s*(?P<version>[A-Za-z0-9.!+*_-]+)")
_VERSION = re.compile(
    r"v?(?:(?P<epoch>\d+)!)?(?P<release>\d+(?:\.\d+)*)"
    r"(?:[-_.]?(?P<pre>alpha|a|beta|b|preview|pre|c|rc)[-_.]?(?P<pre_number>\d*))?"
    r"(?:-(?P<post_alone>\d+)|[-_.]?(?P<post>post|rev|r)[-_.]?(?P<post_number>\d*))?"
    r"(?:[-_.]?(?P<dev>dev)[-_.]?(?P<dev_number>\d*))?"
    r"(?:\+(?P<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?",
    re.IGNORECASE,
)
_FINAL = 3  # after alpha, beta and release candidates
_NEVER = 1 << 62


class _Version(NamedTuple):
    """A version. Versions compare in the order in which they follow one another."""

    epoch: int
    release: tuple[int, ...]
    """Without zeros at its end."""
    pre: tuple[int, int]
    post: int
    dev: int
    digits: tuple[int, ...]
    """The release as it is written."""

    @property
    def order(self) -> tuple[int, tuple[int, ...], tuple[int, int], int, int]:
        """The key of the comparison."""
        return self[:5]


def check_spelling(requirement: str) -> str:
    """Return the text of a requirement, if it is valid.

    Raises
    ------
    ValueError
        If it is not valid.
    """
    found = _REQUIREMENT.fullmatch(requirement.strip())
    if not found or any(wanted is None for wanted in _wanted(found["wanted"] or "")):
        raise ValueError("expected a requirement as of pip, such as 'scikit-learn>=1.5,<2'")
    return requirement


def check_requirements(requires: Sequence[str]) -> None:
    """Check that the required packages are installed; none of them is imported.

    Raises
    ------
    UsageError
        If a package is missing, or has another version. The error names all of them, and the command that
        installs them.
    """
    lacking = [(required, got) for required in requires if (got := _instead_of(required)) is not None]
    if lacking:
        told = ", ".join(f"expected {required}, got {got}" for required, got in lacking)
        quoted = " ".join(f"'{required}'" for required, _ in lacking)
        raise UsageError(f"requires in submission.toml: {told}", help=f"pip install {quoted}")


def _instead_of(required: str) -> str | None:
    """Return what is installed instead of a requirement; None if it is met, or cannot be decided here."""
    found = _REQUIREMENT.fullmatch(required.strip())
    if not found or found["marker"]:
        return None
    try:
        installed = importlib.metadata.version(found["name"])
    except importlib.metadata.PackageNotFoundError:
        return "nothing installed"
    pairs = (pair for pair in _wanted(found["wanted"] or "") if pair)
    return None if all(_meets(installed, *pair) for pair in pairs) else installed


def _wanted(text: str) -> Iterator[tuple[str, str] | None]:
    """Yield pairs of operator and version; None for a part that is not such a pair."""
    for part in filter(None, map(str.strip, text.split(","))):
        found = _WANTED.fullmatch(part)
        known = found and (found["how"] == "===" or _read(found["version"].removesuffix(".*")))
        yield (found["how"], found["version"]) if found and known else None


def _meets(installed: str, how: str, wanted: str) -> bool:
    if how == "===":
        return installed == wanted
    have, want = _read(installed.partition("+")[0]), _read(wanted.removesuffix(".*").partition("+")[0])
    if have is None or want is None:  # a version that no rule orders: only pip could decide
        return True
    if how in {"==", "!="}:
        return _equal(have, want, prefix=wanted.endswith(".*")) is (how == "==")
    if how == "~=":
        start = want._replace(digits=want.digits[:-1])
        return have.order >= want.order and _equal(have, start, prefix=True)
    return _in_order(have, how, want)


def _equal(have: _Version, want: _Version, *, prefix: bool) -> bool:
    if not prefix:
        return have.order == want.order
    length = len(want.digits)
    padded = (*have.digits, *(0,) * length)[:length]
    return have.epoch == want.epoch and padded == want.digits


def _in_order(have: _Version, how: str, want: _Version) -> bool:
    """Compare two versions; < excludes pre-releases of the named version, > its post-releases."""
    alike = have[:2] == want[:2] and want.pre[0] == _FINAL
    if how == "<":
        early = have.pre[0] < _FINAL if want.post < 0 else have.post == want.post and have.dev < want.dev
        return have.order < want.order and not (alike and early)
    if how == ">":
        return have.order > want.order and not (alike and have.post >= 0 > want.post)
    return have.order <= want.order if how == "<=" else have.order >= want.order


def _read(version: str) -> _Version | None:
    found = _VERSION.fullmatch(version.strip())
    if not found:
        return None
    digits = tuple(map(int, found["release"].split(".")))
    release = digits
    while len(release) > 1 and release[-1] == 0:
        release = release[:-1]
    dev = int(found["dev_number"] or 0) if found["dev"] else _NEVER
    post = int(found["post_alone"] or found["post_number"] or 0) if _has_post(found) else -1
    return _Version(int(found["epoch"] or 0), release, _pre(found, post, dev), post, dev, digits)


def _has_post(found: re.Match[str]) -> bool:
    return found["post"] is not None or found["post_alone"] is not None


def _pre(found: re.Match[str], post: int, dev: int) -> tuple[int, int]:
    """Rank what comes before a release: a development version of it comes first of all."""
    if found["pre"]:
        rank = {"a": 0, "b": 1}.get(found["pre"][0].lower(), 2)
        return rank, int(found["pre_number"] or 0)
    return (-1, 0) if dev != _NEVER and post < 0 else (_FINAL, 0)
