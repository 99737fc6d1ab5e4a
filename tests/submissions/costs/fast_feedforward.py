"""fast-feedforward."""

from __future__ import annotations

from submissions.sizes import Settings, Sizes, columns


def cost(settings: Settings, sizes: Sizes) -> dict[str, int]:
    """Price one path, and the network of its leaf."""
    d, depth, h = sizes.d, settings["depth"], settings["hidden"]
    outputs = sizes.classes or 1
    leaf = h * (d + 1) + outputs * (h + 1)
    return columns(
        router=depth * 2 * d,
        router_lookups=depth,
        router_addresses=depth - 1,
        experts=2 * d * h + h + 2 * h * outputs + outputs - 1,
        experts_lookups=1,
        macs=depth * d + h * d + outputs * h,
        stored=(2**depth - 1) * (d + 1) + 2**depth * leaf,
        loaded=depth * (d + 1) + leaf,
    )
