"""``sparsebench leaderboard``: which instances a board is made of, what it says of them, and titles."""

import csv
import io
import shutil
from dataclasses import replace

import pytest

from evaluate.tiny import ROOT, plain, write
from leaderboard.test_board import made
from sparsebench.cli.leaderboard import board_of
from sparsebench.models import find_submission, shipped_names
from sparsebench.results import ResultStore
from sparsebench.tasks import load_task

MEMORIZATION = load_task("memorization@1")
SMALL, LARGE = ("n256-r4", "n4096-r4"), "n65536-r4"


BOARD = tuple(sorted(MEMORIZATION.board))
STUDY = next(name for name in MEMORIZATION.instances if name not in BOARD)


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
    expected = f"memorization@1: on 2 of the board's {len(BOARD)} instances (n256-r4, n4096-r4)"
    assert board.notes[0] == expected


def test_one_row_of_a_large_instance_has_all_scored_on_all():
    rows = [cell(name, "b") for name in SMALL]
    before = scores(rows)[1]["b"]
    board, got = scores([*rows, cell(LARGE)])
    assert board.tasks[0].instances == BOARD
    n = len(BOARD)
    assert got["a"] == pytest.approx(1 / n * (18 - (9 + 18 * (n - 1)) / n) / 18)
    assert got["a"] < got["b"] < before
    assert not any("of the board's" in note for note in board.notes)


def test_rows_of_instances_for_studies_are_told_and_left_out():
    rows = [cell(name, quality=0.5) for name in BOARD]
    board, got = scores([*rows, cell(STUDY)])
    assert board.tasks[0].instances == BOARD
    assert got == scores(rows)[1]
    left = f"memorization@1: rows of instances that the board is not scored on are left out ({STUDY})"
    assert board.notes[0] == left
    alone = board_of([cell(STUDY)], [MEMORIZATION])
    assert (alone.entries, alone.notes) == ((), (left,))


def test_instances_for_studies_can_be_chosen():
    board, got = scores([cell("n256-r4"), cell(STUDY)], {MEMORIZATION.ref: {"n256-r4", STUDY}})
    assert got == {"a": 0.5}
    names = ", ".join(sorted(("n256-r4", STUDY)))
    assert (
        board.notes[0] == f"memorization@1: on 1 of the board's {len(BOARD)} instances and 1 more ({names})"
    )


def test_a_task_that_names_no_instance_for_the_board_is_scored_on_all():
    specs = {name: replace(MEMORIZATION.instances[name], board=False) for name in (*SMALL, LARGE)}
    task = replace(MEMORIZATION, instances=specs)
    rows = [replace(cell(name), task_hash=task.hash, cell_key="") for name in specs]
    board = board_of(rows, [task])
    assert board.tasks[0].instances == tuple(sorted(specs))
    assert not any("board" in note for note in board.notes)


@pytest.mark.parametrize("picked", BOARD)
def test_picking_an_instance_never_helps(picked):
    hard = {name: 1.0 - 0.1 * place for place, name in enumerate(BOARD)}
    everything = [cell(name, quality=quality) for name, quality in hard.items()]
    others = [cell(name, "b") for name in hard]
    whole = scores([*everything, *others])[1]["a"]
    one = scores([row for row in everything if row.instance == picked] + others)[1]["a"]
    assert one < whole


def test_chosen_instances_are_told():
    board, got = scores([cell("n256-r4"), cell(LARGE)], {MEMORIZATION.ref: {"n256-r4"}})
    assert board.tasks[0].instances == ("n256-r4",)
    assert got == {"a": 0.5}
    assert board.notes[0] == f"memorization@1: on 1 of the board's {len(BOARD)} instances (n256-r4)"


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
    assert f"mine-own@7: on 1 of the board's {len(BOARD)} instances (n256-r4)" in outcome.out
    assert [row.task for row in ResultStore(here / "sparsebench-results").latest()] == ["mine-own@7"]
    again = cli("eval", "mine", "--tasks", elsewhere, *one, "--resume")
    assert (again.code, again.out) == (0, outcome.out)
    shown = cli("leaderboard", "show", "--tasks", elsewhere)
    assert shown.code == 0, shown.err
    assert "mine-own@7" in shown.out


def test_instances_that_nobody_can_draw_again_are_told():
    lipschitz = load_task("lipschitz-regression@1")
    drawn = sorted(name for name, spec in lipschitz.instances.items() if not spec.public_test)
    for names, told in ((("ackley", drawn[0]), ["ackley"]), (drawn[:2], [])):
        rows = [made(instance=name, task=lipschitz) for name in names]
        board = board_of(rows, [lipschitz], {lipschitz.ref: set(names)})
        notes = [note for note in board.notes if "public" in note]
        assert [note.rpartition(": ")[2] for note in notes] == told
    assert not any("public" in note for note in board_of([cell(SMALL[0])], [MEMORIZATION]).notes)
