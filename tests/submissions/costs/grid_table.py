"""grid-table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from submissions.sizes import Settings, Sizes, columns

if TYPE_CHECKING:
    import numpy as np

    Model = dict[str, np.ndarray]


def cost_of(settings: Settings, sizes: Sizes, params: Model | None, x: Any) -> dict[str, int]:
    """Price it; on the cube the fitted model says how many coordinates are compared."""
    if sizes.classes:
        return of_signs(settings, sizes, len(params["columns"]))
    d, bits, affine = sizes.d, settings["bits"], settings.get("affine", False)
    record = d + 1 if affine else 1
    while affine and 4 * 2**bits * record > 15 * 2**20:
        bits -= 1
    cut = min(bits, d)
    each = [bits // cut + (place < bits % cut) for place in range(cut)]
    router = _scaled(bits, cut, shifted=sizes.negative) if cut <= FEW else _compared(bits, each)
    return columns(
        router=router["router"],
        router_lookups=router["lookups"],
        router_addresses=router["addresses"],
        experts=2 * d if affine else 0,
        experts_lookups=1,
        macs=d if affine else 0,
        stored=cut + router["stored"] + 2**bits * record,
        loaded=cut + router["loaded"] + record,
    )


def of_signs(settings: Settings, sizes: Sizes, bits: int) -> dict[str, int]:
    """Price a table of signs: edges of one level, and with affine cells a comparison with 0."""
    d, affine = sizes.d, settings.get("affine", False)
    record = d + 1 if affine else 1
    return columns(
        router=bits,
        router_addresses=bits - 1,
        experts=2 * d + 1 if affine else 0,
        experts_lookups=1,
        macs=d if affine else 0,
        stored=2 * bits + 2**bits * record,
        loaded=2 * bits + record,
    )


FEW = 2
"""Coordinates of a grid that are scaled and quantised; of more, each is compared with edges."""


def _scaled(bits: int, cut: int, *, shifted: bool) -> dict[str, int]:
    """Price scaling, comparing, and joining the places: a multiplication and an addition each."""
    scaled = cut * (2 if shifted else 1)
    return {
        "router": scaled + bits + 2 * (cut - 1),
        "lookups": 0,
        "addresses": bits - cut,
        "stored": scaled,
        "loaded": scaled,
    }


def _compared(bits: int, each: list[int]) -> dict[str, int]:
    """Price comparing, and after the first level looking up edges, and what the bits are added to."""
    halved = [sum(own > level for own in each) for level in range(max(each))]
    cells = [2 ** sum(halved[:level]) for level in range(len(halved))]
    deeper = list(zip(cells, halved, strict=True))[1:]
    return {
        "router": bits + len(deeper),
        "lookups": len(deeper),
        "addresses": bits - len(halved),
        "stored": halved[0] + sum(many * (own + 1) for many, own in deeper),
        "loaded": halved[0] + sum(own + 1 for _, own in deeper),
    }
