"""The sources of real data: packages of PyPI and of Debian, in pinned versions."""

from __future__ import annotations

import importlib.metadata
import shutil
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["missing_packages"]

_DEBIAN = "debian:"


def missing_packages(packages: Sequence[str]) -> list[str]:
    """List the packages that are not installed in the required version.

    Parameters
    ----------
    packages
        Each ``name==version`` of PyPI, or ``debian:name==version``; without a version if any is accepted.

    Returns
    -------
    list of str
        A line for each missing package: what is required, and what is installed.
    """
    missing = []
    for package in packages:
        name, _, version = package.partition("==")
        found = _debian(name.removeprefix(_DEBIAN)) if name.startswith(_DEBIAN) else _python(name)
        if found is None or (version and found != version):
            missing.append(f"{package} (there is {found or 'none'})")
    return missing


def _python(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _debian(name: str) -> str | None:
    """Ask dpkg for a version; None if the package is not installed, or this is not Debian."""
    query = shutil.which("dpkg-query")
    if query is None:
        return None
    command = [query, "--show", "--showformat=${db:Status-Status} ${Version}", name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - a name of a manifest, no shell
    status, _, version = done.stdout.partition(" ")
    return version if done.returncode == 0 and status == "installed" else None
