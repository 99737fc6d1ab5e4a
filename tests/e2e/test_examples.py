"""Each example of docs/examples.md runs as it stands there."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

import pytest

import sparsebench as sb
from e2e.examples import names, type_off

if TYPE_CHECKING:
    from pathlib import Path

NEEDS = {"tree": ("sklearn", "scikit-learn"), "experts": ("torch", "torch==2.13.0")}
FIRST = {"experts": "synthetic-4"}
FACTS = {
    "early-exit": lambda row: len(row.ops_histogram) == 2 and row.ops < row.ops_max,
    "refine": lambda row: len(row.ops_histogram) >= 3,
    "k-nn": lambda row: row.ops > 256 * 16,
    "tree": lambda row: row.ops in {4 * 8, 4 * 12},
    "experts": lambda row: row.experts_seen > 1 and row.nmi is not None,
}
"""What makes the example: (row of each variant) -> whether it is there."""


def test_the_page_lists_its_examples() -> None:
    assert names() == list(FACTS)


@pytest.mark.parametrize("name", FACTS)
def test_an_example_runs_as_it_stands_there(tmp_path: Path, name: str) -> None:
    module, package = NEEDS.get(name, ("", ""))
    if module and importlib.util.find_spec(module) is None:
        pytest.skip(f"{package} is not installed here: pip install {package}")
    (folder,) = (folder for folder in type_off(tmp_path) if folder.name == name)
    done = sb.run(folder, instances=FIRST.get(name, "polynomial"), seeds=1, output=tmp_path / "rows")
    assert [row.reason for row in done.failed] == []
    for row in done.rows:
        assert FACTS[name](row), (row.variant, row.ops)
        assert row.quality > 0.1
