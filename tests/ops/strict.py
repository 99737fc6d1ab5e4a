"""Arrays with which references are tried on arrays of the standard that have nothing else."""

from __future__ import annotations

import numpy as np

RNG = np.random.default_rng(0)
X = (RNG.integers(-8, 9, (5, 4)) / 4).astype(np.float32)
W = (RNG.integers(-8, 9, (4, 3)) / 4).astype(np.float32)
EXPERTS = (RNG.integers(-8, 9, (6, 3, 4)) / 4).astype(np.float32)
INDEX = np.array([5, 0, 2, 2, 1])
PAIRS = np.stack([INDEX, INDEX[::-1]], axis=1).astype(np.uint8)
ODD = np.array([[np.nan, 1.0, -np.inf, np.nan, 1.0], [np.inf, -0.0, 0.0, 3.0, np.inf]])
N = np.array([[-(2**63), 3, 3], [2**62, -1, 0]])
BITS = X > 0
CUBE = np.stack([X, X[::-1], 2 * X], axis=1)

NODES = np.array([3, 0, 2])
EDGES = np.sort(W[:, 0])
