"""What all tests share."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("sparsebench", deadline=None)  # a slow example is not a wrong one
settings.load_profile("sparsebench")
