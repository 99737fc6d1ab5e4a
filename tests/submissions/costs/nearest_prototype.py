"""nearest-prototype: N products and norms, then an affine function, one for every class, or a label."""

from __future__ import annotations

from typing import TYPE_CHECKING

from submissions.sizes import Settings, Sizes, columns

if TYPE_CHECKING:
    import numpy as np


def cost_of(settings: Settings, sizes: Sizes, params: dict[str, np.ndarray], x: np.ndarray) -> dict[str, int]:
    d, many = sizes.d, settings["prototypes"]
    router, size = many * 2 * d + (many - 1), many * (d + 1)
    if "labels" in params:
        return columns(router=router, experts_lookups=1, macs=many * d, stored=size + many, loaded=size + 1)
    c = max(sizes.classes, 1)
    return columns(
        router=router,
        experts=c * 2 * d + (c - 1),
        experts_lookups=1,
        macs=(many + c) * d,
        stored=size + many * c * (d + 1),
        loaded=size + c * (d + 1),
    )
