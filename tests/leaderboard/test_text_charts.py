"""Charts in a terminal: in their width and height, legible without colour, in ASCII where need be."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leaderboard.test_charts import ENTRIES, board, chart, curve
from leaderboard.test_tables import HOSTILE
from sparsebench.leaderboard.curves import pooled, quality_at
from sparsebench.leaderboard.plotted import Spot, chart_of
from sparsebench.leaderboard.text_charts import BRAILLE, draw_text

ESCAPE = re.compile(r"\x1b\[\d+m")


def rows_of(text):
    """Return the rows of the plot, from quality 1 to 0: what is inside, and the letters behind it."""
    found = [re.fullmatch(r".{5}[│|](.*)[│|]([a-h]*)", line) for line in text.splitlines()]
    return [(row[1], row[2]) for row in found if row]


@settings(max_examples=40, deadline=None)
@given(ENTRIES, st.integers(40, 200), st.integers(14, 60), st.booleans(), st.booleans())
def test_a_chart_has_the_size_of_its_terminal_and_its_lines_end_where_they_should(
    entries, width, height, plain, colour
):
    shown = chart(curve(f"e{k}", pooled(instances)) for k, instances in enumerate(entries))
    text = draw_text(shown, width=width, height=height, plain=plain, colour=colour)
    bare = ESCAPE.sub("", text)
    assert ("\x1b" in text) == colour
    assert max(map(len, bare.splitlines())) <= width
    assert len(bare.splitlines()) <= max(height, 6 + 4 + len(entries))
    assert bare.isascii() or not plain
    assert f"{shown.counted}; up: quality" in " ".join(bare.split())
    found = rows_of(bare)
    for key, each in zip("abcdefgh", shown.curves, strict=False):
        (row,) = [place for place, (_, letters) in enumerate(found) if key in letters]
        assert abs(1 - row / (len(found) - 1) - quality_at(each.steps, shown.high)) <= 1 / (len(found) - 1)
        assert f"{key} {each.submission} 0.500" in bare


def test_a_line_rises_where_it_buys_more():
    shown = chart([curve("one", ((8.0, 0.5), (10.0, 1.0)))])
    inside = [row for row, _ in rows_of(draw_text(shown, width=87, plain=True))]
    assert len({len(row) for row in inside}) == 1
    wide = len(inside[0])
    assert inside[0].index("a") == pytest.approx(wide * 6 / 8, abs=1.5)
    assert inside[len(inside) // 2].index("a") == pytest.approx(wide * 4 / 8, abs=1.5)
    assert inside[-1].strip() in {"", "a"}
    assert set("".join(inside)) == {" ", "a"}


def test_lines_have_letters_where_they_lie_on_one_another():
    same = ((5.0, 0.6),)
    text = draw_text(chart([curve("one", same), curve("two", same)], [Spot("x", "v", 6.0, 0.2)]))
    inside = "".join(row for row, _ in rows_of(text))
    assert {"a", "b", "·"} <= set(inside)
    assert "· variants of another entry" in text
    assert [letters for _, letters in rows_of(text) if letters] == ["ab"]
    assert set(BRAILLE) - set(text) == {BRAILLE[0]}


def test_the_best_line_is_above_the_others():
    crossing = chart([curve("best", ((5.0, 0.5),)), curve("other", ((5.0, 0.5), (9.0, 0.9)))])
    inside = [row for row, _ in rows_of(draw_text(crossing, plain=True))]
    both = inside[len(inside) // 2][: len(inside[0]) // 2]
    assert both.count("b") <= 3 < both.count("a")  # three: its letter, now and then


def test_a_board_is_drawn_with_its_title_scores_and_marks():
    text = draw_text(chart_of(board(), 0))
    assert text.startswith("memorization@1: cart takes 16.0 times fewer operations than d at quality .7\n")
    for words in ("a cart 0.600", "d (dense) 0.412", "e told (told) 0.712", "variants of 4 other entries"):
        assert words in text
    assert re.search(r"^ +16 +32 +64 +128 +256 +512 +1k +2k +4k$", text, re.MULTILINE)
    assert "active operations per input; up: quality" in text


def test_names_of_strangers_have_no_control_characters():
    shown = chart([curve(HOSTILE, ((5.0, 0.5),)), curve("é" * 60, ())], title=HOSTILE)
    text = draw_text(shown)
    assert not {c for c in text if not c.isprintable()} - {"\n"}
    assert max(map(len, text.splitlines())) <= 80
    assert draw_text(shown, plain=True).isascii()


def test_without_entries_there_is_an_empty_frame():
    assert not "".join(inside + letters for inside, letters in rows_of(draw_text(chart([])))).strip()
