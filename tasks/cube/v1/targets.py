"""Boolean functions of a few coordinates of {-1, 1}^n: what the instances of cube@1 ask for.

An input is held as a *code*, an integer of n bits: bit j is 1 where coordinate j is 1, and 0 where it is -1.
A target labels codes in integers, so nothing is ever rounded. Which coordinates it reads is drawn.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from sparsebench.tasks.generation import stream

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Codes = NDArray[np.uint64]
    Int64 = NDArray[np.int64]

REF = "cube@1"
ADDRESS_BITS = 2


class Target(Protocol):
    """A function of codes to the classes 0 and 1."""

    @property
    def domains(self) -> int:
        """How many domains there are: 1, or one for each value of an address."""

    @property
    def relevant(self) -> Int64:
        """Give the coordinates that it reads, ascending, each once, ``(r,)``."""

    def labels(self, codes: Codes) -> Int64:
        """Give the classes of codes ``(m,)``: ``(m,)``."""

    def tags(self, codes: Codes) -> Int64:
        """Give the domains of codes ``(m,)``: ``(m,)``."""


@dataclass(frozen=True, slots=True, eq=False)
class Single:
    """A target of one domain."""

    domains = 1

    def tags(self, codes: Codes) -> Int64:
        """Give zeros."""
        return np.zeros(len(codes), dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Parity(Single):
    """Class 1 where the product of some coordinates is -1: where an odd number of them is -1."""

    places: Int64
    """``(k,)``."""

    @property
    def relevant(self) -> Int64:
        """Give the coordinates that it reads."""
        return np.sort(self.places)

    def labels(self, codes: Codes) -> Int64:
        """Give the classes of codes."""
        return odd(codes, self.places)


@dataclass(frozen=True, slots=True, eq=False)
class Address:
    """Two coordinates choose which one of four parities is the class. The four share no coordinate."""

    address: Int64
    """``(2,)``: the domain is 2 for a 1 at the first of these, plus 1 for a 1 at the second."""
    places: Int64
    """``(4, k)``: the coordinates of the parity of each domain."""

    @property
    def domains(self) -> int:
        """How many addresses there are."""
        return len(self.places)

    @property
    def relevant(self) -> Int64:
        """Give the coordinates that it reads."""
        return np.sort(np.concatenate([self.address, self.places.ravel()]))

    def labels(self, codes: Codes) -> Int64:
        """Give the classes of codes."""
        each = np.stack([odd(codes, places) for places in self.places])
        return each[self.tags(codes), np.arange(len(codes))]

    def tags(self, codes: Codes) -> Int64:
        """Give the addresses of codes."""
        high, low = bits(codes, self.address).T
        return 2 * high + low


@dataclass(frozen=True, slots=True, eq=False)
class Terms(Single):
    """Class 1 where at least one term is satisfied: where all of its coordinates have their values.

    One term is a conjunction, several are a disjunctive normal form.
    """

    places: Int64
    """``(t, k)``; within a term all are different."""
    values: Int64
    """``(t, k)``, 1 for a coordinate that has to be 1, and 0 for one that has to be -1."""

    @property
    def relevant(self) -> Int64:
        """Give the coordinates that it reads."""
        return np.unique(self.places)

    def labels(self, codes: Codes) -> Int64:
        """Give the classes of codes."""
        some = np.zeros(len(codes), dtype=bool)
        for places, values in zip(self.places, self.values, strict=True):
            mask, wanted = code_of(places, np.ones_like(values)), code_of(places, values)
            some |= (codes & mask) == wanted
        return some.astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Junta(Single):
    """A table of classes for the values of some coordinates, the first one the most significant."""

    places: Int64
    """``(k,)``."""
    table: Int64
    """``(2^k,)``."""

    @property
    def relevant(self) -> Int64:
        """Give the coordinates that it reads."""
        return np.sort(self.places)

    def labels(self, codes: Codes) -> Int64:
        """Give the classes of codes."""
        weights = 1 << np.arange(len(self.places))[::-1]
        return self.table[bits(codes, self.places) @ weights]


def bits(codes: Codes, places: Int64) -> Int64:
    """Give the bits of codes ``(m,)`` at places ``(k,)``: ``(m, k)``."""
    return ((codes[:, None] >> places.astype(np.uint64)) & np.uint64(1)).astype(np.int64)


def odd(codes: Codes, places: Int64) -> Int64:
    """Tell for codes ``(m,)`` whether an odd number of places ``(k,)`` holds -1: ``(m,)``, 0 or 1."""
    return (1 - bits(codes, places)).sum(axis=1) & 1


def code_of(places: Int64, values: Int64) -> np.uint64:
    """Make the code whose bits at places ``(k,)`` are values ``(k,)``, and 0 elsewhere."""
    return np.uint64(sum(int(value) << int(place) for place, value in zip(places, values, strict=True)))


def parity(rng: np.random.Generator, n: int, k: int) -> Parity:
    """Draw a parity of k of n coordinates."""
    return Parity(rng.permutation(n)[:k])


def address(rng: np.random.Generator, n: int, k: int) -> Address:
    """Draw 2 of n coordinates that choose, and 4 times k others."""
    drawn = rng.permutation(n)[: ADDRESS_BITS + (k << ADDRESS_BITS)]
    return Address(drawn[:ADDRESS_BITS], drawn[ADDRESS_BITS:].reshape(1 << ADDRESS_BITS, k))


def terms(rng: np.random.Generator, n: int, k: int, *, count: int = 1) -> Terms:
    """Draw terms of k of n coordinates each, independently; half of a term's values are 1 and half -1."""
    places = np.stack([rng.permutation(n)[:k] for _ in range(count)])
    return Terms(places, np.stack([rng.permutation(np.arange(k) & 1) for _ in range(count)]))


def junta(rng: np.random.Generator, n: int, k: int) -> Junta:
    """Draw k of n coordinates and a table of as many ones as zeros."""
    places = rng.permutation(n)[:k]
    return Junta(places, rng.permutation(np.arange(1 << k) & 1))


DRAWS: dict[str, Callable[[np.random.Generator], Target]] = {
    "parity-k2-n12": functools.partial(parity, n=12, k=2),
    "parity-k3-n20": functools.partial(parity, n=20, k=3),
    "parity-k5-n32": functools.partial(parity, n=32, k=5),
    "address-k2-n12": functools.partial(address, n=12, k=2),
    "address-k3-n20": functools.partial(address, n=20, k=3),
    "conjunction-k6-n32": functools.partial(terms, n=32, k=6),
    "dnf-t8-k4-n32": functools.partial(terms, n=32, k=4, count=8),
    "junta-k6-n64": functools.partial(junta, n=64, k=6),
}
"""Instance → from a random stream to its target."""


@functools.lru_cache(maxsize=len(DRAWS))
def target(instance: str, seed: int | None) -> Target:
    """Draw an instance's target."""
    return DRAWS[instance](stream(REF, instance, seed, "target"))
