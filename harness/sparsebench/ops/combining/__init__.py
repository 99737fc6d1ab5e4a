"""What stands behind the experts: gated sums of their values, and masks of the largest units."""

from sparsebench.ops.combining import definition, on_cuda, on_numba, on_numpy

__all__ = ["definition", "on_cuda", "on_numba", "on_numpy"]
