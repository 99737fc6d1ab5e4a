"""What every shipped submission must cost per input, worked out by hand from sizes alone.

Nothing here asks the package: these formulas are the second opinion that its counts are compared with. A
formula takes a variant's settings and the sizes of an instance, and gives the row's columns. r in the
memorization papers is d here.
"""

from __future__ import annotations

import importlib
import pkgutil
from itertools import pairwise
from math import ceil, log2
from typing import TYPE_CHECKING, Any

from submissions import costs
from submissions.sizes import Settings, Sizes, columns

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType

    import numpy as np

__all__ = ["FORMULAS", "expected", "rows_of", "varies"]


def expected(
    name: str,
    settings: Mapping[str, Any],
    sizes: Sizes,
    params: dict[str, np.ndarray] | None = None,
    x: np.ndarray | None = None,
) -> dict[str, int]:
    """Give the expected columns of a shipped submission's variant, for one input ``x`` where it matters."""
    if varies(name):
        return OWN[name].cost_of(dict(settings), sizes, params, x)
    return FORMULAS[name](dict(settings), sizes)


def varies(name: str) -> bool:
    """Say whether the fitted model or the input decides what a submission costs, beside the sizes."""
    return hasattr(OWN.get(name), "cost_of")


def rows_of(name: str) -> int:
    """Say how many training rows a submission's model is fitted to in tests."""
    return getattr(OWN[name], "ROWS", FEW_ROWS) if name in OWN else MANY_ROWS


def constant(settings: Settings, sizes: Sizes) -> dict[str, int]:
    return columns(stored=1, loaded=1)


def conditional_tree(settings: Settings, sizes: Sizes) -> dict[str, int]:
    d = sizes.d
    leaves = ceil(sizes.n / settings.get("share", 1))
    depth = ceil(log2(leaves))
    return columns(
        router=(2 * d - 1) + depth,
        router_lookups=depth,
        router_addresses=max(depth - 1, 0),
        experts_lookups=1,
        macs=d,
        stored=d + (2**depth - 1) + leaves,
        loaded=d + depth + 1,
    )


def one_hidden_layer(settings: Settings, sizes: Sizes) -> dict[str, int]:
    d = sizes.d
    hidden = ceil(sizes.n / settings.get("every", 1)) - 1
    size = d + 2 * hidden + 1
    return columns(experts=(2 * d - 1) + 4 * hidden, macs=d + hidden, stored=size, loaded=size)


def lsh_constant(settings: Settings, sizes: Sizes) -> dict[str, int]:
    d = sizes.d
    m, s = settings["planes"], settings.get("tables", 1)
    return columns(
        router=2 * d * m * s,
        router_addresses=s * (m - 1),
        experts=s - 1,
        experts_lookups=s,
        macs=d * m * s,
        stored=s * (m * (d + 1) + 2**m),
        loaded=s * (m * (d + 1) + 1),
    )


def lsh_affine(settings: Settings, sizes: Sizes) -> dict[str, int]:
    d = sizes.d
    m = settings["planes"]
    return columns(
        router=2 * d * m,
        router_addresses=m - 1,
        experts=2 * d,
        experts_lookups=1,
        macs=d * m + d,
        stored=(m + 2**m) * (d + 1),
        loaded=(m + 1) * (d + 1),
    )


def dense_features(settings: Settings, sizes: Sizes) -> dict[str, int]:
    d = sizes.d
    t = settings["units"]
    size = t * (d + 2) + 1
    return columns(experts=t * (2 * d + 3), macs=t * (d + 1), stored=size, loaded=size)


def dsm_topk(settings: Settings, sizes: Sizes) -> dict[str, int]:
    d = sizes.d
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


def expert_of(settings: Settings, sizes: Sizes) -> dict[str, int]:
    """Price a classifier: additions, multiplications and comparisons, macs, and its parameters.

    A layer of m outputs that sees k numbers costs 2km with its biases, and a ReLU 1; to choose the class
    costs classes - 1.
    """
    h, c, d = settings["hidden"], sizes.classes, sizes.d
    widths = [d, h, c] if h else [d, c]
    layers = list(pairwise(widths))
    macs = sum(seen * given for seen, given in layers)
    return {
        "experts": 2 * macs + h + (c - 1),
        "macs": macs,
        "size": sum((seen + 1) * given for seen, given in layers),
        "layers": len(layers),
    }


def routed_classifier(
    settings: Settings,
    sizes: Sizes,
    *,
    router: int = 0,
    search: int = 0,
    macs: int = 0,
    stored: int = 0,
    loaded: int = 0,
) -> dict[str, int]:
    """Price a router and the expert that it chose; ``search`` is how many levels a search tree has."""
    own = expert_of(settings, sizes)
    return columns(
        router=router + search,
        router_lookups=search,
        router_addresses=max(search - 1, 0),
        experts=own["experts"],
        experts_lookups=own["layers"],
        macs=macs + own["macs"],
        stored=stored + sizes.domains * own["size"],
        loaded=loaded + own["size"],
    )


def oracle_router(settings: Settings, sizes: Sizes) -> dict[str, int]:
    return routed_classifier(settings, sizes)


def random_router(settings: Settings, sizes: Sizes) -> dict[str, int]:
    d, edges = sizes.d, sizes.domains - 1
    cosine, search = 8, ceil(log2(edges + 1))
    size = d + edges
    return routed_classifier(
        settings, sizes, router=(2 * d - 1) + cosine, search=search, macs=d, stored=size, loaded=size
    )


def prototype_router(settings: Settings, sizes: Sizes) -> dict[str, int]:
    """Price it where the first position tells the domain: that is the cheap summary then."""
    many = sizes.domains
    q = sizes.d if settings.get("whole") else sizes.d // sizes.positions
    size = many * q
    return routed_classifier(
        settings, sizes, router=many * (3 * q - 1) + (many - 1), stored=size, loaded=size
    )


MANY_ROWS = 2048
"""Enough for every fit to be regular, few enough to be quick."""
FEW_ROWS = 512

OWN: dict[str, ModuleType] = {
    name.replace("_", "-"): importlib.import_module(f"{costs.__name__}.{name}")
    for _, name, _ in pkgutil.iter_modules(costs.__path__)
}
"""The modules of `submissions.costs` by the name of their submission."""

FORMULAS: dict[str, Callable[..., dict[str, int]]] = {
    "conditional-tree": conditional_tree,
    "constant": constant,
    "dense-features": dense_features,
    "dsm-topk": dsm_topk,
    "lsh-affine": lsh_affine,
    "lsh-constant": lsh_constant,
    "one-hidden-layer": one_hidden_layer,
    "oracle-router": oracle_router,
    "prototype-router": prototype_router,
    "random-router": random_router,
} | {name: own.cost_of if hasattr(own, "cost_of") else own.cost for name, own in OWN.items()}
"""The formula of every shipped submission, by name."""
