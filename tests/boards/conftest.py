"""Rows of a small board, without running anything."""

from __future__ import annotations

from dataclasses import replace

import pytest

from leaderboard.test_board import made
from sparsebench.boards.edition import edition_of
from sparsebench.tasks import load_task

MEMORIZATION = load_task("memorization@1")


def rows_of(name, quality=0.5, *, seeds=2, instances=("n256-r4",), state="s", **changes):
    """Give the rows of a submission, one for each instance and seed."""
    return [
        replace(
            made(
                name,
                seed=seed,
                quality=quality,
                ops=2.0**9,
                task=MEMORIZATION,
                instance=instance,
                submission_hash=state,
            ),
            cell_key="",
            **changes,
        )
        for instance in instances
        for seed in range(seeds)
    ]


def files_in(folder):
    """Give path -> bytes of all files of a folder, also hidden ones."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def rows():
    """Rows of two submissions."""
    return [*rows_of("a", 0.75), *rows_of("b", 0.5)]


@pytest.fixture
def edition(rows):
    """Their board."""
    return edition_of(rows, title="My board", base_url="https://me.example/board")
