"""Mends for errors from what the walls around a submission's process forbid."""

from __future__ import annotations

import errno

__all__ = ["mend_of_walls"]

_CLOSED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_FULL = frozenset({errno.ENOSPC, errno.EFBIG, errno.EDQUOT})
_UNREACHABLE = frozenset(
    {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}
)
_NETWORK = frozenset(
    {"gaierror", "herror", "URLError", "ConnectionError", "ConnectError", "NewConnectionError"}
)
_LACKS = {
    "isolated": "no network and no devices",
    "restricted": "no network, no semaphores between processes, and sets no times or modes of files",
}


def mend_of_walls(error: BaseException, level: str) -> str:
    """Return what the sandbox lets a submission do instead; empty if the error is not from the sandbox.

    Parameters
    ----------
    error
        What was raised.
    level
        The level of the walls, ``restricted`` or ``isolated``.
    """
    sandbox = f"the sandbox ({level})"
    if type(error).__name__ in _NETWORK or getattr(error, "errno", None) in _UNREACHABLE:
        return f"{sandbox} has no network: put what fit reads beside submission.py"
    if isinstance(error, RuntimeError) and "start new thread" in str(error):
        return f"{sandbox} has 64 processes and threads: use fewer"
    return _mend_of_system(error, sandbox, level) if isinstance(error, OSError) else ""


def _mend_of_system(error: OSError, sandbox: str, level: str) -> str:
    if error.errno in _CLOSED and error.filename is not None:
        return (
            f"{sandbox} lets code read what is installed or lies beside it, and write in its working folder "
            "alone, the current one, HOME and TMPDIR: write 'name', not '/path/name'"
        )
    if error.errno in _CLOSED:
        return f"{sandbox} has {_LACKS[level]}: docs/submit.md says what fit may do"
    if error.errno in _FULL:
        return f"{sandbox} has room for 1 GiB of files: write less"
    if error.errno == errno.EAGAIN:
        return f"{sandbox} has 64 processes and threads: use fewer"
    return ""
