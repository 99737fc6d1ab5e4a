"""The price of a binary tree of prototypes with a perceptron at every leaf."""

from __future__ import annotations

from submissions.sizes import Settings, Sizes, columns


def cost(settings: Settings, sizes: Sizes) -> dict[str, int]:
    """Price it by its sizes."""
    d, depth, h = sizes.d, settings["depth"], settings.get("width", 8)
    expert = h * (d + 2) + 1
    return columns(
        router=depth * 2 * d,
        router_lookups=depth,
        router_addresses=depth - 1,
        experts=h * (2 * d + 3),
        experts_lookups=1,
        macs=depth * d + h * (d + 1),
        stored=(2**depth - 1) * (d + 1) + 2**depth * expert,
        loaded=depth * (d + 1) + expert,
    )
