"""Fast faces compiled by Numba, the extra ``fast``. Found by name: :mod:`sparsebench.ops.backends`."""

WORTH = 2**22
"""Scalar operations from which on a call is worth the compiler. Below it the next face is asked."""
