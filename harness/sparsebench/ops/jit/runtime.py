"""How the functions of this package are compiled.

They are compiled for one thread and let go of the interpreter, and :mod:`sparsebench.ops.cpu.pool` runs them
over chunks of rows on several. Numba's own ``parallel=True`` is not used. Its OpenMP layer kills a process
that was forked after use, its other portable layer aborts the process when two threads call at once, it
compiles several times longer, and its cache takes the code of ``parallel=False`` for that of
``parallel=True``.

Import modules of compiled functions only where they are called: ``import numba`` takes a quarter second.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numba

from sparsebench.ground.places import cache_root

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["compiled", "inlined"]

_SUMS = {"reassoc", "contract"}  # sums of a row may be added up in lanes; NaN and infinity stay what they are


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function on its first call, and keep the machine code on disk.

    The code is in the user's cache, or where ``NUMBA_CACHE_DIR`` says. A row's sums may be added up in
    another order than written, but always in the same one.

    Parameters
    ----------
    function
        A module's function (not one made inside another: Numba would not find it in its cache again).
    """
    with _cache_folder():
        made: Callable[..., Any] = numba.njit(
            function, cache=True, nogil=True, fastmath=_SUMS, error_model="numpy"
        )
    return made


def inlined(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make a function that compiled functions may call; LLVM puts it in its place."""
    made: Callable[..., Any] = numba.njit(
        function, nogil=True, fastmath=_SUMS, error_model="numpy", forceinline=True
    )
    return made


@contextlib.contextmanager
def _cache_folder() -> Iterator[None]:
    """Have Numba keep what is made inside in our folder, and leave its setting for others alone."""
    config: Any = numba.config
    before = config.CACHE_DIR
    if not os.environ.get("NUMBA_CACHE_DIR"):
        config.CACHE_DIR = str(cache_root() / "numba" / _version())
    try:
        yield
    finally:
        config.CACHE_DIR = before


@functools.cache
def _version() -> str:
    """Tell versions of this package apart: Numba looks at the file of a function, not at what it calls."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
