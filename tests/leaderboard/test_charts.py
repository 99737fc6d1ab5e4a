"""Pictures show the curves that are scored, of few entries, legibly, and do nothing else."""

from __future__ import annotations

import random
import re
import struct
from itertools import combinations, pairwise
from typing import NamedTuple
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leaderboard.test_board import LIP, MEMO, seeded
from leaderboard.test_findings import dense, routed
from leaderboard.test_tables import HOSTILE
from sparsebench.errors import NotFoundError, UsageError
from sparsebench.leaderboard import build_board
from sparsebench.leaderboard.board import Board
from sparsebench.leaderboard.charts import COLUMN, draw, draw_keyed
from sparsebench.leaderboard.curves import pooled, within
from sparsebench.leaderboard.line_styles import styles_of
from sparsebench.leaderboard.panels import LINE_GAP
from sparsebench.leaderboard.pictures import file_names, picture_of, pictures_of, rendered
from sparsebench.leaderboard.plotted import (
    MOST_CURVES,
    Chart,
    Curve,
    Spot,
    chart_of,
    charts_by_instance,
    check_chosen,
)
from sparsebench.leaderboard.svg import LABEL, text_width

SVG = "{http://www.w3.org/2000/svg}"
LOW, HIGH = 4.0, 12.0


class Box(NamedTuple):
    """The frame of a panel, as it is in the picture."""

    left: float
    top: float
    width: float
    height: float

    def cost(self, x, chart):
        return chart.low + (float(x) - self.left) / self.width * (chart.high - chart.low)

    def quality(self, y):
        return 1.0 - (float(y) - self.top) / self.height


def parsed(picture):
    return ET.fromstring(picture.svg())


def of_class(root, name):
    return [each for each in root.iter() if each.get("class") == name]


def frame(panel):
    (rect,) = of_class(panel, "sb-box")
    return Box(*(float(rect.get(key)) for key in ("x", "y", "width", "height")))


def drawn(panel, chart):
    """Return entry -> the corners of its line, read from the picture."""
    box, lines = frame(panel), {}
    for entry in of_class(panel, "sb-entry"):
        (line,) = of_class(entry, "sb-line")
        corners, x, y = [], None, None
        for letter, first, second in re.findall(r"([MHV])([-0-9.]+)(?: ([-0-9.]+))?", line.get("d")):
            x = first if letter in "MH" else x
            y = second if letter == "M" else first if letter == "V" else y
            corners.append((box.cost(x, chart), box.quality(y)))
        lines[entry.get("data-entry")] = corners
    return lines


def expected(steps, chart):
    """Return the corners of a step curve in the box, from where it rises."""
    inner = within(steps, chart.low, chart.high)
    corners = [] if inner[0][1] == 0.0 else [inner[0]]
    for (_, before), (cost, quality) in pairwise(inner):
        if corners or quality > before:
            corners += [(cost, before), (cost, quality)] if quality > before else [(cost, quality)]
    return corners or [(chart.low, 0.0), (chart.high, 0.0)]


STEPS = st.lists(st.tuples(st.floats(0, 14), st.floats(0.01, 1)), max_size=12).map(
    lambda raw: tuple(
        zip(sorted({cost for cost, _ in raw}), sorted({quality for _, quality in raw}), strict=False)
    )
)
INSTANCES = st.integers(1, 3).flatmap(lambda n: st.lists(STEPS, min_size=n, max_size=n))
ENTRIES = st.lists(INSTANCES, min_size=1, max_size=MOST_CURVES)


def chart(curves, spots=(), **changes):
    told = {
        "task": "t@1",
        "title": "t@1: what it shows",
        "low": LOW,
        "high": HIGH,
        "counted": "active operations per input",
        "curves": tuple(curves),
        "spots": tuple(spots),
    }
    return Chart(**told | changes)


def curve(name, steps, **changes):
    return Curve(submission=name, steps=steps, score=0.5, **changes)


@settings(max_examples=40, deadline=None)
@given(ENTRIES)
def test_a_line_in_the_picture_is_the_pooled_curve(entries):
    shown = chart(curve(f"e{k}", pooled(instances)) for k, instances in enumerate(entries))
    (panel,) = of_class(parsed(draw([shown])), "sb-panel")
    lines = drawn(panel, shown)
    assert lines.keys() == {each.submission for each in shown.curves}
    for each in shown.curves:
        got, wanted = lines[each.submission], expected(each.steps, shown)
        # A corner that two digits of a pixel do not show is none in the picture.
        for cost, quality in wanted:
            assert min(abs(cost - x) + abs(quality - y) for x, y in got) < 1e-3
        for x, y in got:
            assert min(abs(cost - x) + abs(quality - y) for cost, quality in wanted) < 1e-3


def boxes(root):
    """Return the rectangles of labels: left, upper, right, lower."""
    found = []
    for label in of_class(root, "sb-label"):
        x, y, size = (float(label.get(key)) for key in ("x", "y", "font-size"))
        found.append((x, y - 0.8 * size, x + text_width(label.text or "", size), y + 0.22 * size))
    return found


NAMES = st.lists(st.text(st.characters(codec="utf-8"), max_size=40), min_size=8, max_size=8, unique=True)


@settings(max_examples=40, deadline=None)
@given(ENTRIES, NAMES, st.floats(200, 700), st.integers(1, 5))
def test_labels_overlap_nowhere_and_stay_in_the_picture(entries, names, width, panels):
    shown = chart(curve(names[k], pooled(instances)) for k, instances in enumerate(entries))
    for picture in (draw([shown] * panels, width=width), draw_keyed([shown] * panels, "all", width=width)):
        found = boxes(parsed(picture))
        for one, other in combinations(found, 2):
            assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
        for left, upper, right, lower in found:
            assert left >= 0
            assert right <= width + 0.01
            assert upper >= 0
            assert lower <= picture.height


def rows():
    """Give rows of ten entries: a dense one, routers, a tree, a table, one that is told the domain."""
    found = dense("d", [0.9, 0.9], ops=2.0**10) + dense("d", [0.5, 0.5], ops=2.0**7, variant="small")
    found += dense("cart", [0.8, 0.8], ops=2.0**6) + routed("grid-table", [0.6, 0.6], ops=2.0**5)
    found += routed("told", [0.95, 0.95], ops=2.0**6, uses_tags=True)
    for k in range(5):
        found += routed(f"r{k}", [0.3 + 0.05 * k] * 2, ops=2.0**8)
    return found + seeded("nothing", [0.0, 0.0])


def board(found=None, **changes):
    told = {"references": {MEMO.ref: "d"}} | changes
    return build_board(rows() if found is None else found, [MEMO], **told)


def names(shown):
    return [each.submission for each in shown.curves]


def test_lines_are_those_that_buy_most_and_the_best_of_each_kind():
    shown = chart_of(board(), 0)
    assert names(shown) == ["cart", "grid-table", "d", "r4", "told"]
    assert [each.submission for each in shown.curves if each.is_reference] == ["d"]
    assert [each.label for each in shown.curves if each.is_told] == ["told (told)"]
    assert shown.others == 4
    assert {spot.submission for spot in shown.spots} == {"r0", "r1", "r2", "r3"}
    assert names(chart_of(board(), 0, most=3)) == ["cart", "d", "r4"]


def test_there_are_eight_lines_at_most():
    found = [row for k in range(12) for row in routed(f"r{k}", [0.1 + 0.05 * k] * 2, ops=2.0 ** (5 + k / 2))]
    shown = chart_of(board(found, references={}), 0)
    assert (
        len(shown.curves)
        == MOST_CURVES
        == len(parsed(draw([shown])).findall(f".//{SVG}g[@class='sb-entry']"))
    )
    assert shown.others == 4


def test_chosen_entries_are_the_lines_beside_the_reference():
    shown = chart_of(board(), 0, chosen=("r1", "nothing"))
    assert names(shown) == ["d", "r1", "nothing"]
    assert "cart" in {spot.submission for spot in shown.spots}
    assert shown.title == "memorization@1: r1 scores 0.175"  # at no quality beside the reference
    assert expected(shown.curves[-1].steps, shown) == [(4.0, 0.0), (12.0, 0.0)]
    with pytest.raises(NotFoundError, match="no entry of this board is called 'crat'") as caught:
        check_chosen(board(), ["crat"])
    assert "cart" in caught.value.help
    with pytest.raises(UsageError, match="at most 8 entries as lines, got 9"):
        check_chosen(board(), [*names(chart_of(board(), 0)), "r0", "r1", "r2", "r3"])
    check_chosen(board(), ["r1", "r1"])


def test_points_are_the_last_steps_of_variants_of_the_others():
    found = routed("r0", [0.2, 0.4], ops=2.0**8, instance="i") + routed("r0", [0.6], ops=2.0**9, instance="j")
    found += routed("r0", [0.9, 0.9], ops=2.0**13, variant="dear") + dense("d", [0.9] * 2)
    found += dense("d", [0.9] * 2, instance="j")
    shown = chart_of(board(found), 0, chosen=("d",))
    assert shown.spots == (Spot("r0", "v", 9.0, pytest.approx((0.3 + 0.3) / 2)),)  # "dear" is beyond the box
    (panel,) = of_class(parsed(draw([shown])), "sb-panel")
    (path,) = of_class(panel, "sb-points")
    (x, y) = re.fullmatch(r"M([0-9.]+) ([0-9.]+)h\.01", path.get("d")).groups()
    assert frame(panel).cost(x, shown) == pytest.approx(9.0, abs=1e-3)
    assert frame(panel).quality(y) == pytest.approx(0.3, abs=1e-3)
    free = chart_of(board(found, profile="paper-router-free"), 0, chosen=("d",))
    assert free.spots == (
        Spot("r0", "dear", 12.0, pytest.approx(0.45)),
        Spot("r0", "v", 8.0, pytest.approx(0.3)),
    )
    assert free.counted == "operations per input without the router"
    first, second = charts_by_instance(board(found), 0, chosen=("d",))
    assert first.spots == (Spot("r0", "v", 8.0, pytest.approx(0.3)),)
    assert second.spots == (Spot("r0", "v", 9.0, pytest.approx(0.3)),)


@pytest.mark.parametrize(
    ("found", "changes", "title"),
    [
        (rows(), {}, "cart takes 16.0 times fewer operations than d at quality .7"),
        (
            dense("d", [0.75] * 2, ops=2.0**6) + routed("r", [0.95] * 2, ops=2.0**7),
            {},
            "r takes 2.00 times more operations than d at quality .7",
        ),
        ([], {}, "no entry buys any quality"),
        (seeded("a", [0.0]), {"references": {}}, "no entry buys any quality"),
        (rows(), {"profile": "macs"}, "no entry buys any quality, by the profile macs"),
        (routed("told", [0.9] * 2, uses_tags=True), {}, "no entry buys any quality"),
        (
            dense("d", [0.75] * 2, ops=2.0**6, instance="i")
            + routed("r", [0.95] * 2, ops=2.0**5, instance="j"),
            {},
            "r scores 0.416, d 0.281",
        ),
    ],
)
def test_the_title_is_what_the_figures_say(found, changes, title):
    assert chart_of(board(found, **changes), 0).title == f"memorization@1: {title}"


def test_ratios_of_some_instances_say_of_how_many():
    found = dense("d", [0.75] * 2, instance="i") + dense("d", [0.3] * 2, instance="j")
    found += routed("r", [0.75] * 2, instance="i") + routed("r", [0.75] * 2, instance="j")
    shown = chart_of(board(found), 0)
    assert shown.title.endswith(
        "r takes 4.00 times fewer operations than d at quality .7 on 1 of 2 instances"
    )
    same = chart_of(board(dense("d", [0.7] * 2) + routed("r", [0.75] * 2, ops=2.0**10)), 0)
    assert same.title.endswith("r takes as many operations as d at quality .7")


def test_every_line_is_told_apart_without_colour_and_keeps_its_look():
    eight = [curve(f"e{k}", ((5.0, 0.5),)) for k in range(8)]
    first, second = styles_of([chart(eight), chart(reversed(eight[3:6]))])
    assert len({(style.dash, style.marker) for style in first.values()}) == 8
    assert len({style.colour for style in first.values()}) == 8
    assert all(second[name] == first[name] for name in second)
    dense_one = curve("d", (), is_reference=True)
    styles = styles_of([chart([dense_one, *eight[:7]])])[0]
    assert styles["d"].dash
    assert len(set(styles.values())) == 8
    others = [curve(f"f{k}", ()) for k in range(5)]  # more entries than styles, none twice in a chart
    for found in styles_of([chart(eight[:5]), chart(others), chart([*eight[:4], *others[:4]])]):
        assert len(set(found.values())) == len(found)


def test_the_same_rows_make_the_same_bytes():
    found = rows()
    first = pictures_of(board(found))
    random.Random(1).shuffle(found)
    assert pictures_of(board(found)) == first
    assert all(picture.svg() == first[name].svg() for name, picture in pictures_of(board(found)).items())


@pytest.mark.parametrize(
    "name", [HOSTILE, "</title><script>alert(1)</script>", "&lt;b&gt;", "\x00\ud800\ufffe x", "\u202eabc"]
)
def test_names_of_strangers_are_shown_and_do_nothing(name):
    found = [*rows(), *(row for each in (name, name * 9) for row in routed(each, [0.99] * 2, ops=2.0**5))]
    told = board(found)
    every = [
        *pictures_of(told).values(),
        picture_of(told, [0], by="instance"),
        picture_of(told, [0], chosen=(name,)),
    ]
    for picture in every:
        svg = picture.svg()
        root = ET.fromstring(svg)
        assert {each.tag.removeprefix(SVG) for each in root.iter()} <= {
            *("svg", "title", "desc", "g", "rect", "path", "text"),
        }
        attributes = {key.rpartition("}")[2] for each in root.iter() for key in each.attrib}
        assert not {key for key in attributes if key.startswith("on") or key in {"href", "style", "src"}}
        assert "url(" not in svg
        assert "http" not in svg.replace("http://www.w3.org/2000/svg", "").replace("http://e.vil", "")
        assert not {c for c in svg if not c.isprintable()} - {"\n"}
        assert svg.count("\n") == svg.rstrip().count("\n") + 1
    assert chart_of(told, 0).curves[0].submission == name


def test_a_picture_says_what_it_shows_to_those_who_do_not_see_it():
    root = parsed(draw([chart_of(board(), 0)], name="memorization"))
    assert root.get("role") == "img"
    title, about = root[0], root[1]
    assert root.get("aria-labelledby").split() == [title.get("id"), about.get("id")]
    assert title.text == "memorization@1: cart takes 16.0 times fewer operations than d at quality .7"
    for words in (
        "up and left is better",
        "cart 0.600",
        "d 0.412",
        "variants of 4 other entries",
        "2^4 to 2^12",
    ):
        assert words in about.text


def test_each_instance_has_a_panel_with_the_same_lines_and_a_key():
    found = [row for name in "ijk" for row in dense("d", [0.9] * 2, instance=name)]
    found += [row for name in "ijk" for row in routed("r", [0.8] * 2, instance=name)]
    told = board(found)
    root = parsed(picture_of(told, [0], by="instance"))
    panels = of_class(root, "sb-panel")
    assert [panel.get("data-instance") for panel in panels] == ["i", "j", "k"]
    for panel, shown in zip(panels, charts_by_instance(told, 0), strict=True):
        lines = drawn(panel, shown)
        assert lines.keys() == {"d", "r"}
        for each in shown.curves:
            wanted = expected(each.steps, shown)
            assert lines[each.submission] == [pytest.approx(corner, abs=1e-3) for corner in wanted]
        assert [label.text for label in of_class(panel, "sb-label")] == ["a", "b"]
    (key,) = of_class(root, "sb-key")
    assert [label.text for label in of_class(key, "sb-label")] == ["r", "d"]


def test_a_board_has_a_picture_of_each_task_and_one_of_all():
    found = dense("d", [0.9] * 2) + dense("d", [0.9] * 2, task=LIP)
    told = build_board(found, [MEMO, LIP])
    pictures = pictures_of(told)
    assert list(pictures) == ["board.svg", "memorization.svg", "lipschitz-regression.svg"]
    assert len(of_class(parsed(pictures["board.svg"]), "sb-panel")) == 2
    assert pictures["memorization.svg"].width == COLUMN
    assert pictures["board.svg"].width > 2 * COLUMN


def test_files_of_pictures_have_names_of_their_own():
    def of(*refs):
        tasks = [MEMO.__class__(ref) for ref in refs]
        return file_names(build_board([], tasks))

    assert of("m@1", "l@2") == ["m", "l"]
    assert of("m@1", "m@2") == ["m@1", "m@2"]
    assert of("board@1", "../x y@1") == ["board@1", "---x-y"]


def test_a_board_without_rows_has_an_empty_picture():
    empty = Board(
        tasks=board([]).tasks, entries=(), scoring_version=None, cost_model=None, notes=(), pairs=((),)
    )
    root = parsed(pictures_of(empty)["memorization.svg"])
    assert of_class(root, "sb-entry") == []
    assert len(of_class(root, "sb-box")) == 1


@pytest.mark.parametrize("width", [200.0, COLUMN, 1000.0])
def test_panels_have_the_width_that_is_asked_for(width):
    shown = chart([curve("a" * 60, ((5.0, 0.5),)), curve("b", ((6.0, 0.9),))])
    for picture in (draw([shown] * 4, width=width), draw_keyed([shown] * 4, "title", width=width)):
        assert picture.width == width
        root = parsed(picture)
        found = [frame(panel) for panel in of_class(root, "sb-panel")]
        assert all(box.left >= 0 and box.left + box.width <= width for box in found)
        assert min(box.width for box in found) >= 60
        assert max(box.top + box.height for box in found) < picture.height
    assert LABEL < LINE_GAP


def test_a_png_has_the_size_that_is_asked_for_and_a_pdf_the_same_in_points():
    pytest.importorskip("vl_convert", reason="pip install 'sparsebench[figures]'")
    picture = picture_of(board(), [0], width=3.4 * 96)
    for dpi, wide in ((300, 1020), (96, 327)):
        content = rendered(picture, "png", dpi)
        assert content.startswith(b"\x89PNG")
        width, height = struct.unpack(">II", content[16:24])
        assert (width, height) == (wide, pytest.approx(picture.height * dpi / 96, abs=1))
        place = content.index(b"pHYs")
        assert struct.unpack(">I", content[place + 4 : place + 8])[0] == pytest.approx(dpi / 0.0254, abs=1)
    content = rendered(picture, "pdf")
    assert content.startswith(b"%PDF")
    box = re.search(rb"/MediaBox ?\[([^\]]*)\]", content)
    assert float(box[1].split()[2]) == pytest.approx(3.4 * 72, abs=1)


def test_too_many_pixels_are_refused_before_anything_is_drawn():
    with pytest.raises(UsageError, match="at most 100,000,000 pixels") as caught:
        rendered(picture_of(board(), [0], width=3000.0), "png", 1200)
    assert "--dpi" in caught.value.help
