"""k-nn: all distances, or those to the samples in a list until none that follows can be nearer."""

from __future__ import annotations

from math import ceil, log2
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from submissions.sizes import Settings, Sizes, columns

if TYPE_CHECKING:
    from collections.abc import Mapping

    Parameters = Mapping[str, np.ndarray]

ENDS = (32, 240)


def cost_of(settings: Settings, sizes: Sizes, params: Parameters, x: np.ndarray) -> dict[str, int]:
    recalled = "faint" not in params and "votes" not in params
    k = 1 if recalled else settings["neighbours"]
    stored = sum(array.size for array in params.values())
    found = brute(params, x, k) if settings.get("rows") else search(settings, params, x, k)
    averaged = k > 1 and "faint" in params
    label = params["votes"].shape[1] if "votes" in params else 1
    answer = 0
    if "votes" in params:
        answer = label * (k - 1) + (label - 1)
    if averaged:  # differences, maxima, quotients, products, two sums, and the last quotient
        answer = (1 + 1 + 4 + 1) * k + 2 * (k - 1) + 4
    if averaged and settings.get("rows"):
        answer += 2 * sizes.d - 1
    return columns(
        experts=found.counted + answer,
        experts_lookups=found.lookups + k,
        experts_addresses=found.others,
        macs=found.macs,
        stored=stored,
        loaded=found.loaded + label * len(np.unique(found.near)) + averaged,
    )


class Found(NamedTuple):
    """The nearest samples, and what it cost to find them."""

    near: np.ndarray
    counted: int
    """Additions, multiplications and comparisons."""
    lookups: int
    others: int
    """Addresses and selections."""
    macs: int
    loaded: int


def brute(params: Parameters, x: np.ndarray, k: int) -> Found:
    many, d = params["twice"].shape
    near = np.argsort(-closeness(params, x), kind="stable")[:k]
    return Found(near, 2 * d * many + top(k, many), 0, 0, d * many, many * (d + 1))


def search(settings: Settings, params: Parameters, x: np.ndarray, k: int) -> Found:
    """Walk down the tree, and along the list."""
    x = x.ravel()
    d, depth, leaf = x.size, int(log2(len(params["features"]) + 1)), 0
    for level in range(depth):
        node = 2**level - 1 + leaf
        leaf = 2 * leaf + int(x[params["features"][node]] > params["thresholds"][node])
    counted, lookups, others, macs = depth, 2 * depth, depth - 1, 0
    most = settings["most"]
    seen, rounds = np.zeros(0, int), ENDS if most == ENDS[-1] else (most,)
    weighted = k > 1 and "faint" in params
    if weighted or len(rounds) > 1:
        counted += 2 * d - 1  # the squared norm, which a distance and a bound need
    for number, end in enumerate(rounds):
        if number:
            counted, others = counted + 2, others + 1  # the bound is compared, and who goes on is told
            nearest = np.sort(closeness(params, x, seen))[-k]
            if not nearest < x.astype(float) @ x - params["bound_0"][leaf]:
                break
            lookups += d + 1 + 2 * k  # what is carried on
            counted, lookups, others = (
                counted + top(k, 2 * k),
                lookups + k,
                others + 4 * k,
            )  # both best are joined
            lookups += k * (1 + weighted)  # what was found is replaced
        listed = params[f"list_{number}"][leaf].astype(int)[:most]
        counted += len(listed) * 2 * d + top(k, len(listed))
        lookups += 1 + 2 * len(listed) + k
        macs += len(listed) * d
        seen = np.concatenate([seen, listed])
        assert len(seen) == end
    bounds = sum(len(seen) > end for end in (0, *rounds[:-1]))
    near = seen[np.argsort(-closeness(params, x, seen), kind="stable")[:k]]
    loaded = 2 * depth + len(seen) + bounds + len(np.unique(seen)) * (d + 1)
    return Found(near, counted, lookups, others, macs, loaded)


def closeness(params: Parameters, x: np.ndarray, rows: np.ndarray | slice = slice(None)) -> np.ndarray:
    """Give the squared norm of an input less its squared distances from samples."""
    return params["twice"][rows].astype(float) @ x.ravel().astype(float) + params["norms"][rows]


def top(k: int, many: int) -> int:
    """Price the k largest of many."""
    return (many - 1) + (k - 1) * ceil(log2(many))
