"""The examples of docs/examples.md run as they stand there; tests/e2e/test_wheel.py runs most of them."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

import pytest

import sparsebench as sb
from e2e.examples import FACTS, names, type_off

if TYPE_CHECKING:
    from pathlib import Path


def test_the_page_lists_its_examples() -> None:
    assert names() == list(FACTS)


@pytest.mark.skipif(
    importlib.util.find_spec("torch") is None,
    reason="torch is not installed here: pip install torch==2.13.0",
)
def test_experts_that_pytorch_trains(tmp_path: Path) -> None:
    (folder,) = (folder for folder in type_off(tmp_path) if folder.name == "experts")
    done = sb.run(folder, instances="synthetic-4", seeds=1, output=tmp_path / "rows")
    assert [row.reason for row in done.failed] == []
    assert {row.variant for row in done.rows} == {"switch", "top-2"}
    for row in done.rows:
        assert FACTS["experts"](row), (row.variant, row.ops)
        assert row.quality > 0.5
