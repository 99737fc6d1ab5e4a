"""The types of arrays and of their namespace, for annotations.

What they have stands in the stub beside this file, which is written from the rule table.
"""

from __future__ import annotations

__all__ = ["Array", "Namespace"]


class Array:
    """An array of the array API standard: metered, of NumPy, or of CuPy. For annotations alone."""


class Namespace:
    """What ``x.__array_namespace__()`` gives. For annotations alone."""
