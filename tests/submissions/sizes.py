"""What the formulas of costs are made of: the sizes of an instance, and the columns of a row."""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["Settings", "Sizes", "columns"]

Settings = dict[str, Any]


class Sizes(NamedTuple):
    """What the cost of a submission may depend on."""

    n: int
    """Training samples."""
    d: int
    """Numbers of an input."""
    classes: int = 0
    domains: int = 0
    positions: int = 0
    """Of an input, d / positions numbers each."""
    negative: bool = True
    """Whether a number of an input may be negative."""


def columns(
    *,
    router: int = 0,
    experts: int = 0,
    router_lookups: int = 0,
    experts_lookups: int = 0,
    router_addresses: int = 0,
    experts_addresses: int = 0,
    macs: int = 0,
    stored: int,
    loaded: int,
) -> dict[str, int]:
    """Name the numbers. ``router`` and ``experts`` are additions, multiplications and comparisons."""
    ops_router = router + router_lookups + router_addresses
    ops_experts = experts + experts_lookups + experts_addresses
    return {
        "ops": ops_router + ops_experts,
        "ops_add_mul_cmp": router + experts,
        "lookups": router_lookups + experts_lookups,
        "macs": macs,
        "ops_router": ops_router,
        "ops_experts": ops_experts,
        "ops_router_free": ops_experts,
        "stored_parameters": stored,
        "loaded_parameters": loaded,
    }
