"""Our wording of pydantic's errors, whose own texts are about Python and our classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["KINDS", "expectation"]

_SOME = "{min_length} or more"
_FEW = "at most {max_length}"

KINDS = {
    "bool_type": "true or false",
    "date_type": "a date",
    "dict_type": "a table",
    "extra_forbidden": "a key that is known",
    "finite_number": "a finite number",
    "float_type": "a number",
    "greater_than": "a number above {gt}",
    "greater_than_equal": "a number of at least {ge}",
    "int_from_float": "a whole number",
    "int_parsing_size": "a number that has fewer digits",
    "int_type": "a whole number",
    "invalid_key": "a key that is text",
    "less_than": "a number below {lt}",
    "less_than_equal": "a number of at most {le}",
    "list_type": "a list",
    "literal_error": "{expected}",
    "missing": "a value",
    "model_attributes_type": "a table",
    "model_type": "a table",
    "none_required": "nothing",
    "string_pattern_mismatch": "text of another form",
    "string_too_long": f"text of {_FEW} characters",
    "string_too_short": f"text of {_SOME} characters",
    "string_type": "text in quotes",
    "string_unicode": "text without lone surrogates",
    "too_long": f"a list of {_FEW}",
    "too_short": f"a list of {_SOME}",
}
"""Pydantic's kind of fault -> what was expected; names in braces are from its context."""


def expectation(fault: Mapping[str, Any]) -> str:
    """Return what was expected in place of a value in which pydantic found a fault.

    Parameters
    ----------
    fault
        One of ``ValidationError.errors()``.

    Returns
    -------
    str
        The text of one of our validators, or of :data:`KINDS`; otherwise that another value was expected.
    """
    if fault["type"] == "value_error":
        return str(fault["ctx"]["error"]).removeprefix("expected ")
    words = KINDS.get(fault["type"], "another value")
    return words.format_map({name: _plain(value) for name, value in fault.get("ctx", {}).items()})


def _plain(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value
