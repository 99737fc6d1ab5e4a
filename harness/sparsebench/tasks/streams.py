"""Random streams that are the same on every machine, and what is drawn from them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from sparsebench.ground.line_ends import with_lf

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sparsebench.tasks.given import Split

__all__ = ["fresh_inputs", "secret_seed", "stream", "uniform_inputs"]


def stream(*labels: str | int | None) -> np.random.Generator:
    """Return the PCG64 stream of a list of labels: task, instance, seed, purpose.

    Each purpose has its own stream, so that drawing more points does not change the target function.
    """
    key = hashlib.sha256("/".join(str(label) for label in labels).encode()).digest()
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(int.from_bytes(key[:16], "little"))))


def uniform_inputs(rng: np.random.Generator, shape: tuple[int, ...], *, low: int = -1) -> NDArray[np.float32]:
    """Draw float32 values uniformly from [low, 1), with low = -1 or 0.

    The stream gives multiples of 2^-24, and mapping them to [-1, 1) is exact, so the values are the same
    on every machine.
    """
    unit = rng.random(shape, dtype=np.float32)
    return unit if low == 0 else np.float32(2) * unit - np.float32(1)


def fresh_inputs(split: Split, rng: np.random.Generator, n: int) -> NDArray[np.float32]:
    """Draw inputs for timing, which are never scored: each feature resampled by itself.

    Each feature keeps its distribution, and the rows are new.

    Parameters
    ----------
    split
        Where the values come from, inputs of shape ``(m, ...)``.
    rng
        The stream to draw from.
    n
        How many rows.

    Returns
    -------
    ndarray
        ``(n, ...)`` float32.
    """
    columns = split.x.reshape(len(split), -1)
    rows = rng.integers(len(split), size=(n, columns.shape[1]))
    return np.take_along_axis(columns, rows, axis=0).reshape(n, *split.x.shape[1:])


def secret_seed(content: bytes) -> int:
    """Turn the content of a seed file, with LF if it is text, into a seed: 256 bits, by SHA-256."""
    return int.from_bytes(hashlib.sha256(b"sparsebench seed 1\n" + with_lf(content)).digest(), "little")
