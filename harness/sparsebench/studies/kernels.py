"""Euclidean kernels on the cube: one eigenvalue for all parities of a degree."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from sparsebench.studies.cube_kernels import eigenvalues, measured_eigenvalues
from sparsebench.studies.records import Claim, Line, Outcome, Plot, Study, Table, verdict

if TYPE_CHECKING:
    from sparsebench.studies.steps import Steps

__all__ = ["EIGENVALUES", "STUDY"]

EIGENVALUES = (69.5, 11.48, 1.896, 0.313, 0.0517, 0.0085, 0.0014)
"""Of exp(<x, y>/n) on the cube of n = 6, by degree, to the digits of a prototype."""

_BITS = 6


def _exponential(n: int, z: float) -> float:
    return math.exp(z / n)


def _cubic(n: int, z: float) -> float:
    return float((1.0 + z / n) ** 3)


def _gaussian(n: int, z: float) -> float:
    return math.exp(-2.0 * (n - z) / n)


_KERNELS = {
    "exp(<x, y>/n)": partial(_exponential, _BITS),
    "(1 + <x, y>/n)^3": partial(_cubic, _BITS),
    "exp(-|x - y|^2/n)": partial(_gaussian, _BITS),
}


def _off(name: str) -> float:
    """Return how far the formula is from the matrix's own eigenvalues, relative to the largest."""
    kernel = _KERNELS[name]
    told = np.repeat(eigenvalues(kernel, _BITS), [math.comb(_BITS, k) for k in range(_BITS + 1)])
    found = measured_eigenvalues(kernel, _BITS)
    return float(np.max(np.abs(np.sort(told)[::-1] - found)) / found[0])


def _measure(steps: Steps) -> Outcome:
    told = {name: eigenvalues(kernel, _BITS) for name, kernel in _KERNELS.items()}
    off = {name: steps.take(f"matrix-{n}", partial(_off, name)) for n, name in enumerate(_KERNELS)}
    first = told["exp(<x, y>/n)"]
    shares = {n: eigenvalues(partial(_exponential, n), n) for n in (6, 12, 20, 32)}
    return Outcome(
        claims=(
            Claim(
                says="On the cube a kernel of inner products is n + 1 numbers: all parities of k bits are "
                "eigenvectors, with one eigenvalue.",
                source="the paper; exp(<x, y>/n) with n = 6 of a prototype",
                measured=f"{', '.join(f'{value:.4g}' for value in first)}; the matrices of three kernels "
                f"have these eigenvalues to {max(off.values()):.0e} of the largest",
                asks="the seven numbers to half a digit of their last, and matrices to 1e-12",
                verdict=verdict(
                    [
                        all(_rounds(a, b) for a, b in zip(first, EIGENVALUES, strict=True)),
                        max(off.values()) < 1e-12,  # noqa: PLR2004
                    ]
                ),
            ),
        ),
        plot=Plot(
            title="One parity's share of exp(<x, y>/n) falls with its degree and with n",
            across="degree of the parity",
            up="eigenvalue over trace",
            lines=tuple(
                Line(f"n = {n}", [(float(k), _share(values, k)) for k in range(6)])
                for n, values in shares.items()
            ),
            log_up=True,
        ),
        tables=(
            Table(
                f"Eigenvalues, n = {_BITS}",
                ("kernel", *(f"degree {k}" for k in range(_BITS + 1))),
                [(name, *(_shown(value, values[0]) for value in values)) for name, values in told.items()],
            ),
        ),
    )


def _rounds(value: float, shown: float) -> bool:
    """Return whether a value is another one, rounded to its last digit."""
    text = f"{shown:.10f}".rstrip("0")
    return abs(value - shown) <= 0.51 * 10.0 ** -len(text.partition(".")[2])


def _shown(value: float, largest: float) -> str:
    """Write an eigenvalue; what is rounding alone is 0."""
    return f"{value:.4g}" if abs(value) > 1e-12 * largest else "0"


def _share(values: list[float], degree: int) -> float:
    n = len(values) - 1
    trace = sum(math.comb(n, k) * value for k, value in enumerate(values))
    return values[degree] / trace


STUDY = Study(
    name="kernels",
    title="Kernels that see inner products alone, on the cube",
    reference="Kothari, Livni: On the expressive power of kernel methods and the efficiency of kernel "
    "learning by association schemes (2019), arXiv:1902.04782",
    about="Eigenvalues follow from Krawtchouk's polynomials, exactly; those of the 64 x 64 matrices of three "
    "kernels are computed beside them.",
    measure=_measure,
)
