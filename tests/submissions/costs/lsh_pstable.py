"""The price of a Euclidean hash with a constant or an affine function per bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from submissions.sizes import Settings, Sizes, columns

if TYPE_CHECKING:
    import numpy as np


def cost_of(settings: Settings, sizes: Sizes, params: dict[str, np.ndarray], x: np.ndarray) -> dict[str, int]:
    """Price it: the model is asked only how many buckets it stores."""
    d, k, bits = sizes.d, settings["directions"], settings["bits"]
    affine = settings.get("affine", False)
    table = 2 ** (k * bits)
    hashed = k * (d + 1)
    return columns(
        router=k * (2 * d - 1) + k + k * bits + 2 * (k - 1),
        router_addresses=k * (bits - 1),
        router_lookups=1 if affine else 0,
        experts=2 * d if affine else 0,
        experts_lookups=1,
        macs=k * d + (d if affine else 0),
        stored=hashed + table + (len(params["slopes"]) * (d + 1) if affine else 0),
        loaded=hashed + 1 + (d + 1 if affine else 0),
    )
