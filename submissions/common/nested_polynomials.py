"""One polynomial per cell, fitted towards that of the larger cell which it is a part of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]
    Integers = NDArray[np.integer[Any]]

__all__ = ["Cells", "Nested", "Samples", "fit_nested", "halved_cells", "monomials"]

RIDGES = (1e-1, 1.0, 10.0, 100.0, 1000.0)
"""Weights of what the larger cell says, in samples, to choose among.

Far less is unsafe where the samples of a cell lie on a curve: beside it a polynomial could be anything, and
the few samples that choose a ridge need not show it. That the least weight is 0.1 was itself chosen on the
validation split: ridges on one half of it, the quality on the other half. Of lsh-quadratic with eight planes
on curved-k2-d64, three seeds, that is .887; with weights from 0.01 on .820, from 0.001 on .645. On the
other instances below these differ by at most .006.

    scripts/choose-settings lsh-quadratic lipschitz-regression@1 --variants planes-8 --halves --seeds 3 \\
        --instances curved-k2-d64,curved-k3-d64,distance-2d,hypercube,convac \\
        --try "nested_polynomials.RIDGES=(.1,1,10,100,1e3),(.01,.1,1,10,100,1e3),(.001,.01,.1,1,10,100,1e3)"
"""


class Cells(NamedTuple):
    """Cells that lie in larger cells, level by level."""

    larger: Callable[[Integers, int], Integers]
    """The number of the cell of a level which a cell of the last level lies in, elementwise."""
    sizes: tuple[int, ...]
    """How many cells each level has, the largest first: 1, ..., C."""


class Samples(NamedTuple):
    """What polynomials are fitted to, or judged by."""

    z: Floats
    """What polynomials see, float64 ``(n, r)``."""
    y: Floats
    """Labels ``(n,)``."""
    cell: Integers
    """Cells of the last level ``(n,)``."""


class Nested(NamedTuple):
    """Polynomials, and which of them every cell has."""

    coefficients: Floats
    """float64 ``(m, M)``, in the order of `ops.grouped_polynomial`."""
    of_cell: NDArray[np.int32]
    """The polynomial of every cell of the last level, ``(C,)``."""


def halved_cells(bits: int) -> Cells:
    """Give the cells of addresses of some bits: a level has those of so many first bits."""
    return Cells(lambda cell, level: cell >> (bits - level), tuple(2**level for level in range(bits + 1)))


def fit_nested(samples: Samples, check: Samples, cells: Cells, degree: int) -> Nested:
    """Fit a polynomial per cell by ridge regressions towards that of the larger cell.

    Beginning with one cell for all, every level is fitted to what the level before leaves over. So a cell
    with few samples says nearly what the larger cell around it says, and one without says just that. The
    ridge of a level is the one with the least error on ``check``; where none lowers it, the cells of this
    level say what the larger ones say.

    Parameters
    ----------
    samples
        What is fitted to, n at least 1.
    check
        What chooses ridges.
    cells
        The cells of every level.
    degree
        Of the polynomials: 0, 1 or 2.

    Returns
    -------
    Nested
        Only polynomials that a cell of the last level has.
    """
    scaling = _Scaling.of(samples.z, degree)
    inputs, checked = scaling.apply(samples.z), scaling.apply(check.z)
    functions = np.zeros((1, inputs.shape[1]))
    functions[0, 0] = samples.y.mean()
    of_cell = np.zeros(cells.sizes[-1], dtype=np.int32)
    everywhere = np.arange(cells.sizes[-1])
    for level, size in enumerate(cells.sizes):
        seen, first, own = np.unique(
            cells.larger(samples.cell, level), return_index=True, return_inverse=True
        )
        numbers = np.full(size, -1, dtype=np.int64)
        numbers[seen] = np.arange(len(seen))
        others = numbers[cells.larger(check.cell, level)]
        before = of_cell[samples.cell]
        rest = samples.y - np.sum(inputs * functions[before], axis=1)
        missed = check.y - np.sum(checked * functions[of_cell[check.cell]], axis=1)
        found = _best(ridges(inputs, rest, own, len(seen)), checked, missed, others)
        own_of_cell = numbers[cells.larger(everywhere, level)]
        of_cell = np.where(own_of_cell < 0, of_cell, len(functions) + own_of_cell).astype(np.int32)
        functions = np.concatenate([functions, functions[before[first]] + found])
    used, compact = np.unique(of_cell, return_inverse=True)
    return Nested(scaling.unscaled(functions[used]), compact.astype(np.int32))


def monomials(z: Floats, degree: int) -> Floats:
    """List monomials in the order of `ops.grouped_polynomial`: 1, all coordinates, all products of two.

    Parameters
    ----------
    z
        ``(n, r)``.
    degree
        The highest: 0, 1 or 2.

    Returns
    -------
    numpy.ndarray
        float64 ``(n, M)``, M = C(r + degree, degree).
    """
    first, second = np.triu_indices(z.shape[1])
    parts = (np.ones((len(z), 1)), z, z[:, first] * z[:, second] if degree > 1 else z)
    return np.concatenate(parts[: degree + 1], axis=1)


def ridges(inputs: Floats, y: Floats, cell: Integers, cells: int) -> Floats:
    """Regress in every cell with every ridge, by the smaller of the two systems that say so.

    Parameters
    ----------
    inputs, y, cell
        Monomials ``(n, M)``, labels ``(n,)`` and cells ``(n,)`` of samples.
    cells
        How many there are.

    Returns
    -------
    numpy.ndarray
        ``(ridges, cells, M)``; 0 where a cell has no samples.
    """
    found = np.zeros((len(RIDGES), cells, inputs.shape[1]))
    order = np.argsort(cell, kind="stable")
    ends = np.cumsum(np.bincount(cell, minlength=cells))
    for own, rows in enumerate(np.split(order, ends[:-1])):
        a, b = inputs[rows], y[rows]
        few = len(rows) < a.shape[1]
        gram, right = (a @ a.T, b) if few else (a.T @ a, a.T @ b)
        penalties = np.multiply.outer(np.array(RIDGES), np.eye(len(gram)))
        solved = np.linalg.solve(gram + penalties, right[:, None])[..., 0]
        found[:, own] = solved @ a if few else solved
    return found


def _best(candidates: Floats, inputs: Floats, y: Floats, cell: Integers) -> Floats:
    """Give those of the candidates ``(c, cells, M)`` that err least on inputs, if less than 0 does; else 0.

    A cell of -1 has no function of its own.
    """
    known = cell >= 0
    inputs, y, cell = inputs[known], y[known], cell[known]
    errors = [float(np.sum((y - np.sum(inputs * own[cell], axis=1)) ** 2)) for own in candidates]
    least = int(np.argmin(errors))
    best: Floats = candidates[least] * (errors[least] < float(np.sum(y**2)))
    return best


class _Scaling(NamedTuple):
    """What makes coordinates, and their monomials, alike."""

    degree: int
    centre: Floats
    """Of the coordinates ``(r,)``."""
    scale: Floats
    """``(r,)``."""
    units: Floats
    """What monomials of ``(z - centre) / scale`` are divided by ``(M,)``."""

    @classmethod
    def of(cls, z: Floats, degree: int) -> _Scaling:
        centre, scale = z.mean(axis=0), _no_zeros(z.std(axis=0))
        parts = monomials((z - centre) / scale, degree)
        return cls(degree, centre, scale, _no_zeros(np.sqrt(np.mean(parts**2, axis=0))))

    def apply(self, z: Floats) -> Floats:
        return monomials((z - self.centre) / self.scale, self.degree) / self.units

    def unscaled(self, functions: Floats) -> Floats:
        """Write functions of what `apply` gives as polynomials of z, ``(m, M)``."""
        r, centre = len(self.centre), self.centre
        functions = functions / self.units
        constants, slopes, products = functions[:, 0], functions[:, 1 : r + 1], functions[:, r + 1 :]
        if self.degree:
            slopes = slopes / self.scale
            constants = constants - slopes @ centre
        if self.degree > 1:
            first, second = np.triu_indices(r)
            products = products / (self.scale[first] * self.scale[second])
            constants = constants + products @ (centre[first] * centre[second])
            for place, (i, j) in enumerate(zip(first, second, strict=True)):
                slopes[:, i] -= products[:, place] * centre[j]
                slopes[:, j] -= products[:, place] * centre[i]
        return np.concatenate([constants[:, None], slopes, products], axis=1)


def _no_zeros(scale: Floats) -> Floats:
    """Put 1 where nothing varies."""
    return np.where(scale == 0, 1.0, scale)
