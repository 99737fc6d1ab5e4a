"""What a submission's process tells of its errors, made into ours: one printable line each."""

from __future__ import annotations

import signal
from typing import Any

from sparsebench.errors import CellError, FailedError, MemoryLimitError, RefusedError, UncountedOperationError

__all__ = ["clean", "not_a_message", "of_death", "of_error", "one_line"]

_TEXT_LIMIT = 300
_KINDS: dict[str, type[CellError]] = {
    "MemoryError": MemoryLimitError,
    "PanicException": MemoryLimitError,  # how safetensors says it
    "RefusedError": RefusedError,
    "UncountedOperationError": UncountedOperationError,
}


def one_line(value: Any) -> str:
    """Make text of a stranger one printable line, not too long."""
    line = "".join(c if c.isprintable() else " " for c in str(value)[: 4 * _TEXT_LIMIT]).strip()
    return line if len(line) <= _TEXT_LIMIT else f"{line[: _TEXT_LIMIT - 3]}..."


def clean(error: CellError) -> CellError:
    """Give the same error with texts of one printable line."""
    return type(error)(one_line(error.what), help=one_line(error.help))


def of_error(told: Any, fatal: CellError | None) -> CellError:
    """Make an error of what the process tells, and of where it says that it was.

    Parameters
    ----------
    told
        What came over the pipe. Nothing of it is believed to be of any type.
    fatal
        The error that ended the cell on our side, if one did: it counts, and only the place is taken.
    """
    if not isinstance(told, dict) and not fatal:
        return not_a_message()
    told = told if isinstance(told, dict) else {}
    kind, text, where, mend = (one_line(told.get(key, "")) for key in ("type", "text", "where", "help"))
    place = f" ({where})" if where else ""
    if fatal:
        return type(fatal)(f"{one_line(fatal.what)}{place}", help=one_line(fatal.help))
    known = _KINDS.get(kind)
    if known is MemoryLimitError:
        return MemoryLimitError(f"out of memory{place}", help="take less, or raise --memory-limit")
    if known:
        return known(f"{text}{place}", help=mend)
    said = text if kind == "ContractError" else f"{kind}: {text}"
    return FailedError(f"{said}{place}", help=mend)


def of_death(code: int) -> CellError:
    """Say how a process ended.

    Parameters
    ----------
    code
        Its exit code; negative for a signal, as :class:`subprocess.Popen` has it.
    """
    if code >= 0:
        return FailedError(
            f"the submission's process ended by itself with code {code}", help="do not call exit"
        )
    try:
        name = signal.Signals(-code).name
    except ValueError:  # a real-time signal has no name
        name = f"signal {-code}"
    return FailedError(
        f"the submission's process was killed by {name}",
        help="a crash in a library, or the machine is out of memory",
    )


def not_a_message() -> RefusedError:
    """Say that something came over the pipe that our own code never sends."""
    return RefusedError(
        "the process sent something that is not a message",
        help="leave the pipe to sparsebench: return from predict",
    )
