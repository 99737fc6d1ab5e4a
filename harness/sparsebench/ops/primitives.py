"""The table of all primitives. Importing it imports them all."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from sparsebench.ops.families import FAMILIES

if TYPE_CHECKING:
    from sparsebench.ops.core.primitive import Primitive

__all__ = ["PRIMITIVES"]

PRIMITIVES: dict[str, Primitive] = {
    name: getattr(importlib.import_module(f"{__package__}.{family}"), name)
    for family, names in FAMILIES.items()
    for name in names
}
"""Every primitive by name."""
