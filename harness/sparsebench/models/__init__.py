"""Submissions: the contract that they keep, their manifests, and where they are found."""

from __future__ import annotations

from sparsebench.models.contract import Experts, Parameters, Routed, Router, Routes, Submission
from sparsebench.models.discovery import SubmissionFolder, find_submission, folder_hash, shipped_names

__all__ = [
    "Experts",
    "Parameters",
    "Routed",
    "Router",
    "Routes",
    "Submission",
    "SubmissionFolder",
    "find_submission",
    "folder_hash",
    "shipped_names",
]
