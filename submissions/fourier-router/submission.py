"""Fourier router: a few coordinates choose an expert, which is a table of a few other coordinates."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

import sparsebench as sb
from sparsebench import ops
from walsh import addresses, relevance, signs, spectrum, tables

if TYPE_CHECKING:
    from walsh import Table

MOST = 3  # address bits at most
TRIED = 3  # address sets of each size that are fitted, the most promising ones
LOSS = 0.002  # share of validation samples that a cheaper model may miss more than the best


class FourierRouter(sb.Routed):
    """Find the address bits, and the coordinates that matter in every branch, from Walsh coefficients.

    Neither where they are nor how many there are is told.

    Parameters
    ----------
    task
        Public facts of the task; not needed.
    bits
        Coordinates that a branch's table may read (B), at most.
    """

    def __init__(self, task: sb.TaskInfo, *, bits: int) -> None:
        super().__init__(BitRouter(), TableExperts())
        self.bits = bits

    def fit(self, train: sb.Split, valid: sb.Split, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Fit promising address sets and take the cheapest that the validation samples hardly tell apart.

        Returns
        -------
        dict of str to numpy.ndarray
            ``address``: int64 ``(a,)``, the coordinates that the router reads; ``columns``: int64 ``(2**a,
            b)``, those that each expert reads; ``classes``: int64 ``(2**a * 2**b,)``, the experts' tables
            one after the other; and, where there are several experts, ``first``: int64 ``(2**a,)``, where
            each table begins.
        """
        x, y = train.x, signs(train.y)
        told = valid.x, signs(valid.y)
        fits = [
            fitted
            for address in promising(x, y)
            for fitted in self._branches(x, y, np.array(address, dtype=np.int64), told)
        ]
        best = max(fitted.right for fitted in fits)
        return min((f for f in fits if f.right >= best - LOSS), key=_price).params()

    def _branches(
        self,
        x: np.ndarray,
        y: np.ndarray,
        address: np.ndarray,
        valid: tuple[np.ndarray, np.ndarray],
    ) -> list[Fitted]:
        """Fit the experts of an address set, for every number of coordinates that they may read.

        None where a branch has no samples. One that validation samples never enter is judged by those that
        it is fitted to.
        """
        branch, unseen = addresses(x, address), addresses(valid[0], address)
        own = []
        for number in range(2 ** len(address)):
            rows, judged = branch == number, unseen == number
            if not rows.any():
                return []
            seen = x[rows], y[rows]
            told = (valid[0][judged], valid[1][judged]) if judged.any() else seen
            own.append(tables(*seen, self.bits, told))
        return [Fitted(address, [one[b] for one in own], valid) for b in range(len(own[0]))]


class Fitted(NamedTuple):
    """A router and its experts."""

    address: np.ndarray
    """The coordinates that the router reads, int64 ``(a,)``."""
    tables: list[Table]
    """Of every branch."""
    valid: tuple[np.ndarray, np.ndarray]
    """Inputs and labels that it is judged by."""

    @property
    def right(self) -> float:
        """The share of the validation samples that it gets right."""
        x, y = self.valid
        params = self.params()
        routes = BitRouter().route(params, x)
        return float(np.mean(signs(TableExperts().apply(params, x, routes)) == y))

    def params(self) -> dict[str, np.ndarray]:
        """Lay the model out."""
        size = len(self.tables[0].values)
        params = {
            "address": self.address,
            "columns": np.stack([table.columns for table in self.tables]),
            "classes": np.concatenate([table.values > 0 for table in self.tables]).astype(np.int64),
        }
        if len(self.address):
            params["first"] = np.arange(len(self.tables)) * size
        return params


def _price(fitted: Fitted) -> int:
    """Count the operations of an input."""
    a, b = len(fitted.address), len(fitted.tables[0].columns)
    return 2 * b if a == 0 else 2 * a - 1 + 3 * b + 2


def promising(x: np.ndarray, y: np.ndarray) -> list[tuple[int, ...]]:
    """List address sets: none, and those of each size in whose branches one parity explains most.

    In a branch the coefficient of a set is a sum of coefficients of all inputs, with the signs of the
    branch: those of the set with any of the address bits. Where they are as large as each other, as they
    are of a function that selects parities, they add up to 1 in one branch and cancel in the others.

    Returns
    -------
    list of tuple of int
        Ascending coordinates.
    """
    found = spectrum(x, y)
    candidates = np.flatnonzero(relevance(found, x.shape[1])).tolist()
    chosen: list[tuple[int, ...]] = [()]
    for many in range(1, MOST + 1):
        sets = itertools.combinations(candidates, many)
        chosen += sorted(sets, key=lambda own: (-explained(found, own), own))[:TRIED]
    return chosen


def explained(found: dict[int, float], address: tuple[int, ...]) -> float:
    """Average over the branches of an address set the largest squared coefficient in the branch."""
    mask = sum(1 << i for i in address)
    parts: dict[int, np.ndarray] = {}
    for own, weight in found.items():
        rest = own & ~mask
        if rest:
            parts.setdefault(rest, np.zeros(2 ** len(address)))[_number(own, address)] = weight
    if not parts:
        return 0.0
    subsets = np.arange(2 ** len(address))
    # The parity of a subset of the address bits in a branch: -1 for each of its bits that is 0 there.
    lacking = np.array(
        [[(own & ~branch).bit_count() for branch in subsets.tolist()] for own in subsets.tolist()]
    )
    branches = np.stack(list(parts.values())) @ (1 - 2 * (lacking & 1))
    return float(np.mean(np.max(branches**2, axis=0)))


def _number(own: int, address: tuple[int, ...]) -> int:
    """Give the part of a set that lies among the address bits a number."""
    return sum((own >> i & 1) << place for place, i in enumerate(address))


class BitRouter(sb.Router):
    """Pack the signs of the address bits."""

    def route(self, params: dict[str, Any], x: Any) -> sb.Routes:
        """Give the branch of every input, ``(n, 1)``: 0, for nothing, where there is one alone."""
        xp = x.__array_namespace__()
        address = params["address"]
        if address.shape[0] == 0:
            return sb.Routes(experts=xp.zeros((x.shape[0], 1), dtype=xp.int64))
        return sb.Routes(experts=_packed(x[:, address] > 0)[:, None])


class TableExperts(sb.Experts):
    """Read the coordinates that matter in the branch, and look their signs up."""

    def apply(self, params: dict[str, Any], x: Any, routes: sb.Routes) -> Any:
        """Give the class of every input, int64 ``(n,)``."""
        xp = x.__array_namespace__()
        if params["address"].shape[0] == 0:
            return ops.gather(_packed(x[:, params["columns"][0]] > 0), params["classes"])
        columns, first = ops.gather(routes.experts[:, 0], params["columns"], params["first"])
        sides = xp.take_along_axis(x, columns, axis=1) > 0
        return ops.gather(first + _packed(sides), params["classes"])


def _packed(sides: Any) -> Any:
    """Pack the columns of ``(n, b)`` booleans."""
    return ops.pack_bits(*(sides[:, column] for column in range(sides.shape[1])))
