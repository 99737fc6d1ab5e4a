"""attention-router."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from submissions.sizes import Settings, Sizes


def cost(settings: Settings, sizes: Sizes) -> dict[str, int]:
    """Price it: a projection, a product with every key, and the largest of them."""
    from submissions.formulas import routed_classifier

    q, m, many = settings["dimensions"], sizes.d, sizes.domains
    size = q * m + many * (q + 1)
    return routed_classifier(
        {"hidden": settings.get("hidden", 16)},
        sizes,
        router=q * (2 * m - 1) + many * 2 * q + (many - 1),
        macs=q * m + many * q,
        stored=size,
        loaded=size,
    )
