"""Fast faces on a GPU: CUDA kernels and what launches them. Found by name: :mod:`sparsebench.ops.backends`."""
