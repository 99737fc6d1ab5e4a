"""cart: 2 look-ups and a comparison a level, an address operation after the first, and the leaf's look-up."""

from __future__ import annotations

from submissions.sizes import Settings, Sizes, columns

GROWN = 16


def cost(settings: Settings, sizes: Sizes) -> dict[str, int]:
    depth = settings["depth"]
    return columns(
        router=depth,
        router_lookups=2 * depth,
        router_addresses=depth - 1,
        experts_lookups=1,
        stored=2 * (2**GROWN - 1) + 2 * (2**GROWN - 1),  # nodes of all levels, and answers after each
        loaded=2 * depth + 1,
    )
