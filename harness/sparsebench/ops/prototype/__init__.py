"""Nearest prototype."""

from sparsebench.ops.prototype import definition, on_cuda, on_numba, on_numpy

__all__ = ["definition", "on_cuda", "on_numba", "on_numpy"]
