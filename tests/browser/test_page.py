"""The published page in a real browser: what people click, type, point at and read."""

from __future__ import annotations

import csv
import re

import pytest

from browser.conftest import PAGE

pytestmark = pytest.mark.skipif(not PAGE.exists(), reason="a source distribution has no page")


def shown_task(page):
    return page.locator("section:not([hidden])").get_attribute("data-task")


def scores(page):
    cells = page.locator("section:not([hidden]) table.scores tbody td[data-v]")
    return [float(value) for value in cells.evaluate_all("cells => cells.map(cell => cell.dataset.v)")]


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


def test_search_and_kind_leave_out_rows_and_marks(opened):
    each = opened()
    page = each.page
    everything = each.names()
    page.fill("#search", "LSH")
    assert each.names() == [name for name in everything if "lsh" in name]
    kept = page.locator("section:not([hidden]) .marks a:not(.off)").count()
    assert 0 < kept < page.locator("section:not([hidden]) .marks a").count()
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
    last = page.locator("section:not([hidden]) table.scores tbody tr td:last-child").all_inner_texts()
    values = [float(text.split()[0]) for text in last if text != "-"]
    assert values == sorted(values, reverse=True)
    page.check("input[name=price][value=all]")
    assert each.names() == ranks
    assert places() == pytest.approx(before)


def test_a_mark_lights_its_row_and_says_what_it_is(opened):
    page = opened().page
    mark = page.locator("section:not([hidden]) .marks a").nth(3)
    mark.focus()
    head = page.locator(mark.get_attribute("href"))
    assert page.locator("#hint").inner_text() == mark.get_attribute("aria-label")
    name = head.evaluate("head => head.closest('tr').dataset.name")
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
    lines = page.locator("section:not([hidden]) .chart .lines.all path.on").evaluate_all(
        "lines => lines.map(line => line.dataset.name)"
    )
    assert lines == [name]
    variants = page.locator(f'section:not([hidden]) table.variants tr[data-name="{name}"]').count()
    assert page.locator("section:not([hidden]) .marks a.on").count() == variants


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
    page = opened(viewport={"width": width, "height": 800}).page
    assert page.evaluate("document.documentElement.scrollWidth") <= width


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
