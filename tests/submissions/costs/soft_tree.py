"""soft-tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from submissions.sizes import Settings, Sizes, columns

if TYPE_CHECKING:
    import numpy as np

    Model = dict[str, np.ndarray]


def cost_of(settings: Settings, sizes: Sizes, params: Model, x: Any) -> dict[str, int]:
    """Price one path: twice as many levels where labels are recalled, which the model shows."""
    d, depth = sizes.d, len(params["told"]).bit_length() - 1
    return columns(
        router=depth * 2 * d,
        router_lookups=depth,
        router_addresses=depth - 1,
        experts_lookups=1,
        macs=depth * d,
        stored=(2**depth - 1) * (d + 1) + 2**depth,
        loaded=depth * (d + 1) + 1,
    )
