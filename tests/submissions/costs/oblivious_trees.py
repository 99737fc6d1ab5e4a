"""oblivious-trees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from submissions.sizes import Settings, Sizes, columns

if TYPE_CHECKING:
    import numpy as np

    Model = dict[str, np.ndarray]


def cost_of(settings: Settings, sizes: Sizes, params: Model, x: Any) -> dict[str, int]:
    """Price it: one tree where real labels are recalled, which the model shows."""
    trees, leaves, outputs = params["values"].shape
    depth = leaves.bit_length() - 1
    choice = (1 if outputs == 1 else outputs - 1) if sizes.classes else 0
    return columns(
        experts=trees * depth + outputs * (trees - 1) + choice,
        experts_addresses=trees * (depth - 1),
        experts_lookups=trees,
        stored=trees * (2 * depth + leaves * outputs),
        loaded=trees * (2 * depth + outputs),
    )
