"""The programming interface: runs, rows as frames, boards; in scripts and in a notebook."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import sparsebench as sb
from evaluate.tiny import plain, write
from sparsebench.errors import NotFoundError, UsageError
from sparsebench.leaderboard import Board
from sparsebench.leaderboard.frozen import Frozen
from sparsebench.results import COLUMNS

if TYPE_CHECKING:
    from pathlib import Path

ONE = {"instances": "n256-r4", "variants": "full", "seeds": 2}


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> sb.Results:
    output = tmp_path_factory.mktemp("rows") / "store"
    return sb.run(["conditional-tree", "one-hidden-layer"], **ONE, output=output, jobs=2)


def test_a_run_gives_rows_a_frame_and_a_board(done: sb.Results) -> None:
    assert [(row.submission, row.seed, row.status) for row in done.rows] == [
        (name, seed, "ok") for name in ("conditional-tree", "one-hidden-layer") for seed in (0, 1)
    ]
    assert (len(done), done.failed) == (4, ())
    frame = done.frame()
    assert tuple(frame.columns) == COLUMNS
    assert frame.loc[frame.submission == "conditional-tree", "ops"].tolist() == [31.0, 31.0]
    board = done.board()
    assert isinstance(board, Board)
    assert [entry.submission for entry, _ in board.ranked(0)] == ["conditional-tree", "one-hidden-layer"]
    assert "| conditional-tree |" in done._repr_markdown_()
    assert "preliminary, 2 of 5 seeds" in str(done)


def test_stored_rows_are_a_frame(done: sb.Results) -> None:
    frame = sb.load_results(done.output)
    pd.testing.assert_frame_equal(frame, done.frame())
    assert frame.packages[0]["numpy"]
    assert {audit["verdict"] for audit in frame.audits[0]} <= {"pass", "not-run"}
    assert frame.nmi.isna().all()


def test_a_board_of_stored_rows_is_that_of_the_run(done: sb.Results) -> None:
    assert sb.make_board(done.output) == sb.make_board(done) == done.board()
    some = sb.make_board(done, submissions="one-hidden-layer", seeds=1, tasks="memorization@1")
    assert [entry.submission for entry in some.entries] == ["one-hidden-layer"]
    assert some.seeds == 1
    with pytest.raises(UsageError, match="a board has no choice called 'sort'") as caught:
        sb.make_board(done, sort="name")
    assert "tasks, frozen, instances" in caught.value.help
    with pytest.raises(NotFoundError, match="no row is of a submission called 'tree'"):
        sb.make_board(done, submissions="tree")


def test_a_frozen_board_has_its_own_tasks(done: sb.Results) -> None:
    frozen = Frozen(2, {"memorization@1": ("n256-r4",), "lipschitz-regression@1": ("polynomial",)})
    board = sb.make_board(done, frozen=frozen)
    assert [task.ref for task in board.tasks] == ["lipschitz-regression@1", "memorization@1"]
    assert [entry.score for entry in board.entries] == [None, None]  # nobody enters every task


def test_a_run_goes_on_where_it_was(done: sb.Results) -> None:
    told: list[str] = []
    again = sb.run(
        "conditional-tree", **ONE, output=done.output, resume=True, on_row=lambda r: told.append(r.status)
    )
    assert (len(again), told) == (2, [])
    assert again.rows == done.rows[:2]


def test_a_folder_may_be_a_path_and_a_cell_that_fails_is_a_row(tmp_path: Path) -> None:
    folder = write(tmp_path / "mine", plain(fit="raise ValueError('no')"))
    told: list[str] = []
    failing = sb.run(
        folder,
        instances=["n256-r4"],
        seeds=[3],
        output=tmp_path / "rows",
        on_row=lambda r: told.append(r.status),
    )
    assert told == ["failed"]
    assert [row.seed for row in failing.failed] == [3]
    frame = failing.frame()
    assert frame.ops.isna().all()
    assert frame.reason[0].startswith("ValueError: no")


@pytest.mark.parametrize(
    ("submission", "options", "message"),
    [
        ([], {}, "submissions: expected at least one"),
        (sb.Submission, {}, "submissions: expected folders or names, got a ABCMeta"),
        (7, {}, "submissions: expected folders or names, got a int"),
        ("no-such", {}, "no-such"),
        ("constant", {"seeds": 0}, "seeds: expected a whole number of at least 1, got 0"),
        ("constant", {"seeds": [10**30]}, "seeds: expected how many, or which ones"),
        ("constant", {"gpu": "off"}, "gpu: expected True or False, got 'off'"),
        ("constant", {"resume": "no"}, "resume: expected True or False, got 'no'"),
        ("constant", {"small": 1}, "small: expected True or False, got 1"),
        ("constant", {"instances": 5}, "instances: expected a name or several, got 5"),
        ("constant", {"tasks": [None]}, r"tasks: expected a name or several, got \[None\]"),
        ("constant", {"seeds": []}, r"seeds: expected how many, or which ones, got \[\]"),
        ("constant", {"seeds": [0.5]}, "seeds: expected how many, or which ones"),
        ("constant", {"seeds": "5"}, "seeds: expected how many, or which ones"),
        ("constant", {"seeds": [-1]}, "seeds: expected how many, or which ones"),
        ("constant", {"jobs": 0}, "jobs: expected a whole number of at least 1, got 0"),
        ("constant", {"time_limit": "1"}, r"time_limit: expected a number from 0 to 1e\+06, got '1'"),
        ("constant", {"time_limit": float("inf")}, "time_limit: expected a number from 0 to"),
        ("constant", {"memory_limit": 1000}, "memory_limit: expected a number from"),
        ("constant", {"memory_limit": True}, "memory_limit: expected a number from"),
        ("constant", {"instances": "n257"}, "n257"),
        ("constant", {"require_sandbox": "steel"}, "require_sandbox: expected none, restricted or isolated"),
    ],
)
def test_mistakes_are_told_before_anything_runs(
    tmp_path: Path, submission: object, options: dict[str, object], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        sb.run(submission, **{"output": tmp_path / "rows", "seeds": 1, **options})
    assert not (tmp_path / "rows").exists()


def test_seeds_may_be_numpys_and_count_once(done: sb.Results) -> None:
    for seeds in (np.int64(2), np.arange(2), [0, 1, 1, 0]):
        again = sb.run("conditional-tree", **(ONE | {"seeds": seeds}), output=done.output, resume=True)
        assert [row.seed for row in again.rows] == [0, 1]


@pytest.mark.parametrize(
    "choice", [{"tags": "no"}, {"small": "yes"}, {"seeds": 2.5}, {"seeds": True}, {"instances": 5}]
)
def test_choices_of_a_board_are_checked(done: sb.Results, choice: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="expected"):
        sb.make_board(done, **choice)


def test_where_there_are_no_rows_that_is_told(tmp_path: Path) -> None:
    for call in (sb.load_results, sb.make_board):
        with pytest.raises(NotFoundError, match="no rows in"):
            call(tmp_path / "nothing")


SCRIPT = """
import sparsebench as sb
from sparsebench.evaluate import executor
executor._how_to_start = lambda: {how!r}
print("once")
done = sb.run("constant", instances="n256-r4", seeds=2, output={output!r}, jobs=2)
print([row.status for row in done.rows])
"""


@pytest.mark.parametrize("how", ["fork", "forkserver", "spawn"] if sys.platform == "linux" else ["spawn"])
def test_a_script_needs_no_guard(tmp_path: Path, how: str) -> None:
    """Whichever way processes are started: they do not run the script again."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(how=how, output=str(tmp_path / "rows")))
    run = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=False, timeout=240
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines() == ["once", "['ok', 'ok']"]


NOTEBOOK = """
import json, sys
import nbformat
from nbclient import NotebookClient

cells = [nbformat.v4.new_code_cell(source) for source in json.loads(sys.argv[1])]
book = nbformat.v4.new_notebook(cells=cells)
where = {"metadata": {"path": sys.argv[2]}}
NotebookClient(book, timeout=240, kernel_name="python3", resources=where).execute()
print(json.dumps([cell.outputs for cell in book.cells]))
"""
BOOK = [
    "import sparsebench as sb",
    "done = sb.run('conditional-tree', instances='n256-r4', variants='full', seeds=2, jobs=2)\ndone",
    "sb.load_results()[['submission', 'ops']]",
    "print(sb.make_board().seeds)",
]


def test_in_a_notebook(tmp_path: Path) -> None:
    """In a real kernel, which has threads and a loop that runs: the board is shown as Markdown."""
    command = [sys.executable, "-W", "ignore", "-c", NOTEBOOK, json.dumps(BOOK), str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=280)
    assert run.returncode == 0, run.stderr
    nothing, board, frame, seeds = json.loads(run.stdout.splitlines()[-1])
    assert nothing == []
    (shown,) = (output["data"]["text/markdown"] for output in board if "data" in output)
    assert "conditional-tree" in shown
    assert "31.0" in frame[0]["data"]["text/plain"]
    assert seeds[0]["text"] == "2\n"
