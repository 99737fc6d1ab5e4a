"""What backends share that are compiled by Numba, the extra ``fast``."""

WORTH = 2**22
"""Scalar operations from which on a call is worth the compiler. Below it the next backend is asked."""
