"""The page docs/other-counters.md, written from measured figures."""

from __future__ import annotations

import itertools
import statistics
import textwrap
from typing import TYPE_CHECKING

from reports.comparison import SPARSEBENCH, Figure, truths
from reports.counted_networks import EXIT_INPUTS, LEAVING, ROUTED_INPUTS
from reports.reasons import reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reports.counted_in_sparsebench import Metered

STYLES = {
    "dense_modules": "all eight experts, a module each",
    "dense_stacked": "all eight experts, stacked, `einsum`",
    "gathered": "top-1, gathered weights, batched product",
    "loop": "top-1, loop over experts with masks",
    "fused": "top-1, fused operation",
    "raw_kernel": "top-1, raw kernel",
    "exit_rows": "keep the rows that go on",
    "exit_each": "one input at a time, `if` and `break`",
    "exit_slowest": "stop when all of the batch may leave",
}
COUNTERS = {
    SPARSEBENCH: ("sparsebench, profile `macs`", "multiply-accumulates; the router's included"),
    "torch": ("torch `FlopCounterMode`", "FLOPs, 2 per multiply-accumulate: halved here; all of a run"),
    "fvcore": ("fvcore `FlopCountAnalysis`", "“flops” that are multiply-accumulates; all of a traced run"),
    "thop": ("thop `profile`", "multiply-accumulates; all of a run"),
    "ptflops_pytorch": ("ptflops, backend `pytorch`", "multiply-accumulates; a mean over the batch"),
    "ptflops_aten": ("ptflops, backend `aten`", "multiply-accumulates; all of a run"),
    "neurobench_dense": ("NeuroBench `SynapticOperations`, Dense", "synaptic operations per sample"),
}
"""Counter -> its name, and what its figure is. NeuroBench's Effective_MACs are told apart."""

_HEAD = """# Other counters

<!-- Written by `python harness/reports/other_counters.py --write docs/other-counters.md`. Do not edit. -->

How many multiply-accumulates does an input cost? This page holds what common operation counters say against
what `sparsebench` says, on two small networks whose cost is known, because a loop over scalars counted it.
Where they see every product, torch and fvcore agree with `sparsebench` to the last digit (but for a rounded
`einsum` of fvcore's). These tools were made for other questions, mostly for the size of a network of known
layers, all of which are run, and answer those; the tables show which numbers can be compared, and which mean
something else.

`python harness/reports/other_counters.py --write docs/other-counters.md` wrote this page, in an environment
made by `pip install -e ".[counters]"`: {versions}. The script ends with an error where torch or fvcore
disagree with sparsebench on a network that they can count, where sparsebench's figure is not the truth, and
where a figure is off for a reason not yet looked into.

## How each is asked

Every figure below is what the tool returned, brought to multiply-accumulates per input.

{asked}

Where a tool returns the cost of a whole run, it is divided by the number of inputs. Activations are
`torch.relu`, which none of them charges. ptflops is given the inputs of the test; left to itself it makes
one, of uninitialised memory. torch, fvcore, thop and ptflops can be taught a formula for an operation that
they do not know; none was taught here, for the number would then be ours.

NeuroBench also returns Effective_MACs, which leave out products with an activation of zero. That is another
quantity, and is not in the tables: {effective}.

"""
_ROUTED = """## A router and eight experts

A router 16 → 8 chooses one of eight experts 16 → 32 → 4; no biases; {n} inputs. Top-1 costs 128 + 16·32 +
32·4 = **{top1:,.0f}** multiply-accumulates, and 128 + 8·640 = **{dense:,.0f}** where all eight are run and
combined with one-hot weights. Weights and outputs are the same in every style. *Fused*: a custom operation
in torch, `ops.grouped_linear` in sparsebench. *Raw kernel*: the arrays' memory is taken out of the library
and the work is done outside.

Multiply-accumulates per input, for the first input alone and for all {n} in one batch (one number where both
are the same); ✗ where it is not the truth.

"""
_EXIT = """## An early exit

Three stages, each a layer 16 → 16 with a ReLU and a head 16 → 4: 320 multiply-accumulates. An input leaves
when its largest logit reaches the stage's threshold. The thresholds are calibrated on the {n} inputs so that
{first} leave after one stage, {second} after two and {third} after three; the mean cost is ({first}·320 +
{second}·640 + {third}·960) / {n} = **{truth:,.0f}** per input, each input taken alone.

*First input*: the tool is given one example, as is usual; what it then gives is the cost of that one input.
*One batch*: all {n} inputs, divided by {n}. *Each alone*: the tool is run {n} times by hand, once per input,
and the results are averaged.

"""
_SPREAD = """### Input by input

sparsebench runs a sample of inputs one by one besides the batches, without being asked. Where inputs do not
all cost the same, it runs all of them, up to 4,096, and a row of its results carries what they cost alone.
Where batches cost more than that, as in the third style, there is no cost to carry: the row is `invalid`, and
says what to do, which is the first style. The distribution comes with it:

"""


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"


def _cell(figure: Figure) -> str:
    if figure.macs is None:
        return "refused" if figure.counter == SPARSEBENCH else "failed"
    return _number(figure.macs) + ("" if figure.right else " ✗")


def _pick(figures: Iterable[Figure], style: str, counter: str) -> dict[str, Figure]:
    return {f.setting: f for f in figures if (f.style, f.counter) == (style, counter)}


def _routed_cell(figures: list[Figure], style: str, counter: str) -> str:
    cells = list(dict.fromkeys(_cell(figure) for figure in _pick(figures, style, counter).values()))
    return cells[0] if len(cells) == 1 else f"{cells[0]}; batch {cells[1]}"


def routed_table(figures: list[Figure], counters: Iterable[str] = COUNTERS) -> str:
    """Write the table of the routed network: a row per counter, a column per style."""
    routed = [style for style in STYLES if not style.startswith("exit")]
    figures = [figure for figure in figures if figure.setting != "alone"]
    rows = []
    for counter in counters:
        cells = (_routed_cell(figures, style, counter) for style in routed)
        rows.append([COUNTERS[counter][0], *cells])
    return _table(["counter", *(STYLES[style] for style in routed)], rows)


def exit_table(figures: list[Figure], style: str, counters: Iterable[str] = COUNTERS) -> str:
    """Write the table of one style of the early exit: a row per counter."""
    rows = []
    for counter in counters:
        found = _pick(figures, style, counter)
        cells = [_cell(found[setting]) for setting in ("first", "batch", "alone")]
        # That one example is one example is told above the tables; sparsebench's batch is told below them.
        told = [] if counter == SPARSEBENCH else [reason(found[setting]) for setting in ("batch", "alone")]
        why = "; ".join(dict.fromkeys(filter(None, told)))
        rows.append([COUNTERS[counter][0], *cells, why])
    return _table(["counter", "first input", "one batch", "each alone", "why"], rows)


def spread_table(metered: Mapping[str, Metered]) -> str:
    """Write what sparsebench counts of the early exit, input by input."""
    rows = []
    for style, said in metered.items():
        if style.startswith("exit"):
            ordered = sorted(said.alone)
            p95 = ordered[-(-95 * len(ordered) // 100) - 1]
            figures = (statistics.fmean(ordered), statistics.median(ordered), p95, ordered[-1])
            row = said.counted if said.carried is None else f"{_number(said.carried)}, {said.counted}"
            rows.append([STYLES[style], *map(_number, figures), _number(said.batch / len(ordered)), row])
    return _table(["style", "mean", "median", "p95", "max", "one batch", "in the row"], rows)


def _why_table(figures: list[Figure]) -> str:
    """Write why figures of the routed network are off; counters with the same reason share a row."""
    rows = []
    for style in (style for style in STYLES if not style.startswith("exit")):
        reasons: dict[str, list[str]] = {}
        for counter in COUNTERS:
            for why in dict.fromkeys(map(reason, _pick(figures, style, counter).values())):
                if why:
                    reasons.setdefault(why, []).append(COUNTERS[counter][0])
        rows += [[STYLES[style], ", ".join(names), why] for why, names in reasons.items()]
    return _table(["style", "counter", "why"], rows)


def _effective(figures: list[Figure]) -> str:
    """Tell NeuroBench's other figure, where it sees every layer."""
    told = []
    for style in ("dense_modules", "loop", "exit_rows"):
        macs = _pick(figures, style, "neurobench_effective")["batch"].macs
        told.append(f"{'failed' if macs is None else _number(macs)} ({STYLES[style]})")
    return ", ".join(told)


def _fill(text: str) -> str:
    """Break paragraphs where the other pages do; tables, headings and comments stay."""
    blocks = (
        block if block.startswith(("|", "#", "<")) else textwrap.fill(block, 106, break_on_hyphens=False)
        for block in text.split("\n\n")
    )
    return "\n\n".join(blocks)


def markdown(figures: list[Figure], metered: Mapping[str, Metered], versions: Mapping[str, str]) -> str:
    """Write the page.

    Parameters
    ----------
    figures
        Of all counters.
    metered
        What sparsebench's meter said, style by style.
    versions
        Distribution -> version.

    Raises
    ------
    LookupError
        If a figure is off for no known reason.
    """
    truth = truths()
    asked = _table(["counter", "what it returns"], COUNTERS.values())
    named = ", ".join(f"{name} {version}" for name, version in versions.items())
    parts = [
        _HEAD.format(versions=named, asked=asked.rstrip("\n"), effective=_effective(figures)),
        _ROUTED.format(n=ROUTED_INPUTS, top1=truth["gathered"], dense=truth["dense_modules"]),
        routed_table(figures),
        "\nWhy:\n\n",
        _why_table(figures),
        "\n",
        _EXIT.format(
            n=EXIT_INPUTS, first=LEAVING[0], second=LEAVING[1], third=LEAVING[2], truth=truth["exit_rows"]
        ),
        *itertools.chain.from_iterable(
            (f"### {STYLES[style][0].upper()}{STYLES[style][1:]}\n\n", exit_table(figures, style), "\n")
            for style in STYLES
            if style.startswith("exit")
        ),
        _SPREAD,
        spread_table(metered),
    ]
    return _fill("".join(parts).rstrip("\n")) + "\n"
