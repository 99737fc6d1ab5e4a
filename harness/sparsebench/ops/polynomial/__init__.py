"""Polynomials: every row goes through that of the bucket that it was routed to."""

from sparsebench.ops.polynomial import definition, on_cuda, on_numba, on_numpy

__all__ = ["definition", "on_cuda", "on_numba", "on_numpy"]
