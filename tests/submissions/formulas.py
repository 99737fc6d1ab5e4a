"""What every shipped submission must cost per input, worked out by hand from sizes alone.

Nothing here asks the package: these formulas are the second opinion that its counts are compared with. A
formula takes a variant's settings, the number n of training samples and the number d of features, and gives
the row's columns. r in the memorization papers is d here.
"""

from __future__ import annotations

from math import ceil, log2
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["FORMULAS", "expected"]

Settings = dict[str, Any]


def expected(name: str, settings: Mapping[str, Any], n_train: int, d: int) -> dict[str, int]:
    """Give the expected columns of a shipped submission's variant."""
    return FORMULAS[name](dict(settings), n_train, d)


def columns(
    *,
    router: int = 0,
    experts: int = 0,
    router_lookups: int = 0,
    experts_lookups: int = 0,
    macs: int = 0,
    stored: int,
    loaded: int,
) -> dict[str, int]:
    """Name the numbers. ``router`` and ``experts`` are additions, multiplications and comparisons."""
    ops_router = router + router_lookups
    ops_experts = experts + experts_lookups
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


def constant(settings: Settings, n_train: int, d: int) -> dict[str, int]:
    return columns(stored=1, loaded=1)


def conditional_tree(settings: Settings, n_train: int, d: int) -> dict[str, int]:
    leaves = ceil(n_train / settings.get("share", 1))
    depth = ceil(log2(leaves))
    return columns(
        router=(2 * d - 1) + depth,
        router_lookups=depth,
        experts_lookups=1,
        macs=d,
        stored=d + (2**depth - 1) + leaves,
        loaded=d + depth + 1,
    )


def one_hidden_layer(settings: Settings, n_train: int, d: int) -> dict[str, int]:
    hidden = ceil(n_train / settings.get("every", 1)) - 1
    size = d + 2 * hidden + 1
    return columns(experts=(2 * d - 1) + 4 * hidden, macs=d + hidden, stored=size, loaded=size)


def lsh_constant(settings: Settings, n_train: int, d: int) -> dict[str, int]:
    m, s = settings["planes"], settings.get("tables", 1)
    return columns(
        router=2 * d * m * s,
        experts=s - 1,
        experts_lookups=s,
        macs=d * m * s,
        stored=s * (m * (d + 1) + 2**m),
        loaded=s * (m * (d + 1) + 1),
    )


def lsh_affine(settings: Settings, n_train: int, d: int) -> dict[str, int]:
    m = settings["planes"]
    return columns(
        router=2 * d * m,
        experts=2 * d,
        experts_lookups=1,
        macs=d * m + d,
        stored=(m + 2**m) * (d + 1),
        loaded=(m + 1) * (d + 1),
    )


def dense_features(settings: Settings, n_train: int, d: int) -> dict[str, int]:
    t = settings["units"]
    size = t * (d + 2) + 1
    return columns(experts=t * (2 * d + 3), macs=t * (d + 1), stored=size, loaded=size)


def dsm_topk(settings: Settings, n_train: int, d: int) -> dict[str, int]:
    s, t, reuse = settings["active"], settings["units"], settings.get("reuse", False)
    selection = (t - 1) + (s - 1) * ceil(log2(t))
    return columns(
        router=2 * d * t + selection,
        experts=3 * s if reuse else s * (2 * d + 3),
        experts_lookups=s,
        macs=t * d + (s if reuse else s * (d + 1)),
        stored=t * (d + 2) + 1,
        loaded=t * (d + 1) + s + 1,
    )


def nearest_prototype(settings: Settings, n_train: int, d: int) -> dict[str, int]:
    many = settings["prototypes"]
    return columns(
        router=many * (3 * d - 1) + (many - 1),
        experts=2 * d,
        experts_lookups=1,
        macs=d,
        stored=many * (2 * d + 1),
        loaded=many * d + d + 1,
    )


FORMULAS: dict[str, Callable[[Settings, int, int], dict[str, int]]] = {
    "conditional-tree": conditional_tree,
    "constant": constant,
    "dense-features": dense_features,
    "dsm-topk": dsm_topk,
    "lsh-affine": lsh_affine,
    "lsh-constant": lsh_constant,
    "nearest-prototype": nearest_prototype,
    "one-hidden-layer": one_hidden_layer,
}
"""The formula of every shipped submission, by name."""
