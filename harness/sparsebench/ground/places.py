"""The place of the user's cache, which has generated data and compiled code."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["CACHE_VARIABLE", "cache_root"]

CACHE_VARIABLE = "SPARSEBENCH_CACHE"
"""The environment variable that names another folder for the cache."""


def cache_root() -> Path:
    """Return the folder for generated data. It need not exist."""
    if named := os.environ.get(CACHE_VARIABLE):
        return Path(named).expanduser().absolute()
    import platformdirs  # noqa: PLC0415 - only where a cache is looked for

    return Path(platformdirs.user_cache_dir("sparsebench", appauthor=False)) / "tasks"
