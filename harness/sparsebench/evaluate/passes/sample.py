"""The draw of the inputs that are run one by one."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from sparsebench.evaluate.plan import Cell
    from sparsebench.results import Row

__all__ = ["MOST_ALONE", "SAMPLE", "sample_by_identity", "sample_inputs"]

SAMPLE = 256
"""Inputs of the test split that are run one by one in any case."""

MOST_ALONE = 4096
"""Inputs that are run one by one where these do not all cost the same: of a larger split, a sample."""


def sample_inputs(draw: int, n: int, size: int) -> np.ndarray[Any, Any]:
    """Draw the inputs that are run one by one.

    The draw is secret until the cell has ended, so no submission can be made for it; it is stored in the row,
    so everybody can find out which inputs they were. A smaller sample is the beginning of a larger one.

    Parameters
    ----------
    draw
        A seed, the row's ``sample_draw``.
    n
        The number of inputs of the test split.
    size
        Most inputs to draw.

    Returns
    -------
    numpy.ndarray
        Numbers of inputs, int64 ``(min(size, n),)``: in the order of n raw 64-bit numbers of PCG64, whose
        stream NumPy does not change.
    """
    keys = np.random.PCG64(np.random.SeedSequence(draw)).random_raw(n)
    return np.argsort(keys, kind="stable")[:size]


def sample_by_identity(cell: Cell | Row, model_hash: str, n: int, size: int = SAMPLE) -> np.ndarray[Any, Any]:
    """Draw inputs that are the same in every run of a cell with the same model.

    Audits on which no score depends use these, so that their findings can be repeated; and rows before schema
    version 4 ran these one by one.

    Parameters
    ----------
    cell, model_hash
        The cell, or its row.
    n
        The number of inputs of the test split.
    size
        Most inputs to draw. Another size gives other inputs.

    Returns
    -------
    numpy.ndarray
        Numbers of inputs, int64 ``(min(size, n),)``.
    """
    text = f"{cell.task_hash} {cell.instance} {cell.seed} {model_hash} one by one"
    entropy = int.from_bytes(hashlib.sha256(text.encode()).digest(), "little")
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy)))
    return rng.choice(n, size=min(size, n), replace=False)
