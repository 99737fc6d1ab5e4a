"""Errors that a submission's process reports, turned into ours: one printable line each."""

from __future__ import annotations

import builtins
import re
import signal
from typing import TYPE_CHECKING, Any

from sparsebench.errors import (
    CellError,
    DisturbedError,
    FailedError,
    MemoryLimitError,
    RefusedError,
    UncountedOperationError,
)

if TYPE_CHECKING:
    from pathlib import Path

    from sparsebench.evaluate.host.process import End

__all__ = ["clean", "not_a_message", "of_death", "of_error", "one_line"]

_TEXT_LIMIT = 300
_KINDS: dict[str, type[CellError]] = {
    "MemoryError": MemoryLimitError,
    "PanicException": MemoryLimitError,  # the wording of safetensors
    "RefusedError": RefusedError,
    "UncountedOperationError": UncountedOperationError,
}


def one_line(value: Any, longest: int = _TEXT_LIMIT) -> str:
    """Turn text of a stranger into one printable line of limited length."""
    line = "".join(c if c.isprintable() else " " for c in str(value)[: 4 * _TEXT_LIMIT]).strip()
    return line if len(line) <= longest else f"{line[: longest - 3]}..."


def clean(error: CellError) -> CellError:
    """Return the same error with texts of one printable line."""
    return type(error)(one_line(error.what), help=one_line(error.help))


def of_error(told: Any, fatal: CellError | None, *, code: Path | None = None) -> CellError:
    """Make an error from the process's report and the place that it names.

    Parameters
    ----------
    told
        The message from the pipe. Nothing in it is trusted, not even its types.
    fatal
        The error that ended the cell on our side, if there is one: it counts, and only the place is used.
    code
        The folder of the submission's code, once the process may know something about inputs. From then on
        its own words are not passed on: only one of Python's classes, and an existing line.
    """
    if not isinstance(told, dict) and not fatal:
        return not_a_message()
    told = told if isinstance(told, dict) else {}
    kind, text, where, mend = (one_line(told.get(key, "")) for key in ("type", "text", "where", "help"))
    source = one_line(told.get("source", "")) if code is None else ""
    if code is not None:
        kind, text, where, mend = _without_words(kind, where, code)
    place = f" ({where})" if where else ""
    if fatal:
        return type(fatal)(f"{one_line(fatal.what)}{place}", help=one_line(fatal.help))
    known = _KINDS.get(kind)
    if known is MemoryLimitError:
        return MemoryLimitError(f"out of memory{place}", help="take less, or raise --memory-limit")
    if known:
        return known(f"{text}{place}", help=mend)
    if kind == "ContractError" and code is None:
        return FailedError(f"{text}{place}", help=mend)
    shown = f": `{source}`" if source and place else ""
    said = one_line(f"{kind}: {text}", _TEXT_LIMIT - min(len(place) + len(shown), _TEXT_LIMIT // 2))
    return FailedError(f"{said}{place}{shown}", help=mend)


def _without_words(kind: str, where: str, code: Path) -> tuple[str, str, str, str]:
    """Return an error without any words of the submission, which may know bits of inputs."""
    known = kind in _KINDS or isinstance(getattr(builtins, kind, None), type) or kind == "ContractError"
    text = "its words are left out, since bits of inputs had left the meter"
    return (kind if known else "an exception"), text, _line_of(where, code), _RUN_HERE


def _line_of(where: str, code: Path) -> str:
    """Return the file and the line of a place, if there is such a line in the code."""
    found = re.match(r"(?P<file>[^:]+):(?P<line>[0-9]{1,7})\b", where)
    if not found:
        return ""
    file = (code / found["file"]).resolve()
    if not file.is_relative_to(code) or not file.is_file():
        return ""
    lines = file.read_bytes().count(b"\n") + 1
    return f"{found['file']}:{int(found['line'])}" if 1 <= int(found["line"]) <= lines else ""


_RUN_HERE = "sparsebench check PATH --in-process shows them"
_ENDS: dict[str, CellError] = {
    "memory": MemoryLimitError(
        "the submission's process and those that it started took more memory than allowed",
        help="take less, or raise --memory-limit",
    ),
    "files": FailedError("the submission's files took more room than allowed", help="write less"),
    "parent": DisturbedError(
        "the process that started the submission's was killed", help="run it again with --resume"
    ),
}


def of_death(end: End, *, silent: bool = False) -> CellError:
    """Return the error that describes how a process ended.

    Parameters
    ----------
    end
        The facts about its end.
    silent
        Whether to leave out its exit code or signal, because the process may know something about inputs.
    """
    if end.why is not None:
        return clean(_ENDS[end.why])
    if end.code == -signal.SIGKILL:
        return DisturbedError(
            "the submission's process was killed by SIGKILL",
            help="a crash in a library, or the machine is out of memory; --resume runs it again",
        )
    if silent:
        return FailedError("the submission's process ended in predict", help="do not call exit")
    if end.code >= 0:
        return FailedError(
            f"the submission's process ended by itself with code {end.code}", help="do not call exit"
        )
    try:
        name = signal.Signals(-end.code).name
    except ValueError:  # a real-time signal has no name
        name = f"signal {-end.code}"
    return FailedError(
        f"the submission's process was killed by {name}",
        help="a crash in a library, or the machine is out of memory",
    )


def not_a_message() -> RefusedError:
    """Return the error for a message on the pipe that our own code never sends."""
    return RefusedError(
        "the process sent something that is not a message",
        help="leave the pipe to sparsebench: return from predict",
    )
