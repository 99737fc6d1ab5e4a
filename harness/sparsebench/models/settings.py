"""The settings that a variant gives to the entry: an error names the line of a refused one."""

from __future__ import annotations

import inspect
import re
import tomllib
from typing import TYPE_CHECKING, Any

from sparsebench.errors import ContractError
from sparsebench.ground.meant import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

__all__ = ["check_settings", "place_of_setting"]

_MANIFEST = "submission.toml"
_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def check_settings(
    entry: Callable[..., Any], folder: Path, variant: str, settings: Mapping[str, Any]
) -> None:
    """Check, before the call, that an entry takes the task and a variant's keys.

    Raises
    ------
    ContractError
        If it does not. The message names the key, its line and the signature.
    """
    try:
        signature = inspect.signature(entry)
    except (TypeError, ValueError):  # it has no signature: the call itself will show
        return
    try:
        signature.bind(None, **settings)
    except TypeError:
        called = f"{getattr(entry, '__name__', 'entry')}{_bare(signature)}"
        raise _fault(signature, called, folder, variant, settings) from None


def _fault(
    signature: inspect.Signature, called: str, folder: Path, variant: str, settings: Mapping[str, Any]
) -> ContractError:
    takes = [p for p in signature.parameters.values() if p.kind in _NAMED]
    has_task = any(p.kind is not p.KEYWORD_ONLY for p in signature.parameters.values())
    if not has_task:
        message = f"entry: expected it to take the task first, got {called}"
        return ContractError(message, help="write __init__(self, task, **settings)")
    names = [p.name for p in takes if p.name not in list(signature.parameters)[:1]]
    open_ended = any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values())
    if unknown := [key for key in settings if key not in names and not open_ended]:
        place = place_of_setting(folder, variant, unknown[0])
        message = f"{place}: variant {variant!r} has the key {unknown[0]!r}, which {called} does not take"
        if f"+{unknown[0]}=" in variant:  # it came from the command line, and is in no file
            message = f"-p {unknown[0]}: expected a setting that {called} takes, got {unknown[0]!r}"
        return ContractError(message, help=_mend_of_unknown(unknown[0], names))
    needed = [p.name for p in takes if p.default is p.empty and p.name in names]
    missing = [name for name in needed if name not in settings]
    if missing:
        place = place_of_setting(folder, variant)
        message = f"{place}: variant {variant!r} has no key {missing[0]!r}, which {called} needs"
        return ContractError(message, help=f"add {missing[0]} = ..., or give it a default")
    message = f"entry: expected it to take the task and keywords, got {called}"
    return ContractError(message, help="write __init__(self, task, **settings)")


def _mend_of_unknown(key: str, names: list[str]) -> str:
    return did_you_mean(key, names) or "take it out, or add it to the signature"


def _bare(signature: inspect.Signature) -> inspect.Signature:
    """Return the signature without annotations: keys are compared with names and defaults."""
    parameters = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
    return inspect.Signature(parameters)


def place_of_setting(folder: Path, variant: str, key: str = "name") -> str:
    """Return the line of ``submission.toml`` with a variant's key, or the file if the line is not found."""
    try:
        text = (folder / _MANIFEST).read_text(encoding="utf-8")
        names = [table.get("name") for table in tomllib.loads(text)["variants"]]
    except (OSError, ValueError, KeyError, AttributeError):
        return _MANIFEST
    heads = [n for n, line in enumerate(text.splitlines()) if re.match(r"\s*\[\[\s*variants\s*\]\]", line)]
    if variant not in names or len(heads) != len(names):  # the variants are not written as one table each
        return _MANIFEST
    first = heads[names.index(variant)]
    for number, line in enumerate(text.splitlines()[first + 1 :], start=first + 2):
        if re.match(r"\s*\[", line):
            break
        if re.match(rf"\s*([\"']?){re.escape(key)}\1\s*=", line):
            return f"{_MANIFEST}:{number}"
    return f"{_MANIFEST}:{first + 1}"
