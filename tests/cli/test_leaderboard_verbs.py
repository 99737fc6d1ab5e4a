"""``sparsebench leaderboard``: which instances a board is made of, what it says of them, and titles."""

import csv
import io
import shutil

import pytest

from evaluate.tiny import ROOT, plain, write
from leaderboard.test_board import made
from sparsebench.cli.leaderboard import board_of
from sparsebench.models import find_submission, shipped_names
from sparsebench.results import ResultStore
from sparsebench.tasks import load_task

MEMORIZATION = load_task("memorization@1")
SMALL, LARGE = ("n256-r4", "n4096-r4"), "n65536-r4"


def cell(instance, submission="a", quality=1.0):
    return made(submission, instance=instance, task=MEMORIZATION, ops=2.0**9, quality=quality)


def scores(rows, chosen=None):
    board = board_of(rows, [MEMORIZATION], chosen)
    assert {entry.tasks[0].instances for entry in board.entries} == {board.tasks[0].instances}
    return board, {entry.submission: entry.score for entry in board.entries}


def test_rows_of_small_instances_alone_are_scored_on_the_small_ones():
    board, got = scores([cell("n256-r4"), cell("n256-r4", "b"), cell("n4096-r4", "b")])
    assert board.tasks[0].instances == tuple(sorted(SMALL))
    assert got == {"a": pytest.approx(0.5 * (18 - 13.5) / 18), "b": pytest.approx(0.5)}
    assert board.notes[0] == "memorization@1: on 2 of its 3 instances (n256-r4, n4096-r4)"


def test_one_row_of_a_large_instance_has_all_scored_on_all():
    rows = [cell(name, "b") for name in SMALL]
    before = scores(rows)[1]["b"]
    board, got = scores([*rows, cell(LARGE)])
    assert board.tasks[0].instances == tuple(sorted([*SMALL, LARGE]))
    assert got["a"] == pytest.approx(1 / 3 * (18 - (9 + 18 + 18) / 3) / 18)
    assert got["a"] < got["b"] < before
    assert not any("of its" in note for note in board.notes)


@pytest.mark.parametrize("picked", [*SMALL, LARGE])
def test_picking_an_instance_never_helps(picked):
    hard = {"n256-r4": 1.0, "n4096-r4": 0.9, LARGE: 0.8}
    everything = [cell(name, quality=quality) for name, quality in hard.items()]
    others = [cell(name, "b") for name in hard]
    whole = scores([*everything, *others])[1]["a"]
    one = scores([row for row in everything if row.instance == picked] + others)[1]["a"]
    assert one < whole


def test_chosen_instances_are_told():
    board, got = scores([cell("n256-r4"), cell(LARGE)], {MEMORIZATION.ref: {"n256-r4"}})
    assert board.tasks[0].instances == ("n256-r4",)
    assert got == {"a": 0.5}
    assert board.notes[0] == "memorization@1: on 1 of its 3 instances (n256-r4)"


def test_boards_of_shipped_submissions_have_their_titles(cli, here):
    write(here / "mine", plain())
    assert cli("eval", "constant", "mine", "--instances", "n256-r4", "--seeds", "1").code == 0
    assert cli("leaderboard", "build").code == 0
    with (here / "leaderboard" / "board.csv").open(encoding="utf-8") as file:
        titles = {line["submission"]: line["title"] for line in csv.DictReader(file)}
    assert titles == {"constant": find_submission("constant").manifest.title, "mine": ""}
    assert titles["constant"] in cli("leaderboard", "show", "--format", "markdown").out
    points = csv.DictReader(io.StringIO(cli("leaderboard", "show", "--format", "csv").out))
    assert {line["submission"] for line in points} == {"constant", "mine"}


def test_every_shipped_submission_has_a_title():
    rows = [cell("n256-r4", name) for name in shipped_names()]
    board = board_of(rows, [MEMORIZATION], titled=True)
    assert len(board.entries) == len(rows)
    assert all(entry.title for entry in board.entries)
    assert not any(entry.title for entry in board_of(rows, [MEMORIZATION]).entries)


@pytest.fixture
def elsewhere(here):
    """A task that is not among the standard ones."""
    folder = here / "my-task" / "v7"
    shutil.copytree(ROOT / "tasks" / "memorization" / "v1", folder)
    manifest = folder / "task.toml"
    text = manifest.read_text(encoding="utf-8")
    text = text.replace('name = "memorization"', 'name = "mine-own"', 1)
    manifest.write_text(text.replace("version = 1", "version = 7", 1), encoding="utf-8")
    assert load_task(str(folder)).ref == "mine-own@7"
    return folder


def test_a_task_of_ones_own_is_run_and_its_table_shown(cli, here, elsewhere):
    write(here / "mine", plain(), tasks=("mine-own@7",))
    one = ("--instances", "n256-r4", "--seeds", "1")
    outcome = cli("eval", "mine", "--tasks", elsewhere, *one)
    assert outcome.code == 0, outcome.err
    (line,) = (line for line in outcome.out.splitlines() if line.startswith("mine  "))
    assert line.split()[1:4] == ["v", "mine-own@7", "8"]
    assert "mine-own@7: on 1 of its 3 instances (n256-r4)" in outcome.out
    assert [row.task for row in ResultStore(here / "sparsebench-results").latest()] == ["mine-own@7"]
    again = cli("eval", "mine", "--tasks", elsewhere, *one, "--resume")
    assert (again.code, again.out) == (0, outcome.out)
    shown = cli("leaderboard", "show", "--tasks", elsewhere)
    assert shown.code == 0, shown.err
    assert "mine-own@7" in shown.out
