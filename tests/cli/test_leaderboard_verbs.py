"""``sparsebench leaderboard``: which instances a board is made of, and what it says of them."""

import contextlib
import csv
import io
import json
import os
import re
import shutil
import struct
import subprocess
import sys
from dataclasses import replace

import pytest

import sparsebench as sb
from evaluate.tiny import ROOT, plain, write
from leaderboard.test_board import made
from sparsebench.cli import boards, leaderboard
from sparsebench.errors import NotFoundError, UsageError
from sparsebench.leaderboard.cells import PROFILES
from sparsebench.leaderboard.columns import SORTS, with_interval
from sparsebench.leaderboard.frozen import Frozen, read_frozen
from sparsebench.leaderboard.standard import REFERENCES, Choice, board_of
from sparsebench.models import find_submission, shipped_names
from sparsebench.results import ResultStore
from sparsebench.tasks import list_tasks, load_task, newest_task

MEMORIZATION = load_task("memorization@1")
NEWEST = newest_task("memorization@1")
SMALL, LARGE = ("n256-r4", "n4096-r4"), "n65536-r4"


BOARD = tuple(sorted(MEMORIZATION.board))
STUDY = next(name for name in MEMORIZATION.instances if name not in BOARD)


def cell(instance, submission="a", quality=1.0):
    return made(submission, instance=instance, task=MEMORIZATION, ops=2.0**9, quality=quality)


def scores(rows, **choice):
    board = board_of(rows, [MEMORIZATION], Choice(**choice))
    return board, {entry.submission: entry.tasks[0].score for entry in board.entries}


def test_a_board_is_over_the_instances_that_its_rows_cover():
    board, got = scores([cell("n256-r4"), cell("n256-r4", "b"), cell("n4096-r4", "b")])
    assert board.tasks[0].instances == tuple(sorted(SMALL))
    assert got == {"a": pytest.approx(0.25), "b": pytest.approx(0.5)}
    without = ", ".join(sorted(set(BOARD) - set(SMALL)))
    on = f"on 2 of the standard board's {len(BOARD)} instances (n256-r4, n4096-r4)"
    assert board.notes[0] == f"memorization@1: {on}; without {without}"


def test_on_all_of_the_standard_boards_instances_nothing_is_said_of_them():
    board, got = scores([*(cell(name, "b") for name in BOARD), cell(LARGE)])
    assert board.tasks[0].instances == BOARD
    assert got == {"a": pytest.approx(0.5 / len(BOARD)), "b": pytest.approx(0.5)}
    assert not any("standard board" in note for note in board.notes)


def test_rows_of_instances_for_studies_are_told_and_left_out():
    rows = [cell(name, quality=0.5) for name in BOARD]
    board, got = scores([*rows, cell(STUDY)])
    assert board.tasks[0].instances == BOARD
    assert got == scores(rows)[1]
    assert board.notes[0] == f"memorization@1: rows of other instances are left out: {STUDY}"


def test_where_there_are_rows_of_no_other_they_are_shown():
    board, got = scores([cell(STUDY)])
    assert got == {"a": 0.5}
    assert f"on 0 of the standard board's {len(BOARD)} instances and 1 more ({STUDY})" in board.notes[0]


def test_instances_can_be_chosen():
    names = ", ".join(sorted(("n256-r4", STUDY)))
    board, got = scores([cell("n256-r4"), cell(LARGE), cell(STUDY)], instances=("n256-r4", STUDY))
    assert got == {"a": 0.5}
    assert f"on 1 of the standard board's {len(BOARD)} instances and 1 more ({names})" in board.notes[0]


def test_the_small_instances_can_be_chosen():
    board, got = scores([cell("n256-r4"), cell(LARGE)], small=True)
    assert (board.tasks[0].instances, got) == (("n256-r4",), {"a": 0.5})
    with pytest.raises(NotFoundError, match="no rows of any small instance of memorization@1"):
        scores([cell(LARGE)], small=True)


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"instances": ("n257",)}, "no row is of an instance called 'n257'"),
        ({"submissions": ("tree",)}, "no row is of a submission called 'tree'"),
    ],
)
def test_what_is_chosen_must_be_there(choice, message):
    with pytest.raises(NotFoundError, match=message) as caught:
        scores([cell("n256-r4")], **choice)
    assert "there are rows of: " in caught.value.help


def test_entries_can_be_chosen_and_those_told_the_domains_left_out():
    rows = [cell("n256-r4", name) for name in "abc"]
    rows.append(replace(cell("n256-r4", "told"), uses_tags=True))
    assert set(scores(rows, submissions=("a", "told"))[1]) == {"a", "told"}
    assert set(scores(rows, tags=False)[1]) == {"a", "b", "c"}
    assert set(scores(rows, tags=False, submissions=("a", "told"))[1]) == {"a"}


def test_a_task_that_names_no_instance_for_the_board_is_scored_on_all():
    specs = {name: replace(MEMORIZATION.instances[name], board=False) for name in (*SMALL, LARGE)}
    task = replace(MEMORIZATION, instances=specs)
    rows = [replace(cell(name), task_hash=task.hash, cell_key="") for name in specs]
    board = board_of(rows, [task])
    assert board.tasks[0].instances == tuple(sorted(specs))
    assert not any("standard board" in note for note in board.notes)


@pytest.mark.parametrize("picked", BOARD)
def test_picking_an_instance_never_helps_where_another_entry_has_all(picked):
    hard = {name: 1.0 - 0.1 * place for place, name in enumerate(BOARD)}
    everything = [cell(name, quality=quality) for name, quality in hard.items()]
    others = [cell(name, "b") for name in hard]
    whole = scores([*everything, *others])[1]["a"]
    one = scores([row for row in everything if row.instance == picked] + others)[1]["a"]
    assert one < whole


def test_the_references_are_shipped_and_enter_their_tasks():
    for task, name in REFERENCES.items():
        answered = {ref.partition("@")[0] for ref in find_submission(name).manifest.tasks}
        assert task in answered or task not in {standard.name for standard in list_tasks()}


def printed(text):
    """Give submission -> score of the first table, as it is printed."""
    found = {}
    for line in text.split("\n\n")[1].splitlines()[2:]:
        cells = re.split("  +", line.strip())
        found[cells[1]] = cells[2]
    return found


def test_eval_show_and_the_sheets_print_the_same_figures(cli, here):
    run = cli("eval", "conditional-tree", "constant", "--small", "--seeds", "2", "--tasks", NEWEST.ref)
    assert run.code == 0, run.err
    shown = cli("leaderboard", "show")
    assert shown.out == run.out
    assert cli("leaderboard", "build").code == 0
    block = (here / "leaderboard" / "README.md").read_text(encoding="utf-8")
    with (here / "leaderboard" / "board.csv").open(encoding="utf-8") as file:
        sheet = {line["submission"]: line for line in csv.DictReader(file)}
    as_json = json.loads(cli("leaderboard", "show", "--json").out)
    records = {record["submission"]: record for record in as_json["scores"]}
    for name, score in printed(run.out).items():
        assert float(sheet[name]["score"]) == records[name]["score"]
        low, high = records[name]["low"], records[name]["high"]
        words = with_interval(records[name]["score"], low, high, exact=records[name]["exact"])
        assert score == words
        assert f" {score} |" in block
    assert list(printed(run.out)) == ["conditional-tree", "constant"]


def test_runs_of_a_cell_that_disagree_are_told_of_a_stores_board(cli, here):
    """All runs in a store are looked at, and not the newest alone."""
    store = ResultStore(here / "sparsebench-results")
    for quality, minute in ((1.0, 4), (0.5, 5)):
        store.write(
            replace(cell("n256-r4", quality=quality), ended=f"2026-01-02T03:{minute:02}:06.000000+00:00")
        )
    told = "a: 1 cells have runs of other quality than the newest, which counts"
    shown = cli("leaderboard", "show")
    assert told in " ".join(shown.out.split())
    assert list(printed(shown.out).values()) == ["0.250 (one seed)"]
    assert told in sb.make_board(here / "sparsebench-results").notes


def test_what_is_offered_is_what_there_is():
    """The command line has names of its own, so that `--help` imports no board."""
    assert tuple(PROFILES) == boards.PROFILES
    assert tuple(SORTS) == leaderboard._SORTS


def test_options_of_show(cli, here):
    rows = [
        replace(cell(name, who), seed=seed, cell_key="") for name in SMALL for who in "ab" for seed in (0, 1)
    ]
    store = ResultStore(here / "sparsebench-results")
    for row in rows:
        store.write(row)
    show = ("leaderboard", "show")
    assert "n256-r4" in cli(*show, "--by", "instance").out.splitlines()[2]
    assert list(printed(cli(*show, "--submissions", "b").out)) == ["b"]
    assert f"{NEWEST.ref} (1 instance, preliminary, 2 of 5 seeds)" in cli(*show, "--instances", "n256-r4").out
    assert f"{NEWEST.ref} (2 instances, 1 seed)" in cli(*show, "--seeds", "1").out
    assert (
        "by profile macs (multiply-accumulates per input), which is not the standard one"
        in cli(*show, "--profile", "macs").out
    )
    as_latex = cli(*show, "--format", "latex", "--sort", "name").out
    assert as_latex.index(" a & ") < as_latex.index(" b & ")
    assert (r"\toprule" in as_latex, "fewer" in as_latex) == (True, False)
    refused = cli(*show, "--format", "latex", "--by", "instance")
    assert (refused.code, "expected --by task with --format latex" in refused.err) == (2, True)
    for wrong in (("--sort", "luck"), ("--by", "luck"), ("--profile", "luck"), ("--seeds", "0")):
        assert cli(*show, *wrong).code == 2
    assert cli(*show, "--instances", "n257").code == 2


def test_two_entries_are_compared_on_the_rows_of_a_board(cli, here):
    store = ResultStore(here / "sparsebench-results")
    for name, quality in (("tree-a", 1.0), ("tree-b", 0.5)):
        for instance in SMALL:
            store.write(cell(instance, name, quality))
    compare = ("leaderboard", "compare")
    told = cli(*compare, "tree-a", "tree-b")
    assert (told.code, told.err) == (0, "")
    assert "tree-a on 2 of 2 instances, n256-r4 (0.500 to 0.250), n4096-r4 (0.500 to 0.250)" in told.out
    assert told.out.splitlines()[-3].startswith("Not said here: ")
    one = cli(*compare, "tree-a", "tree-b", "--instances", "n256-r4", "--seeds", "1", "--json")
    assert [lead["instance"] for lead in json.loads(one.out)["tasks"][0]["instances"]] == ["n256-r4"]
    assert cli("leaderboard", "freeze", "--instances", "n4096-r4").code == 0
    frozen = ("--frozen", here / "leaderboard" / "board.toml")
    assert "tree-b on 0 of 1 instances" in cli(*compare, "tree-a", "tree-b", *frozen).out
    for wrong, message in (
        (("tree-a", "tre-b"), "help: did you mean 'tree-b'? there are: tree-a, tree-b"),
        (("tree-a", "tree-a"), "expected two entries, got 'tree-a' twice"),
        (("tree-a", "tree-b", *frozen, "--small"), "says what is on this board, expected no --small"),
        (("tree-a", "tree-b", "--tasks", "cube@1"), "no rows of cube@1"),
    ):
        refused = cli(*compare, *wrong)
        assert (refused.code, refused.out, message in refused.err) == (2, "", True), refused.err


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
    rows = [
        replace(cell("n256-r4", name), submission_hash=find_submission(name).hash, cell_key="")
        for name in shipped_names()
    ]
    board = board_of(rows, [MEMORIZATION], Choice(titled=True))
    assert len(board.entries) == len(rows)
    assert all(entry.title for entry in board.entries)
    assert not any(entry.title for entry in board_of(rows, [MEMORIZATION]).entries)


def test_a_folder_that_has_a_shipped_ones_name_has_neither_its_title_nor_its_part():
    reference = REFERENCES[MEMORIZATION.name]
    rows = [cell("n256-r4", reference), cell("n256-r4", "b")]
    board = board_of(rows, [MEMORIZATION], Choice(titled=True))
    assert [entry.title for entry in board.entries] == [None, None]
    assert board.tasks[0].reference is None
    assert any(f"{reference}: another folder than the one of that name" in note for note in board.notes)


def test_a_frozen_board_stays_what_it_is(cli, here):
    store = ResultStore(here / "sparsebench-results")
    store.write(cell("n256-r4"))
    board = here / "leaderboard"
    frozen = cli("leaderboard", "freeze")
    assert (frozen.code, "it is preliminary: 1 of 5 seeds have rows" in frozen.err) == (0, True)
    assert read_frozen(board / "board.toml") == Frozen(1, {NEWEST.ref: ("n256-r4",)})
    assert cli("leaderboard", "build").code == 0
    before = (board / "board.csv").read_text(encoding="utf-8")
    store.write(replace(cell("n4096-r4", "b", quality=None), seed=4, cell_key=""))
    assert cli("leaderboard", "build").code == 0
    assert (board / "board.csv").read_text(encoding="utf-8") == before
    assert "preliminary, 1 of 5 seeds" in (board / "README.md").read_text(encoding="utf-8")
    shown = cli("leaderboard", "show", "--frozen", board / "board.toml", "--json")
    assert [score["score"] for score in json.loads(shown.out)["scores"]] == [0.5]
    again = cli("leaderboard", "freeze")
    assert (again.code, "stays what it is" in again.err) == (2, True)
    for wrong in (("--small",), ("--seeds", "3"), ("--instances", "n256-r4")):
        refused = cli("leaderboard", "show", "--frozen", board / "board.toml", *wrong)
        assert (refused.code, "says what is on this board" in refused.err) == (2, True)
    for wrong in (("--small",), ("--tasks", MEMORIZATION.ref), ("--instances", "n256-r4"), ("--seeds", "9")):
        refused = cli("leaderboard", "build", *wrong)
        assert (refused.code, "says what is on this board" in refused.err) == (2, True)


def test_a_frozen_board_with_a_typing_error_is_refused(cli, here):
    ResultStore(here / "sparsebench-results").write(cell("n256-r4"))
    (here / "board.toml").write_text(f'seeds = 1\n[instances]\n"{MEMORIZATION.ref}" = ["n256-r5"]\n')
    shown = cli("leaderboard", "show", "--frozen", "board.toml")
    assert shown.code == 2
    assert "has no instance called 'n256-r5'" in shown.err
    assert "did you mean 'n256-r4'" in shown.err


def test_tables_go_into_no_folder_of_something_else(cli, here):
    store = ResultStore(here / "sparsebench-results")
    store.write(cell("n256-r4"))
    write(here / "mine", plain())
    for into, owner in (("mine", "a submission"), ("sparsebench-results/rows", "a result store's rows")):
        before = sorted((here / into).iterdir())
        for verb in ("build", "freeze"):
            refused = cli("leaderboard", verb, "--into", into)
            assert (refused.code, f"is the folder of {owner}" in refused.err) == (2, True)
        assert sorted((here / into).iterdir()) == before
    with pytest.raises(UsageError, match="inside of another store's rows"):
        ResultStore(here / "sparsebench-results" / "rows").write(cell("n256-r4"))
    both = cli("leaderboard", "show", "--format", "csv", "--json")
    assert (both.code, "expected --format or --json, got both" in both.err) == (2, True)


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
    (line,) = (line for line in outcome.out.splitlines() if line.startswith("mine-own@7  "))
    assert line.split()[1:4] == ["mine", "v", "8"]
    on = f"mine-own@7: on 1 of the standard board's {len(BOARD)} instances (n256-r4)"
    assert on in " ".join(outcome.out.split())
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
        board = board_of(rows, [lipschitz], Choice(instances=names))
        notes = [note for note in board.notes if "public" in note]
        assert [note.rpartition(": ")[2] for note in notes] == told
    assert not any("public" in note for note in board_of([cell(SMALL[0])], [MEMORIZATION]).notes)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no pseudo-terminal on Windows")
def test_the_width_of_a_terminal_is_respected(here):
    """In a real terminal of 70 columns; a pipe gets all of them, whatever COLUMNS says."""
    import fcntl
    import termios

    store = ResultStore(here / "sparsebench-results")
    for seed in range(2):
        store.write(replace(cell("n256-r4"), seed=seed, cell_key=""))
    command = [sys.executable, "-c", "from sparsebench.cli import main; main()", "leaderboard", "show"]
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 70, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES"}}
    with subprocess.Popen(command, stdout=theirs, env=environment) as process:
        os.close(theirs)
        text = b""
        with contextlib.suppress(OSError):  # Linux says so where the other side is closed
            while read := os.read(ours, 65536):
                text += read
    os.close(ours)
    assert process.returncode == 0
    narrow = text.decode().replace("\r\n", "\n")
    assert "left out for want of width" in narrow
    assert max(map(len, narrow.split("\n\n")[1].splitlines())) <= 70
    piped = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**environment, "COLUMNS": "70"}
    )
    assert "left out for want of width" not in piped.stdout
