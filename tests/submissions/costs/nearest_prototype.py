"""nearest-prototype: N distances, then an affine function, one for every class, or a label."""

from __future__ import annotations

from typing import TYPE_CHECKING

from submissions.sizes import Settings, Sizes, columns

if TYPE_CHECKING:
    import numpy as np


def cost_of(settings: Settings, sizes: Sizes, params: dict[str, np.ndarray], x: np.ndarray) -> dict[str, int]:
    d, many = sizes.d, settings["prototypes"]
    router = many * (3 * d - 1) + (many - 1)
    if "labels" in params:
        return columns(router=router, experts_lookups=1, stored=many * (d + 1), loaded=many * d + 1)
    c = max(sizes.classes, 1)
    return columns(
        router=router,
        experts=c * 2 * d + (c - 1),
        experts_lookups=1,
        macs=c * d,
        stored=many * (d + c * (d + 1)),
        loaded=many * d + c * (d + 1),
    )
