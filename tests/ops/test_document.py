"""docs/ops.md is what the primitives say of themselves."""

import subprocess
import sys

import pytest

from evaluate.tiny import ROOT
from sparsebench import ops
from sparsebench.ops import backends, document


def test_the_page_is_the_one_that_is_generated():
    told = "run `python -m sparsebench.ops.document > docs/ops.md`"
    assert (ROOT / "docs" / "ops.md").read_text(encoding="utf-8") == document.markdown(), told


def test_the_page_for_authors_has_the_table_of_all():
    told = (
        "run `python -m sparsebench.ops.document --table`, and put it between the markers of docs/submit.md"
    )
    page = (ROOT / "docs" / "submit.md").read_text(encoding="utf-8")
    block = page.partition("<!-- primitives:begin -->\n")[2].partition("<!-- primitives:end -->")[0]
    assert block == document.table(), told
    assert block.count("\n") == 2 + len(ops.PRIMITIVES)


def test_it_runs_as_a_module():
    command = [sys.executable, "-m", "sparsebench.ops.document"]
    made = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, encoding="utf-8")
    assert made.stdout == document.markdown()
    assert made.stderr == ""


@pytest.mark.parametrize("made", ops.PRIMITIVES.values(), ids=ops.PRIMITIVES)
def test_everything_is_told_of_each(made):
    page = document.markdown()
    section = page.partition(f"\n### {made.name}\n")[2].partition("\n### ")[0]
    assert f"`ops.{made.name}(" in section
    assert made.example in section
    assert made.price in section
    assert made.source in section
    assert "Returns" in section


@pytest.mark.parametrize("made", ops.PRIMITIVES.values(), ids=ops.PRIMITIVES)
def test_backends_are_those_that_are_found(made):
    told = document.backends_of(made)
    found = backends.available(made)
    assert set(found) <= set(told)
    if backends.has_numba():
        assert tuple(found) == told
