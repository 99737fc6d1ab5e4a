"""The price of a network whose active units a product of two thin matrices names."""

from __future__ import annotations

from math import ceil, log2

from submissions.sizes import Settings, Sizes, columns


def cost(settings: Settings, sizes: Sizes) -> dict[str, int]:
    """Price it by its sizes: inputs of at most r numbers are not projected."""
    d, r = sizes.d, settings.get("rank", 4)
    s, t = settings["active"], settings["units"]
    down = r if d > r else 0
    seen = min(d, r)
    selection = (t - 1) + (s - 1) * ceil(log2(t))
    predictor = down * d + t * (seen + 1)
    return columns(
        router=down * (2 * d - 1) + 2 * seen * t + selection,
        experts=s * (2 * d + 3),
        experts_lookups=s,
        macs=down * d + t * seen + s * (d + 1),
        stored=predictor + t * (d + 2) + 1,
        loaded=predictor + s * (d + 2) + 1,
    )
