"""What is written of studies: a page each, with its table and its picture, and one that lists all claims."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING

from tabulate import tabulate

from sparsebench.leaderboard.escape import for_csv, for_markdown
from sparsebench.studies.plots import draw

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sparsebench.studies.records import Outcome, Study, Table

__all__ = ["document_of", "files_of", "index_of"]

_LONGEST = 2000
_SAID = (
    "A claim that does not hold is a result like any other; where a paper's figure could not be read, "
    "nothing is put in its place. Each study's page says what was run, and when a claim counts as reproduced."
)


def document_of(study: Study, outcome: Outcome, *, quick: bool) -> dict[str, object]:
    """Return what came out, ready for JSON."""
    return {
        "study": study.name,
        "title": study.title,
        "reference": study.reference,
        "command": command_of(study, quick=quick),
        "quick": quick,
        "claims": [asdict(claim) for claim in outcome.claims],
        "tables": [table._asdict() for table in outcome.tables],
        "remarks": list(outcome.remarks),
    }


def command_of(study: Study, *, quick: bool) -> str:
    """Return the command that measures a study anew."""
    return f"sparsebench reproduce {study.name}{' --quick' * quick}"


def files_of(study: Study, outcome: Outcome, *, quick: bool) -> dict[str, str]:
    """Return the files of a study's folder: name -> text."""
    tables = {
        f"table{'' if len(outcome.tables) == 1 else f'-{n}'}.csv": _csv(table)
        for n, table in enumerate(outcome.tables, start=1)
    }
    document = json.dumps(document_of(study, outcome, quick=quick), indent=1, allow_nan=False)
    return {
        "README.md": "\n".join(_page(study, outcome, list(tables), quick=quick)) + "\n",
        "figure.svg": draw(outcome.plot),
        "result.json": f"{document}\n",
        **tables,
    }


def _page(study: Study, outcome: Outcome, tables: Sequence[str], *, quick: bool) -> Iterator[str]:
    command = command_of(study, quick=quick)
    yield f"<!-- Written by `{command}`. Do not edit. -->"
    yield f"# {study.title}"
    yield ""
    yield f"{_text(study.reference)}."
    yield ""
    yield study.about
    yield ""
    if quick:
        yield "**This is a quick run**: sizes are small, and its verdicts are not to be quoted."
        yield ""
    yield _claims(outcome)
    yield ""
    yield f"![{_text(outcome.plot.title)}](figure.svg)"
    for table, name in zip(outcome.tables, tables, strict=True):
        yield ""
        yield f"**{_text(table.title)}** ([{name}]({name}))"
        yield ""
        yield _markdown(table.heads, table.rows)
    for remark in outcome.remarks:
        yield ""
        yield remark
    yield ""
    yield "```"
    yield command
    yield "```"


def _claims(outcome: Outcome) -> str:
    rows = [(c.says, c.source, c.asks, c.measured, c.verdict.value) for c in outcome.claims]
    return _markdown(("claim", "whose", "it counts as reproduced with", "measured", "verdict"), rows)


def index_of(found: Mapping[Study, Outcome], *, quick: bool) -> str:
    """Return the page that lists the claims of all studies."""
    verdicts = Counter(claim.verdict.value for outcome in found.values() for claim in outcome.claims)
    rows = [
        (f"[{study.name}]({study.name}/README.md)", claim.says, claim.measured, f"**{claim.verdict.value}**")
        for study, outcome in found.items()
        for claim in outcome.claims
    ]
    table = tabulate(
        [(link, *(_text(cell) for cell in cells), mark) for link, *cells, mark in rows],
        headers=("study", "claim", "measured", "verdict"),
        tablefmt="pipe",
        disable_numparse=True,
    )
    command = f"sparsebench reproduce --all{' --quick' * quick}"
    counts = ", ".join(f"{many} {name}" for name, many in sorted(verdicts.items()))
    lines = [
        f"<!-- Written by `{command}`. Do not edit. -->",
        "# Claims of the papers, derived anew",
        "",
        f"{sum(verdicts.values())} claims: {counts}. {_SAID}",
        "",
        table,
        "",
        "```",
        command,
        "```",
    ]
    return "\n".join(lines) + "\n"


def _markdown(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    cells = [[_text(_shown(cell)) for cell in row] for row in rows]
    numbers = [all(isinstance(row[n], int | float) for row in rows) for n in range(len(heads))]
    align = ["right" if each else "left" for each in numbers]
    return tabulate(
        cells, headers=[*map(_text, heads)], tablefmt="pipe", disable_numparse=True, colalign=align
    )


def _text(text: str) -> str:
    return for_markdown(text, _LONGEST)


def _shown(cell: object) -> str:
    if isinstance(cell, int):
        return f"{cell:,}"
    return f"{cell:.4g}" if isinstance(cell, float) else str(cell)


def _csv(table: Table) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(map(for_csv, table.heads))
    for row in table.rows:
        writer.writerow(for_csv(cell) if isinstance(cell, str) else cell for cell in row)
    return file.getvalue()
