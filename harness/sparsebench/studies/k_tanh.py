"""K-TanH: how far it is from the tangent, and what two price lists say of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from sparsebench import ops
from sparsebench.meter.prices import PROFILES
from sparsebench.studies.metered import priced
from sparsebench.studies.records import Claim, Line, Outcome, Plot, Study, Table, Verdict, verdict

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sparsebench.studies.steps import Steps

__all__ = ["STUDY", "all_bfloat16", "largest_error"]

_LARGEST = (0.00892, 0.6211)  # error and where, to the digits of a prototype that went through all of them


def all_bfloat16() -> NDArray[np.float32]:
    """Return every finite bfloat16 number, ``(65280,)``, as float32: the upper half of its bits."""
    numbers = (np.arange(1 << 16, dtype=np.uint32) << 16).view(np.float32)
    return numbers[np.isfinite(numbers)]


def _off(x: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the distance of K-TanH from the tangent, in float64."""
    approximate: Any = ops.k_tanh(cast("Any", x))
    return np.abs(np.asarray(approximate, dtype=np.float64) - np.tanh(x.astype(np.float64)))


def largest_error() -> tuple[float, float]:
    """Return the largest distance of K-TanH from tanh over all finite bfloat16 numbers, and where it is."""
    x = all_bfloat16()
    off = _off(x)
    place = int(np.argmax(off))
    return float(off[place]), float(abs(x[place]))


def _curve() -> list[tuple[float, float]]:
    x = all_bfloat16()
    x = np.sort(x[(x >= 0.125) & (x <= 4.5)])  # noqa: PLR2004 - where it is neither x nor 1
    return [(float(a), float(b)) for a, b in zip(x[::4], _off(x)[::4], strict=True)]


def _prices() -> dict[str, list[int]]:
    def exact(_: Any, x: Any) -> Any:
        return x.__array_namespace__().tanh(x)

    def shifted(_: Any, x: Any) -> Any:
        return ops.k_tanh(x)

    one = np.full((1, 1), 0.5, dtype=np.float32)
    return {
        profile: [priced(function, {}, one, profile) for function in (exact, shifted)] for profile in PROFILES
    }


def _measure(steps: Steps) -> Outcome:
    error, place = steps.take("error", largest_error)
    curve = steps.take("curve", _curve)
    prices = steps.take("prices", _prices)
    exact, shifted = prices["ops"]
    exact_bits, shifted_bits = prices["bit-ops"]
    return Outcome(
        claims=(
            Claim(
                says="With the published table of 32 records, no bfloat16 number is farther than .00892 from "
                "its tangent; the farthest is .6211.",
                source="derived: the table of the paper, applied to all 65,280 finite numbers",
                measured=f"{error:.7f} at {place:.4f}; all numbers are looked at, so there is no interval",
                asks="both to the digits given",
                verdict=verdict([round(error, 5) == _LARGEST[0], round(place, 4) == _LARGEST[1]]),
            ),
            Claim(
                says="It costs less than the tangent: shifts and additions of integers, and a small table.",
                source="the paper's argument, which counts integer operations",
                measured=f"by `bit-ops`, which charges by the length of words: {shifted_bits:,} for "
                f"{exact_bits:,}; by `ops`, in which a tangent is 8: {shifted} for {exact}",
                asks="fewer by both price lists",
                verdict=verdict([shifted_bits < exact_bits, shifted < exact]),
            ),
            Claim(
                says="Networks train to the same accuracy with it.",
                source="the paper's experiments",
                measured="their figures could not be read",
                asks="-",
                verdict=Verdict.NOT_KNOWN,
            ),
        ),
        plot=Plot(
            title="K-TanH is off by at most .009, most between 1/4 and 1",
            across="x, a bfloat16 number",
            up="distance from tanh(x)",
            lines=(Line("K-TanH", curve),),
            log_across=True,
        ),
        tables=(
            Table(
                "The price of one tangent, float32",
                ("price list", "tanh", "k_tanh"),
                [(name, *values) for name, values in prices.items()],
            ),
        ),
        remarks=(
            "The two price lists disagree, and that is the result.",
            "K-TanH saves where words are short, and nothing where an operation is an operation.",
        ),
    )


STUDY = Study(
    name="k-tanh",
    title="K-TanH against the tangent, by two price lists",
    reference="Kundu, Heinecke, Kalamkar, Srinivasan, Qin, Mellempudi, Das, Banerjee, Kaul, Dubey: K-TanH: "
    "efficient TanH for deep learning (2019), arXiv:1909.07729",
    about="`ops.k_tanh` is applied to every finite bfloat16 number, and compared with the tangent in "
    "float64. The meter counts one tangent of each kind, in float32.",
    measure=_measure,
)
