"""Fast faces compiled by Numba, the extra ``fast``. Found by name: :mod:`sparsebench.ops.backends`."""
