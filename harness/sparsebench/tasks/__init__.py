"""Tasks: questions with a frozen version, their data in Parquet, and the hashes that fix the data.

Reading order: `given` (what a submission is given), `records` (what a task is), `manifest` (``task.toml``),
`standard` (where tasks lie), `loading` and `parquet` (from files to arrays, with hashes checked), `cache`
(data made on first use), `streams`, `making` and `generation` (how data are made), `importing` and `fresh`
(new inputs), `task` and `discovery` (a task with access to its data, and how it is found), `verification`
(whether data are unchanged), `freezing`, `checking` and `sealing` (a user's own tasks and instances),
`croissant` (metadata).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sparsebench.ground import lazy

if TYPE_CHECKING:
    from sparsebench.tasks.authoring.verification import FileCheck, rederive, regenerate, verify_task
    from sparsebench.tasks.discovery import list_tasks, load_task, newest_task, newest_tasks
    from sparsebench.tasks.given import Split, TaskInfo
    from sparsebench.tasks.records import Box, Instance, InstanceSpec, Source
    from sparsebench.tasks.streams import fresh_inputs
    from sparsebench.tasks.task import Task

__all__ = [
    "Box",
    "FileCheck",
    "Instance",
    "InstanceSpec",
    "Source",
    "Split",
    "Task",
    "TaskInfo",
    "fresh_inputs",
    "list_tasks",
    "load_task",
    "newest_task",
    "newest_tasks",
    "rederive",
    "regenerate",
    "verify_task",
]

_HOMES = {
    "discovery": ("list_tasks", "load_task", "newest_task", "newest_tasks"),
    "given": ("Split", "TaskInfo"),
    "records": ("Box", "Instance", "InstanceSpec", "Source"),
    "streams": ("fresh_inputs",),
    "task": ("Task",),
    "authoring.verification": ("FileCheck", "rederive", "regenerate", "verify_task"),
}

if not TYPE_CHECKING:  # or mypy accepts any name as one of the package
    __getattr__, __dir__ = lazy.attach(__name__, _HOMES)
