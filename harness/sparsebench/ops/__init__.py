"""The operations of routed networks, each with a definition, a CPU implementation and a price.

Each is imported when it is first used.
"""

from __future__ import annotations

from sparsebench.ground import lazy
from sparsebench.ops.families import FAMILIES

__all__ = ["PRIMITIVES", "Primitive", *sorted(name for members in FAMILIES.values() for name in members)]  # noqa: PLE0604 - names

__getattr__, __dir__ = lazy.attach(
    __name__,
    {
        "core.primitive": ("Primitive",),
        "primitives": ("PRIMITIVES",),
        **FAMILIES,
    },
)
