"""How fast a large board's page opens, sorts and filters, in headless Chromium.

    python harness/reports/page_speed.py leaderboard/results --write docs/performance.md

The page is that of the stored rows, and one in which every entry of it stands several times, under other
names, until its tables of variants have 5,000 lines. Needs chromium and the Python package playwright.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from playwright.sync_api import sync_playwright

from sparsebench.leaderboard.findings import findings
from sparsebench.leaderboard.page import render_page
from sparsebench.leaderboard.publish import write_between_markers
from sparsebench.leaderboard.standard import Choice, board_of, tasks_of
from sparsebench.results import ResultStore

_LINES, _RUNS = 5000, 5
_WRITTEN = (
    "<!-- Written by `python harness/reports/page_speed.py leaderboard/results --write docs/performance.md`. "
    "Do not edit. -->"
)
_WHAT = (
    "Opened: until everything is loaded and the script has run. Sorted and filtered: from the click or the "
    "key to the layout after it."
)
_OPENED = """() => {
  const times = performance.getEntriesByType('navigation')[0];
  return times.loadEventEnd - times.startTime;
}"""
# From the event to the layout after it, which is what somebody waits for.
_SORTED = """() => {
  const button = document.querySelector('section:not([hidden]) table.scores thead th:nth-child(4) button');
  const start = performance.now();
  button.click();
  document.body.getBoundingClientRect();
  return performance.now() - start;
}"""
_FILTERED = """text => {
  const search = document.querySelector('#search');
  search.value = text;
  const start = performance.now();
  search.dispatchEvent(new Event('input', { bubbles: true }));
  document.body.getBoundingClientRect();
  return performance.now() - start;
}"""


def boards(store):
    """Return the board of a store by the standard prices, and without routers."""
    rows = ResultStore(store).latest()
    choice = Choice(titled=True)
    tasks = tasks_of(rows, [], choice)
    return board_of(rows, tasks, choice), board_of(rows, tasks, replace(choice, profile="paper-router-free"))


def lines_of(board):
    """Count the lines of the tables of variants."""
    return sum(len(score.points) for entry in board.entries for score in entry.tasks if score)


def repeated(board, times):
    """Return a board on which every entry stands several times, under other names."""
    entries = [
        replace(entry, submission=f"{entry.submission}-{n}") for n in range(times) for entry in board.entries
    ]
    return replace(board, entries=tuple(entries), pairs=tuple(() for _ in board.pairs))


def measured(browser, page):
    """Open a page several times; return the medians of opening, sorting and filtering, in milliseconds."""
    found = {"opened": [], "sorted": [], "filtered": []}
    for _ in range(_RUNS):
        tab = browser.new_page()
        tab.goto(page.as_uri())
        found["opened"].append(tab.evaluate(_OPENED))
        found["sorted"].append(tab.evaluate(_SORTED))
        found["filtered"].append(tab.evaluate(_FILTERED, "r"))
        tab.close()
    return {what: statistics.median(times) for what, times in found.items()}


def report(store):
    """Write the part of the page on performance."""
    board, free = boards(store)
    times = -(-_LINES // lines_of(board))
    lines = []
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for often in (1, times):
            both = [repeated(each, often) if often > 1 else each for each in (board, free)]
            text = render_page(*both, findings(board, free))
            page = Path(folder) / f"{often}.html"
            page.write_text(text, encoding="utf-8")
            took = measured(browser, page)
            size = len(text.encode()) / 1000
            counts = f"{len(both[0].entries):,} | {lines_of(both[0]):,} | {size:,.0f}"
            opened, others = took.pop("opened"), [f"{each:.1f}" for each in took.values()]
            lines.append(f"| {counts} | {opened:,.0f} | {' | '.join(others)} |")
        version = browser.version
        browser.close()
    heads = ("entries", "variants", "size, kB", "opened, ms", "sorted, ms", "filtered, ms")
    return "\n".join(
        [
            _WRITTEN,
            "",
            f"Medians of {_RUNS} runs in Chromium {version}, headless, from a file. {_WHAT}",
            "",
            f"| {' | '.join(heads)} |",
            "| ---: | ---: | ---: | ---: | ---: | ---: |",
            *lines,
        ]
    )


def main():
    """Print the figures, or write them into a page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("store", type=Path, help="directory of the result store")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put them between their markers there")
    options = parser.parse_args()
    text = report(options.store)
    if options.write:
        write_between_markers(options.write, {"page-speed": text})
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
