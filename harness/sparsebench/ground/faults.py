"""All faults of a TOML file at once, each with its key, what was expected, what was got, and the mend."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any, NamedTuple

from sparsebench.errors import ManifestError, NotFoundError
from sparsebench.ground.meant import did_you_mean
from sparsebench.ground.wording import expectation

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pydantic import BaseModel, ValidationError

__all__ = ["Fault", "manifest_error", "model_faults", "read_toml"]

_LONGEST = 60


class Fault(NamedTuple):
    """One thing that is wrong with a manifest."""

    key: str
    """The dotted path of the key, such as ``instances[0].seed``."""
    expected: str
    """What was expected."""
    got: str
    """What was got."""
    mend: str
    """The mend."""


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises
    ------
    NotFoundError
        If there is no such file.
    ManifestError
        If it is not TOML in UTF-8.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise NotFoundError(
            f"{path}: expected a manifest, got {error.strerror}",
            help="give the folder that holds it, or a name",
        ) from error
    except (ValueError, RecursionError) as error:  # also for numbers of 5,000 digits, and for [[[[[[…
        raise ManifestError(f"{path}: expected TOML, got {error}", help="mend the file's syntax") from error


def manifest_error(path: Path, faults: Sequence[Fault]) -> ManifestError:
    """Make one error from all faults of a file: one line for one fault, else a line for each."""
    if len(faults) == 1:
        fault = faults[0]
        return ManifestError(
            f"{path}: {fault.key}: expected {fault.expected}, got {fault.got}", help=fault.mend
        )
    lines = [f"  {fault.key}: expected {fault.expected}, got {fault.got}; {fault.mend}" for fault in faults]
    return ManifestError("\n".join([f"{path}: {len(faults)} faults", *lines]), help="mend each of these keys")


def model_faults(error: ValidationError, model: type[BaseModel]) -> list[Fault]:
    """Translate pydantic's errors into faults.

    A key's expected value and mend come from the ``description`` of its field in `model`.
    """
    return [_fault(dict(item), model) for item in error.errors(include_url=False)]


def _fault(item: dict[str, Any], model: type[BaseModel]) -> Fault:
    location = tuple(item["loc"])
    key = _dotted(location)
    if item["type"] == "extra_forbidden":
        return _unknown_key(key, str(location[-1]), _keys(model, location[:-1]))
    description = _description(model, location)
    mend = f"set it to {description}" if description else "change it"
    if item["type"] == "missing":
        return Fault(key, description or "a value", "nothing", f"add the key {str(location[-1])!r}")
    if item["type"] == "string_pattern_mismatch" and description:
        return Fault(key, description, _shown(item["input"]), "change it")  # not the regular expression
    return Fault(key, expectation(item), _shown(item["input"]), mend)


def _unknown_key(key: str, name: str, known: list[str]) -> Fault:
    mend = did_you_mean(name, known) or "remove it"
    return Fault(key, f"one of the keys {', '.join(known)}", f"the unknown key {name!r}", mend)


def _dotted(location: tuple[str | int, ...]) -> str:
    text = ""
    for part in location:
        if part == "[key]":  # pydantic's mark for a fault of a dict's key, not of its value
            continue
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            shown = part if part.replace("_", "").replace("-", "").isalnum() else f'"{part}"'
            text += f".{shown}" if text else shown
    return text


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _model_at(model: type[BaseModel], location: tuple[str | int, ...]) -> type[BaseModel] | None:
    """Follow a location down to the table that holds its last part."""
    here: Any = model
    for part in location:
        if isinstance(part, int):
            continue
        field = getattr(here, "model_fields", {}).get(part)
        if field is None:
            return None
        inner = [field.annotation, *getattr(field.annotation, "__args__", ())]
        here = next((kind for kind in inner if hasattr(kind, "model_fields")), None)
    return here if hasattr(here, "model_fields") else None


def _keys(model: type[BaseModel], location: tuple[str | int, ...]) -> list[str]:
    table = _model_at(model, location)
    return list(table.model_fields) if table else []


def _description(model: type[BaseModel], location: tuple[str | int, ...]) -> str:
    """Return the description of the nearest described key of a location."""
    for end in range(len(location), 0, -1):
        part = location[end - 1]
        table = _model_at(model, location[: end - 1])
        if isinstance(part, str) and table and part in table.model_fields:
            return table.model_fields[part].description or ""
    return ""
