"""The page of the operations, written from the primitives: ``python -m sparsebench.ops.document``.

With ``--table``: the table of them in docs/submit.md. With ``--write DOCS``: both, into that folder's pages.
"""

from __future__ import annotations

import inspect
import sys
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from sparsebench.ground.replacing import replace_text
from sparsebench.ops.backends import BACKENDS
from sparsebench.ops.primitives import PRIMITIVES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sparsebench.ops.core.primitive import Primitive

__all__ = ["backends_of", "markdown", "table", "write"]

_BEGIN, _END = "<!-- primitives:begin -->", "<!-- primitives:end -->"

_HEAD = """# Operations

<!-- Written by `python -m sparsebench.ops.document` from the primitives themselves. Do not edit. -->

`sparsebench.ops` has the operations that routed networks are made of: hashes, trees, gates, look-ups, layers
of experts, and what stands behind them. Each is one *primitive* with several backends that agree:

- its **reference**, in array API code, is its definition, and what it costs is what it is charged: under the
  meter a primitive is one operation with that price ([cost-model.md](cost-model.md));
- its **steady** backend, on NumPy arrays, gives a row the same bits whatever stands beside it: the meter and
  `fit` run that;
- its **fast** backends are for timing, and for use outside the harness: `numpy` (rows sorted by expert, then
  BLAS), `numba` (compiled; the extra `fast`) and `cuda` (kernels for CuPy's arrays; the extra `gpu`).

A call looks at its arguments. NumPy arrays go to the fastest backend that is installed and suits the shapes,
or where none does to the steady one; CuPy arrays go to a kernel, handles of the meter to the meter, and those
of any other library to the reference. `sparsebench.ops.backends.use("steady")` (or `"numpy"`, `"numba"`) is
a context in which another choice is made; `backends.recorded()` tells which backends ran. Fast backends
agree with the reference within rounding: relative 1e-5 in float32 and 1e-12 in float64, and exactly where
the arithmetic is exact. Results do not depend on the number of threads (`SPARSEBENCH_NUM_THREADS`)."""


def markdown() -> str:
    """Write the page.

    Returns
    -------
    str
        Markdown, ending in a newline.
    """
    ordered = sorted(PRIMITIVES.values(), key=lambda made: (made.family, made.name))
    families = [(name, list(members)) for name, members in groupby(ordered, lambda made: made.family)]
    parts = [_HEAD, _overview(ordered), *(_family(members) for _, members in families)]
    return "\n\n".join(parts) + "\n"


def table() -> str:
    """Write the table of all operations, as their calls, and of what they do: a part of docs/submit.md.

    Returns
    -------
    str
        Markdown, ending in a newline.
    """
    ordered = sorted(PRIMITIVES.values(), key=lambda made: (made.family, made.name))
    lines = [f"| `ops.{made.name}{_signature(made)}` | {_cell(_summary(made))} |" for made in ordered]
    return "\n".join(["| primitive | does |", "| --- | --- |", *lines]) + "\n"


def backends_of(made: Primitive) -> tuple[str, ...]:
    """Name the fast backends that sparsebench has of a primitive, whatever is installed here."""
    return tuple(which for which in BACKENDS if which in made.backends)


def _overview(ordered: Iterable[Primitive]) -> str:
    lines = ["| operation | fast backends | price |", "| --- | --- | --- |"]
    lines += [
        f"| [`{made.name}`](#{made.name}) | {_backends(made)} | {_cell(made.price)} |"
        for made in sorted(ordered, key=lambda made: made.name)
    ]
    return "## All of them\n\n" + "\n".join(lines)


def _family(members: list[Primitive]) -> str:
    module = sys.modules[members[0].definition.__module__]
    title = (inspect.getdoc(module) or "").partition("\n")[0].rstrip(".")
    return "\n\n".join([f"## {title}", *map(_section, members)])


def _section(made: Primitive) -> str:
    rest = (inspect.getdoc(made.definition) or "").partition("\n\n")[2]
    facts = [f"- Price: {made.price}. Source: {made.source}.", f"- Fast backends: {_backends(made)}."]
    parts = [
        f"### {made.name}",
        f"`ops.{made.name}{_signature(made)}`",
        _summary(made),
        "\n".join(facts),
        f"```python\n{made.example}\n```",
    ]
    if rest:
        parts.append(f"```text\n{rest}\n```")
    return "\n\n".join(parts)


def _summary(made: Primitive) -> str:
    summary = (inspect.getdoc(made.definition) or "").partition("\n\n")[0]
    return " ".join(summary.split()).replace("``", "`")


def _signature(made: Primitive) -> str:
    """Write the arguments without their types, which say nothing: they are arrays."""
    signature = inspect.signature(made.definition)
    plain = [part.replace(annotation=part.empty) for part in signature.parameters.values()]
    return str(signature.replace(parameters=plain, return_annotation=signature.empty))


def _backends(made: Primitive) -> str:
    return ", ".join(f"`{which}`" for which in backends_of(made)) or "none"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def write(docs: Path) -> None:
    """Write the page ``ops.md`` of a folder, and the table between the marks of its ``submit.md``.

    Raises
    ------
    ValueError
        If there are no such marks.
    """
    page = docs / "submit.md"
    before, begin, rest = page.read_text(encoding="utf-8").partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"{page}: expected a table between {_BEGIN} and {_END}")
    replace_text(page, f"{before}{begin}\n{table()}{end}{after}")
    replace_text(docs / "ops.md", markdown())


def main(arguments: Sequence[str]) -> None:
    """Do what the arguments say: see the module."""
    match arguments:
        case ["--write", docs]:
            write(Path(docs))
        case ["--table"]:
            sys.stdout.write(table())
        case []:
            sys.stdout.write(markdown())
        case _:
            sys.exit(f"expected nothing, --table or --write DOCS, got {' '.join(arguments)}")


if __name__ == "__main__":
    main(sys.argv[1:])
