"""The price of a tree of prototypes with a perceptron at every leaf."""

from __future__ import annotations

from submissions.sizes import Settings, Sizes, columns


def cost(settings: Settings, sizes: Sizes) -> dict[str, int]:
    """Price it by its sizes."""
    d, depth = sizes.d, settings["depth"]
    h, v = settings.get("width", 8), settings.get("arity", 4)
    expert = h * (d + 2) + 1
    return columns(
        router=depth * (v * (3 * d - 1) + v - 1),
        router_lookups=depth,
        router_addresses=depth - 1,
        experts=h * (2 * d + 3),
        experts_lookups=1,
        macs=h * (d + 1),
        stored=sum(v**level for level in range(1, depth + 1)) * d + v**depth * expert,
        loaded=depth * v * d + expert,
    )
