"""A task's ``generate.py`` as a module of this process: another process would take too long for few inputs.

To make files, it runs as a script of its own (`making`). Here it and its siblings are imported by their
names, which are common ones (``problem``, ``metric``), so they are modules only while they are used.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
import threading
from typing import TYPE_CHECKING

from sparsebench.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType

    Files = tuple[tuple[str, int, int], ...]

__all__ = ["imported_generator", "is_importing"]

_SCRIPT = "generate"
_MODULES: dict[tuple[Path, Files], dict[str, ModuleType]] = {}  # the imported modules, until a file changes
_ONE_AT_A_TIME = threading.RLock()  # the modules belong to the whole process
_importing = False


def is_importing() -> bool:
    """Return whether a generator is used as a module at present, not as a script."""
    return _importing


@contextlib.contextmanager
def imported_generator(folder: Path) -> Iterator[ModuleType]:
    """Yield the module of a task's ``generate.py``; in the block it may import other modules of its folder.

    Parameters
    ----------
    folder
        The version folder. Its code runs with the rights of the caller, in the caller's process.

    Yields
    ------
    module
        The same module as long as none of the folder's Python files changes.

    Raises
    ------
    NotFoundError
        If there is no ``generate.py``.
    UsageError
        If a file has the name of a module that this process uses.
    """
    folder = folder.resolve()
    files = sorted(folder.glob("*.py"))
    names = [path.stem for path in files]
    if _SCRIPT not in names:
        raise NotFoundError(
            f"{folder}: expected a generate.py, got none",
            help="write one, or take `fresh = true` out of task.toml",
        )
    for name in names:
        if name in sys.stdlib_module_names or name in {"numpy", "sparsebench"}:
            raise UsageError(
                f"{folder / name}.py: expected a name of its own, got that of a module of Python, NumPy or "
                "sparsebench",
                help="rename it",
            )
    key = (folder, tuple((path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files))
    with _ONE_AT_A_TIME, _as_modules(str(folder), names, _MODULES.setdefault(key, {})):
        yield importlib.import_module(_SCRIPT)


@contextlib.contextmanager
def _as_modules(folder: str, names: list[str], kept: dict[str, ModuleType]) -> Iterator[None]:
    """Replace the modules of these names, and let others be found in the folder, for a while."""
    global _importing  # noqa: PLW0603 - so is sys.modules
    hidden = {name: sys.modules.pop(name) for name in names if name in sys.modules}
    before = _importing, sys.dont_write_bytecode
    if not kept:
        importlib.invalidate_caches()  # a file may be newer than the cached listing of its folder
    sys.modules.update(kept)
    sys.path.insert(0, folder)
    _importing = sys.dont_write_bytecode = True
    try:
        yield
    finally:
        _importing, sys.dont_write_bytecode = before
        sys.path.remove(folder)
        kept.update({name: sys.modules.pop(name) for name in names if name in sys.modules})
        sys.modules.update(hidden)
