"""The name of a cell: a hash of everything that its scores may depend on."""

from __future__ import annotations

import hashlib
import json

__all__ = ["cell_key"]


def cell_key(
    *,
    task: str,
    task_hash: str,
    instance: str,
    instance_hash: str,
    submission: str,
    submission_hash: str,
    variant: str,
    seed: int,
    scoring_version: int,
    cost_model: int,
) -> str:
    """Return the key of a cell. Two runs with the same key must agree in every field that is not a time.

    Parameters
    ----------
    task, task_hash, instance, instance_hash, submission, submission_hash, variant, seed, scoring_version,
    cost_model
        The fields of the row with the same names.

    Returns
    -------
    str
        SHA-256, 64 hexadecimal digits, of the fields as canonical JSON: an object with sorted keys, no
        spaces, ASCII only.
    """
    fields = {
        "cost_model": cost_model,
        "instance": instance,
        "instance_hash": instance_hash,
        "scoring_version": scoring_version,
        "seed": seed,
        "submission": submission,
        "submission_hash": submission_hash,
        "task": task,
        "task_hash": task_hash,
        "variant": variant,
    }
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()
