"""fourier-router."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from submissions.sizes import Settings, Sizes, columns

if TYPE_CHECKING:
    import numpy as np

    Model = dict[str, np.ndarray]


def cost_of(settings: Settings, sizes: Sizes, params: Model, x: Any) -> dict[str, int]:
    """Price it: the fitted model says how many address bits there are, and how many an expert reads."""
    a, b = len(params["address"]), params["columns"].shape[1]
    if not a:
        return columns(experts=b, experts_addresses=b - 1, experts_lookups=1, stored=b + 2**b, loaded=b + 1)
    return columns(
        router=a,
        router_addresses=a - 1,
        experts=b + 1,  # comparisons, and where the table begins
        experts_lookups=1 + b + 1,  # the expert's record, b numbers of the input, the class
        experts_addresses=b - 1,
        stored=a + 2**a * (b + 1 + 2**b),
        loaded=a + b + 1 + 1,
    )
