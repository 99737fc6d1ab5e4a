"""Ask every counter about every style, and hold what it says against the truth."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, NamedTuple

from reports.counted_in_sparsebench import STYLES, Metered, meter
from reports.counted_networks import exits_by_hand, routed_by_hand

if TYPE_CHECKING:
    from collections.abc import Callable

SPARSEBENCH = "sparsebench"
EXACT = {
    "torch": ("dense_modules", "dense_stacked", "gathered", "loop"),
    "fvcore": ("dense_modules", "gathered", "loop"),
}
"""Where another counter must agree with the profile `macs` to the last digit, first input and batch."""


class Figure(NamedTuple):
    """One number that a counter gave."""

    style: str
    """How the network was written."""
    counter: str
    """Who counted."""
    setting: str
    """``first``: one example, the first input. ``batch``: all inputs together, per input. ``alone``: the mean
    over all inputs, each given alone."""
    reported: float | None
    """As the tool gave it, in its own unit; None where it gave none, or where it is a mean of several."""
    macs: float | None
    """In multiply-accumulates per input; None if it gave none."""
    truth: float
    """The mean over the inputs, each alone, counted by hand."""
    remarks: tuple[str, ...]
    """What the tool said of what it did not count, or the error."""

    @property
    def right(self) -> bool:
        """Whether the number is the truth."""
        return self.macs == self.truth


def truths() -> dict[str, float]:
    """Return the true mean cost of every style, in multiply-accumulates per input."""
    dense, top1 = (statistics.fmean(routed_by_hand(every=every)[0]) for every in (True, False))
    exits = statistics.fmean(exits_by_hand()[0])
    return {s: exits if s.startswith("exit") else dense if s.startswith("dense") else top1 for s in STYLES}


def sparsebench_figures(metered: dict[str, Metered]) -> list[Figure]:
    """Return the meter's own figures."""
    figures, truth = [], truths()
    for style, said in metered.items():
        if said.refusal:
            figures += [
                Figure(style, SPARSEBENCH, setting, None, None, truth[style], (f"refused: {said.refusal}",))
                for setting in ("first", "batch")
            ]
            continue
        values = {
            "first": said.alone[0],
            "batch": said.batch / len(said.alone),
            "alone": statistics.fmean(said.alone),
        }
        figures += [
            Figure(style, SPARSEBENCH, setting, value, value, truth[style], ())
            for setting, value in values.items()
        ]
    return figures


def meter_all() -> dict[str, Metered]:
    """Meter every style with sparsebench."""
    return {style: meter(style) for style in STYLES}


def tool_figures(progress: Callable[[str], None]) -> list[Figure]:
    """Return the other tools' figures. Every measurement gets a new network: some tools leave hooks behind.

    Parameters
    ----------
    progress
        Told before every style and counter.
    """
    import torch

    from reports.counted_in_torch import build
    from reports.other_tools import COUNTERS, ask

    torch.set_num_threads(1)  # the products are small: a second thread only waits
    figures, truth = [], truths()
    for style in STYLES:
        for counter in COUNTERS:
            progress(f"{style}: {counter}")
            _, x = build(style)
            for setting, rows in (("first", x[:1]), ("batch", x)):
                reported, macs, remarks = ask(counter, build(style)[0], rows)
                figures.append(Figure(style, counter, setting, reported, macs, truth[style], remarks))
            if style.startswith("exit"):
                each = [ask(counter, build(style)[0], row[None]).macs for row in x]
                mean = None if None in each else statistics.fmean(each)
                figures.append(Figure(style, counter, "alone", None, mean, truth[style], ()))
    return figures


def faults(figures: list[Figure]) -> list[str]:
    """Say where the figures are not what they must be: sparsebench's the truth, and others' sparsebench's."""
    known = {(f.style, f.counter, f.setting): f for f in figures}
    found = []
    for figure in figures:
        carried = figure.setting == ("alone" if figure.style.startswith("exit") else "batch")
        if figure.counter == SPARSEBENCH and carried and figure.macs is not None and not figure.right:
            found.append(f"{figure.style}: sparsebench says {figure.macs}, the truth is {figure.truth}")
    for counter, styles in EXACT.items():
        for style, setting in ((style, setting) for style in styles for setting in ("first", "batch")):
            theirs, ours = known[style, counter, setting].macs, known[style, SPARSEBENCH, setting].macs
            if theirs != ours:
                found.append(f"{style}, {setting}: {counter} says {theirs}, sparsebench {ours}")
    return found
