"""Our words for what pydantic finds wrong with a value. Its own speak of Python and of classes of ours."""

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
"""Kind of fault, as pydantic names it -> what was expected; what stands in braces is in its context."""


def expectation(fault: Mapping[str, Any]) -> str:
    """Say what was expected where pydantic found a fault.

    Parameters
    ----------
    fault
        One of ``ValidationError.errors()``.

    Returns
    -------
    str
        What a validator of ours said, or the words of :data:`KINDS`; what neither knows is another value.
    """
    if fault["type"] == "value_error":
        return str(fault["ctx"]["error"]).removeprefix("expected ")
    words = KINDS.get(fault["type"], "another value")
    return words.format_map({name: _plain(value) for name, value in fault.get("ctx", {}).items()})


def _plain(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value
