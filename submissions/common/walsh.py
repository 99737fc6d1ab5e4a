"""Learning functions on the Boolean cube from samples: Walsh coefficients, parities, and tables of few bits.

Inputs are ``(N, n)`` of -1 and 1, labels ``(N,)`` of -1 and 1. The parity of a set S of coordinates is the
product of these coordinates; the Walsh coefficient of S is the mean of label times parity. A set is written
as an integer whose bit i says whether coordinate i is in it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]
    Integers = NDArray[np.integer[Any]]

__all__ = [
    "Table",
    "addresses",
    "best_table",
    "covers",
    "members",
    "on_cube",
    "parity_of_all",
    "relevance",
    "signs",
    "spectrum",
    "tables",
    "transform",
]

_TWO = 2
_FALSE = 0.01  # chance that any set is taken for one that matters where none does
_HEAVIEST = 64  # sets whose neighbours are looked at
_ROUNDS = 3  # times that neighbours are looked for
_SPARE = 24  # equations beyond the unknowns: a wrong parity satisfies them with a chance of 2**-24


def signs(classes: Integers) -> Floats:
    """Turn classes 0 and 1 into -1 and 1, float32."""
    return np.where(classes > 0, 1, -1).astype(np.float32)


def on_cube(x: Floats, classes: int | None) -> bool:
    """Say whether inputs are -1 and 1 throughout, and labels are of two classes."""
    return classes == _TWO and bool(np.all(np.abs(x) == 1))


def members(mask: int) -> list[int]:
    """List the coordinates of a set, ascending."""
    return [i for i in range(mask.bit_length()) if mask >> i & 1]


def spectrum(x: Floats, y: Floats) -> dict[int, float]:
    """Find the sets whose Walsh coefficients differ from 0 by more than chance allows.

    All sets of at most three coordinates are looked at (the low-degree algorithm of Linial, Mansour and
    Nisan 1993); then, of the heaviest sets, all that differ in one or two coordinates, and so on: a function
    that selects one of several parities has coefficients at these parities with any of its address bits.

    Parameters
    ----------
    x
        Inputs -1 and 1, ``(N, n)``.
    y
        Labels -1 and 1, ``(N,)``.

    Returns
    -------
    dict of int to float
        The coefficients by their sets, heaviest first. The empty set, whose coefficient is the mean, is
        left out.
    """
    x, y = x.astype(np.float32), y.astype(np.float32)
    n = x.shape[1]
    found: dict[int, float] = {}
    least = _least(len(x), sum(math.comb(n, degree) for degree in (1, 2, 3)))
    _take(found, 0, _pairs(x, y), least)
    for i in range(n - 2):
        _take(found, 1 << i, _pairs(x, y * x[:, i]), least, above=i)
    asked: set[int] = {0}
    least = _least(len(x), _HEAVIEST * n * n)
    for _ in range(_ROUNDS):
        fresh = [mask for mask in _heaviest(found) if mask not in asked]
        for mask in fresh:
            _take(found, mask, _pairs(x, y * np.prod(x[:, members(mask)], axis=1)), least)
        asked.update(fresh)
    return {mask: found[mask] for mask in _heaviest(found, len(found))}


def _pairs(x: Floats, y: Floats) -> Floats:
    """Give the coefficients of all sets of two, ``(n, n)``; of one on the diagonal."""
    means = (x * y[:, None]).T @ x / len(x)
    np.fill_diagonal(means, y @ x / len(x))
    return means


def _take(found: dict[int, float], mask: int, means: Floats, least: float, above: int = -1) -> None:
    """Note what exceeds ``least`` in the coefficients of sets that differ from one in one or two coordinates.

    Of coordinates up to ``above`` nothing is taken: other calls do.
    """
    heavy = np.argwhere(np.abs(np.triu(means)) > least)
    for i, j in heavy.tolist():
        if i > above:
            other = mask ^ (1 << i) if i == j else mask ^ (1 << i) ^ (1 << j)
            if other:
                found[other] = float(means[i, j])


def _least(rows: int, many: int) -> float:
    """Give what none of ``many`` coefficients of 0 exceeds by chance in so many rows (a union bound)."""
    return math.sqrt(2 * math.log(2 * many / _FALSE) / rows)


def _heaviest(found: dict[int, float], many: int = _HEAVIEST) -> list[int]:
    return sorted(found, key=lambda mask: (-abs(found[mask]), mask))[:many]


def relevance(found: dict[int, float], n: int) -> Floats:
    """Sum for every coordinate the squared coefficients of the sets that it is in, float64 ``(n,)``."""
    score = np.zeros(n)
    for mask, weight in found.items():
        score[members(mask)] += weight**2
    return score


def parity_of_all(x: Floats, y: Floats) -> int | None:
    """Find the set whose parity, or its opposite, is every label, by elimination over GF(2).

    Returns
    -------
    int or None
        The set, of any size; None where no parity agrees with all labels, and where rows are so few that a
        wrong one could.
    """
    n = x.shape[1]
    if len(x) < n + _SPARE:
        return None
    # An equation a row: its bits, 1 for the constant at bit n, and the label at bit n + 1.
    bits = np.column_stack([x > 0, np.ones(len(x)), y > 0])[: n + _SPARE].astype(np.int64)
    pivots: dict[int, int] = {}
    for row in (int("".join(map(str, line[::-1])), 2) for line in bits.tolist()):
        rest = row
        while rest & (1 << n + 1) - 1:
            lead = (rest & (1 << n + 1) - 1).bit_length() - 1
            if lead not in pivots:
                pivots[lead] = rest
                break
            rest ^= pivots[lead]
        if rest == 1 << n + 1:  # 0 = 1: no solution
            return None
    solved = _substitute(pivots, n)
    found = np.prod(x[:, members(solved)], axis=1) * y
    return solved if abs(found.sum()) == len(y) and solved else None


def _substitute(pivots: dict[int, int], n: int) -> int:
    """Solve the triangular system, free unknowns being 0: the set without its constant."""
    solution = 0
    for lead in sorted(pivots):
        row = pivots[lead]
        known = (row & solution & (1 << lead) - 1).bit_count() + (row >> n + 1)
        solution |= (known & 1) << lead
    return solution & (1 << n) - 1


class Table(NamedTuple):
    """What a label is, by the signs of a few coordinates."""

    columns: Integers
    """The coordinates, int64 ``(b,)``, the most significant bit of an address first."""
    values: Floats
    """An estimate of the label's mean in every cell, float64 ``(2**b,)``."""


def addresses(x: Floats, columns: Integers) -> Integers:
    """Pack the signs of some coordinates, the first one most significant: int64 ``(N,)``."""
    weights = 1 << np.arange(len(columns), dtype=np.int64)[::-1]
    return (x[:, columns] > 0) @ weights


def best_table(x: Floats, y: Floats, columns: Integers, valid: tuple[Floats, Floats]) -> Table:
    """Fill a table of 2**b cells: by the means of the samples, or by the Walsh coefficients that matter.

    The means are right however the inputs are distributed, but an empty cell knows nothing. Coefficients of
    all 2**b sets come from the sums of labels in the cells by a fast transform; those that chance explains
    are struck out, and the rest is transformed back, which fills empty cells, too. What is right for more
    of the validation samples is taken.

    Returns
    -------
    Table
    """
    cell = addresses(x, columns)
    cells = 2 ** len(columns)
    sums = np.asarray(np.bincount(cell, weights=y, minlength=cells), dtype=np.float64)
    means = (sums + y.mean()) / (np.bincount(cell, minlength=cells) + 1)
    weights = transform(sums) / len(y)
    weights[1:][np.abs(weights[1:]) < _least(len(y), cells)] = 0.0
    unseen, labels = addresses(valid[0], columns), valid[1] > 0
    filled = (transform(weights, back=True), means)
    right = [np.mean((values > 0)[unseen] == labels) for values in filled]
    return Table(columns, filled[int(np.argmax(right))])


def tables(x: Floats, y: Floats, most: int, valid: tuple[Floats, Floats]) -> list[Table]:
    """Fit tables of 1, 2, ... ``most`` coordinates, those first that matter most.

    Parameters
    ----------
    x, y
        Inputs and labels of -1 and 1, ``(N, n)`` and ``(N,)``.
    most
        Coordinates at most.
    valid
        Inputs and labels that decide how a table is filled.

    Returns
    -------
    list of Table
    """
    score = relevance(spectrum(x, y), x.shape[1])
    score[members(parity_of_all(x, y) or 0)] = np.inf
    order = np.argsort(-score, kind="stable")
    return [best_table(x, y, order[: b + 1], valid) for b in range(min(most, x.shape[1]))]


def covers(x: Floats, y: Floats, bits: int, most: int) -> list[list[int]]:
    """Divide the sets that matter among tables of at most so many coordinates.

    A table begins with the heaviest set that is left, and takes in those that add fewest coordinates, the
    heavier ones first, as long as they fit.

    Returns
    -------
    list of list of int
        At most ``most`` tables' coordinates, ascending.
    """
    found = spectrum(x, y)
    whole = parity_of_all(x, y)
    if whole:
        found = {whole: 1.0}
    left = [mask for mask in found if mask.bit_count() <= bits]
    made: list[list[int]] = []
    while left and len(made) < most:
        own = left[0]
        while True:
            fits = [mask for mask in left if mask | own != own and (mask | own).bit_count() <= bits]
            if not fits:
                break
            own |= min(fits, key=lambda mask: (mask | own).bit_count())
        made.append(members(own))
        left = [mask for mask in left if mask | own != own]
    return made


def transform(values: Floats, *, back: bool = False) -> Floats:
    """Sum values ``(2**b,)`` times parities, of all sets in all cells: a fast Walsh-Hadamard transform.

    Sets and cells are numbered by their bits; a cell's bit 0 stands for a coordinate of -1.

    Parameters
    ----------
    values
        One of every cell.
    back
        Give the function of such coefficients instead: 2**b times the inverse.

    Returns
    -------
    numpy.ndarray
        float64 ``(2**b,)``: at a set the sum over the cells, or at a cell the sum over the sets.
    """
    out = np.asarray(values, dtype=np.float64)
    for bit in range(len(out).bit_length() - 1):
        low, high = np.moveaxis(out.reshape(-1, 2, 2**bit), 1, 0)
        halves = [low - high, high + low] if back else [low + high, high - low]
        out = np.stack(halves, axis=1).reshape(-1)
    return out
