"""The price of a network whose active units a product of two thin matrices names."""

from __future__ import annotations

from math import ceil, log2

from submissions.sizes import Settings, Sizes, columns


def cost(settings: Settings, sizes: Sizes) -> dict[str, int]:
    """Price it by its sizes: pre-activations of inputs of at most r numbers are exact, and computed once."""
    d, r = sizes.d, settings.get("rank", 4)
    s, t = settings["active"], settings["units"]
    selection = (t - 1) + (s - 1) * ceil(log2(t))
    network = t * (d + 2) + 1
    if d <= r:
        return columns(
            router=2 * d * t + selection,
            experts=3 * s,
            experts_lookups=s,
            macs=t * d + s,
            stored=network,
            loaded=t * (d + 1) + s + 1,
        )
    predictor = r * d + t * (r + 1)
    return columns(
        router=r * (2 * d - 1) + 2 * r * t + selection,
        experts=s * (2 * d + 3),
        experts_lookups=s,
        macs=r * d + t * r + s * (d + 1),
        stored=predictor + network,
        loaded=predictor + s * (d + 2) + 1,
    )
