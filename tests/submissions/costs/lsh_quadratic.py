"""The price of a hash by hyperplanes with a quadratic polynomial per bucket."""

from __future__ import annotations

from submissions.sizes import Settings, Sizes, columns

DIRECT = 16
"""Coordinates that polynomials see themselves; more of them are projected."""


def cost(settings: Settings, sizes: Sizes) -> dict[str, int]:
    """Price it where the projections, if any, are as many as may be."""
    d, m = sizes.d, settings["planes"]
    r = d if d <= DIRECT else settings.get("rank", 12)
    projected = 0 if d <= DIRECT else r
    monomials = (r + 1) * (r + 2) // 2
    products = r * (r + 1) // 2
    evaluation = products + 2 * (monomials - 1)
    return columns(
        router=2 * d * m,
        router_addresses=max(m - 1, 0),
        experts=projected * (2 * d - 1) + evaluation,
        experts_lookups=1 if m else 0,
        macs=d * m + projected * d + monomials - 1,
        stored=m * (d + 1) + projected * d + 2**m * monomials,
        loaded=m * (d + 1) + projected * d + monomials,
    )
