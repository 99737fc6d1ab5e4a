"""What `sparsebench board new` lays out."""

import pytest

from boards.conftest import MEMORIZATION, files_in
from boards.workflows import git
from sparsebench.boards.repository import FILES, choose, new_repository
from sparsebench.errors import NotFoundError, UsageError
from sparsebench.leaderboard.frozen import Frozen, read_frozen
from sparsebench.tasks import list_tasks, newest_task, newest_tasks

SMALL = Frozen(2, {"memorization@1": ("n256-r4",)})


def test_a_repository_is_laid_out(tmp_path):
    folder = tmp_path / "deep" / "my-board"
    made = new_repository(folder, SMALL)
    found = files_in(folder)
    assert sorted(path.relative_to(folder).as_posix() for path in made) == sorted(found)
    assert found.keys() == {*FILES, "board.toml", ".gitattributes"}
    assert read_frozen(folder / "board.toml") == SMALL
    assert found["README.md"].startswith(b"# My board\n")
    for name, content in found.items():
        assert b"@TITLE@" not in content, name
        assert b"@VERSION@" not in content, name
        assert b"\r" not in content, name
        assert max(map(len, content.decode().splitlines()), default=0) <= 150, name


def test_git_keeps_what_is_published_to_the_byte(tmp_path):
    folder = tmp_path / "board"
    new_repository(folder, SMALL)
    git(folder, "init", "-q")
    told = git(folder, "check-attr", "text", "public/rows.parquet", "public/board.csv", "submissions/a/a.py")
    assert [line.rpartition(": ")[2] for line in told.splitlines()] == ["unset", "unset", "auto"]


def test_a_folder_that_is_there_is_left_alone(tmp_path):
    (tmp_path / "mine").mkdir()
    with pytest.raises(UsageError, match="exists already"):
        new_repository(tmp_path / "mine", SMALL)
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot write"):
        new_repository(tmp_path / "file" / "board", SMALL)
    assert files_in(tmp_path) == {"file": b""}


@pytest.mark.parametrize(
    "title", ['a" && evil', "$(evil)", "`evil`", "a\nb", "a: b", "a # b", "@x", "x" * 81, "é"]
)
def test_titles_that_could_be_commands_are_refused(tmp_path, title):
    with pytest.raises(UsageError, match="--name: expected"):
        new_repository(tmp_path / "board", SMALL, title=title)
    assert files_in(tmp_path) == {}


def test_a_board_has_the_instances_of_the_standard_one():
    frozen = choose((), (), 5)
    newest = newest_tasks([task.ref for task in list_tasks()])
    assert frozen.seeds == 5
    assert frozen.instances == {task.ref: tuple(sorted(task.board)) for task in newest}


def test_instances_are_chosen():
    assert choose(("memorization@1",), ("n4096-r4", "n256-r4"), 2).instances == {
        "memorization@1": ("n256-r4", "n4096-r4")
    }
    small = choose(("memorization@1",), (), 2, small=True).instances["memorization@1"]
    assert small
    assert all(MEMORIZATION.instances[name].small for name in small)
    assert list(choose((), ("n256-r4",), 2).instances) == [newest_task("memorization@1").ref]


def test_what_cannot_be_chosen_is_told():
    with pytest.raises(NotFoundError, match="unknown instance 'n257-r4'"):
        choose(("memorization@1",), ("n257-r4",), 2)
    with pytest.raises(NotFoundError, match="no instance is left"):
        choose(("memorization@1",), ("n65536-r4",), 2, small=True)
