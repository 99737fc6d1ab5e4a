"""The faults of a ``submission.toml`` in our words, in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sparsebench.errors import ManifestError
from sparsebench.ground.meant import did_you_mean, nearest
from sparsebench.ground.wording import expectation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pydantic import ValidationError

__all__ = ["faults_of", "near_task"]

_LONGEST = 60


def faults_of(
    path: Path, error: ValidationError, known: Sequence[str], forms: Mapping[str, str]
) -> ManifestError:
    """Make one error of all that pydantic found: for each key, what was expected and what was got.

    Parameters
    ----------
    path
        The file.
    error
        What was found.
    known
        The keys that there are.
    forms
        Key -> what it looks like, for those that a regular expression checks.
    """
    told = "; ".join(_fault(dict(fault), known, forms) for fault in error.errors(include_url=False))
    return ManifestError(f"{path}: {told}", help=f"mend these keys; the keys are {', '.join(known)}")


def near_task(reference: str) -> str:
    """Return the task that a reference may mean, of the same or a similar name; empty if there is none."""
    from sparsebench.tasks import list_tasks  # noqa: PLC0415 - only where something is wrong

    known = [task.ref for task in list_tasks()]
    name = reference.partition("@")[0].lower()
    named = [ref for ref in known if ref.partition("@")[0] == name]
    return named[-1] if named else nearest(reference, known)


def _fault(fault: dict[str, Any], known: Sequence[str], forms: Mapping[str, str]) -> str:
    key = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "missing":
        return f"{key}: missing"
    if fault["type"] == "extra_forbidden":
        guess = did_you_mean(key, known, quoted=False)
        return f"{key}: not a key that is known{f': {guess}' if guess else ''}"
    if fault["type"] == "value_error":
        said = str(fault["ctx"]["error"])
        if not said.startswith("expected ") or ", got " in said:  # a rule whose text says what it got
            return f"{key}: {said}"
    wanted = forms.get(str(fault["loc"][-1])) if fault["type"] == "string_pattern_mismatch" else None
    got = repr(fault["input"])
    shown = got if len(got) < _LONGEST else got[: _LONGEST - 3] + "..."
    return f"{key}: expected {wanted or expectation(fault)}, got {shown}"
