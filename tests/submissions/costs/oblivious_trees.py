"""oblivious-trees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from submissions.sizes import Settings, Sizes, columns

if TYPE_CHECKING:
    import numpy as np

    Model = dict[str, np.ndarray]


def cost_of(settings: Settings, sizes: Sizes, params: Model, x: Any) -> dict[str, int]:
    """Price it: the fitted model says how many comparisons differ, and one tree recalls real labels."""
    different, (depth, trees) = len(params["features"]), params["wires"].shape
    single = params["values"].ndim == 2  # one tree, whose leaves are classes
    outputs = 1 if single else params["values"].shape[2]
    choice = (1 if outputs == 1 else outputs - 1) if sizes.classes and not single else 0
    return columns(
        experts=different + outputs * (trees - 1) + choice,
        experts_addresses=trees * (depth - 1),
        experts_lookups=trees,
        stored=2 * different + trees * (depth + 2**depth * outputs),
        loaded=2 * different + trees * (depth + outputs),
    )
