"""The page of prices, written from the rule table: ``python -m sparsebench.meter.document``."""

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

An **active operation** is one scalar addition, subtraction, multiplication or comparison, or one table
look-up at a computed address, executed for an input at inference. The harness executes every operation of a
submission and counts it by itself; no number that a submission reports about itself is used. What has no
price is refused.

## The principle

*Choosing one of K costs log2 K comparisons, paid where the choice is made*, and real numbers become
integers in no other way. So a balanced tree of n leaves costs ⌈log2 n⌉ comparisons and as many look-ups;
packing paid bits into an address (`ops.pack_bits`) is free; rounding a real number to an integer is refused
but for `ops.quantize`, which charges one comparison per bit of the decision.

Look-ups are charged because composed look-up tables could otherwise compute any quantised network for
nothing. A look-up costs 1 whatever the width of the record; the elements that it reads are counted apart,
as loads.

A primitive of `sparsebench.ops` costs what its reference, written in array operations, costs. Where a price
is a convention instead (`gather`, `pack_bits`, `quantize`, `top_k`), this page is its definition.

### What leaves the meter

A submission works on handles; values stay with the harness. Two things can be asked for, and both are
counted as `branch`:

- the truth of a one-element array, so that Python's `if` and `while` work: 1 bit. Of a number it costs a
  comparison as well;
- a shape that depends on values, as after a boolean mask: ⌈log2(m + 1)⌉ bits where at most m rows could be
  selected, paid once for all arrays that have this length. Working on such arrays without asking for their
  shape tells nothing and costs no bits.

A `branch` costs 1 in the profile `ops` and 0 in `add-mul-cmp`: the comparison that made the bit has been
paid for. At most {BITS_PER_INPUT} bits per input may leave; a submission that asks for more is refused.

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
    "add-mul-cmp": "look-ups and branches are free, as in conditional-computation theory",
    "macs": "multiply-accumulates inside matrix products alone, the router's included",
    "paper-router-free": "the experts alone, as papers that leave the router out report",
    "bit-ops": "on b-bit operands b for an operation; b² for a product, quotient, square root or function",
}

_LIMITS = """## Known limits

- An operation is an operation whatever its width, so packing two low-precision values into one float64
  gains a constant factor. The profile `bit-ops` shows it.
- Work that does not depend on the input can be done once in `fit`: that is what a model is. Training is not
  scored.
- Bits that have left the meter can be computed on in Python at no further charge. As a function of the
  input, such code is a decision tree over the bits, and it is priced as the tree that it amounts to: every
  bit costs its comparison and its branch, and what else Python computes from them could have stood in the
  tree's leaves.
- Selection by a mask and `where` are free, so a tree can be walked by halving its tables with `where`, for
  its comparisons alone and without a look-up, and any Boolean function of paid bits can be made of `where`
  for nothing. So can sums of paid bits with whole weights: repeat each bit as often as its weight says, take
  `nonzero`, and read at a fixed place. A network of binary units therefore costs only its first layer's
  comparisons. The comparisons that make the bits are always paid, and no count goes below log2 of the number
  of outcomes. The profile `add-mul-cmp`, in which look-ups are free for everybody, is not touched by
  this; compare by it where a submission selects instead of looking up.
- One address may read a column for all rows of a batch (`x[:, index]`), and work on parameters alone is
  done once for a batch. Inputs are therefore metered one by one as well, and where that is dearer, it is
  what counts.
- Replies take time, and time can be measured: how long an operation on a selection takes tells something
  about how many rows were selected. Nothing is charged for that.
- A cast between widths of real numbers is free, though it rounds.
- Python numbers, and what `full`, `linspace` and the like make, are constants that count neither as stored
  nor as loaded parameters; arrays that predict brings count as stored."""


def markdown() -> str:
    """Write the page.

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
    """Keep Markdown from reading powers as emphasis, and magnitudes as the ends of cells."""
    text = text.replace("|", "\\|")
    return text if "`" in text else text.replace("*", "\\*")


if __name__ == "__main__":
    sys.stdout.write(markdown())
