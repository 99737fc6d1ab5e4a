"""two-hidden-layers."""

from __future__ import annotations

from math import ceil, log2
from typing import TYPE_CHECKING, Any

from submissions.sizes import Settings, Sizes, columns

if TYPE_CHECKING:
    import numpy as np

    Model = dict[str, np.ndarray]


def cost_of(settings: Settings, sizes: Sizes, params: Model, x: Any) -> dict[str, int]:
    """Price it: the fitted model says how many units there are."""
    d, k, m = sizes.d, len(params["knots"]), len(params["biases"])
    bits = ceil(log2(sizes.classes)) if sizes.classes else 0
    size = d + k + (k + 1) * m + 2 * m + 1
    return columns(
        experts=(2 * d - 1) + 2 * k + m * (2 * (k + 1) - 1 + 2) + 2 * m + (1 + bits if bits else 0),
        experts_addresses=max(bits - 1, 0),
        macs=d + (k + 1) * m + m,
        stored=size,
        loaded=size,
    )
