"""Parts of pictures: texts that do nothing, labels that keep apart, numbers in few letters."""

from __future__ import annotations

import math
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparsebench.leaderboard.axes import tick_label, ticks
from sparsebench.leaderboard.svg import Scale, apart, element, number, shortened, text, text_width, wrapped

PLACES = st.lists(st.floats(0, 100), max_size=8)


@given(PLACES, st.floats(0.1, 12))
def test_places_are_moved_apart_and_keep_their_order(wanted, gap):
    moved = apart(wanted, gap, 0.0, 100.0)
    order = sorted(range(len(wanted)), key=lambda each: (wanted[each], each))
    assert all(moved[b] - moved[a] >= gap - 1e-9 for a, b in pairwise(order))
    assert all(-1e-9 <= place <= 100 + 1e-9 for place in moved)


@given(PLACES.filter(bool), st.floats(0.1, 12), st.lists(st.floats(0, 100), min_size=8, max_size=8))
def test_no_other_places_are_nearer_to_those_wanted(wanted, gap, others):
    """Any places that keep the order and the gap are as far away, in the sum of squares."""
    moved = apart(wanted, gap, 0.0, 100.0)
    order = sorted(range(len(wanted)), key=lambda each: (wanted[each], each))
    most = 100.0 - gap * (len(wanted) - 1)
    base = sorted(min(place, most) for place in others[: len(wanted)])
    other = {each: base[place] + place * gap for place, each in enumerate(order)}
    far = math.fsum((other[each] - wanted[each]) ** 2 for each in order)
    assert math.fsum((a - b) ** 2 for a, b in zip(moved, wanted, strict=True)) <= far + 1e-6


def test_places_that_are_apart_stay():
    assert apart([50.0, 10.0, 90.0], 11.0, 0.0, 100.0) == [50.0, 10.0, 90.0]
    assert apart([], 11.0, 0.0, 100.0) == []


@given(st.text(max_size=60), st.floats(12, 400), st.floats(6, 12))
def test_a_text_that_is_cut_fits(words, width, size):
    line = shortened(words, width, size)
    assert text_width(line, size) <= width
    assert "\n" not in line


@given(st.text("ab -@", max_size=80), st.floats(40, 300), st.integers(1, 4))
def test_lines_fit_and_lose_no_word_where_there_is_room(words, width, most):
    lines = wrapped(words, width, 10.0, most=most)
    assert len(lines) <= most
    assert all(text_width(line, 10.0) <= width for line in lines)
    if not any(line.endswith("…") for line in lines):
        assert " ".join(lines).split() == words.split()


def test_a_long_sentence_is_not_cut_where_it_fits():
    words = "word " * 60
    assert wrapped(words, 5000.0, 10.0) == [words.strip()]


@given(st.text())
def test_any_text_is_read_back_as_one_line(words):
    read = ET.fromstring(element("text", text(words), title=words))
    assert (read.text or "") == read.attrib["title"]
    assert not {c for c in read.attrib["title"] if not c.isprintable()}


def test_elements_are_nested_and_attributes_named_as_in_svg():
    assert element("g", element("path", d="M0 0", stroke_width=1.5), class_="a", viewBox="0 0 1 1") == (
        '<g class="a" viewBox="0 0 1 1">\n<path d="M0 0" stroke-width="1.5"/>\n</g>'
    )


@pytest.mark.parametrize(
    ("value", "digits"),
    [(0.0, "0"), (-0.001, "0"), (1.005, "1"), (12.5, "12.5"), (100.0, "100"), (1e7, "10000000")],
)
def test_numbers_have_two_digits_at_most(value, digits):
    assert number(value) == digits


@pytest.mark.parametrize(
    ("log2_ops", "label"),
    [
        (0, "1"),
        (4, "16"),
        (9, "512"),
        (10, "1k"),
        (16, "64k"),
        (20, "1M"),
        (39, "512G"),
        (40, "1T"),
        (60, "2^60"),
        (-2, "2^-2"),
        (0.5, "1.41"),
    ],
)
def test_operations_in_few_letters(log2_ops, label):
    assert tick_label(float(log2_ops)) == label


@given(st.floats(0, 20), st.floats(0.1, 30), st.floats(60, 600))
def test_ticks_have_room_and_lie_on_the_axis(low, span, width):
    found = ticks(low, low + span, width)
    assert 2 <= len(found) <= 10
    assert all(low <= place <= low + span for place in found)
    if len(found) > 2:
        steps = {b - a for a, b in pairwise(found)}
        assert len(steps) == 1
        assert steps.pop() * width / span >= 26 - 1e-9


def test_a_scale_maps_ends_to_ends():
    scale = Scale(2.0, 6.0, 100.0, 20.0)
    assert [scale(value) for value in (2.0, 4.0, 6.0)] == [100.0, 60.0, 20.0]
