"""Limited precision: rounding to the nearest number against rounding at random."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sparsebench.studies.intervals import Interval, mean_interval, ratio_interval
from sparsebench.studies.records import Claim, Line, Outcome, Plot, Study, Table, verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sparsebench.studies.steps import Steps

    Floats = NDArray[np.float64]

__all__ = ["STUDY", "Fixed", "final_errors", "rounded"]

_FEATURES, _BATCH = 10, 64
_RATES = (0.05, 0.02)  # of gradient descent; the verdict is on the smaller
_SEEDS, _STEPS, _QUICK_STEPS = 20, 8000, 2000
_WORD = 16
_FRACTIONS = (6, 8, 10, 12)
_ASKED = (8, 12)  # fraction bits for which the paper's effect is asked for
_LEAST = 100.0  # times less error


class Fixed(NamedTuple):
    """A fixed-point format of Gupta et al.: words of integer and fraction bits, the sign among the former."""

    integer: int
    fraction: int

    @property
    def unit(self) -> float:
        """The distance of neighbours."""
        return 2.0**-self.fraction

    @property
    def limits(self) -> tuple[float, float]:
        """The least and the largest number."""
        return -(2.0 ** (self.integer - 1)), 2.0 ** (self.integer - 1) - self.unit


def rounded(x: Floats, kind: Fixed, rng: np.random.Generator | None) -> Floats:
    """Round numbers to a format, saturating.

    Parameters
    ----------
    x
        Numbers.
    kind
        The format.
    rng
        Draws whether a number is rounded up, with its distance from the lower neighbour as probability, which
        makes the result unbiased (Gupta et al., section 3); None rounds to the nearest, halves up.
    """
    steps = x / kind.unit
    shift = 0.5 if rng is None else rng.random(x.shape)
    return np.clip(np.floor(steps + shift) * kind.unit, *kind.limits)


def final_errors(
    kind: Fixed, rate: float, *, stochastic: bool, seeds: Sequence[int], steps: int
) -> list[float]:
    """Train linear regressions in fixed point; return the final mean squared error of each seed.

    Weights, inputs and answers are words; a sum is exact, and rounded once: the answer, and the weight with
    its step. Labels are those of random weights, without noise, so that rounding alone is seen. Errors are on
    1,000 new inputs, the average over the last tenth of the steps, at 20 of them.

    Parameters
    ----------
    kind
        The format of the words.
    rate
        What a slope is multiplied by.
    stochastic
        How they are rounded.
    seeds
        One regression each.
    steps
        Of gradient descent, 64 new samples each.
    """
    draws = [np.random.default_rng([seed, kind.fraction]) for seed in seeds]
    lots = np.random.default_rng([*seeds, kind.fraction]) if stochastic else None
    truth = np.stack([rng.uniform(-0.5, 0.5, _FEATURES) for rng in draws])
    fresh = np.stack([rng.standard_normal((1000, _FEATURES)) for rng in draws])
    weights = np.zeros_like(truth)
    marks = set(np.linspace(0.9 * steps, steps - 1, 20).astype(int).tolist())
    found = []
    for step in range(steps):
        x = rounded(np.stack([rng.standard_normal((_BATCH, _FEATURES)) for rng in draws]), kind, None)
        label = np.einsum("snd,sd->sn", x, truth)
        answer = rounded(np.einsum("snd,sd->sn", x, weights), kind, lots)
        slope = np.einsum("sn,snd->sd", answer - label, x) / _BATCH
        weights = rounded(weights - rate * slope, kind, lots)
        if step in marks:
            found.append(np.mean(np.einsum("snd,sd->sn", fresh, weights - truth) ** 2, axis=1))
    return [float(value) for value in np.mean(found, axis=0)]


def _measure(steps: Steps) -> Outcome:
    length = _QUICK_STEPS if steps.quick else _STEPS
    seeds = range(_SEEDS)
    errors = {
        (rate, fraction, how): steps.take(
            f"rate-{rate}-fraction-{fraction}-{how}",
            partial(
                final_errors,
                Fixed(_WORD - fraction, fraction),
                rate,
                stochastic=how == "stochastic",
                seeds=seeds,
                steps=length,
            ),
        )
        for rate in _RATES
        for fraction in _FRACTIONS
        for how in ("nearest", "stochastic")
    }
    ratios = {
        (rate, f): ratio_interval(errors[rate, f, "nearest"], errors[rate, f, "stochastic"])
        for rate in _RATES
        for f in _FRACTIONS
    }
    small = min(_RATES)
    means = {key: mean_interval(values) for key, values in errors.items()}
    bias = steps.take("bias", _bias)
    return Outcome(
        claims=(
            Claim(
                says="Rounding at random is unbiased, rounding to the nearest is not.",
                source="the paper, section 3",
                measured=f"of 16 numbers between neighbours, the mean of 100,000 roundings is off by at most "
                f"{bias[0]:.1f} standard errors; to the nearest by up to {bias[1]:.2f} of a unit",
                asks="at most 4 standard errors; and at least a quarter of a unit",
                verdict=verdict([bias[0] <= 4, bias[1] >= 0.25]),  # noqa: PLR2004
            ),
            Claim(
                says="With words of 16 bits, training goes on where rounding to the nearest stalls.",
                source="the paper's argument; on linear regression, of a prototype: 378 and 720 times",
                measured=f"error of nearest over stochastic, rate {small:g}: "
                + "; ".join(f"{f} fraction bits {ratios[small, f]}" for f in _FRACTIONS),
                asks=f"at least {_LEAST:g} times, with its whole interval, with 8 and with 12 fraction bits",
                verdict=verdict([ratios[small, f].low >= _LEAST for f in _ASKED]),
            ),
        ),
        plot=Plot(
            title="Rounded to the nearest, small steps are lost",
            across="fraction bits of 16",
            up="final mean squared error",
            lines=tuple(
                Line(f"{how}, rate {rate:g}", [(float(f), means[rate, f, how].mean) for f in _FRACTIONS])
                for rate in _RATES
                for how in ("nearest", "stochastic")
            ),
            log_up=True,
        ),
        tables=(
            Table(
                f"Final mean squared error, {_SEEDS} seeds",
                ("rate", "fraction bits", "nearest", "stochastic", "times"),
                [
                    (
                        rate,
                        f,
                        *(_shown(means[rate, f, how]) for how in ("nearest", "stochastic")),
                        str(ratios[rate, f]),
                    )
                    for rate, f in ratios
                ],
            ),
        ),
        remarks=(
            "Rounded to the nearest, a step below half a unit is lost: the smaller the rate, the more.",
        ),
    )


def _bias() -> list[float]:
    """Return the largest bias of rounding at random, in standard errors; to the nearest, in units."""
    kind, rng, many = Fixed(8, 8), np.random.default_rng(0), 100_000
    shares = (np.arange(16) + 0.5) / 16
    x = 1.0 + shares * kind.unit
    drawn = rounded(np.broadcast_to(x, (many, 16)), kind, rng)
    spread = kind.unit * np.sqrt(shares * (1 - shares) / many)
    nearest = np.abs(rounded(x, kind, None) - x) / kind.unit
    return [float(np.max(np.abs(drawn.mean(axis=0) - x) / spread)), float(nearest.max())]


def _shown(each: Interval) -> str:
    return f"{each.mean:.2e} ({each.low:.2e} to {each.high:.2e})"


STUDY = Study(
    name="precision",
    title="Words of 16 bits, rounded to the nearest and at random",
    reference="Gupta, Agrawal, Gopalakrishnan, Narayanan: Deep learning with limited numerical precision "
    "(ICML 2015), arXiv:1502.02551",
    about="Linear regression with ten features by gradient descent, all words in fixed point with "
    "saturation. Sums are exact, and rounded once.",
    measure=_measure,
)
