"""The walls that hold on this system, measured by a throw-away process that tries to get out."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from sparsebench.errors import DisturbedError, SandboxError
from sparsebench.evaluate.child import walls
from sparsebench.evaluate.host.warm import WarmParent

__all__ = ["LEVEL_VARIABLE", "Measured", "measure", "mends"]

LEVEL_VARIABLE = "SPARSEBENCH_SANDBOX"
"""Environment variable: the strongest level to try, for trying what a weaker system would do."""

_TRIALS = 3
_TRIAL_FILES, _TRIAL_PROCESSES = 4 << 20, 8  # few, because the trial fills both


class Measured:
    """The walls that hold on this system.

    Attributes
    ----------
    level
        The strongest of :data:`sparsebench.evaluate.child.walls.LEVELS` that holds.
    canaries
        Canary -> whether it was held off, at each level that was tried.
    reasons
        Why each stronger level does not hold: level -> text.
    """

    def __init__(self, level: str, canaries: dict[str, dict[str, bool]], reasons: dict[str, str]) -> None:
        self.level, self.canaries, self.reasons = level, canaries, reasons


def measure(parents: int) -> tuple[Measured, list[WarmParent]]:
    """Find the strongest level that holds, and return it with warm parents of that level.

    Parameters
    ----------
    parents
        The number of warm parents.

    Raises
    ------
    SandboxError
        If the environment names a level that does not exist.
    """
    canaries: dict[str, dict[str, bool]] = {}
    reasons: dict[str, str] = {}
    for level in _wanted():
        others = [WarmParent(level) for _ in range(parents - 1)]  # they start in the meantime
        parent, held, why = _tried(level)
        canaries[level] = held
        escaped = sorted(name for name in walls.required(level) if not held.get(name))
        if parent is not None and (level == "none" or not (why or escaped)):
            return Measured(level, canaries, reasons), [parent, *others]
        reasons[level] = why or f"not held: {', '.join(escaped)}"
        for started in (*others, *(() if parent is None else (parent,))):
            started.close()
    raise SandboxError(
        "processes cannot be started", help="see how many processes and how much memory there are"
    )


def _wanted() -> list[str]:
    """Return the levels to try, the strongest first."""
    most = os.environ.get(LEVEL_VARIABLE, walls.LEVELS[-1])
    if most not in walls.LEVELS:
        expected = ", ".join(walls.LEVELS)
        raise SandboxError(
            f"{LEVEL_VARIABLE}: expected one of {expected}, got {most!r}", help="mend it, or unset it"
        )
    return list(reversed(walls.LEVELS[: walls.LEVELS.index(most) + 1]))


def _tried(level: str) -> tuple[WarmParent | None, dict[str, bool], str]:
    """Try a level, with another parent if a trial does not finish: it may have been killed.

    A refused level is refused at once; a level at which nothing starts is given up after some tries.
    """
    why = ""
    for _ in range(_TRIALS):
        parent = WarmParent(level)
        try:
            held, why = _try(parent, level) if level != "none" else ({}, "")
        except (OSError, EOFError, DisturbedError) as error:
            parent.close()
            why = f"no trial comes to its end: {type(error).__name__}: {error}"
        else:
            return parent, held, why
    return None, {}, why


def _try(parent: WarmParent, level: str) -> tuple[dict[str, bool], str]:
    """Put up the walls in a throw-away process; return its canaries' results, or why it failed."""
    with tempfile.TemporaryDirectory(prefix="sparsebench-") as folder:
        code, work = Path(folder, "code"), Path(folder, "work")
        code.mkdir()
        work.mkdir()
        plan = walls.Plan(
            level, code, work, (), memory=1 << 30, files=_TRIAL_FILES, processes=_TRIAL_PROCESSES
        )
        process, pipe = parent.fork(plan, try_canaries=True)
        try:
            told, _ = pipe.receive()
        finally:
            process.kill()
            process.wait()
            pipe.close()
    if told.get("walls") != level:
        return {}, str(told.get("text"))
    return {str(name): held is True for name, held in told["canaries"].items()}, ""


_SETTINGS = (
    ("/proc/sys/user/max_user_namespaces", "0", "sysctl -w user.max_user_namespaces=10000"),
    ("/proc/sys/kernel/unprivileged_userns_clone", "0", "sysctl -w kernel.unprivileged_userns_clone=1"),
    (
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
    ),
)
"""Files of settings, the value that keeps an ordinary user from namespaces, and the command that mends it."""


def mends(found: Measured) -> list[str]:
    """Return what would raise the level, as commands if possible."""
    if found.level == walls.LEVELS[-1]:
        return []
    if sys.platform != "linux":
        return ["run it on Linux, in a virtual machine for example: there are no walls on this system"]
    commands = [command for file, bad, command in _SETTINGS if _reads(file) == bad]
    if found.level == "none" and "restricted" in found.reasons:
        commands.append("a Linux of 5.13 or newer that is started with landlock among its `lsm=`")
    if Path("/.dockerenv").exists():
        commands.append("docker run --cap-add SYS_ADMIN --security-opt seccomp=unconfined ...")
    return commands or [f"nothing that is known here; {LEVEL_VARIABLE} may hold it down"]


def _reads(file: str) -> str | None:
    try:
        return Path(file).read_text(encoding="ascii").strip()
    except OSError:
        return None
