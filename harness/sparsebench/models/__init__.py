"""Submissions: the contract that they keep, their manifests, and where they are found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sparsebench.ground import lazy

if TYPE_CHECKING:
    from sparsebench.models.contract import Experts, Model, Parameters, Routed, Router, Routes, Submission
    from sparsebench.models.discovery import (
        SubmissionFolder,
        find_submission,
        folder_hash,
        is_shipped,
        shipped_names,
    )

__all__ = [
    "Experts",
    "Model",
    "Parameters",
    "Routed",
    "Router",
    "Routes",
    "Submission",
    "SubmissionFolder",
    "find_submission",
    "folder_hash",
    "is_shipped",
    "shipped_names",
]

_HOMES = {
    "contract": ("Experts", "Model", "Parameters", "Routed", "Router", "Routes", "Submission"),
    "discovery": ("SubmissionFolder", "find_submission", "folder_hash", "is_shipped", "shipped_names"),
}

if not TYPE_CHECKING:  # or mypy accepts any name as one of the package
    __getattr__, __dir__ = lazy.attach(__name__, _HOMES)
