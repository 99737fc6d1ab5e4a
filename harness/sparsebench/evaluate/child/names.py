"""Names that our objects and modules do not have, used on arguments and imports of a submission."""

from __future__ import annotations

import dataclasses
import types
from typing import Any

from sparsebench.ground.meant import did_you_mean
from sparsebench.models.contract import Routed

__all__ = ["mend_of_names"]


def mend_of_names(error: BaseException) -> str:
    """Return the name that was probably meant, if one of our objects does not have the used name.

    Parameters
    ----------
    error
        What was raised.
    """
    if isinstance(error, ImportError) and "relative import" in str(error):
        return "modules beside the entry are imported by their names: import helper"
    if isinstance(error, TypeError) and "abstract" in str(error) and "instantiate" in str(error):
        return "define in the class what it names; `sparsebench new my-router` writes one that has all"
    if not isinstance(error, AttributeError) or not error.name:
        return ""
    return _of_attribute(error.obj, error.name)


def _of_attribute(owner: Any, name: str) -> str:
    if isinstance(owner, Routed) and name in {"router", "experts"}:
        return "call super().__init__(router, experts) in __init__"
    if isinstance(owner, dict) and name in owner:
        return f"write params[{name!r}]"
    ours = getattr(type(owner), "__module__", "").startswith("sparsebench.")
    if ours and dataclasses.is_dataclass(owner):
        return f"it has {', '.join(field.name for field in dataclasses.fields(owner))}"
    if isinstance(owner, types.ModuleType) and owner.__name__.partition(".")[0] == "sparsebench":
        return did_you_mean(name, [n for n in dir(owner) if not n.startswith("_")], quoted=False)
    return ""
