"""The provenance of a row: versions, commit, processor. Each fact is found once per process."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import shutil
import subprocess
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

__all__ = [
    "blas_name",
    "cpu_model",
    "cpu_name",
    "harness_commit",
    "harness_version",
    "package_versions",
    "provenance_fields",
    "utc_now",
]

_PACKAGE = Path(__file__).resolve().parent.parent
_CPUINFO = Path("/proc/cpuinfo")
_GIT_SECONDS = 10
_REPORTED = (
    "cupy-cuda12x",
    "cupy-cuda13x",
    "numba",
    "numpy",
    "pandas",
    "pyarrow",
    "safetensors",
    "scikit-learn",
    "scipy",
    "threadpoolctl",
    "torch",
)


def provenance_fields() -> dict[str, Any]:
    """Return the row's fields about the harness and the machine: ``Row(**provenance_fields(), ...)``.

    Returns
    -------
    dict
        ``harness_version``, ``harness_commit``, ``harness_dirty``, ``packages``, ``python``, ``blas``,
        ``cpu`` and ``cpu_model``.
    """
    commit, dirty = harness_commit()
    return {
        "harness_version": harness_version(),
        "harness_commit": commit,
        "harness_dirty": dirty,
        "packages": json.dumps(package_versions(), sort_keys=True),
        "python": platform.python_version(),
        "blas": blas_name(),
        "cpu": cpu_name(),
        "cpu_model": cpu_model(),
    }


def utc_now() -> str:
    """Return the present time as in rows: ISO 8601, UTC, microseconds. Such texts sort by time."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


@lru_cache(maxsize=1)
def harness_version() -> str:
    """Return the installed version of sparsebench, ``"unknown"`` where it is not installed at all."""
    return _version("sparsebench") or "unknown"


def package_versions() -> dict[str, str]:
    """Return name -> version of the installed packages whose version may affect a result."""
    return dict(_package_versions())


@lru_cache(maxsize=1)
def _package_versions() -> tuple[tuple[str, str], ...]:
    found = ((name, _version(name)) for name in _REPORTED)
    return tuple((name, version) for name, version in found if version is not None)


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


@lru_cache(maxsize=1)
def cpu_name() -> str:
    """Return the processor's name: from ``/proc/cpuinfo``, or what the platform calls it."""
    return _cpuinfo().get("model name") or platform.processor() or platform.machine() or "unknown"


@lru_cache(maxsize=1)
def cpu_model() -> str | None:
    """Return the processor's family, model and stepping as ``family-model-stepping``; None if unknown."""
    told = _cpuinfo()
    numbers = [told.get(name) for name in ("cpu family", "model", "stepping")]
    return "-".join(number for number in numbers if number) if all(numbers) else None


def _cpuinfo() -> dict[str, str]:
    """Read Linux's facts about the first processor; empty on other systems."""
    try:
        text = _CPUINFO.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    told: dict[str, str] = {}
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if value.strip():
            told.setdefault(key.strip(), value.strip())
    return told


@lru_cache(maxsize=1)
def blas_name() -> str | None:
    """Return the name, version and kernels of the BLAS that is loaded, such as ``openblas 0.3.31 SkylakeX``.

    Another kernel adds in another order, so the last digits of products depend on it. None if threadpoolctl
    knows no loaded BLAS.
    """
    import numpy  # noqa: F401, ICN001, PLC0415 - loads its BLAS
    from threadpoolctl import threadpool_info  # noqa: PLC0415 - only where a row is made

    names = ("internal_api", "version", "architecture")
    found = (lib for lib in threadpool_info() if lib.get("user_api") == "blas")
    told = {" ".join(str(lib[name]) for name in names if lib.get(name)) for lib in found}
    return ", ".join(sorted(told)) or None


@lru_cache(maxsize=1)
def harness_commit() -> tuple[str | None, bool | None]:
    """Return the git commit that the harness runs from, and whether the harness differs from it.

    Only a checkout that *tracks* the package counts, not an installed copy inside another repository. Files
    outside the package (rows, tables, tasks, which have hashes of their own) do not make it dirty.

    Returns
    -------
    tuple
        ``(commit, dirty)``, or ``(None, None)`` if there is no such checkout, no commit or no git.
    """
    if _git("ls-files", "--error-unmatch", "--", str(Path(__file__).resolve())) is None:
        return None, None
    commit, changes = (
        _git("rev-parse", "--verify", "HEAD"),
        _git("status", "--porcelain", "--", str(_PACKAGE)),
    )
    if commit is None or changes is None:
        return None, None
    return commit, bool(changes)


def _git(*arguments: str) -> str | None:
    program = shutil.which("git")
    if program is None:
        return None
    # A caller's GIT_DIR (set in hooks) would point to another repository than that of the package.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        answer = subprocess.run(  # noqa: S603 - no shell, and every argument is ours
            [program, "--no-optional-locks", *arguments],
            cwd=_PACKAGE,
            env=environment,
            capture_output=True,
            check=False,
            text=True,
            timeout=_GIT_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None
