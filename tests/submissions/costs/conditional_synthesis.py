"""conditional-synthesis."""

from __future__ import annotations

from math import ceil, log2
from typing import TYPE_CHECKING

from submissions.sizes import columns

if TYPE_CHECKING:
    from submissions.sizes import Settings, Sizes


def cost(settings: Settings, sizes: Sizes) -> dict[str, int]:
    """Price it: sizes say everything."""
    d, bits = sizes.d, ceil(log2(sizes.classes)) if sizes.classes else 0
    to_class = 1 + bits if bits else 0
    if settings["theorem"] == "region":
        depth, pieces = settings["depth"], 2 ** settings["depth"]
        router, nodes, read = 2 * d * depth, (pieces - 1) * (d + 1), depth * (d + 1)
        stored_pieces, own, of_piece, multiplied = pieces * (d + 1), 2 * d, d + 1, d * depth + d
    else:
        on_line = settings["theorem"] == "line"
        pieces = ceil(sizes.n / settings.get("every", 1)) - 1 if on_line else sizes.n
        depth = ceil(log2(pieces))
        router, nodes, read = (2 * d - 1) + depth, d + 2**depth - 1, d + depth
        own, of_piece = (2, 2) if on_line else (2 * d, d + 1)
        stored_pieces, multiplied = pieces * of_piece, d if on_line else 2 * d
    return columns(
        router=router,
        router_lookups=depth,
        router_addresses=max(depth - 1, 0),
        experts=own + to_class,
        experts_lookups=1,
        experts_addresses=max(bits - 1, 0),
        macs=multiplied,
        stored=nodes + stored_pieces,
        loaded=read + of_piece,
    )
