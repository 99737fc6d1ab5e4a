"""Selection of the largest."""

from sparsebench.ops.selection import definition, on_numpy

__all__ = ["definition", "on_numpy"]
