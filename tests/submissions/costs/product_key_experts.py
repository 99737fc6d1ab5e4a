"""product-key-experts."""

from __future__ import annotations

from math import ceil, log2

from submissions.sizes import Settings, Sizes, columns

K, HALF = 8, 8


def cost(settings: Settings, sizes: Sizes) -> dict[str, int]:
    """Price the query, the scores of both halves' keys, the choice, and k neurons."""
    d, outputs = sizes.d, sizes.classes or 1
    many = settings["experts"]
    while 4 * many * (d + 1 + outputs) > 13 * 2**20:
        many //= 4
    keys = round(many**0.5)
    query = 2 * HALF * 2 * d
    scores = 2 * keys * 2 * HALF
    choice = 2 * top(keys) + K * K + top(K * K)
    numbers = 2 * K + 2 * K  # a shift and a mask, a product and a sum
    softmax = (K - 1) + (2 * K - 1) + 8 * K + 4 * K
    neurons = K * (2 * d - 1) + 3 * K  # a shift, a ReLU, and the gate
    readout = K * outputs + (K - 1) * outputs + outputs + outputs - 1
    shared = 2 * HALF * (d + 1) + 2 * keys * (HALF + 1) + outputs
    return columns(
        router=query + scores + choice + numbers + softmax,
        router_lookups=2 * K,
        experts=neurons + readout,
        experts_lookups=K,
        macs=2 * HALF * d + 2 * keys * HALF,
        stored=shared + many * (d + 1 + outputs),
        loaded=shared + K * (d + 1 + outputs),
    )


def top(m: int) -> int:
    """Price the K largest of m."""
    return (m - 1) + (K - 1) * ceil(log2(m))
