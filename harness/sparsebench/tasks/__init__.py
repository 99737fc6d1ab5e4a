"""Tasks: questions with a frozen version, their data in Parquet, and the hashes that hold them still.

Reading order: `given` (what a submission is given), `records` (what a task is), `manifest` (``task.toml``),
`standard` (where tasks lie), `loading` and `parquet` (from files to arrays, hashes checked), `cache` (what is
made on first use), `streams`, `making` and `generation` (how data come to be), `importing` and `fresh` (new
inputs), `task` and `discovery` (a task with the ways to its data, and how it is found), `verification`
(whether data stay), `freezing`, `checking` and `sealing` (tasks and instances of one's own), `croissant`
(metadata).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sparsebench.ground import lazy

if TYPE_CHECKING:
    from sparsebench.tasks.authoring.verification import FileCheck, rederive, regenerate, verify_task
    from sparsebench.tasks.discovery import list_tasks, load_task
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
    "rederive",
    "regenerate",
    "verify_task",
]

_HOMES = {
    "discovery": ("list_tasks", "load_task"),
    "given": ("Split", "TaskInfo"),
    "records": ("Box", "Instance", "InstanceSpec", "Source"),
    "streams": ("fresh_inputs",),
    "task": ("Task",),
    "authoring.verification": ("FileCheck", "rederive", "regenerate", "verify_task"),
}

if not TYPE_CHECKING:  # or mypy takes any name for one of the package's
    __getattr__, __dir__ = lazy.attach(__name__, _HOMES)
