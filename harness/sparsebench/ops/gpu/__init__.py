"""Fast faces on a GPU: CUDA kernels and their launches. Found by name: :mod:`sparsebench.ops.backends`."""
