"""lut-network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from submissions.sizes import Settings, Sizes, columns

if TYPE_CHECKING:
    import numpy as np

    Model = dict[str, np.ndarray]


def cost_of(settings: Settings, sizes: Sizes, params: Model, x: Any) -> dict[str, int]:
    """Price it: the fitted model says how many comparisons differ, and how many tables are needed."""
    different, (bits, tables) = len(params["features"]), params["wires"].shape
    outputs = 1 if tables == 1 or sizes.classes == 2 else sizes.classes
    choice = 0 if tables == 1 else max(1, outputs - 1)
    return columns(
        experts=different + outputs * (tables - 1) + choice,
        experts_addresses=tables * (bits - 1),
        experts_lookups=tables,
        stored=2 * different + tables * (bits + 2**bits * outputs),
        loaded=2 * different + tables * (bits + outputs),
    )
