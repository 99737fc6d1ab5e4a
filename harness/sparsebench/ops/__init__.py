"""The operations of routed networks, each with a definition, a CPU implementation and a price."""

from __future__ import annotations

from sparsebench.ops.activations import logsumexp, prelu, relu, softmax
from sparsebench.ops.bits import pack_bits, quantize
from sparsebench.ops.contraction import einsum
from sparsebench.ops.grouped import gather_matmul, grouped_linear
from sparsebench.ops.hashing import hyperplane_hash
from sparsebench.ops.lookup import gather, one_hot
from sparsebench.ops.normalization import layer_norm
from sparsebench.ops.primitive import PRIMITIVES, Primitive
from sparsebench.ops.prototype import nearest_prototype
from sparsebench.ops.segments import scatter_add, segment_sum
from sparsebench.ops.selection import top_k
from sparsebench.ops.tree import tree_route

__all__ = [
    "PRIMITIVES",
    "Primitive",
    "einsum",
    "gather",
    "gather_matmul",
    "grouped_linear",
    "hyperplane_hash",
    "layer_norm",
    "logsumexp",
    "nearest_prototype",
    "one_hot",
    "pack_bits",
    "prelu",
    "quantize",
    "relu",
    "scatter_add",
    "segment_sum",
    "softmax",
    "top_k",
    "tree_route",
]
