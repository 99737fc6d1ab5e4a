"""Fast faces on NumPy: rows sorted by expert, and BLAS. Found by name: :mod:`sparsebench.ops.backends`."""
