"""``sparsebench board`` on the command line. What it does is tested in tests/boards."""

import json

import pytest

from boards.test_report import GOOD, placed
from boards.workflows import git
from evaluate.tiny import plain, write
from sparsebench.leaderboard.frozen import read_frozen


@pytest.fixture
def board(cli, here):
    """A board in a repository, with a branch for a pull request."""
    made = cli(
        "board", "new", "my-board", "--tasks", "memorization@1", "--instances", "n256-r4", "--seeds", "1"
    )
    assert made.code == 0, made.err
    folder = here / "my-board"
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "a board")
    git(folder, "checkout", "-q", "-b", "pull")
    return folder


def test_a_board_is_begun(cli, here):
    made = cli("board", "new", "my-board", "--small", "--seeds", "2", "--name", "Routers of our group")
    assert made.code == 0
    assert all((here / line).is_file() for line in made.out.split())
    assert made.err == "now: cd my-board && git init -b main && sparsebench board update\n"
    assert "cd 'a b' && git init" in cli("board", "new", "a b", "--small", "--name", "A b").err
    assert read_frozen(here / "my-board" / "board.toml").seeds == 2
    assert "Routers of our group" in (here / "my-board" / "README.md").read_text()
    again = cli("board", "new", "my-board")
    assert (again.code, "exists already" in again.err) == (2, True)


def test_a_pull_request_is_checked_and_scored(cli, board, here):
    write(board / "submissions" / "mine", plain())
    git(board, "add", "-A")
    git(board, "commit", "-q", "-m", "a submission")
    asked = ("main", "pull", "--repository", board)
    checked = cli("board", "check-pull", *asked)
    assert (checked.code, checked.out) == (0, "submissions/mine\n")
    assert checked.err.startswith("2 new files, ")
    scored = cli("board", "score", *asked, "--into", "artifact", "--require-sandbox", "none", "--jobs", "1")
    assert (scored.code, scored.out) == (0, "artifact/report.json\n"), scored.err
    assert scored.err == "ok mine/v on memorization@1/n256-r4, seed 0\n"
    head = git(board, "rev-parse", "pull")
    answered = cli("board", "comment", "artifact", "--head", head)
    assert (answered.code, answered.out.splitlines()[0]) == (0, "### mine")
    other = cli("board", "comment", "artifact", "--head", "0" * 40)
    assert (other.code, other.out) == (4, "")
    (board / "board.toml").write_text("")
    git(board, "commit", "-q", "-a", "-m", "more")
    refused = cli("board", "check-pull", *asked)
    assert (refused.code, refused.out) == (2, "")
    assert "it touches board.toml" in refused.err


def test_missing_rows_are_evaluated_once(cli, board):
    asked = ("board", "update", "--repository", board, "--require-sandbox", "none")
    write(board / "submissions" / "bad", plain(fit="raise ValueError('no: \\x1b[31m')"))
    first = cli(*asked)
    assert (first.code, first.out) == (0, "7 cells had no row\n")
    lines = first.err.splitlines()
    assert len(lines) == 7
    assert any(line.startswith("failed bad/v on memorization@1/n256-r4, seed 0: ") for line in lines)
    assert all(line.isprintable() for line in lines)
    assert cli(*asked).out == "nothing to do: every cell has a row\n"
    assert len(list((board / "results" / "rows").iterdir())) == 1


def test_a_report_of_a_stranger_is_refused_whole(cli, here):
    placed(here / "artifact", GOOD | {"submission": "<b>evil</b>"})
    answered = cli("board", "comment", "artifact")
    assert (answered.code, answered.out) == (4, "")
    assert "evil" not in answered.err
    placed(here / "artifact", json.loads(json.dumps(GOOD)))
    assert cli("board", "comment", "artifact").out.startswith("### my-router\n")
