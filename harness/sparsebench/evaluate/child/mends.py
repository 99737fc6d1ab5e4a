"""The mends of errors of a submission's own code, as far as its process knows them.

An error says what is wrong with a line. A new author does not know yet how our processes affect that line:
that ``predict`` runs without the state that ``fit`` left, that files are in another folder, that there is no
network. Each rule here knows one such fact, and returns a mend or nothing.
"""

from __future__ import annotations

import re
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sparsebench.evaluate.child.left_behind import left_behind
from sparsebench.evaluate.child.names import mend_of_names
from sparsebench.evaluate.child.sandboxed import mend_of_walls
from sparsebench.models.contract import Experts, Routed
from sparsebench.models.settings import place_of_setting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sparsebench.models.contract import Submission

__all__ = ["Around", "mend", "source_of"]

_LONGEST_SOURCE = 120
_CALLED = re.compile(r"(?P<called>[\w.<>]+)\(\) (?:takes|missing|got) ")
_SIGNATURES = {
    "fit": "fit(self, train, valid, rng)",
    "predict": "predict(self, params, x)",
    "route": "route(self, params, x)",
    "apply": "apply(self, params, x, routes)",
}


class Around(NamedTuple):
    """The facts that are known when an error is reported."""

    path: Path
    """The folder of the submission's code."""
    doing: str = ""
    """The request: ``load``, ``fit``, ``predict``, ``route``, ``apply``, ``run`` ..."""
    sandbox: str = "none"
    """The level of the walls."""
    submission: Submission | None = None
    """The submission, once it is made."""
    variant: str = ""
    """The variant's name."""
    settings: Mapping[str, Any] | None = None
    """The settings of the variant."""

    @property
    def parts(self) -> list[Any]:
        """The submission, and its router and experts."""
        made = self.submission
        routed = [made.router, made.experts] if isinstance(made, Routed) else []
        return [] if made is None else [made, *routed]


def mend(error: BaseException, around: Around) -> str:
    """Return the mend of an error; empty if no rule knows one."""
    rules = (_of_names, _of_fit, _of_signature, _of_module, _of_setting, _of_files, _of_walls)
    try:
        return next((found for rule in rules if (found := rule(error, around))), "")
    except Exception:  # noqa: BLE001 - a submission's objects may do anything when they are looked at
        return ""


def source_of(error: BaseException, folder: Path, include: Sequence[Path] = ()) -> str:
    """Return the text of the last line of a submission's code in an error's traceback; empty without one.

    It is empty for a ``raise``, too, whose message is reported already.

    Parameters
    ----------
    error
        The error.
    folder
        The folder of the code.
    include
        Its files in other folders.
    """
    lines = [frame.line or "" for frame in _frames(error, folder, include)]
    line = " ".join((lines or [""])[-1].split())
    if line.startswith("raise "):
        return ""
    return line if len(line) <= _LONGEST_SOURCE else f"{line[: _LONGEST_SOURCE - 3]}..."


def _frames(error: BaseException, folder: Path, include: Sequence[Path] = ()) -> list[traceback.FrameSummary]:
    found = traceback.extract_tb(error.__traceback__)
    return [f for f in found if Path(f.filename).is_relative_to(folder) or Path(f.filename) in include]


def _of_names(error: BaseException, _: Around) -> str:
    return mend_of_names(error)


def _of_fit(error: BaseException, around: Around) -> str:
    """Return the mend for state that fit kept on self, or in a module."""
    if around.doing in {"", "load", "fit"}:
        return ""
    return left_behind(error, around.parts, around.path)


def _of_signature(error: BaseException, around: Around) -> str:
    """Return the mend for a method's signature: errors of our calls have no line of the submission."""
    found = _CALLED.match(str(error)) if isinstance(error, TypeError) else None
    if not found or _frames(error, around.path):
        return ""
    for part in around.parts:
        for name, signature in _SIGNATURES.items():
            if getattr(getattr(part, name, None), "__qualname__", "") == found["called"]:
                more = ", routes" if name == "fit" and isinstance(part, Experts) else ""
                more += ", tag" if name in {"predict", "route"} and getattr(part, "uses_tags", False) else ""
                return f"write {signature[:-1]}{more})"
    return ""


def _of_module(error: BaseException, _: Around) -> str:
    if not isinstance(error, ModuleNotFoundError) or not error.name:
        return ""
    name = error.name.partition(".")[0]
    return f"install it and name it in requires of submission.toml, or put {name}.py beside the entry"


def _of_setting(error: BaseException, around: Around) -> str:
    """Return the mend for a variant's key that inner code does not take, or misses: with its line."""
    if around.doing != "load" or around.settings is None:
        return ""
    found = re.search(r"unexpected keyword argument '(\w+)'", str(error))
    if isinstance(error, TypeError) and found and found[1] in around.settings:
        return f"{place_of_setting(around.path, around.variant, found[1])} gives it"
    if isinstance(error, KeyError) and error.args and str(error.args[0]) not in around.settings:
        return f"{place_of_setting(around.path, around.variant)}: the variant has {_listed(around.settings)}"
    return ""


def _listed(settings: Mapping[str, Any]) -> str:
    return ", ".join(settings) or "no keys"


def _of_files(error: BaseException, around: Around) -> str:
    """Return the mend for missing files: the submission's files are not in its process's folder."""
    if not isinstance(error, FileNotFoundError) or not isinstance(error.filename, str):
        return ""
    name = Path(error.filename)
    if not name.is_absolute() and (around.path / name).is_file():
        return f"code runs in a working folder: read Path(__file__).with_name({name.name!r})"
    return ""


def _of_walls(error: BaseException, around: Around) -> str:
    return "" if around.sandbox == "none" else mend_of_walls(error, around.sandbox)
