"""logic-gates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from submissions.sizes import Settings, Sizes, columns

if TYPE_CHECKING:
    import numpy as np

    Model = dict[str, np.ndarray]


def cost_of(settings: Settings, sizes: Sizes, params: Model, x: Any) -> dict[str, int]:
    """Price it: comparisons, gates, and the count of each class's gates; wires are parameters."""
    bits, outputs = len(params["columns"]), len(params["outputs"])
    gates = sum(array.shape[1] for name, array in params.items() if name.startswith("gates-"))
    votes = outputs - sizes.classes + sizes.classes - 1 if outputs > 1 else 0
    size = 2 * bits + 2 * gates + outputs
    return columns(experts=bits + gates + votes, stored=size, loaded=size)
