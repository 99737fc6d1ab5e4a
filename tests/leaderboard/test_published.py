"""The published tables are what the published rows say."""

from __future__ import annotations

import base64
import csv
import re
import shutil
import zlib
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from sparsebench.cli import cli
from sparsebench.leaderboard.escape import for_csv
from sparsebench.leaderboard.frozen import read_frozen
from sparsebench.leaderboard.standard import REFERENCES
from sparsebench.results import ResultStore
from sparsebench.tasks import load_task

LEADERBOARD = Path(__file__).resolve().parents[2] / "leaderboard"


@pytest.fixture(scope="module")
def rebuilt(tmp_path_factory):
    into = tmp_path_factory.mktemp("published")
    for name in ("README.md", "board.toml"):
        shutil.copy(LEADERBOARD / name, into)
    arguments = [
        "leaderboard",
        "build",
        "--output",
        str(LEADERBOARD / "results"),
        "--into",
        str(into),
        "--parquet",
    ]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    return into


@pytest.mark.parametrize("name", ["README.md", "board.tex", "board.csv", "points.csv", "areas.csv"])
def test_tables_are_made_of_the_rows(rebuilt, name):
    assert (rebuilt / name).read_text(encoding="utf-8") == (LEADERBOARD / name).read_text(encoding="utf-8")


def unpacked(page):
    """Give the page without what depends on the compressor: the details as they were before it."""
    head, details, tail = re.split(r"(?<=id=\"details\">)(.*?)(?=</script>)", page, maxsplit=1)
    return head, zlib.decompress(base64.b64decode(details)), tail


def test_the_page_is_made_of_the_rows(rebuilt):
    pages = [(place / "index.html").read_text(encoding="utf-8") for place in (rebuilt, LEADERBOARD)]
    assert unpacked(pages[0]) == unpacked(pages[1])


def test_the_page_is_small():
    assert (LEADERBOARD / "index.html").stat().st_size < 300_000


def test_parquet_has_what_csv_has(rebuilt):
    """By value: another version of pyarrow may write other bytes, which is why it is not published."""
    for name in ("board", "points", "areas"):
        table = pq.read_table(rebuilt / f"{name}.parquet")
        with (rebuilt / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            head, *lines = csv.reader(file)
        assert table.column_names == head
        assert len(lines) == table.num_rows > 0
        for line, record in zip(lines, table.to_pylist(), strict=True):
            for text, value in zip(line, record.values(), strict=True):
                shown = "" if value is None else for_csv(value) if isinstance(value, str) else str(value)
                assert shown == text


def test_the_board_is_on_all_instances_of_the_standard_one_with_five_seeds():
    frozen = read_frozen(LEADERBOARD / "board.toml")
    assert frozen.seeds == 5
    assert {task: set(names) for task, names in frozen.instances.items()} == {
        task.ref: set(task.board) for task in map(load_task, frozen.instances)
    }
    assert {ref.partition("@")[0] for ref in frozen.instances} <= set(REFERENCES)


def test_what_is_shown_of_the_rows_is_the_published_board():
    show = ["leaderboard", "show", "--output", str(LEADERBOARD / "results"), "--format", "markdown"]
    show += ["--frozen", str(LEADERBOARD / "board.toml")]  # of the versions that it is of
    result = CliRunner().invoke(cli, show)
    assert result.exit_code == 0, result.output
    assert result.output.strip() in (LEADERBOARD / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("store", ["results", "preliminary"])
def test_rows_are_ok_and_of_a_committed_harness(store):
    rows = ResultStore(LEADERBOARD / store).latest()
    assert rows
    assert {(row.status, row.harness_dirty) for row in rows} == {("ok", False)}
    assert {row.sandbox for row in rows} <= {"files", "isolated"}  # "files": older than levels


def test_pictures_are_made_of_the_rows(rebuilt):
    made = {path.name: path.read_bytes() for path in rebuilt.glob("*.svg")}
    assert made == {path.name: path.read_bytes() for path in LEADERBOARD.glob("*.svg")}
    assert "board.svg" in made


def test_each_task_of_the_board_shows_its_picture():
    names = {ref.partition("@")[0] for ref in read_frozen(LEADERBOARD / "board.toml").instances}
    assert {f"{name}.svg" for name in names} == {path.name for path in LEADERBOARD.glob("*.svg")} - {
        "board.svg"
    }
    root = LEADERBOARD.parent
    for page, picture in (
        (root / "README.md", "leaderboard/board.svg"),
        (LEADERBOARD / "README.md", "board.svg"),
        *((root / "tasks" / name / "README.md", f"../../leaderboard/{name}.svg") for name in names),
    ):
        assert f"]({picture})" in page.read_text(encoding="utf-8"), page
