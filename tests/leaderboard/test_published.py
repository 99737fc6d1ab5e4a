"""The published tables are what the published rows say."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from sparsebench.cli import cli
from sparsebench.results import ResultStore

LEADERBOARD = Path(__file__).resolve().parents[2] / "leaderboard"


@pytest.fixture(scope="module")
def rebuilt(tmp_path_factory):
    into = tmp_path_factory.mktemp("published")
    shutil.copy(LEADERBOARD / "README.md", into)
    arguments = ["leaderboard", "build", "--output", str(LEADERBOARD / "results"), "--into", str(into)]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    return into


@pytest.mark.parametrize("name", ["README.md", "board.csv", "points.csv", "areas.csv"])
def test_tables_are_made_of_the_rows(rebuilt, name):
    assert (rebuilt / name).read_text(encoding="utf-8") == (LEADERBOARD / name).read_text(encoding="utf-8")


def test_rows_are_ok_and_of_a_committed_harness():
    rows = ResultStore(LEADERBOARD / "results").latest()
    assert rows
    assert {(row.status, row.harness_dirty) for row in rows} == {("ok", False)}
    assert {row.sandbox for row in rows} <= {"files", "isolated"}  # "files": older than levels
