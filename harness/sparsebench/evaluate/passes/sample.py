"""Which inputs are run one by one."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
import safetensors.numpy

if TYPE_CHECKING:
    from sparsebench.evaluate.plan import Cell
    from sparsebench.results import Row

__all__ = ["SAMPLE", "hash_of_model", "sample_inputs"]

SAMPLE = 256
"""Inputs of the test split that are also run one by one."""


def hash_of_model(parameters: dict[str, np.ndarray[Any, Any]]) -> str:
    """Hash a model: SHA-256 of its safetensors file, in hexadecimal."""
    return hashlib.sha256(safetensors.numpy.save(parameters)).hexdigest()


def sample_inputs(cell: Cell | Row, model_hash: str, n: int, size: int = SAMPLE) -> np.ndarray[Any, Any]:
    """Draw the inputs that are run one by one. The model is part of the draw: no model can be made for it.

    Parameters
    ----------
    cell, model_hash
        What is run, or the row of it.
    n
        Inputs of the test split.
    size
        How many are drawn at most. Another size gives other inputs.

    Returns
    -------
    numpy.ndarray
        Numbers of inputs, int64 ``(min(size, n),)``.
    """
    text = f"{cell.task_hash} {cell.instance} {cell.seed} {model_hash} one by one"
    entropy = int.from_bytes(hashlib.sha256(text.encode()).digest(), "little")
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy)))
    return rng.choice(n, size=min(size, n), replace=False)
