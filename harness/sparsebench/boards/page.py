"""The page of a published board, ``index.html``."""

from __future__ import annotations

import importlib
import importlib.util
from typing import TYPE_CHECKING

from sparsebench.leaderboard.columns import places, with_interval
from sparsebench.leaderboard.escape import for_xml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sparsebench.boards.publication import Publication

__all__ = ["index_page"]

_RENDERER = "sparsebench.leaderboard.page"
_LONGEST = 4000
_HEAD = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<link rel="alternate" type="application/atom+xml" href="feed.xml">
<style>
body {{ font: 16px/1.5 sans-serif; margin: 2em auto; max-width: 60em; padding: 0 1em }}
table {{ border-collapse: collapse }}
td, th {{ border-bottom: 1px solid #ccc; padding: .2em .8em; text-align: left }}
</style>
</head>
<body>
<h1>{title}</h1>
"""
_FOOT = """\
<p>Scoring version {scoring}, cost model {cost}. Files: <a href="board.md">tables</a>,
<a href="board.csv">scores</a>, <a href="points.csv">variants</a>, <a href="areas.csv">instances</a>,
<a href="rows.parquet">rows</a>, <a href="api/v1/index.json">JSON</a>, <a href="feed.xml">changes</a>,
<a href="board.bib">BibTeX</a>.</p>
</body>
</html>
"""


def index_page(publication: Publication) -> str:
    """Return the page: with charts, if the package has the module that draws them, else the tables alone."""
    if importlib.util.find_spec(_RENDERER) is None:
        return _tables_alone(publication)
    page = importlib.import_module(_RENDERER).render_page(
        board=publication.board,
        router_free=publication.router_free,
        findings=publication.found,
        rows=publication.rows,
    )
    return str(page)


def _tables_alone(publication: Publication) -> str:
    board = publication.board
    parts = [_HEAD.format(title=for_xml(publication.title))]
    said = "\n".join(f"<li>{for_xml(finding.text, _LONGEST)}</li>" for finding in publication.found)
    parts += [f"<ul>\n{said}\n</ul>\n"] if said else []
    for number, task in enumerate(board.tasks):
        parts += [f"<h2>{for_xml(task.ref)}</h2>\n", "".join(_table(publication, number))]
    return "".join([*parts, _FOOT.format(scoring=board.scoring_version, cost=board.cost_model)])


def _table(publication: Publication, number: int) -> Iterator[str]:
    yield "<table>\n<tr><th>rank</th><th>submission</th><th>score</th></tr>\n"
    for entry, score in publication.board.ranked(number):
        told = with_interval(score.score, score.low, score.high, exact=score.exact)
        yield f"<tr><td>{places(score.rank)}</td><td>{for_xml(entry.submission)}</td><td>{told}</td></tr>\n"
    yield "</table>\n"
