"""Mixtures of MLPs: how errors fall with experts, and what one input loads."""

from __future__ import annotations

import importlib
import math
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.studies.intervals import line_through, mean_interval, ratio_interval
from sparsebench.studies.metered import counted
from sparsebench.studies.nets import cell_errors, farthest_points, nearest
from sparsebench.studies.records import Claim, Line, Outcome, Plot, Study, Table, verdict
from sparsebench.studies.shipped import opened, regression, samples

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sparsebench.studies.intervals import Interval
    from sparsebench.studies.steps import Steps

    Floats = NDArray[np.float64]

__all__ = ["STUDY", "TARGETS", "apart_and_together", "sup_errors"]

_EXPERTS, _QUICK_EXPERTS = (16, 64, 256, 1024), (16, 64, 256)
_SAMPLES, _QUICK_SAMPLES, _TEST = 60_000, 20_000, 20_000
_SEEDS, _QUICK_SEEDS = 5, 3
_NEAR = 0.12  # how far a slope may be off
_WIDTH = 8  # of the experts
_DEPTHS = (4, 6)  # of the tree: 16 and 64 experts
_OWN = 16384  # samples of the mixture and of its dense rival
_RATES = (0.003, 0.01, 0.03)  # of the dense rival, the best of which counts
_STEPS, _QUICK_STEPS, _BATCH = 8000, 1500, 256
_TIMES = 40  # fewer parameters, at least


def _distance(n: int, rng: np.random.Generator) -> Any:
    """Draw a function of Lipschitz constant 1: the distance to the nearest of ten points."""
    points = rng.random((10, n))

    def f(x: Floats) -> Floats:
        return np.asarray(np.sqrt(np.min(np.sum((x[:, None, :] - points) ** 2, axis=2), axis=1)))

    return f


def _sines(x: Floats) -> Floats:
    """Return a smooth function: the product of sin(2 pi x_i)."""
    return np.asarray(np.prod(np.sin(2 * np.pi * x), axis=1))


TARGETS = {"constant": (_distance, False, 1), "affine": (lambda *_: _sines, True, 2)}
"""Experts -> the function that they learn, whether they are affine, and p: the error falls like N^(-p/n)."""


def sup_errors(what: str, n: int, seed: int, many: int, experts: tuple[int, ...]) -> list[float]:
    """Return the largest error of experts on farthest-point nets of several sizes.

    Parameters
    ----------
    what
        ``constant`` or ``affine``.
    n
        Dimensions of the cube [0, 1]^n.
    seed
        Of the draws.
    many
        Training inputs.
    experts
        Numbers of experts, ascending.
    """
    make, affine, _ = TARGETS[what]
    rng = np.random.default_rng([seed, n, len(what)])
    f = make(n, rng)
    x, fresh = rng.random((many, n)), rng.random((_TEST, n))
    y, truth = f(x), f(fresh)
    return [
        cell_errors((x, y, own), (fresh, truth, nearest(fresh, net)), len(net), affine=affine)
        for net, own in farthest_points(x, experts[-1], experts)
    ]


def _rivals(depth: int, seed: int, length: int) -> dict[str, list[float]]:
    """Return stored and loaded parameters, operations and the largest error of a mixture and a dense network.

    The dense network has two hidden layers of one width, the least that stores no fewer numbers.
    """
    rng = np.random.default_rng([depth, seed])
    x, check, fresh = (rng.uniform(0, 1, (m, 2)) for m in (_OWN, 2048, _TEST))
    train, valid, test = (samples(points, _sines(points)) for points in (x, check, fresh))
    with opened("momlp") as make:
        mlps = importlib.import_module("stacked_mlps")
        mixture = make(regression(2), depth=depth, width=_WIDTH)
        params = mixture.fit(train, valid, rng)
        total = sum(array.size for array in params.values())
        width = next(w for w in count(1) if w * 3 + w * (w + 1) + w + 1 >= total)
        whole = [mlps.Part(each.x, each.y, [np.arange(len(each.x))]) for each in (train, valid)]
        rivals = []
        for rate, own in zip(_RATES, rng.spawn(len(_RATES)), strict=True):
            how = mlps.Training(steps=length, batch=_BATCH, rate=rate)
            layers = [layer[0] for layer in mlps.fit_stacked(*whole, (width, width), [own], how)]
            rivals.append(dict(zip(("w1", "b1", "w2", "b2", "w3", "b3"), layers, strict=True)))
        rival = min(rivals, key=lambda each: _largest(_dense, each, valid))
        found = {}
        for name, predict, model in (("mixture", mixture.predict, params), ("dense", _dense, rival)):
            one = counted(predict, model, test.x)
            found[name] = [one.stored, one.loaded, one.price(), _largest(predict, model, test)]
    return found


def _dense(params: dict[str, Any], x: Any) -> Any:
    xp = x.__array_namespace__()
    for weights, biases in (("w1", "b1"), ("w2", "b2")):
        x = xp.maximum(x @ params[weights].T + params[biases], 0.0)
    return (x @ params["w3"].T + params["b3"])[:, 0]


def _largest(predict: Any, params: dict[str, Any], split: Any) -> float:
    return float(np.max(np.abs(predict(params, split.x) - split.y)))


def apart_and_together(seed: int) -> float:
    """Return the largest difference of experts' weights that are trained apart and together."""
    rng = np.random.default_rng(seed)
    with opened("momlp"):
        mlps = importlib.import_module("stacked_mlps")
        x = rng.uniform(-1, 1, (400, 3)).astype(np.float32)
        y, cell = np.sin(3 * x[:, 0]).astype(np.float32), np.arange(400) % 5
        rows = [np.flatnonzero(cell == each) for each in range(5)]
        how = mlps.Training(steps=60, batch=16)
        whole = mlps.Part(x, y, rows)
        together = mlps.fit_stacked(whole, whole, (4,), np.random.default_rng(seed).spawn(5), how)
        off = 0.0
        for own, source in enumerate(np.random.default_rng(seed).spawn(5)):
            one = whole._replace(rows=[rows[own]])
            apart = mlps.fit_stacked(one, one, (4,), [source], how)
            off = max(
                off, *(float(np.max(np.abs(a[0] - b[own]))) for a, b in zip(apart, together, strict=True))
            )
    return off


def _measure(steps: Steps) -> Outcome:
    experts = _QUICK_EXPERTS if steps.quick else _EXPERTS
    many = _QUICK_SAMPLES if steps.quick else _SAMPLES
    seeds = range(_QUICK_SEEDS if steps.quick else _SEEDS)
    length = _QUICK_STEPS if steps.quick else _STEPS
    errors = {
        (what, n): [
            steps.take(f"{what}-{n}-{seed}", partial(sup_errors, what, n, seed, many, experts))
            for seed in seeds
        ]
        for what in TARGETS
        for n in (1, 2, 3)
    }
    slopes = {key: mean_interval([_slope(experts, each) for each in own]) for key, own in errors.items()}
    rivals = {
        depth: [steps.take(f"rivals-{depth}-{seed}", partial(_rivals, depth, seed, length)) for seed in seeds]
        for depth in _DEPTHS
    }
    off = [steps.take(f"apart-{seed}", partial(apart_and_together, seed)) for seed in seeds]
    means = {
        key: [math.exp(np.mean([math.log(each[k]) for each in own])) for k in range(len(experts))]
        for key, own in errors.items()
    }
    return Outcome(
        claims=(
            _slopes_claim(slopes),
            _loaded_claim(rivals),
            Claim(
                says="Experts can be trained apart: nothing of one depends on another.",
                source="the paper",
                measured=f"largest difference of weights {max(off):.0e}, {len(off)} seeds",
                asks="at most 1e-6, which is rounding in float32",
                verdict=verdict([max(off) <= 1e-6]),  # noqa: PLR2004
            ),
        ),
        plot=Plot(
            title="The largest error falls with the number of experts",
            across="experts N",
            up="largest error, geometric mean",
            lines=tuple(
                Line(f"{what}, n = {n}", [(float(e), m) for e, m in zip(experts, own, strict=True)])
                for (what, n), own in means.items()
            ),
            log_across=True,
            log_up=True,
        ),
        tables=(
            Table(
                f"Largest error, geometric mean of {len(seeds)} seeds",
                ("experts", "n", *(f"N = {e:,}" for e in experts), "slope", "expected"),
                [
                    (what, n, *own, str(slopes[what, n]), f"{-TARGETS[what][2] / n:.3g}")
                    for (what, n), own in means.items()
                ],
            ),
            Table(
                "A mixture and a dense network that stores as much, sin(2 pi x) sin(2 pi y)",
                ("experts", "network", "stored", "loaded", "operations", "largest error"),
                [
                    (2**depth, name, *map(int, own[0][name][:3]), str(errors))
                    for depth, own in rivals.items()
                    for name in ("mixture", "dense")
                    for errors in [mean_interval([each[name][3] for each in own])]
                ],
            ),
        ),
        remarks=(
            "Slopes appear only while cells hold enough samples, so each draw has its own.",
            "Constant experts learn the distance to the nearest of ten points, affine ones sines.",
        ),
    )


def _slope(experts: tuple[int, ...], errors: list[float]) -> float:
    return line_through([(math.log(n), math.log(e)) for n, e in zip(experts, errors, strict=True)]).slope


def _slopes_claim(slopes: dict[tuple[str, int], Interval]) -> Claim:
    return Claim(
        says="N experts on a net of [0, 1]^n approximate a Lipschitz function to N^(-1/n), and affine ones a "
        "smooth function to N^(-2/n).",
        source="Theorem of the paper; the constants and the case of smooth functions are derived",
        measured="slopes "
        + ", ".join(
            f"{slope} ({what}, n = {n}: {-TARGETS[what][2] / n:.3g})" for (what, n), slope in slopes.items()
        ),
        asks=f"each mean within {_NEAR} of its slope",
        verdict=verdict(
            [abs(slope.mean + TARGETS[what][2] / n) <= _NEAR for (what, n), slope in slopes.items()]
        ),
    )


def _loaded_claim(rivals: dict[int, list[dict[str, list[float]]]]) -> Claim:
    told, holds = [], []
    for depth, own in rivals.items():
        times = own[0]["dense"][1] / own[0]["mixture"][1]
        errors = ratio_interval([e["mixture"][3] for e in own], [e["dense"][3] for e in own])
        told.append(f"N = {2**depth}: {times:.1f} times fewer loaded, error {errors} of the dense network's")
        if depth == max(rivals):
            holds = [times >= _TIMES, errors.mean <= 1.0]
    return Claim(
        says="A mixture loads N times fewer parameters than a dense network that stores as many, at about "
        "equal error.",
        source="the paper's comparison of loaded parameters; sizes are ours",
        measured="; ".join(told),
        asks=f"with 64 experts at least {_TIMES} times fewer, at no larger error in the mean",
        verdict=verdict(holds),
    )


STUDY = Study(
    name="momlp",
    title="Mixtures of small networks, one of which is loaded",
    reference="Kratsios, Sáez de Ocáriz Borde, Furuya, Law: Approximation rates and VC-dimension bounds for "
    "(P)ReLU MLP mixture of experts (TMLR 2025), arXiv:2402.03460",
    about="Experts on farthest-point nets are fitted by least squares, each on its own cell; and the shipped "
    "`momlp` is compared with a dense network of the same total, by the same trainer.",
    measure=_measure,
)
