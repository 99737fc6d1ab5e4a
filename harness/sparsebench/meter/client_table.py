"""The client's table of functions, generated from the rule table by :mod:`sparsebench.meter.stubs`.

The client runs in the submission's process. This table gives it the functions and their prices in words, so
it does not need to import the rules, whose code executes operations.
"""

from __future__ import annotations

import inspect
import json
from typing import TYPE_CHECKING

from sparsebench.meter.rules import REFUSED, RULES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sparsebench.meter.rules import Rule

__all__ = ["functions", "parameters", "signature"]

_HEAD = '''
"""What the namespace has, and what it refuses."""

from __future__ import annotations

from sparsebench.meter.client.function import Function, Refusal

__all__ = ["FUNCTIONS", "REFUSED"]

'''


def functions() -> str:
    """Return the table as text.

    Returns
    -------
    str
        Python, ending in a newline.
    """
    lines = ["FUNCTIONS: dict[str, Function] = {"]
    lines += [line for rule in RULES.values() if not rule.hidden for line in _function(rule)]
    lines += ["}", '"""Every operation that has a name in the namespace."""', ""]
    lines += ["REFUSED: dict[str, Refusal] = {"]
    for name, (reason, mend) in REFUSED.items():
        lines.append(f"    {_text(name)}: Refusal({_text(reason)}, {_text(mend)}),")
    lines += ["}", '"""Operations that are refused on purpose."""']
    return _HEAD + "\n".join(lines) + "\n"


def _function(rule: Rule) -> Iterator[str]:
    yield f"    {_text(rule.name)}: Function("
    yield f"        lambda {parameters(signature(rule))}: ...,"
    yield f"        {_text(rule.price)},"
    yield f"        {_text(rule.example)},"
    if rule.fields:
        yield f"        fields=({', '.join(map(_text, rule.fields))}),"
    yield from (f"        {name}=True," for name in ("listed", "device") if getattr(rule, name))
    yield "    ),"


def _text(value: str) -> str:
    """Return a text as a Python literal in double quotes."""
    return json.dumps(value, ensure_ascii=False)


def signature(rule: Rule) -> inspect.Signature:
    """Return the signature that an operation has in the namespace."""
    plain = rule.signature
    if not rule.device:
        return plain
    device = inspect.Parameter("device", inspect.Parameter.KEYWORD_ONLY, default=None)
    return plain.replace(parameters=[*plain.parameters.values(), device])


def parameters(plain: inspect.Signature, types: Mapping[str, str] | None = None) -> str:
    """Return parameters with their defaults, and with their types if these are given."""
    written: list[str] = []
    last = None
    for name, parameter in plain.parameters.items():
        if last is parameter.POSITIONAL_ONLY and parameter.kind is not last:
            written.append("/")
        if parameter.kind is parameter.KEYWORD_ONLY and last not in {
            parameter.KEYWORD_ONLY,
            parameter.VAR_POSITIONAL,
        }:
            written.append("*")
        star = "*" if parameter.kind is parameter.VAR_POSITIONAL else ""
        kind, equals = (f": {types[name]}", " = ") if types else ("", "=")
        default = "" if parameter.default is parameter.empty else f"{equals}{parameter.default!r}"
        written.append(f"{star}{name}{kind}{default}")
        last = parameter.kind
    return ", ".join([*written, *(["/"] if last is inspect.Parameter.POSITIONAL_ONLY else [])])
