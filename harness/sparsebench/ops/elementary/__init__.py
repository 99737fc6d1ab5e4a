"""Primitives of single numbers and of one axis."""
