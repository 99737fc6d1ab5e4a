"""Conditional memorization: log n operations, networks as trees of affine pieces, and the bound below."""

from __future__ import annotations

import importlib
import math
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.scoring import counting_bound
from sparsebench.studies.records import Claim, Line, Outcome, Plot, Study, Table, verdict
from sparsebench.studies.shipped import Fitted, opened, regression, samples

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from sparsebench.studies.steps import Steps

    Floats = NDArray[np.float64]

__all__ = ["FORMULAS", "STUDY", "largest_difference", "parent_of_line"]

_R = 4  # numbers of an input
_SIZES, _QUICK_SIZES = (16, 256, 4096, 65536), (16, 256, 4096)
_LEAST = 1e-12  # relative difference of a synthesized network from its parent
_HIDDEN, _DEPTH = 64, 10  # of the network whose regions are asked for, and of the tree
_LINEAR = 16384  # points up to which a layer of as many units is built
_SEEDS = 5

FORMULAS: dict[str, Callable[[int], int]] = {
    "tree": lambda n: 2 * _R - 1 + math.ceil(math.log2(n)),
    "synthesis": lambda n: 2 * _R - 1 + math.ceil(math.log2(n - 1)) + 2,
    "one hidden layer": lambda n: 2 * _R - 1 + 4 * (n - 1),
}
"""Additions, multiplications and comparisons per input (derived), r = 4."""

_MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "tree": ("conditional-tree", {"share": 1}),
    "synthesis": ("conditional-synthesis", {"theorem": "line"}),
    "one hidden layer": ("one-hidden-layer", {"every": 1}),
    "two hidden layers": ("two-hidden-layers", {"every": 1}),
}


def _points(n: int, seed: int, r: int = _R) -> tuple[Floats, Floats]:
    rng = np.random.default_rng([n, seed])
    return rng.uniform(-1, 1, (n, r)), rng.uniform(-1, 1, n)


def _fitted(make: Callable[..., Any], n: int, settings: dict[str, Any]) -> Fitted:
    train = samples(*_points(n, 0))
    model = make(regression(_R, "recall"), **settings)
    return Fitted(model, model.fit(train, train, np.random.default_rng(0)))


def _priced(what: str, n: int) -> dict[str, float]:
    """Return what a model that recalls n labels takes, and which share of them it recalls."""
    name, settings = _MODELS[what]
    with opened(name) as make:
        fitted = _fitted(make, n, settings)
        x, y = (values.astype(np.float32) for values in _points(n, 0))
        found = fitted.counted(x)
        right = np.abs(fitted.answers(x) - y) <= 1e-6 * np.maximum(1, np.abs(y))
        units = sum(fitted.params[key].size for key in ("knots", "biases") if key in fitted.params)
    return {
        "add-mul-cmp": found.price("add-mul-cmp"),
        "recall": float(np.mean(right)),
        "neurons": units,
    }


def parent_of_line(t: Floats, y: Floats, at: Floats) -> Floats:
    """Return the unconditional network of points on a line: an intercept and a sum of ReLUs, all evaluated.

    Parameters
    ----------
    t, y
        Ascending places ``(n,)`` and values ``(n,)``.
    at
        Where it is evaluated ``(m,)``; from the first place on.
    """
    bends = np.diff(np.diff(y) / np.diff(t), prepend=0.0)
    return np.asarray(y[0] + np.maximum(at[:, None] - t[:-1], 0.0) @ bends)


def largest_difference(n: int) -> float:
    """Return the largest difference of a synthesized network from its parent, on the whole line.

    Relative to the largest term of the parent's sum, which is what float64 rounds.
    """
    with opened("conditional-synthesis") as make:
        fitted = _fitted(make, n, {"theorem": "line"})
        x, y = _points(n, 0)
        x = x.astype(np.float32)
        t = x @ fitted.params["direction"]
        order = np.argsort(t)
        t, y = t[order], y.astype(np.float32)[order].astype(np.float64)
        anywhere = np.random.default_rng(1).uniform(-1, 1, (4096, _R)).astype(np.float32)
        at = anywhere @ fitted.params["direction"]
        inside = (t[0] <= at) & (at <= t[-1])
        parent = parent_of_line(t, y, at[inside])
        largest = np.max(np.abs(np.diff(np.diff(y) / np.diff(t)))) * np.ptp(t)
        return float(np.max(np.abs(fitted.answers(anywhere)[inside] - parent)) / largest)


def _regions(r: int, seed: int) -> float:
    """Return the share of fresh points at which a tree over signs of neurons equals its parent."""
    rng = np.random.default_rng([r, seed])
    x = rng.uniform(-1, 1, (16384, r))
    weights, biases = rng.standard_normal((_HIDDEN, r)), rng.standard_normal(_HIDDEN) / 2
    readout = rng.standard_normal(_HIDDEN)
    with opened("conditional-synthesis") as make:
        model = make(regression(r), theorem="region", hidden=_HIDDEN, depth=_DEPTH)
        module = importlib.import_module(type(model).__module__)
        network = module.Network(weights, biases, readout, 0.0)
        params = module.of_regions(network, x, _DEPTH)
        fresh = rng.uniform(-1, 1, (4096, r))
        answers = Fitted(model, params).answers(fresh)
        return float(np.mean(np.isclose(answers, network.answers(fresh), rtol=1e-9, atol=1e-9)))


def _measure(steps: Steps) -> Outcome:
    sizes = _QUICK_SIZES if steps.quick else _SIZES
    found: dict[str, dict[int, dict[str, float]]] = {
        what: {
            n: steps.take(f"{what.replace(' ', '-')}-{n}", partial(_priced, what, n))
            for n in sizes
            if what in {"tree", "synthesis"} or n <= _LINEAR
        }
        for what in _MODELS
    }
    off = {n: steps.take(f"line-{n}", partial(largest_difference, n)) for n in sizes if n <= _LINEAR}
    regions = {
        r: [steps.take(f"regions-{r}-{seed}", partial(_regions, r, seed)) for seed in range(_SEEDS)]
        for r in (2, 4)
    }
    prices = {what: {n: int(each["add-mul-cmp"]) for n, each in own.items()} for what, own in found.items()}
    two = found["two hidden layers"]
    bounds = {n: math.ceil(counting_bound(n)) for n in sizes}
    return Outcome(
        claims=_claims(sizes, prices, found, off, regions, bounds),
        plot=Plot(
            title="Memorizing n labels: log n operations, or n",
            across="labels",
            up="additions, multiplications, comparisons",
            lines=(
                *(
                    Line(what, [(float(n), float(price)) for n, price in own.items()])
                    for what, own in prices.items()
                ),
                Line("counting bound", [(float(n), float(b)) for n, b in bounds.items()]),
            ),
            log_across=True,
            log_up=True,
        ),
        tables=(
            Table(
                "Additions, multiplications and comparisons per input, r = 4",
                ("n", *_MODELS, "neurons of the last", "counting bound"),
                [
                    (
                        n,
                        *(prices[what].get(n, "-") for what in _MODELS),
                        int(two[n]["neurons"]) if n in two else "-",
                        bounds[n],
                    )
                    for n in sizes
                ],
            ),
        ),
        remarks=(
            f"Hidden layers are built for up to {_LINEAR:,} labels: beyond, float64 rounds labels away.",
            "By `ops` a tree has a look-up a level besides, and an address operation a level but the first.",
        ),
    )


def _claims(
    sizes: Sequence[int],
    prices: dict[str, dict[int, int]],
    found: dict[str, dict[int, dict[str, float]]],
    off: dict[int, float],
    regions: dict[int, list[float]],
    bounds: dict[int, int],
) -> tuple[Claim, ...]:
    tree, two = prices["tree"], prices["two hidden layers"]
    slope = (tree[sizes[-1]] - tree[sizes[0]]) / math.log2(sizes[-1] / sizes[0])
    ratio = {n: cost / (8 * n) for n, cost in two.items()}
    shares = {r: f"{np.mean(own):.1%} ({min(own):.1%} to {max(own):.1%})" for r, own in regions.items()}
    recalled = {what: min(each["recall"] for each in own.values()) for what, own in found.items()}
    return (
        Claim(
            says="Conditional ReLU networks memorize n labels with O(log n) operations.",
            source="the paper; 2r - 1 + ceil(log2 n), and 2 more for a synthesized network, are derived",
            measured="tree "
            + ", ".join(f"{tree[n]} at n = {n:,}" for n in sizes)
            + f": {slope:g} comparisons a doubling; all labels are recalled",
            asks="the formulas exactly, for tree, synthesis and one hidden layer; one comparison a doubling; "
            "all labels recalled by tree and synthesis",
            verdict=verdict(
                [
                    all(prices[w][n] == formula(n) for w, formula in FORMULAS.items() for n in prices[w]),
                    slope == 1.0,
                    recalled["tree"] == recalled["synthesis"] == 1.0,
                ]
            ),
        ),
        Claim(
            says="log n is best possible: T operations fit at most T 2^T generic labels.",
            source="Theorem of the paper; the counting bound is derived",
            measured=", ".join(f"{bounds[n]} at n = {n:,}" for n in sizes) + "; nothing measured is below",
            asks="no model that recalls all labels below the bound",
            verdict=verdict(
                [
                    prices[what][n] >= bounds[n]
                    for what, own in found.items()
                    for n, each in own.items()
                    if each["recall"] == 1.0
                ]
            ),
        ),
        Claim(
            says="Unconditional networks take O(sqrt(n)) neurons.",
            source="the paper; a construction with two hidden layers is derived",
            measured="; ".join(
                f"n = {n:,}: {found['two hidden layers'][n]['neurons']:.0f} neurons, {cost:,} operations "
                f"({ratio[n]:.2f} of 8n)"
                for n, cost in two.items()
            ),
            asks="at most 5 sqrt(n) neurons that recall all labels; in float64 operations are not O(sqrt(n))",
            verdict=verdict(
                [
                    recalled["two hidden layers"] == 1.0,
                    all(
                        each["neurons"] <= 5 * math.sqrt(n) for n, each in found["two hidden layers"].items()
                    ),
                ]
            ),
        ),
        Claim(
            says="A general method turns an unconditional network into a conditional one.",
            source="the paper; on a line, by its affine pieces, derived",
            measured="largest relative difference from the parent "
            + ", ".join(f"{each:.0e} at n = {n:,}" for n, each in off.items()),
            asks=f"at most {_LEAST:g} on the whole line",
            verdict=verdict([max(off.values()) <= _LEAST]),
        ),
        Claim(
            says="In more dimensions, a tree over signs of neurons that is grown from samples equals its "
            "parent almost everywhere.",
            source="derived; of a prototype 99.5 % of fresh points (r = 2), 58 % (r = 4)",
            measured=f"{_HIDDEN} neurons, {_DEPTH} levels: "
            + ", ".join(f"r = {r}: {share}" for r, share in shares.items())
            + f" of fresh points, {_SEEDS} seeds",
            asks="above 90 % for r = 2 and for r = 4",
            verdict=verdict([bool(np.mean(own) > 0.9) for own in regions.values()]),  # noqa: PLR2004
        ),
    )


STUDY = Study(
    name="conditional",
    title="Memorizing with conditional networks",
    reference="Koyuncu: Conditional memorization (ICLR 2023), arXiv:2303.11247",
    about="The shipped submissions `conditional-tree`, `conditional-synthesis`, `one-hidden-layer` and "
    "`two-hidden-layers` memorize n random labels of n random points in four dimensions; the meter counts "
    "one input.",
    measure=_measure,
)
