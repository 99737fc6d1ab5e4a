"""The operations of routed networks, each with a definition, a CPU implementation and a price."""

from __future__ import annotations

from sparsebench.ops.activations import logsumexp, prelu, relu, softmax, swish
from sparsebench.ops.bits import pack_bits, quantize
from sparsebench.ops.combining import segment_combine, top_k_mask_linear
from sparsebench.ops.contraction import einsum
from sparsebench.ops.convac import convac_layer
from sparsebench.ops.gating import top_k_gate
from sparsebench.ops.grouped import gather_matmul, grouped_linear, grouped_mlp
from sparsebench.ops.hashing import hyperplane_hash, pstable_hash
from sparsebench.ops.lookup import gather, gather_constant, one_hot
from sparsebench.ops.merging import merge_linear, merged_mlp
from sparsebench.ops.normalization import layer_norm
from sparsebench.ops.polynomial import grouped_polynomial
from sparsebench.ops.primitive import PRIMITIVES, Primitive
from sparsebench.ops.prototype import nearest_in_tree, nearest_prototype
from sparsebench.ops.segments import scatter_add, segment_sum
from sparsebench.ops.selection import top_k
from sparsebench.ops.tanh import k_tanh
from sparsebench.ops.tree import axis_tree_route, oblique_tree_route, searchsorted_route, tree_route

__all__ = [
    "PRIMITIVES",
    "Primitive",
    "axis_tree_route",
    "convac_layer",
    "einsum",
    "gather",
    "gather_constant",
    "gather_matmul",
    "grouped_linear",
    "grouped_mlp",
    "grouped_polynomial",
    "hyperplane_hash",
    "k_tanh",
    "layer_norm",
    "logsumexp",
    "merge_linear",
    "merged_mlp",
    "nearest_in_tree",
    "nearest_prototype",
    "oblique_tree_route",
    "one_hot",
    "pack_bits",
    "prelu",
    "pstable_hash",
    "quantize",
    "relu",
    "scatter_add",
    "searchsorted_route",
    "segment_combine",
    "segment_sum",
    "softmax",
    "swish",
    "top_k",
    "top_k_gate",
    "top_k_mask_linear",
    "tree_route",
]
