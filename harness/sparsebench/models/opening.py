"""Opening a submission: importing its module and calling its entry, in any process.

It runs in the submission's process and in an author's own process, so it holds nothing of the harness.
"""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING, Any

from sparsebench.errors import ContractError
from sparsebench.models.contract import Routed, Submission
from sparsebench.models.settings import check_settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

    from sparsebench.tasks.given import TaskInfo

__all__ = ["construct", "is_routed", "load_entry", "made_by"]


def load_entry(path: Path, entry: str) -> Any:
    """Import a submission's module from its folder, and return what ``entry`` names.

    Raises
    ------
    ContractError
        If the module has no such name.
    """
    module_name, _, name = entry.partition(":")
    sys.path.insert(0, str(path))  # a submission may have other modules than its entry
    found = getattr(_import(path / f"{module_name}.py", module_name), name, None)
    if not callable(found):
        message = f"entry: {module_name}.py has no class or function called {name!r}"
        raise ContractError(message, help="mend `entry` in submission.toml, or define it")
    return found


def _import(file: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def construct(
    path: Path, entry: str, task: TaskInfo, settings: dict[str, Any], variant: str = ""
) -> Submission:
    """Make the submission of one variant.

    Raises
    ------
    ContractError
        If the entry does not take the settings, or does not return a :class:`sparsebench.Submission`.
    """
    return made_by(load_entry(path, entry), path, task, settings, variant)


def made_by(
    entry: Callable[..., Any], path: Path, task: TaskInfo, settings: dict[str, Any], variant: str = ""
) -> Submission:
    """Make the submission of one variant with a loaded entry; see :func:`construct`."""
    check_settings(entry, path, variant, settings)
    made = entry(task, **settings)
    if not isinstance(made, Submission):
        message = f"entry: expected it to give a sparsebench.Submission, got {type(made).__name__}"
        raise ContractError(
            message, help="derive it from sparsebench.Submission, or return sparsebench.Routed(...)"
        )
    return made


def is_routed(submission: Submission) -> bool:
    """Return whether the harness can call router and experts one after the other by itself."""
    return isinstance(submission, Routed) and type(submission).predict is Routed.predict
