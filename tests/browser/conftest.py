"""A real browser, headless, and the published page in it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "leaderboard" / "index.html"


@pytest.fixture(scope="session")
def browser():
    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("needs chromium (apt-get install chromium), or its path in CHROMIUM")
    playwright = pytest.importorskip("playwright.sync_api", reason="drives the browser")
    with playwright.sync_playwright() as driver:
        # Without a sandbox of its own: it opens this repository's own file, and containers often have none.
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


class Opened:
    """A page, with all that it logged and asked for."""

    def __init__(self, browser, address="", **context):
        self.context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}} | context)
        self.page = self.context.new_page()
        self.logged: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.logged.append(message.text))
        self.page.on("pageerror", lambda error: self.logged.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(f"{PAGE.as_uri()}{address}")

    def names(self):
        """The entries of the shown table, in their order."""
        rows = self.page.locator("section:not([hidden]) table.scores tbody tr:not([hidden])")
        return rows.evaluate_all("rows => rows.map(row => row.dataset.name)")


@pytest.fixture
def opened(browser):
    """Open the page; a test fails if it logs anything, or asks for anything but itself."""
    pages = []

    def opens(address="", **context):
        pages.append(Opened(browser, address, **context))
        return pages[-1]

    yield opens
    for each in pages:
        each.context.close()
        assert each.logged == []
        assert {url.partition("#")[0] for url in each.asked if not url.startswith("blob:")} == {PAGE.as_uri()}
