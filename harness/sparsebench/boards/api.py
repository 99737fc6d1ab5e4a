"""The JSON documents of a published board, ``api/v1``, and the schemas that describe them.

There is no document of all rows: ``rows.parquet`` has every column of them, an entry's document its cells.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparsebench.boards.edition import file_name, task_file_name
from sparsebench.leaderboard.sheets import document

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sparsebench.boards.edition import Edition
    from sparsebench.leaderboard.board import Entry

__all__ = ["ROOT", "api_files", "json_bytes"]

ROOT = "api/v1"
"""The folder of the documents. Fields may be added to them; what else changes has another number."""

_OWN_SCHEMAS = Path(__file__).with_name("schemas")
# A board is described by the schema of `leaderboard show --json`: a file of data, not an import upwards.
_BOARD_SCHEMA = Path(__file__).parents[1] / "cli" / "schemas" / "board.json"
_CELL = ("task", "instance", "variant", "seed", "status", "ops", "ops_router", "quality", "error", "cell_key")


def api_files(edition: Edition, *, releases: Sequence[str] = ()) -> dict[str, bytes]:
    """Return path -> content of the documents and of their schemas.

    Parameters
    ----------
    edition
        The board and its rows.
    releases
        Names of earlier releases, which lie under ``releases``.
    """
    board = document(edition.board)
    documents: dict[str, Any] = {
        f"{ROOT}/index.json": _index(edition, releases),
        f"{ROOT}/board.json": board,
    }
    for entry in edition.board.entries:
        path = f"{ROOT}/entries/{file_name(entry.submission)}.json"
        documents[path] = _entry(edition, entry, board)
    found = {path: json_bytes(told) for path, told in documents.items()}
    for schema in (*sorted(_OWN_SCHEMAS.glob("*.json")), _BOARD_SCHEMA):
        found[f"{ROOT}/schema/{schema.name}"] = schema.read_text(encoding="utf-8").encode()
    return found


def json_bytes(document: Any) -> bytes:
    """Return a document as JSON in ASCII, one line per value; it holds no NaN."""
    return (json.dumps(document, indent=1, allow_nan=False) + "\n").encode("ascii")


def _index(edition: Edition, releases: Sequence[str]) -> dict[str, Any]:
    board = edition.board
    return {
        "title": edition.title,
        "updated": edition.updated,
        "scoring_version": board.scoring_version,
        "cost_model": board.cost_model,
        "board": edition.address(f"{ROOT}/board.json"),
        "rows": edition.address("rows.parquet"),
        "feed": edition.address("feed.xml"),
        "tasks": [
            {
                "ref": task.ref,
                "hash": task.hash,
                "instances": list(task.instances),
                "badge": edition.address(f"badges/{task_file_name(task.ref)}.json"),
            }
            for task in board.tasks
        ],
        "entries": [
            {
                "submission": entry.submission,
                "title": entry.title,
                "document": edition.address(f"{ROOT}/entries/{file_name(entry.submission)}.json"),
            }
            for entry in board.entries
        ],
        "releases": [
            {"name": name, "page": edition.address(f"releases/{name}/index.html")} for name in releases
        ],
    }


def _entry(edition: Edition, entry: Entry, board: Mapping[str, Any]) -> dict[str, Any]:
    own = {
        part: [record for record in board[part] if record["submission"] == entry.submission]
        for part in ("scores", "points", "areas")
    }
    return {
        "submission": entry.submission,
        "submission_hash": edition.state(entry),
        "title": entry.title,
        "uses_tags": entry.uses_tags,
        **own,
        "curves": list(_curves(edition, entry)),
        "cells": [{name: getattr(row, name) for name in _CELL} for row in edition.counting(entry)],
    }


def _curves(edition: Edition, entry: Entry) -> Iterator[dict[str, Any]]:
    for task, score in zip(edition.board.tasks, entry.tasks, strict=True):
        if score is not None:
            for instance, steps in zip(task.instances, score.curves, strict=True):
                yield {"task": task.ref, "instance": instance, "steps": [list(step) for step in steps]}
