"""Look-ups: one record from one or several tables, at a computed address."""

from sparsebench.ops.lookup import definition, on_cuda, on_numba, on_numpy

__all__ = ["definition", "on_cuda", "on_numba", "on_numpy"]
