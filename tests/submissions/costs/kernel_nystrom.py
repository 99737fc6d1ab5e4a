"""kernel-nystrom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from submissions.sizes import columns

if TYPE_CHECKING:
    from submissions.sizes import Settings, Sizes

SPECIAL = 8
"""What an exponential costs."""


def cost(settings: Settings, sizes: Sizes) -> dict[str, int]:
    """Price it: a centre is an inner product, an addition, an exponential and its part of the readout."""
    d, m = sizes.d, min(settings["centres"], sizes.n)
    kernels = m * ((2 * d - 1) + 1 + SPECIAL)
    far = (2 * d - 1) + 1 + SPECIAL
    size = m * (d + 2) + 2
    return columns(
        experts=kernels + far + (2 * m - 1) + 2 + (2 if sizes.classes else 0),
        macs=m * d + m,
        stored=size,
        loaded=size,
    )
