"""Numbers of the activations, as ``common.cuh`` has them."""

from __future__ import annotations

__all__ = ["ACTIVATIONS", "IDENTITY"]

IDENTITY = 0

ACTIVATIONS = {"relu": 1, "prelu": 2, "swish": 3, "k_tanh": 4}
