"""Shapes in words: which arrays they fit, and what lengths these give."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparsebench.ops.core.shapes import ELLIPSIS, Mismatch, Shape

NAMES = ["n", "k", "d", "E", "s"]


@st.composite
def words(draw):
    """Words of a shape: names, some of which are in brackets, and sometimes ``...`` first or last.

    Two axes in brackets are left out in any way where nothing else tells which: at most one is drawn.
    """
    names = draw(st.lists(st.sampled_from(NAMES), max_size=4, unique=True))
    optional = draw(st.sampled_from([None, *names])) if len(names) > 1 else None
    dots = draw(st.sampled_from(["", "first", "last"])) if optional is None else ""
    parts = list(names)
    parts = [ELLIPSIS, *parts] if dots == "first" else [*parts, ELLIPSIS] if dots == "last" else parts
    if optional is None:
        return ", ".join(parts), names, None
    if names[0] == optional:
        return f"[{optional},] {', '.join(names[1:])}", names, optional
    return ", ".join(parts).replace(f", {optional}", f"[, {optional}]"), names, optional


@st.composite
def arrays(draw):
    """Words, the shape of an array that fits them, and the lengths that it has."""
    text, names, optional = draw(words())
    lengths = {name: draw(st.integers(0, 5)) for name in names}
    if optional is not None and draw(st.booleans()):
        lengths[optional] = -1
    rest = tuple(draw(st.lists(st.integers(0, 3), max_size=2))) if ELLIPSIS in text else None
    shape = tuple(lengths[name] for name in names if lengths[name] != -1)
    if rest is not None:
        lengths[ELLIPSIS] = rest
        shape = rest + shape if text.startswith(ELLIPSIS) else shape + rest
    return text, shape, lengths


@given(found=arrays())
def test_an_array_of_that_shape_gives_its_lengths(found):
    text, shape, want = found
    lengths = {}
    Shape(text).measure(shape, lengths)
    assert lengths == want


@given(found=arrays(), data=st.data())
def test_an_axis_that_has_another_length_elsewhere_is_refused(found, data):
    text, shape, want = found
    if not want:
        return
    name = data.draw(st.sampled_from(sorted(want)))
    other = (*want[name], 1) if name == ELLIPSIS else want[name] + 1 + (want[name] == -1)
    with pytest.raises(Mismatch):
        Shape(text).measure(shape, {name: other})
    known = {name: want[name]}
    Shape(text).measure(shape, known)
    assert known == want


@given(found=arrays(), more=st.integers(2, 3))
def test_more_axes_or_fewer_are_refused(found, more):
    text, shape, _ = found
    if ELLIPSIS not in text:
        with pytest.raises(Mismatch):
            Shape(text).measure((*shape, *[1] * more), {})
    least = len([name for name in NAMES if name in text]) - ("[" in text)
    for axes in range(least):
        with pytest.raises(Mismatch):
            Shape(text).measure((1,) * axes, {})


def test_no_words_are_an_array_without_axes():
    lengths = {}
    Shape("").measure((), lengths)
    assert lengths == {}
    with pytest.raises(Mismatch):
        Shape("").measure((1,), {})


def test_all_ways_to_read_it():
    shape = Shape("n[, k][, h], M")
    assert shape.first == "n"
    assert shape.names == ("n", "k", "h", "M")
    assert [(way.names, way.missing) for way in shape.ways] == [
        (("n", "k", "h", "M"), ()),
        (("n", "k", "M"), ("h",)),
        (("n", "h", "M"), ("k",)),
        (("n", "M"), ("k", "h")),
    ]
    assert Shape("").first == ""
    assert Shape("..., d").first == ELLIPSIS


@pytest.mark.parametrize(
    ("text", "shape", "lengths"),
    [
        ("n[, k]", (3,), {"n": 3, "k": -1}),
        ("n[, k]", (3, 2), {"n": 3, "k": 2}),
        ("[s,] k, d", (4, 5), {"k": 4, "d": 5, "s": -1}),
        ("[s,] k, d", (2, 4, 5), {"s": 2, "k": 4, "d": 5}),
        ("..., d", (5,), {ELLIPSIS: (), "d": 5}),
        ("..., d", (2, 3, 5), {ELLIPSIS: (2, 3), "d": 5}),
        ("E, ...", (2, 3, 5), {"E": 2, ELLIPSIS: (3, 5)}),
        ("...", (), {ELLIPSIS: ()}),
        ("[o,]", (), {"o": -1}),
    ],
)
def test_lengths(text, shape, lengths):
    found = {}
    Shape(text).measure(shape, found)
    assert found == lengths


def test_what_is_missing_here_must_be_missing_everywhere():
    known = {}
    Shape("n[, k]").measure((3,), known)
    with pytest.raises(Mismatch):
        Shape("n[, k]").measure((3, 2), known)
    known = {}
    Shape("n[, k]").measure((3, 2), known)
    with pytest.raises(Mismatch):
        Shape("n[, k]").measure((3,), known)
