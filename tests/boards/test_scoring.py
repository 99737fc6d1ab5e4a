"""Scoring for a board: what a report says, made of rows; and submissions that are refused before they run."""

from types import SimpleNamespace

import pytest

from boards.conftest import rows_of
from boards.workflows import git
from evaluate.tiny import plain, write
from sparsebench.boards import scoring
from sparsebench.boards.pulls import Pull
from sparsebench.boards.repository import new_repository
from sparsebench.boards.scoring import _report, evaluate_missing, score_pull
from sparsebench.errors import UsageError
from sparsebench.leaderboard.frozen import Frozen
from sparsebench.models import find_submission
from sparsebench.results import ResultStore

FROZEN = Frozen(2, {"memorization@1": ("n256-r4",)})


def told(name, rows):
    (task,) = _report(Pull(name, "a" * 40, "b" * 40, ()), "c" * 64, rows, FROZEN).tasks
    return task


def test_a_report_compares_with_the_neighbours():
    qualities = {"best": 0.9, "above": 0.6, "mine": 0.5, "below": 0.4, "constant": 0.0}
    task = told("mine", [row for name, quality in qualities.items() for row in rows_of(name, quality)])
    assert [(other.role, other.submission) for other in task.beside] == [
        ("constant", "constant"),
        ("first", "best"),
        ("above", "above"),
        ("below", "below"),
    ]
    assert [other.verdict for other in task.beside] == ["better", "worse", "worse", "better"]
    assert [other.difference for other in task.beside] == pytest.approx([0.25, -0.2, -0.05, 0.05])
    assert (task.rank_best, task.rank_worst, task.ranked, task.failed_share) == (3, 3, 5, 0.0)
    (variant,) = task.variants
    assert (variant.cells, variant.ok, variant.quality) == (2, 2, 0.5)


def test_each_entry_is_named_once_and_only_by_a_name():
    task = told("mine", [*rows_of("mine", 0.5), *rows_of("constant", 0.6), *rows_of("<script>", 0.4)])
    assert [(other.role, other.submission) for other in task.beside] == [("constant", "constant")]
    task = told("mine", [*rows_of("mine", 0.5), *rows_of("constant", 0.6), *rows_of("x" * 65, 0.4)])
    assert [(other.role, other.submission) for other in task.beside] == [("constant", "constant")]


def test_who_is_told_the_domain_is_not_ranked():
    rows = [*rows_of("mine", 0.5, uses_tags=True), *rows_of("other", 0.6)]
    task = told("mine", rows)
    assert (task.rank_best, task.ranked) == (None, 1)
    assert [(other.role, other.verdict) for other in task.beside] == [("first", "not ranked")]


def test_the_first_entry_has_nothing_beside_it():
    task = told("mine", rows_of("mine", 0.5))
    assert (task.beside, task.rank_best, task.ranked) == ([], 1, 1)


@pytest.fixture
def board(tmp_path):
    """A board's repository, and a branch for a pull request."""
    folder = tmp_path / "board"
    new_repository(folder, FROZEN)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "a board")
    git(folder, "checkout", "-q", "-b", "pull")
    return folder


def committed(board):
    git(board, "add", "-A")
    git(board, "commit", "-q", "-m", "a submission")


def refused(board, why):
    committed(board)
    with pytest.raises(UsageError) as caught:
        score_pull(board, "main", "pull", board / "artifact", require_sandbox="none", jobs=1)
    assert why in caught.value.what
    assert not (board / "artifact").exists()


def test_a_folder_has_the_name_of_its_submission(board):
    write(board / "submissions" / "other", plain()).rename(board / "submissions" / "mine")
    refused(board, "submissions/mine/submission.toml is called 'other'")


def test_other_code_may_not_be_called_like_what_is_shipped(board):
    write(board / "submissions" / "constant", plain())
    refused(board, "constant comes with sparsebench, and this is other code")


def test_a_submission_answers_a_task_of_the_board(board):
    write(board / "submissions" / "mine", plain(), tasks=("cube@1",))
    refused(board, "mine answers none of the board's tasks")


def test_who_has_left_the_board_has_no_place_beside_a_pull_request(board, monkeypatch):
    git(board, "checkout", "-q", "main")
    ResultStore(board / "results").add([*rows_of("gone", 0.9), *rows_of("constant", 0.1)])
    committed(board)
    git(board, "checkout", "-q", "pull")
    git(board, "merge", "-q", "main")
    folder = find_submission(str(write(board / "submissions" / "mine", plain())))
    committed(board)
    ran = SimpleNamespace(execute=lambda **_: rows_of("mine", 0.5, state=folder.hash))
    monkeypatch.setattr(scoring, "_runs", lambda *_: [ran])
    report = score_pull(board, "main", "pull", board / "artifact", require_sandbox="none", jobs=1)
    (task,) = report.tasks
    assert [other.submission for other in task.beside] == ["constant"]
    assert task.ranked == 2


def test_a_manifest_that_is_wrong_is_told(board):
    write(board / "submissions" / "mine", plain(), more="surprise = 1")
    refused(board, "surprise")


def test_modules_of_others_are_included_from_the_board_alone(board):
    write(board / "submissions" / "mine", plain(), more='include = ["../../board.toml.py"]')
    refused(board, "include")


def test_the_working_tree_decides_nothing(board):
    write(board / "submissions" / "mine", plain(), tasks=("cube@1",))
    committed(board)
    (board / "board.toml").write_text('seeds = 1\n[instances]\n"cube@1" = ["parity-64-4"]\n')
    with pytest.raises(
        UsageError, match="answers none of the board's tasks, expected one or more of memoriz"
    ):
        score_pull(board, "main", "pull", board / "artifact", require_sandbox="none", jobs=1)


@pytest.mark.parametrize(
    ("folder", "name", "told"),
    [
        ("mine", "other", "mine/submission.toml is called 'other'"),
        ("constant", "constant", "this is other code"),
    ],
)
def test_what_is_merged_has_the_name_of_its_folder_and_of_nobody_else(board, folder, name, told):
    write(board / "submissions" / name, plain()).rename(board / "submissions" / folder)
    with pytest.raises(UsageError) as caught:
        evaluate_missing(board, require_sandbox="none", jobs=1)
    assert told in caught.value.what
    assert not (board / "results" / "rows").exists()


def test_a_folder_without_a_board_is_told(tmp_path):
    with pytest.raises(UsageError, match=r"cannot read .*board\.toml"):
        evaluate_missing(tmp_path, require_sandbox="none", jobs=1)
