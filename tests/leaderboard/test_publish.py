"""Writing a board: markers, all or nothing."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparsebench.errors import UsageError
from sparsebench.leaderboard import (
    Board,
    BoardTask,
    csv,
    freeze_board,
    markdown,
    publish,
    update_between_markers,
    write_between_markers,
    write_leaderboard,
)
from sparsebench.leaderboard.frozen import Frozen, read_frozen
from sparsebench.leaderboard.latex import latex
from sparsebench.leaderboard.parquet import parquet

BOARD = Board(
    tasks=(BoardTask(ref="memorization@1", hash="h", log2_ops_low=0, log2_ops_high=1),),
    entries=(),
    scoring_version=None,
    cost_model=None,
    notes=("a note",),
    pairs=((),),
)
BEGIN, END = "<!-- sparsebench:board:begin -->", "<!-- sparsebench:board:end -->"


def state(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_only_what_is_between_the_markers_changes():
    text = f"# Mine\n\n{BEGIN}\nold\n{END}\n\nThe rest.\n"
    assert (
        update_between_markers(text, "board", "new\n") == f"# Mine\n\n{BEGIN}\n\nnew\n\n{END}\n\nThe rest.\n"
    )


@given(st.text(max_size=30), st.text(max_size=30), st.text("abc \n|", max_size=30))
def test_updating_twice_is_updating_once(head, tail, block):
    once = update_between_markers(f"{head}{BEGIN}{END}{tail}", "board", block)
    assert update_between_markers(once, "board", block) == once
    assert once.startswith(head + BEGIN)
    assert once.endswith(END + tail)


@pytest.mark.parametrize("text", ["", BEGIN, END, END + BEGIN, BEGIN + BEGIN + END, BEGIN + END + END])
def test_markers_must_be_there_once_and_in_order(text):
    with pytest.raises(UsageError, match="expected one of each") as caught:
        update_between_markers(text, "board", "new")
    assert "markers" in caught.value.help


def test_a_new_folder_gets_all_files(tmp_path):
    folder = tmp_path / "deep" / "board"
    files = write_leaderboard(BOARD, folder)
    assert (
        sorted(path.name for path in files)
        == ["README.md", "areas.csv", "board.csv", "board.svg", "board.tex", "memorization.svg", "points.csv"]
        == sorted(state(folder))
    )
    assert markdown(BOARD).strip() in (folder / "README.md").read_text()
    assert (folder / "board.csv").read_text() == csv(BOARD).scores
    assert (folder / "points.csv").read_text() == csv(BOARD).points
    assert (folder / "areas.csv").read_text() == csv(BOARD).areas
    assert (folder / "board.tex").read_text() == latex(BOARD)


def test_parquet_is_written_where_it_is_asked_for_or_there(tmp_path):
    names = ["areas.parquet", "board.parquet", "points.parquet"]
    files = write_leaderboard(BOARD, tmp_path, with_parquet=True)
    assert sorted(path.name for path in files if path.suffix == ".parquet") == names
    for name, content in zip(("board", "points", "areas"), parquet(BOARD), strict=True):
        assert (tmp_path / f"{name}.parquet").read_bytes() == content
    before = state(tmp_path)
    (tmp_path / "board.parquet").unlink()
    (tmp_path / "areas.parquet").write_bytes(b"of another board")
    assert write_leaderboard(BOARD, tmp_path) == files
    assert state(tmp_path) == before
    assert not [path for path in write_leaderboard(BOARD, tmp_path / "other") if path.suffix == ".parquet"]


def test_writing_again_changes_nothing(tmp_path):
    write_leaderboard(BOARD, tmp_path)
    before = state(tmp_path)
    write_leaderboard(BOARD, tmp_path)
    assert state(tmp_path) == before


def test_words_around_the_markers_are_kept_to_the_byte(tmp_path):
    (tmp_path / "README.md").write_bytes(f"My board\r\n{BEGIN}\nold\n{END}\r\nend é".encode())
    write_leaderboard(BOARD, tmp_path)
    content = (tmp_path / "README.md").read_bytes()
    assert content.startswith(b"My board\r\n<!--")
    assert content.endswith("-->\r\nend é".encode())


@pytest.mark.parametrize("content", [b"no markers", b"\xff\xfe not text"])
def test_a_readme_that_cannot_take_the_block_stops_everything(tmp_path, content):
    (tmp_path / "README.md").write_bytes(content)
    with pytest.raises(UsageError, match=r"README\.md"):
        write_leaderboard(BOARD, tmp_path)
    assert state(tmp_path) == {"README.md": content}


@pytest.mark.parametrize("name", ["points.csv", "board.tex", "areas.parquet"])
def test_a_target_that_cannot_be_replaced_changes_nothing(tmp_path, name):
    write_leaderboard(BOARD, tmp_path, with_parquet=True)
    (tmp_path / name).unlink()
    (tmp_path / name).mkdir()
    before = state(tmp_path)
    with pytest.raises(UsageError, match="cannot write the leaderboard"):
        write_leaderboard(BOARD, tmp_path)
    assert state(tmp_path) == before


def test_blocks_of_a_page_are_written_all_or_none(tmp_path):
    page = tmp_path / "page.md"
    before = f"# Mine\n\n{BEGIN}{END}\n<!-- sparsebench:costs:begin --><!-- sparsebench:costs:end -->\n"
    page.write_text(before, encoding="utf-8")
    with pytest.raises(UsageError, match="found 0"):
        write_between_markers(page, {"board": "new", "missing": "text"})
    assert page.read_text(encoding="utf-8") == before
    write_between_markers(page, {"board": "new é", "costs": "3"})
    text = page.read_text(encoding="utf-8")
    assert f"{BEGIN}\n\nnew é\n\n{END}" in text
    assert "begin -->\n\n3\n\n<!--" in text


@pytest.mark.parametrize("existing", [True, False])
def test_a_replacement_that_fails_half_way_is_undone(tmp_path, monkeypatch, existing):
    if existing:
        (tmp_path / "README.md").write_text(f"{BEGIN}{END}")
        (tmp_path / "board.csv").write_text("old")
        (tmp_path / "points.csv").write_text("old")
    before = state(tmp_path)
    genuine = Path.replace

    def failing(self, target):
        if Path(target).name == "points.csv":
            raise OSError(28, os.strerror(28))
        return genuine(self, target)

    monkeypatch.setattr(publish.Path, "replace", failing)
    with pytest.raises(UsageError, match="No space left"):
        write_leaderboard(BOARD, tmp_path)
    assert state(tmp_path) == before


def test_a_full_disk_while_staging_leaves_nothing(tmp_path, monkeypatch):
    def full(_):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(UsageError, match="No space left"):
        write_leaderboard(BOARD, tmp_path)
    assert state(tmp_path) == {}


def test_the_published_readme_takes_the_block():
    text = (Path(__file__).parents[2] / "leaderboard" / "README.md").read_text(encoding="utf-8")
    assert markdown(BOARD).strip() in update_between_markers(text, "board", markdown(BOARD))


def test_a_board_is_frozen_once(tmp_path):
    folder = tmp_path / "new" / "board"
    board = replace(BOARD, tasks=(replace(BOARD.tasks[0], instances=("i", "j")),), seeds=3)
    path = freeze_board(board, folder)
    assert read_frozen(path) == Frozen(3, {"memorization@1": ("i", "j")})
    before = state(folder)
    with pytest.raises(UsageError, match="a board that is published stays what it is"):
        freeze_board(BOARD, folder)
    assert state(folder) == before


@pytest.mark.parametrize(
    "text",
    [
        "",
        "seeds = 5",
        "seeds = 0\n[instances]\n'm@1' = ['i']",
        "seeds = true\n[instances]\n'm@1' = ['i']",
        "seeds = 5\n[instances]",
        "seeds = 5\n[instances]\n'm@1' = []",
        "seeds = 5\n[instances]\n'm@1' = [1]",
        "seeds = 5\nmore = 1\n[instances]\n'm@1' = ['i']",
        "no toml",
    ],
)
def test_other_files_are_no_frozen_board(tmp_path, text):
    path = tmp_path / "board.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"board\.toml") as caught:
        read_frozen(path)
    assert "leaderboard freeze" in caught.value.help
    with pytest.raises(UsageError, match="cannot read"):
        read_frozen(tmp_path / "other.toml")
