"""Rows of cube@1: inputs that are in no other split, in each split as many of one class as of the other.

Inputs are uniform within their *kind*, which is their class or, where there are domains, their domain and
class; and all kinds have the same number of rows. So the best constant class is right for exactly half of
the rows of each domain, whatever share of the cube the class has.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np
from targets import REF, target

from sparsebench.tasks.generation import stream

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from targets import Codes, Int64, Target

CLASSES = 2
BATCH = 1 << 14
"""Codes that are drawn at a time, most of which a rare kind cannot use."""
ROWS = {"train": 16384, "valid": 2048, "test": 4096}
"""Split → rows."""
FEW = {"train": 1792, "valid": 256, "test": 1024}
"""The same where there are 4,096 inputs: 1,024 are left, from which new inputs are drawn."""
CROWDED = 12
"""Up to so many coordinates, there are few inputs."""


def split_rows(n: int) -> dict[str, int]:
    """Tell how many rows each split of an instance of n coordinates has."""
    return FEW if n <= CROWDED else ROWS


def inputs_of(codes: Codes, n: int) -> NDArray[np.float32]:
    """Write codes ``(m,)`` as inputs, ``(m, n)``, of -1 and 1."""
    ones = (codes[:, None] >> np.arange(n, dtype=np.uint64)) & np.uint64(1)
    return np.where(ones == 1, np.float32(1), np.float32(-1))


def codes_of(x: NDArray[np.float32]) -> Codes:
    """Read inputs ``(m, n)`` as codes, ``(m,)``; the inverse of `inputs_of`."""
    ones = (x > 0).astype(np.uint64) << np.arange(x.shape[1], dtype=np.uint64)
    return np.bitwise_or.reduce(ones, axis=1)


def kinds_of(function: Target, codes: Codes) -> Int64:
    """Give the kinds of codes ``(m,)``: twice the domain, plus the class."""
    return CLASSES * function.tags(codes) + function.labels(codes)


def even(rng: np.random.Generator, rows: int, kinds: int) -> Int64:
    """Draw the kinds of rows: as many of one as of another, in random order, ``(rows,)``."""
    return rng.permutation(np.arange(rows) % kinds)


def collect(rng: np.random.Generator, n: int, function: Target, wanted: Int64, taken: Codes) -> Codes:
    """Draw distinct codes of wanted kinds ``(m,)``, none of them among those that are taken: ``(m,)``.

    Codes are drawn uniformly from all; one that is taken, was drawn before, or is of a kind of which there
    are enough, is left out.
    """
    kinds = CLASSES * function.domains
    need = np.bincount(wanted, minlength=kinds)
    found: list[list[int]] = [[] for _ in range(kinds)]
    seen = set(taken.tolist())
    while any(len(here) < enough for here, enough in zip(found, need, strict=True)):
        codes = rng.integers(0, (1 << n) - 1, size=BATCH, dtype=np.uint64, endpoint=True)
        drawn = kinds_of(function, codes)
        lacking = np.array([len(here) < enough for here, enough in zip(found, need, strict=True)])
        useful = lacking[drawn]
        for kind, code in zip(drawn[useful].tolist(), codes[useful].tolist(), strict=True):
            if len(found[kind]) < need[kind] and code not in seen:
                seen.add(code)
                found[kind].append(code)
    out = np.empty(len(wanted), dtype=np.uint64)
    for kind, here in enumerate(found):
        out[wanted == kind] = here
    return out


@functools.lru_cache(maxsize=8)  # new inputs are compared with them
def stored(instance: str, seed: int | None, n: int) -> Codes:
    """Draw the codes of all rows: train, then valid, then test."""
    function, order = target(instance, seed), stream(REF, instance, seed, "order")
    kinds = CLASSES * function.domains
    wanted = np.concatenate([even(order, rows, kinds) for rows in split_rows(n).values()])
    codes = collect(stream(REF, instance, seed, "x"), n, function, wanted, np.empty(0, dtype=np.uint64))
    codes.setflags(write=False)
    return codes


def unseen(instance: str, seed: int | None, n: int, rng: np.random.Generator, rows: int) -> Codes:
    """Draw codes that are in no split, evenly from all kinds, ``(rows,)``.

    No code comes twice before every code that is left has come: of 12 coordinates 1,024 are left.
    """
    function, taken = target(instance, seed), stored(instance, seed, n)
    left = (1 << n) - len(taken)
    sizes = [min(left, rows - start) for start in range(0, rows, left)]
    parts = [collect(rng, n, function, even(rng, size, CLASSES * function.domains), taken) for size in sizes]
    return np.concatenate(parts)
