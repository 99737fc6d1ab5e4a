"""Tasks: questions with a frozen version, their data in Parquet, and the hashes that hold them still.

Reading order: `records` (what a task is), `discovery` (where tasks lie), `loading` (Parquet to arrays,
hash checked), `manifest` (``task.toml``), `generation` and `verification` (how data come to be, and stay).
"""

from sparsebench.tasks.discovery import list_tasks, load_task
from sparsebench.tasks.generation import fresh_inputs
from sparsebench.tasks.records import Box, Instance, InstanceSpec, Split, Task, TaskInfo
from sparsebench.tasks.verification import FileCheck, regenerate, verify_task

__all__ = [
    "Box",
    "FileCheck",
    "Instance",
    "InstanceSpec",
    "Split",
    "Task",
    "TaskInfo",
    "fresh_inputs",
    "list_tasks",
    "load_task",
    "regenerate",
    "verify_task",
]
