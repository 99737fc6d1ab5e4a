"""Merged experts: one layer made of all experts for every example."""

from sparsebench.ops.merging import definition, on_cuda, on_numpy

__all__ = ["definition", "on_cuda", "on_numpy"]
