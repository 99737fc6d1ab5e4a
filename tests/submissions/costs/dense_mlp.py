"""dense-mlp: layers of 2 operations a weight, 1 a ReLU, and a comparison less than there are classes."""

from __future__ import annotations

from itertools import pairwise

from submissions.sizes import Settings, Sizes, columns

ROWS = 64


def cost(settings: Settings, sizes: Sizes) -> dict[str, int]:
    h, c = settings["hidden"], max(sizes.classes, 1)
    widths = [sizes.d, h, c] if h else [sizes.d, c]
    macs = sum(seen * given for seen, given in pairwise(widths))
    size = sum((seen + 1) * given for seen, given in pairwise(widths))
    return columns(experts=2 * macs + h + (c - 1), macs=macs, stored=size, loaded=size)
