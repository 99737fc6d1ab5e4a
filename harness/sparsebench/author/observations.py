"""Remarks for an author on where operations go: one or two that the counts show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sparsebench.meter import price

if TYPE_CHECKING:
    from sparsebench.author.explanation import Explanation, Line

__all__ = ["observations"]

_TELLING = 0.25  # the share from which one line is named
_NAMED = 3  # most lines to name


def observations(found: Explanation) -> list[str]:
    """Return what stands out: the router's share, work that no input decides, and the dearest line."""
    if not found.ops:
        return ["No operation that has a price is executed for an input."]
    said = [_of_the_router(found), _of_fixed_work(found), _of_the_top_line(found)]
    return [line for line in said if line][:2]


def _of_the_router(found: Explanation) -> str:
    router = price(found.of_phase("router")) / found.inputs
    if not router:
        return ""
    return f"The router is {_percent(router / found.ops)} of all operations."


def _of_fixed_work(found: Explanation) -> str:
    """Describe the work that could be done once instead of for every input."""
    lines = [line for line in found.lines if price(line.fixed)]
    if not lines:
        return ""
    ops = sum(price(line.fixed) for line in lines) / found.inputs
    return (
        f"{ops:,.6g} operations per input ({_percent(ops / found.ops)}) have operands that are parameters or "
        f"constants only, at {_named(lines)}. Done once in fit, they would cost nothing."
    )


def _of_the_top_line(found: Explanation) -> str:
    top = found.lines[0]
    share = top.ops / found.inputs / found.ops
    if top.ops == price(found.of_phase(top.phase)) or share < _TELLING:
        return ""  # it is all that there is, or it is the router, whose share is reported already
    return f"One line is {_percent(share)} of all operations: {top.place}."


def _named(lines: list[Line]) -> str:
    places = list(dict.fromkeys(line.place for line in lines))
    more = f" and {len(places) - _NAMED} more" if len(places) > _NAMED else ""
    return ", ".join(places[:_NAMED]) + more


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.01 else "less than 1 %"  # noqa: PLR2004 - one percent
