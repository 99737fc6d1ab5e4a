"""The operations of routed networks, each with a definition, a CPU implementation and a price."""

from __future__ import annotations

from sparsebench.ops.bits import pack_bits, quantize
from sparsebench.ops.grouped import grouped_linear
from sparsebench.ops.hashing import hyperplane_hash
from sparsebench.ops.lookup import gather
from sparsebench.ops.primitive import PRIMITIVES, Primitive
from sparsebench.ops.prototype import nearest_prototype
from sparsebench.ops.selection import top_k
from sparsebench.ops.tree import tree_route

__all__ = [
    "PRIMITIVES",
    "Primitive",
    "gather",
    "grouped_linear",
    "hyperplane_hash",
    "nearest_prototype",
    "pack_bits",
    "quantize",
    "top_k",
    "tree_route",
]
