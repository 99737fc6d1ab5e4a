"""What tests know of a primitive beside its definition: one record of every one, in its family's folder.

Tests of all primitives collect these records, so none of them names a primitive: what they need of a new one
is written into ``tests/ops/<family>/specimens.py``, and nowhere else. A test that holds for all says by name
which record lacks what.

Records know nothing of the harness: a mistake in it cannot hide in what it is held against. Functions in them
take the primitives as ``ops``; all else are NumPy arrays and Python values.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
FILE = "specimens.py"

Keywords = Mapping[str, Any]
Arguments = tuple[Any, ...]


@dataclass(frozen=True, kw_only=True)
class Specimen:
    """A primitive, as generic tests look at it."""

    name: str

    # For all ----------------------------------------------------------------------------------------------

    slow: Callable[..., Any] | None = None
    """Its slow count: the same function of :class:`meter.slow.arrays.Slow`, number by number."""
    prices: tuple[tuple[Keywords, Arguments, Mapping[tuple[str, str], int]], ...] = ()
    """Calls with prices worked out by hand: keywords, arguments, and amounts by kind and dtype."""

    strict: tuple[tuple[Keywords, Arguments], ...] = ()
    """Calls that are made on arrays that have the standard and nothing else: keywords, and arguments."""

    # For some of them -------------------------------------------------------------------------------------

    draw: Callable[[Any], tuple[Arguments, Keywords]] | None = None
    """Draws a call of :class:`meter.programs.draws.Draws`, where annotations do not say enough."""
    rounded: bool = False
    """Whether steps of the reference round, so that the order of additions shows in the answer."""
    sorts: bool = False
    """Whether its definition sorts: NumPy puts equals in any order, so that only its first result is told."""
    of_numpy: Callable[..., Any] | None = None
    """A function of NumPy's with the same arguments and answers."""
    free: str | None = None
    """Why it is wiring where it costs nothing, if it ever does."""
    index: int | None = None
    """The argument that says where; it is no operand where it is the model's."""
    tables: slice | None = None
    """Arguments that are read by address: no operands where they are the model's and alone make a number."""
    writes: bool = False
    """Whether of the result only what the index points to depends on it."""
    numbers: Mapping[str, Callable[[Any, Any], Any]] = field(default_factory=dict)
    """Steps of programs of rows (:mod:`meter.programs.rows`) that make numbers (n, 4)."""
    addresses: Mapping[str, Callable[[Any, Any], Any]] = field(default_factory=dict)
    """The same of steps that make an address in [0, 8) for every row."""
    loads: Mapping[str, tuple[int, Callable[[Any, Any, Any], Any]]] = field(default_factory=dict)
    """Calls on parameters, and how many of their elements they read: see ``meter/test_loads.py``."""
    hidden: tuple[tuple[Keywords, Arguments], ...] = ()
    """Calls that would hold more than their lengths seem to say, were they not made with care."""
    deep: Arguments | None = None
    """A descent of many levels, of which no more than one may be held."""


@functools.cache
def all_specimens() -> dict[str, Specimen]:
    """Collect the records of all families by name."""
    found: dict[str, Specimen] = {}
    for file in specimen_files():
        for specimen in importlib.import_module(f"ops.{file.parent.name}.{file.stem}").SPECIMENS:
            assert specimen.name not in found, f"{file}: {specimen.name} has two records"
            found[specimen.name] = specimen
    return found


def specimen_files() -> list[Path]:
    return sorted(HERE.glob(f"*/{FILE}"))


def having(name: str) -> dict[str, Any]:
    """Give a field of all primitives that have it."""
    usual = getattr(Specimen(name=""), name)
    told = {one.name: getattr(one, name) for one in all_specimens().values()}
    return {of: value for of, value in told.items() if value != usual}
