"""Which rows are of a board's submissions: who is removed leaves, and code that is back has its score."""

import shutil

import pytest

from boards.conftest import rows_of as made
from evaluate.tiny import plain, write
from sparsebench.boards.folders import open_submissions, rows_of
from sparsebench.errors import NotFoundError, UsageError

LATER = "2027-01-03T03:04:06.000000+00:00"


@pytest.fixture
def folder(tmp_path):
    """A folder of two submissions."""
    for name in "ab":
        write(tmp_path / name, plain())
    return tmp_path


def test_rows_are_of_the_code_that_is_there(folder):
    now = {each.manifest.name: each.hash for each in open_submissions(folder)}
    own = made("a", state=now["a"])
    later = made("a", 0.75, state="changed back meanwhile", ended=LATER)
    gone, compared = made("gone", 0.9), made("constant")
    assert rows_of([*own, *later, *gone, *compared], folder) == [*own, *compared]


def test_until_the_code_has_rows_it_has_those_of_its_name(folder):
    old = made("b", state="old")
    assert rows_of(old, folder) == old


def test_nothing_left_is_told(folder):
    shutil.rmtree(folder / "a")
    with pytest.raises(NotFoundError, match="of no submission there"):
        rows_of(made("a"), folder)


def test_a_folder_called_otherwise_is_refused(folder):
    (folder / "a").rename(folder / "c")
    with pytest.raises(UsageError, match="is called 'a', expected 'c'"):
        open_submissions(folder)
