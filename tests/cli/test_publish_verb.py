"""``sparsebench publish`` on the command line."""

import shutil

from boards.conftest import files_in, rows_of
from evaluate.tiny import plain, write
from sparsebench.results import ResultStore


def stored(here, *rows):
    """Put rows into the default store."""
    ResultStore(here / "sparsebench-results").add(list(rows))


def test_a_board_is_published(cli, here):
    stored(here, *rows_of("a"), *rows_of("b", 0.75))
    outcome = cli("publish", "--into", "public", "--title", "Mine", "--base-url", "https://me.example/b")
    assert outcome.code == 0, outcome.err
    assert sorted(outcome.out.split()) == sorted(f"public/{name}" for name in files_in(here / "public"))
    assert outcome.err == "feed: The board begins\n"
    assert "Mine" in (here / "public" / "index.html").read_text()
    again = cli("publish", "--into", "public", "--title", "Mine", "--base-url", "https://me.example/b")
    assert (again.code, again.out, again.err) == (0, outcome.out, "")


def test_a_frozen_board_is_published_as_it_is(cli, here):
    stored(here, *rows_of("a", instances=("n256-r4", "n4096-r4")))
    (here / "board.toml").write_text('seeds = 2\n[instances]\n"memorization@1" = ["n256-r4"]\n')
    assert cli("publish", "--into", "public", "--frozen", "board.toml").code == 0
    assert (here / "public" / "areas.csv").read_text().count("\n") == 2


def test_who_is_removed_leaves(cli, here):
    stored(here, *rows_of("a"), *rows_of("b", 0.75))
    for name in "ab":
        write(here / "submissions" / name, plain())
    verb = ("publish", "--into", "public", "--submissions", "submissions")
    assert cli(*verb).code == 0
    shutil.rmtree(here / "submissions" / "b")
    assert cli(*verb).err.splitlines()[:2] == ["feed: b leaves", "feed: Places on memorization@2"]
    assert not (here / "public" / "api" / "v1" / "entries" / "b.json").exists()
    assert cli("publish", "--into", "public", "--submissions", "nowhere").code == 2


def test_refusals(cli, here):
    assert cli("publish").code == 2
    missing = cli("publish", "--into", "public")
    assert (missing.code, "no rows there" in missing.err) == (2, True)
    stored(here, *rows_of("a"))
    wrong = cli("publish", "--into", "public", "--base-url", "me")
    assert (wrong.code, "expected the address of a folder" in wrong.err) == (2, True)
    assert not (here / "public").exists()
    assert cli("publish", "--into", "public").code == 0
    before = files_in(here / "public")
    ResultStore(here / "other").add(rows_of("a", 0.25))
    changed = cli("publish", "--into", "public", "--output", "other")
    assert (changed.code, changed.out) == (4, "")
    assert "error[SB400]: a is the same code as published" in changed.err
    assert files_in(here / "public") == before
    accepted = cli("publish", "--into", "public", "--output", "other", "--accept-changes")
    assert (accepted.code, accepted.err) == (0, "feed: Scores of unchanged code differ\n")
    removed = cli("publish", "--into", "public", "--release", "v1")
    assert (removed.code, "a is the same code" in removed.err) == (4, True)
