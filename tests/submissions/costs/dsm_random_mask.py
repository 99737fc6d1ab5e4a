"""The price of a network whose active units a hash names."""

from __future__ import annotations

from submissions.sizes import Settings, Sizes, columns


def cost(settings: Settings, sizes: Sizes) -> dict[str, int]:
    """Price it by its sizes."""
    d, m = sizes.d, settings.get("planes", 4)
    s = settings["active"]
    record = s * (d + 2)
    return columns(
        router=2 * d * m,
        router_addresses=m - 1,
        experts=s * (2 * d + 3),
        experts_lookups=1,
        macs=d * m + s * (d + 1),
        stored=m * (d + 1) + 2**m * record + 1,
        loaded=m * (d + 1) + record + 1,
    )
