"""The page of prices, generated from the rule table: ``python -m sparsebench.meter.document``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from sparsebench.meter.engine.engine import BITS_PER_INPUT
from sparsebench.meter.engine.execution import MOST_PER_CALL
from sparsebench.meter.prices import COST_MODEL, PROFILES, WEIGHTS
from sparsebench.meter.rules import GROUPS, REFUSED
from sparsebench.ops.charges import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sparsebench.meter.rules import Rule

__all__ = ["markdown"]

_HEAD = f"""# Cost model, version {COST_MODEL}

<!-- Written by `python -m sparsebench.meter.document` from the table that the meter itself works by. Do not
edit. -->

An **active operation** is one operation on words of at most 64 bits, executed for an input at inference: an
addition, subtraction, multiplication, comparison, logical operation, selection, address operation, or one
table look-up at a computed address. The harness executes every operation of a submission and counts it by
itself; no number that a submission reports about itself is used. What has no price is refused.

## The principle

*Only wiring is free.* What moves numbers along paths that no value decides costs nothing: slices, reshape,
transpose, concatenate, broadcast, copies, casts between real types; and look-ups and masks whose index or
mask *is* a parameter of the model, a constant that predict makes, or what wiring makes of these. Every other
decision is paid where it is made:

- *choosing one of K costs log2 K comparisons*, and real numbers become integers in no other way: rounding is
  refused but for `ops.quantize`;
- carrying a bit into an address costs 1, the first one apart;
- following an address into the model costs 1. A record *of the model* lies at its address, so its width does
  not matter: whoever uses its numbers pays for each use, and the elements read are counted apart, as loads;
- moving a computed number because of a decision costs 1. A record that was computed lies nowhere: choosing it
  moves every number of it. So does `where`, and so does a mask, for everything that it lies over.

So a balanced tree of n leaves costs 3⌈log2 n⌉ - 1: per level a look-up of the node, a comparison and, after
the first, a step of the address. Any function of b bits costs b - 1 to address and 1 to look up, and needs
2^b records.

*The model's memory* is what parameters, arrays that predict brings (`xp.asarray`) and constants that it makes
(`xp.zeros`, `xp.arange`, ...) lie in, and what wiring makes of these alone. What is written to is the model's
no longer.

A primitive of `sparsebench.ops` costs what its reference, written in array operations, costs. Where a price
is a convention instead (`gather`, `pack_bits`, `quantize`, `top_k`, the trees), this page is its definition.

### What leaves the meter

A submission works on handles; values stay with the harness. Two things can be asked for, and both are
counted as `branch`:

- the truth of a one-element array, so that Python's `if` and `while` work: 1 bit. Of a number it costs a
  comparison as well;
- a shape that depends on values, as after a boolean mask: ⌈log2(m + 1)⌉ bits where at most m rows could be
  selected, paid once for all arrays that have this length. Working on such arrays without asking for their
  shape tells nothing and costs no bits. But as long as it is not paid for, a length decides where numbers go:
  slices, concatenations, reshapes and their like, which are free elsewhere, then cost 1 selection per element
  of their result, and no constants are made of what has such a length.

A `branch` costs 1 in the profile `ops` and 0 in `add-mul-cmp`: the comparison that made the bit has been
paid for. What Python makes of bits that have left, nobody counts, so at most {BITS_PER_INPUT} bits per input
may leave; a submission that asks for more is refused. What Python makes of so many, a table of
2^{BITS_PER_INPUT} records holds, for about as many operations. A loop of data-dependent length needs none:
it runs a fixed number of times, rows that are done leave by a mask, and work on no rows costs nothing.

An error that depends on values (an index out of range, shapes that do not fit because a mask selected too
few rows) ends the cell. An error that does not is a Python exception, which a submission may catch.

One call may cost at most 2^{MOST_PER_CALL.bit_length() - 1} operations."""

_PRICES_HEAD = f"""## Prices

A division or a square root weighs {WEIGHTS["div"]} and a function evaluation {WEIGHTS["special"]}; every
other operation that is named here weighs 1. Where the source of a price is *definition*, the cost model
lays it down; where it names a formula or an algorithm, that was counted, operation by operation. A complex
number is two real ones, and is charged as the real operations that the textbook formula takes."""

_KINDS_HEAD = """## Kinds and their weights

Raw counts are stored by phase (router, experts), kind and dtype, so that other price lists can be applied
to stored rows without running anything. 1, 4 and 8 are conventional weights. Weights of the profile `ops`:"""

_PROFILE_WORDS = {
    "ops": "the headline: the weights above",
    "add-mul-cmp": "look-ups, addresses, selections and branches are free, as in conditional-computation "
    "theory",
    "macs": "multiply-accumulates inside matrix products alone, the router's included",
    "paper-router-free": "the experts alone, as papers that leave the router out report",
    "bit-ops": "on b-bit operands b for an operation; b² for a product, quotient, square root or function",
}

_LIMITS = """## Known limits

- An operation is an operation whatever its width up to 64 bits, so packing (several low-precision numbers
  in a float64, lanes or 64 gates in an integer, records of packed lanes in a table) gains a constant, at most
  64. The profile `bit-ops` shows it.
- Rounding by adding and subtracting a large number costs 2. It gives no address.
- An operation with several results (`top_k`, `unique_all`) is charged for finding them once.
- Work that does not depend on the input can be done once in `fit`: that is what a model is. Training is not
  scored.
- Tables are an honest way to compute. What bounds them is the memory that a model may have.
- Work on parameters alone is charged when predict does it, and done once for a batch; so are look-ups whose
  address all rows of a batch share. What inputs cost alone is therefore what counts, whatever batches cost.
- Replies take time, and time can be measured: how long an operation on a selection takes tells something
  about how many rows were selected. Nothing is charged for that.
- A cast between widths of real numbers is free, though it rounds.
- Python numbers, and what `full`, `linspace` and the like make, are constants that count neither as stored
  nor as loaded parameters; arrays that predict brings count as stored."""


def markdown() -> str:
    """Return the page.

    Returns
    -------
    str
        Markdown, ending in a newline.
    """
    parts = [_HEAD, _PRICES_HEAD, *(_group(title, rules) for title, rules in GROUPS.items()), _refused()]
    parts += [f"{_KINDS_HEAD}\n\n{_kinds()}", _profiles(), _LIMITS]
    return "\n\n".join(parts) + "\n"


def _group(title: str, rules: Iterable[Rule]) -> str:
    rows = (
        [f"`{rule.name}`", _plain(rule.price), _plain(rule.source), f"`{rule.example}`"] for rule in rules
    )
    return f"### {title}\n\n{_table(['operation', 'price', 'source of the price', 'example'], rows)}"


def _refused() -> str:
    words = "Everything that is not on this page is refused. Refused on purpose:"
    rows = ([f"`{name}`", _plain(reason), _plain(mend)] for name, (reason, mend) in REFUSED.items())
    arguments = (
        "So are arguments beyond those of the array API standard: `out`, `where`, `casting`, `order`, …"
    )
    table = _table(["operation", "reason", "instead"], rows)
    return f"### Refused\n\n{words}\n\n{table}\n\n{arguments}"


def _kinds() -> str:
    rows = ([f"`{kind}`", _plain(words), str(WEIGHTS[kind])] for kind, words in KINDS.items())
    return _table(["kind", "what it counts", "weight"], rows)


def _profiles() -> str:
    rows = ([f"`{profile}`", _PROFILE_WORDS[profile]] for profile in PROFILES)
    return f"## Profiles\n\n{_table(['profile', 'price'], rows)}"


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _plain(text: str) -> str:
    """Escape powers, which Markdown would read as emphasis, and magnitudes, which would end cells."""
    text = text.replace("|", "\\|")
    return text if "`" in text else text.replace("*", "\\*")


if __name__ == "__main__":
    sys.stdout.write(markdown())
