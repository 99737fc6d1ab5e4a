"""Random inputs of workloads, first as float32 and then in the requested dtype."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["WIDTH", "dtype_of", "gates", "index", "layers", "normal", "quarters", "uniform", "weights"]

WIDTH = 64
"""Numbers of a row, where nothing else is said."""


def dtype_of(dtype: str) -> Any:
    """Return the dtype with a name; ``bfloat16`` needs the package ml_dtypes."""
    if dtype == "bfloat16":
        import ml_dtypes  # noqa: PLC0415 - needed for this dtype alone

        return np.dtype(ml_dtypes.bfloat16)
    return np.dtype(dtype)


def normal(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> Any:
    """Draw normal numbers."""
    return rng.standard_normal(shape, dtype=np.float32).astype(dtype_of(dtype))


def quarters(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> Any:
    """Draw multiples of 1/4 from -3 to 3: products of such numbers and their sums are exact in float32."""
    return (rng.integers(-12, 13, size=shape, dtype=np.int8) / np.float32(4)).astype(dtype_of(dtype))


def uniform(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> Any:
    """Draw numbers from 0 to 1."""
    return rng.random(shape, dtype=np.float32).astype(dtype_of(dtype))


def weights(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> Any:
    """Draw normal weights that preserve the scale of their inputs; the last axis is that of the inputs."""
    return (rng.standard_normal(shape, dtype=np.float32) / np.sqrt(shape[-1])).astype(dtype_of(dtype))


def index(rng: np.random.Generator, shape: int | tuple[int, ...], experts: int) -> Any:
    """Draw experts."""
    return rng.integers(0, experts, size=shape)


def gates(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> Any:
    """Draw positive numbers whose sum along the last axis is 1."""
    drawn = rng.random(shape, dtype=np.float32)
    return (drawn / drawn.sum(axis=-1, keepdims=True)).astype(dtype_of(dtype))


def layers(rng: np.random.Generator, experts: int, dtype: str) -> tuple[Any, ...]:
    """Draw two layers 64 → 64 → 64: weights, bias, weights, bias."""
    made = []
    for _ in range(2):
        made += [weights(rng, (experts, WIDTH, WIDTH), dtype), normal(rng, (experts, WIDTH), dtype)]
    return tuple(made)
