"""Gates: which experts a row goes to, and with which weights."""

from sparsebench.ops.gating import definition, on_cuda, on_numba, on_numpy

__all__ = ["definition", "on_cuda", "on_numba", "on_numpy"]
