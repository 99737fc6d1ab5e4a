"""Every primitive, by the module that it is in: known without importing any of them."""

from __future__ import annotations

__all__ = ["FAMILIES"]

FAMILIES: dict[str, tuple[str, ...]] = {
    "activations": ("relu", "prelu", "sigmoid", "swish", "softmax", "logsumexp"),
    "bits": ("pack_bits", "quantize"),
    "lookup": ("gather", "one_hot", "gather_constant"),
    "tanh": ("k_tanh",),
    "selection": ("top_k",),
    "combining": ("segment_combine", "top_k_mask_linear"),
    "contraction": ("einsum",),
    "convac": ("convac_layer",),
    "gaussian": ("erf", "gelu"),
    "gating": ("top_k_gate",),
    "grouped": ("grouped_linear", "gather_matmul", "grouped_mlp"),
    "hashing": ("hyperplane_hash", "pstable_hash"),
    "merging": ("merge_linear", "merged_mlp"),
    "normalization": ("layer_norm",),
    "polynomial": ("grouped_polynomial",),
    "prototype": ("nearest_prototype", "nearest_in_tree"),
    "segments": ("scatter_add", "segment_sum"),
    "tree": ("tree_route", "axis_tree_route", "oblique_tree_route", "searchsorted_route"),
}
"""Module → its primitives, in the order of the page of prices."""
