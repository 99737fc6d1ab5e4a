# Written by `python -m sparsebench.meter.stubs` from the rule table. Do not edit.

"""Every primitive, by the module that it is in: known without importing any of them."""

from __future__ import annotations

__all__ = ["FAMILIES"]

FAMILIES: dict[str, tuple[str, ...]] = {
    "elementary.activations": ("relu", "prelu", "sigmoid", "swish", "softmax", "logsumexp"),
    "elementary.bits": ("pack_bits", "quantize"),
    "lookup.definition": ("gather", "one_hot", "gather_constant"),
    "elementary.tanh": ("k_tanh",),
    "selection.definition": ("top_k",),
    "combining.definition": ("segment_combine", "top_k_mask_linear"),
    "elementary.contraction": ("einsum",),
    "convac.definition": ("convac_layer",),
    "elementary.gaussian": ("erf", "gelu"),
    "gating.definition": ("top_k_gate",),
    "grouped.definition": ("grouped_linear", "gather_matmul", "grouped_mlp"),
    "hashing.definition": ("hyperplane_hash", "pstable_hash"),
    "merging.definition": ("merge_linear", "merged_mlp"),
    "elementary.normalization": ("layer_norm",),
    "polynomial.definition": ("grouped_polynomial",),
    "prototype.definition": ("nearest_prototype", "nearest_in_tree"),
    "elementary.segments": ("scatter_add", "segment_sum"),
    "tree.definition": ("tree_route", "axis_tree_route", "oblique_tree_route", "searchsorted_route"),
}
"""Module → its primitives, in the order of the page of prices."""
