"""The published page in a real browser: what people click, type, point at and read."""

from __future__ import annotations

import csv
import re

import pytest

from browser.conftest import PAGE

pytestmark = pytest.mark.skipif(not PAGE.exists(), reason="a source distribution has no page")


def shown_task(page):
    return page.locator("section:not([hidden])").get_attribute("data-task")


def column(page, head, table="scores"):
    """Give the texts of a column of the shown table."""
    heads = page.locator(f"section:not([hidden]) table.{table} thead th").all_text_contents()
    place = heads.index(head) + 1
    rows = page.locator(f"section:not([hidden]) table.{table} tbody tr:not([hidden])")
    return rows.locator(f":nth-child({place})").evaluate_all(
        "cells => cells.filter(cell => cell.parentElement.localName === 'tr').map(cell => cell.textContent)"
    )


def scores(page):
    return [float(text.split()[0]) for text in column(page, "score")]


def test_one_task_is_shown_and_the_others_are_one_click_away(opened):
    page = opened().page
    refs = page.locator("nav a").evaluate_all("links => links.map(link => link.dataset.task)")
    assert shown_task(page) == refs[0]
    assert len(refs) > 2
    for ref in refs:
        page.click(f'nav a[data-task="{ref}"]')
        assert shown_task(page) == ref
        assert page.locator('nav a[aria-current="page"]').get_attribute("data-task") == ref
    page.go_back()
    assert shown_task(page) == refs[-2]


def test_a_deep_link_restores_every_choice(opened, browser):
    first = opened()
    page = first.page
    page.locator("nav a").nth(2).click()
    page.check("input[name=price][value=free]")
    page.click('section:not([hidden]) table.scores thead button:text-is("submission")')
    page.fill("#search", "r")
    page.select_option("#kind", "routed")
    name = first.names()[0]
    page.click(f'section:not([hidden]) a[data-open="{name}"]')
    page.wait_for_selector("dialog[open] h2")
    fragment = page.evaluate("location.hash")
    again = opened(fragment)
    again.page.wait_for_selector("dialog[open] h2")
    assert shown_task(again.page) == shown_task(page)
    assert again.names() == first.names()
    assert again.page.locator("dialog h2").inner_text() == name
    assert again.page.is_checked("input[name=price][value=free]")
    assert again.page.input_value("#search") == "r"
    assert again.page.input_value("#kind") == "routed"


def test_an_address_that_names_nothing_shows_the_first_task(opened):
    page = opened("#task=none&entry=%3Cscript%3E&price=none&sort=99d").page
    assert shown_task(page) == page.locator("nav a").first.get_attribute("data-task")
    assert not page.locator("dialog").is_visible()


def test_columns_sort_both_ways_and_say_so(opened):
    each = opened()
    page = each.page
    head = page.locator('section:not([hidden]) table.scores thead th:has(button:text-is("score"))')
    for way in ("descending", "ascending"):
        head.locator("button").click()
        assert head.get_attribute("aria-sort") == way
        assert scores(page) == sorted(scores(page), reverse=way == "descending")
    page.click('section:not([hidden]) table.scores thead button:text-is("submission")')
    assert each.names() == sorted(each.names(), key=str.lower)
    assert head.get_attribute("aria-sort") is None


def test_a_ratio_is_sorted_by_how_many_instances_it_is_on(opened):
    page = opened("#task=lipschitz-regression%402").page
    page.click('section:not([hidden]) table.scores thead button:text-is("x fewer at .5")')
    keys = [
        (int(text.rpartition(" on ")[2].split("/")[0]), float(text.split()[0].replace(",", "")))
        for text in column(page, "x fewer at .5")
        if text != "-"
    ]
    assert len(keys) > 2
    assert keys == sorted(keys, reverse=True)


def test_equals_stand_in_the_boards_order_whatever_was_clicked_before(opened):
    each = opened()
    page = each.page
    orders = []
    for first in ("score", "submission"):
        page.click(f'section:not([hidden]) table.scores thead button:text-is("{first}")')
        page.click('section:not([hidden]) table.scores thead button:text-is("kind")')
        orders.append(each.names())
        assert page.evaluate("location.hash").endswith("sort=2a")
    assert orders[0] == orders[1]


def test_the_order_of_the_variants_is_in_the_address(opened):
    page = opened().page
    page.click('section:not([hidden]) summary:text-is("All variants")')
    page.click('section:not([hidden]) table.variants thead button:text-is("quality")')
    shown = column(page, "quality", "variants")
    assert [float(text) for text in shown] == sorted(map(float, shown), reverse=True)
    again = opened(page.evaluate("location.hash")).page
    assert column(again, "variant", "variants") == column(page, "variant", "variants")


def test_search_and_kind_leave_out_rows_and_marks(opened):
    each = opened()
    page = each.page
    everything = each.names()
    page.fill("#search", "LSH")
    assert each.names() == [name for name in everything if "lsh" in name]
    kept = page.locator("section:not([hidden]) .marks a:not(.off)").count()
    assert 0 < kept < page.locator("section:not([hidden]) .marks a").count()
    lines = page.locator("section:not([hidden]) .chart :is(.lines, .labels) [data-e]:not(.off)")
    names = page.locator("section:not([hidden]) table.scores tbody tr:not([hidden])").evaluate_all(
        "rows => rows.map(row => row.dataset.e)"
    )
    assert set(lines.evaluate_all("parts => parts.map(part => part.dataset.e)")) <= set(names)
    page.fill("#search", "")
    page.select_option("#kind", "dense")
    kinds = page.locator("section:not([hidden]) table.scores tbody tr:not([hidden])").evaluate_all(
        "rows => rows.map(row => row.dataset.kind)"
    )
    assert set(kinds) == {"dense"}


def test_the_papers_price_moves_marks_to_the_left_and_orders_the_table_anew(opened):
    each = opened(reduced_motion="reduce")
    page = each.page

    def places():
        return page.locator("section:not([hidden]) .marks a").evaluate_all(
            "marks => marks.map(mark => mark.getBoundingClientRect().x)"
        )

    before, ranks = places(), each.names()
    page.check("input[name=price][value=free]")
    after = places()
    assert all(b <= a + 0.5 for a, b in zip(before, after, strict=True))
    assert min(b - a for a, b in zip(before, after, strict=True)) < -50
    assert (
        page.locator("section:not([hidden]) .gaps path").first.evaluate(
            "path => getComputedStyle(path).visibility"
        )
        == "visible"
    )
    assert scores(page) == sorted(scores(page), reverse=True)
    assert scores(page) == [float(text.split()[0]) for text in column(page, "score, router left out")]
    axis = page.locator("section:not([hidden]) .axis.x:visible")
    assert axis.evaluate_all("texts => texts.map(text => text.textContent)") == [
        "operations per input without the router, log scale"
    ]
    assert "with the router left out" in page.locator("section:not([hidden]) h2").inner_text()
    assert page.locator("section:not([hidden]) .gaps").get_attribute("marker-start") == "url(#ghost)"
    page.check("input[name=price][value=all]")
    assert each.names() == ranks
    assert places() == pytest.approx(before)


def test_a_mark_lights_its_row_and_says_what_it_is(opened):
    page = opened().page
    mark = page.locator("section:not([hidden]) .marks a").nth(3)
    mark.focus()
    head = page.locator(mark.get_attribute("href"))
    assert page.locator("#hint").inner_text() == mark.get_attribute("aria-label")
    name = head.evaluate("head => head.closest('tr').cells[0].textContent")
    lit = page.locator("section:not([hidden]) table.scores tr.on").evaluate_all(
        "rows => rows.map(row => row.dataset.name)"
    )
    assert lit == [name]
    page.keyboard.press("Escape")
    assert page.locator("tr.on").count() == 0


def test_a_row_lights_its_marks_and_its_line(opened):
    page = opened().page
    row = page.locator("section:not([hidden]) table.scores tbody tr").first
    row.hover()
    name = row.get_attribute("data-name")
    number = row.get_attribute("data-e")
    lit = page.locator("section:not([hidden]) .chart .lines path.on:not(.free)")
    assert lit.evaluate_all("lines => lines.map(line => line.dataset.e)") == [number]
    labels = page.locator("section:not([hidden]) .labels.all .on").evaluate_all(
        "parts => parts.map(part => part.localName)"
    )
    assert sorted(labels) == ["path", "text"]
    variants = column(page, "submission", "variants").count(name)
    assert page.locator("section:not([hidden]) .marks a.on").count() == variants > 0


def test_the_keyboard_alone_reaches_everything(opened):
    page = opened().page
    reached = set()
    for _ in range(400):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate(
                "() => { const e = document.activeElement; return e.closest('.marks') ? 'mark' : "
                "e.closest('thead') ? 'head' : e.dataset.open ? 'opener' : e.dataset.task ? 'tab' : "
                "e.name || e.id || e.localName; }"
            )
        )
        if {"mark", "head", "opener", "tab", "price", "search", "kind", "summary"} <= reached:
            break
    assert {"mark", "head", "opener", "tab", "price", "search", "kind", "summary"} <= reached
    opener = page.locator("section:not([hidden]) a[data-open]").first
    opener.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog[open] h2")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="hidden")
    assert opener.evaluate("link => link === document.activeElement")


def test_a_drawer_tells_what_the_rows_say(opened):
    each = opened()
    page = each.page
    name = each.names()[0]
    page.click(f'section:not([hidden]) a[data-open="{name}"]')
    page.wait_for_selector("dialog[open] h2")
    text = page.locator("dialog").inner_text()
    commands = ("sparsebench results verify",)
    for part in (*commands, "Audits", "order-invariance", "Made with"):
        assert part in text
    assert page.locator("dialog svg.bar").count() > 0
    other = each.names()[1]
    page.select_option("#versus", other)
    page.wait_for_selector(f'dialog h3:text-is("{name} and {other}")')
    assert "Welch's test" in page.locator("dialog").inner_text()
    page.click("dialog .close")
    assert not page.locator("dialog").is_visible()


def test_marks_have_names_where_the_table_of_variants_is_closed(opened):
    page = opened().page
    links = page.get_by_role("link", name=re.compile(r": [\d,]+ operations.*, quality [\d.]+$"))
    assert links.count() == page.locator("section:not([hidden]) .marks a").count() > 10


def test_a_mark_and_the_skip_link_leave_the_address_alone(opened):
    page = opened("#price=free&q=lsh").page
    page.locator("section:not([hidden]) .marks a:not(.off)").first.press("Enter")
    assert page.evaluate("document.activeElement.localName") == "tr"
    page.locator(".skip").press("Enter")
    assert page.evaluate("document.activeElement.id") == "tasks"
    assert page.evaluate("location.hash") == "#price=free&q=lsh"


def test_the_keyboard_goes_through_those_to_compare_with(opened):
    each = opened(f"#entry={opened().names()[0]}")
    page = each.page
    page.wait_for_selector("dialog[open] #versus")
    page.focus("#versus")
    for _ in range(2):
        page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.id") == "versus"
    second = page.locator("#versus option").nth(2).get_attribute("value")
    assert f"vs={second}" in page.evaluate("location.hash")


def test_the_table_downloads_as_it_is_shown(opened, tmp_path):
    each = opened()
    with each.page.expect_download() as started:
        each.page.click("#downloads button")
    path = tmp_path / "table.csv"
    started.value.save_as(path)
    with path.open(encoding="utf-8", newline="") as file:
        _, *lines = csv.reader(file)
    assert [line[1] for line in lines] == each.names()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("address", ["", "#price=free", "#entry=lsh-affine"])
def test_axe_finds_nothing_serious(opened, scheme, address):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="brings axe-core")
    page = opened(address, color_scheme=scheme, reduced_motion="reduce", bypass_csp=True).page
    if "entry" in address:
        page.wait_for_selector("dialog[open] h2")
    else:
        for summary in page.locator("section:not([hidden]) summary").all():
            summary.click()
    found = axe.Axe().run(page).response["violations"]
    bad = [
        (each["id"], each["nodes"][0]["html"][:200])
        for each in found
        if each["impact"] in {"serious", "critical"}
    ]
    assert bad == []


@pytest.mark.parametrize("width", [390, 800, 1280])
def test_nothing_is_wider_than_the_screen(opened, width):
    each = opened(viewport={"width": width, "height": 800})
    page = each.page
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.click(f'section:not([hidden]) a[data-open="{each.names()[0]}"]')
    page.wait_for_selector("dialog[open] h2")
    drawer = page.locator("dialog")
    assert drawer.evaluate("each => each.scrollWidth - each.clientWidth") <= 0


def test_a_mark_is_as_large_as_a_finger_needs(opened):
    """WCAG 2.2 asks for 24 pixels, or as much room around: a transparent edge answers, too."""
    page = opened(has_touch=True, is_mobile=True).page
    mark = page.locator("section:not([hidden]) .marks use").first
    assert float(mark.evaluate("use => parseFloat(getComputedStyle(use).strokeWidth)")) + 7 >= 24
    assert mark.evaluate("use => getComputedStyle(use).pointerEvents") == "all"


def test_in_a_frame_without_an_address_it_works_all_the_same(browser):
    context = browser.new_context()
    page = context.new_page()
    logged = []
    page.on("pageerror", lambda error: logged.append(str(error)))
    page.set_content('<iframe sandbox="allow-scripts" width="1200" height="800"></iframe>')
    page.locator("iframe").evaluate("(frame, text) => { frame.srcdoc = text; }", PAGE.read_text("utf-8"))
    frame = page.frame_locator("iframe")
    frame.locator("nav a").nth(1).click()
    second = frame.locator("nav a").nth(1).get_attribute("data-task")
    assert frame.locator("section:not([hidden])").get_attribute("data-task") == second
    frame.locator("#search").fill("e")
    assert frame.locator("#search").input_value() == "e"
    frame.locator("section:not([hidden]) tr:not([hidden]) a[data-open]").first.click()
    frame.locator("dialog[open] h2").wait_for()
    context.close()
    assert logged == []


def test_a_browser_that_cannot_unpack_says_so(browser):
    context = browser.new_context()
    context.add_init_script("delete globalThis.DecompressionStream")
    page = context.new_page()
    page.goto(PAGE.as_uri())
    page.locator("section:not([hidden]) a[data-open]").first.click()
    page.wait_for_selector("dialog[open] h2")
    assert "cannot unpack" in page.locator("dialog").inner_text()
    context.close()


def test_two_without_a_common_task_are_told_so_and_others_have_their_scores(opened):
    each = opened()
    page = each.page
    refs = page.locator("nav a").evaluate_all("links => links.map(link => link.dataset.task)")
    entered = {
        ref: page.locator(f'section[data-task="{ref}"] table.scores tbody tr').evaluate_all(
            "rows => rows.map(row => row.dataset.name)"
        )
        for ref in refs
        if ref != "all"
    }
    of = {
        name: {r for r, names in entered.items() if name in names}
        for names in entered.values()
        for name in names
    }
    apart = [(a, b) for a in of for b in of if not of[a] & of[b]]
    assert apart
    first, second = apart[0]
    other = opened(f"#entry={first}&vs={second}").page
    other.wait_for_selector("dialog[open] h3")
    assert "no task that both enter" in other.locator("dialog").inner_text()


def test_in_print_every_task_is_there_and_no_tool(opened):
    page = opened().page
    page.emulate_media(media="print")
    assert page.locator("section:visible").count() == page.locator("section").count()
    assert not page.locator(".tools").is_visible()


def test_without_a_script_all_figures_are_there(opened):
    page = opened(java_script_enabled=False).page
    assert page.locator("section:visible").count() == page.locator("section").count()
    assert page.locator(".chart").first.is_visible()
    assert "need JavaScript" in page.locator("footer").inner_text()
