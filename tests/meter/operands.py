"""Arrays of which prices are worked out by hand, and arrays that hold nothing but have lengths."""

from __future__ import annotations

import numpy as np


class OfModel(np.ndarray):
    """An array that lies in the memory of the model."""


def model(array):
    return np.asarray(array).view(OfModel)


X = np.array([[0.5, -1.5, 2.0], [3.0, 0.25, -0.75]], dtype=np.float32)
Y = np.array([[1.0, 2.0, 0.5], [0.5, 0.5, 4.0]], dtype=np.float32)
N = np.array([[3, 1, 2], [0, 7, 5]], dtype=np.int64)
B = np.array([[True, False, True], [False, False, True]])
EDGES = np.array([-1.0, 0.0, 1.0, 2.0, 3.0], dtype=np.float32)
INDEX = np.array([1, 0, 1], dtype=np.int64)
TABLE = np.arange(12, dtype=np.float32).reshape(3, 4)
FREE = {}
F = "float32"

MANY = 1 << 21
NONE = np.zeros((MANY, 0))
NO_ROWS = np.zeros((0, MANY))
NONE_AT_ALL = np.zeros((MANY, 0, 0))
NOWHERE = np.zeros(0, dtype=np.int64)
NO_ADDRESSES = NONE.astype(np.int64)
SQUARES = np.zeros((0, 1500, 1500))
