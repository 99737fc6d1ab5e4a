"""Tasks: questions with a frozen version, their data in Parquet, and the hashes that hold them still.

Reading order: `records` (what a task is), `discovery` (where tasks lie), `manifest` (``task.toml``),
`loading` and `parquet` (from files to arrays, hashes checked), `cache` (what is made on first use),
`generation` and `making` (how data come to be), `verification` (whether they stay), `freezing`, `checking`
and `sealing` (tasks and instances of one's own), `croissant` (metadata).
"""

from sparsebench.tasks.discovery import list_tasks, load_task
from sparsebench.tasks.generation import fresh_inputs
from sparsebench.tasks.records import Box, Instance, InstanceSpec, Source, Split, Task, TaskInfo
from sparsebench.tasks.verification import FileCheck, rederive, regenerate, verify_task

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
