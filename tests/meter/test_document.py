"""The page of prices is what the rule table says."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

from sparsebench.meter import PROFILES
from sparsebench.meter.document import markdown
from sparsebench.meter.rules import REFUSED, RULES
from sparsebench.ops.charges import KINDS

PAGE = Path(__file__).parents[2] / "docs" / "cost-model.md"
NAMES = sorted({*RULES, *REFUSED, *KINDS, *PROFILES})


def test_the_page_in_docs_is_the_table():
    mend = "run: python -m sparsebench.meter.document > docs/cost-model.md"
    assert PAGE.read_text(encoding="utf-8") == markdown(), mend


@pytest.mark.parametrize("name", NAMES)
def test_everything_is_on_the_page(name):
    assert f"| `{name}` |" in markdown()


def test_every_row_of_a_table_has_its_columns():
    widths = [line.count(" | ") for line in markdown().splitlines() if line.startswith("| ")]
    assert set(widths) == {1, 2, 3}


def test_the_module_prints_the_page(capsys, monkeypatch):
    monkeypatch.delitem(sys.modules, "sparsebench.meter.document")
    runpy.run_module("sparsebench.meter.document", run_name="__main__", alter_sys=True)
    assert capsys.readouterr().out == markdown()


def test_every_table_has_cells_under_its_heads():
    import re

    width = 0
    for line in markdown().splitlines():
        cells = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else 0
        assert not (width and cells) or cells == width, line
        width = cells
