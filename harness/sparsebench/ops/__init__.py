"""The operations of routed networks, each with a definition, a CPU implementation and a price.

Each is imported when it is first used.
"""

from __future__ import annotations

from sparsebench.ground import lazy
from sparsebench.ops.families import FAMILIES

__all__ = [
    "PRIMITIVES",
    "Primitive",
    "axis_tree_route",
    "convac_layer",
    "einsum",
    "erf",
    "gather",
    "gather_constant",
    "gather_matmul",
    "gelu",
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
    "sigmoid",
    "softmax",
    "swish",
    "top_k",
    "top_k_gate",
    "top_k_mask_linear",
    "tree_route",
]

__getattr__, __dir__ = lazy.attach(
    __name__, {"core.primitive": ("Primitive",), "primitives": ("PRIMITIVES",), **FAMILIES}
)
