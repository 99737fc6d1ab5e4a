"""What a study is, and what comes out of it: claims with verdicts, tables, plots. Plain records."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sparsebench.studies.steps import Steps

__all__ = ["Claim", "Line", "Outcome", "Plot", "Study", "Table", "Verdict", "verdict"]

Cell = str | int | float


class Verdict(StrEnum):
    """What was found of a claim. Each is a result."""

    REPRODUCED = "reproduced"
    IN_PART = "in part"
    NOT_REPRODUCED = "not reproduced"
    NOT_KNOWN = "not known"
    """The paper's figure could not be read, so there is nothing to compare with."""


def verdict(holds: Sequence[bool]) -> Verdict:
    """Return what the parts of a claim say together: all of them hold, some, or none.

    Raises
    ------
    ValueError
        There are no parts: nothing was compared.
    """
    if not holds:
        raise ValueError("expected parts of a claim, got none")
    if all(holds):
        return Verdict.REPRODUCED
    return Verdict.IN_PART if any(holds) else Verdict.NOT_REPRODUCED


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A claim, and what was measured."""

    says: str
    """The claim, in a sentence."""
    source: str
    """Who makes it: a table or theorem of the paper, or how it was derived from it."""
    measured: str
    """What was found, with its interval where it is drawn at random."""
    asks: str
    """When it counts as reproduced."""
    verdict: Verdict


class Table(NamedTuple):
    """A table of figures."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]


class Line(NamedTuple):
    """A line of a plot."""

    name: str
    points: Sequence[tuple[float, float]]
    """Across and up, in the order in which they are joined."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """A picture of figures: lines with markers."""

    title: str
    across: str
    """What the axis to the right is."""
    up: str
    """What the axis upwards is."""
    lines: Sequence[Line]
    log_across: bool = False
    """Whether that axis is logarithmic, to base 2."""
    log_up: bool = False
    """The same of the other, to base 10."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came out of a study."""

    claims: Sequence[Claim]
    plot: Plot
    tables: Sequence[Table] = ()
    remarks: Sequence[str] = field(default=())
    """What a reader must know to use the figures: one sentence or more each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """A paper's claims, derived anew."""

    name: str
    """As `sparsebench reproduce` takes it."""
    title: str
    """What it looks at, in one line."""
    reference: str
    """The paper: authors, title, year, arXiv number."""
    about: str
    """What is run, in a few sentences of Markdown."""
    measure: Callable[[Steps], Outcome]
    """Does the work, step by step."""
    needs_rows: bool = False
    """Whether it reads stored rows."""
