"""Grouped layers: every row goes through the weights of the expert that it was routed to."""

from sparsebench.ops.grouped import definition, on_cuda, on_numba, on_numpy

__all__ = ["definition", "on_cuda", "on_numba", "on_numpy"]
