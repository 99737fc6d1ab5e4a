"""product-key-experts."""

from __future__ import annotations

from math import ceil, log2

from submissions.sizes import Settings, Sizes, columns

HALF = 8


def cost(settings: Settings, sizes: Sizes) -> dict[str, int]:
    """Price the scores of both halves' keys, of the query or of the input, the choice, and k neurons."""
    d, outputs = sizes.d, sizes.classes or 1
    many, k = settings["experts"], settings["active"]
    while 4 * many * (d + 1 + outputs) > 13 * 2**20:
        many //= 4
    keys = round(many**0.5)
    folded = keys * d <= HALF * (keys + d)
    scores = 4 * keys * d if folded else 4 * HALF * (keys + d)
    choice = 2 * top(keys, k) + k * k + top(k * k, k)
    numbers = 2 * k + 2 * k  # a shift and a mask, a product and a sum
    softmax = (k - 1) + (2 * k - 1) + 8 * k + 4 * k
    neurons = k * (2 * d - 1) + 3 * k  # a shift, a ReLU, and the gate
    readout = k * outputs + (k - 1) * outputs + outputs + outputs - 1
    shared = (2 * keys * (d + 1) if folded else 2 * HALF * (d + 1) + 2 * keys * (HALF + 1)) + outputs
    return columns(
        router=scores + choice + numbers + softmax,
        router_lookups=2 * k,
        experts=neurons + readout,
        experts_lookups=k,
        macs=scores // 2,
        stored=shared + many * (d + 1 + outputs),
        loaded=shared + k * (d + 1 + outputs),
    )


def top(m: int, k: int) -> int:
    """Price the k largest of m."""
    return (m - 1) + (k - 1) * ceil(log2(m))
