"""The submissions that docs/examples.md shows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from evaluate.tiny import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sparsebench.results import Row

FACTS: dict[str, Callable[[Row], bool]] = {
    "early-exit": lambda row: len(row.ops_histogram or ()) == 2 and row.ops < row.ops_max,
    "refine": lambda row: len(row.ops_histogram or ()) >= 3,
    "k-nn": lambda row: row.ops > 256 * 16,
    "tree": lambda row: row.ops == 4 * 8,
    "experts": lambda row: row.experts_seen > 1 and row.nmi is not None,
}
"""What makes an example: (a row of it) -> whether it is there."""

PAGE = ROOT / "docs" / "examples.md"
_BLOCK = re.compile(
    r"^`([a-z0-9-]+)/(submission\.(?:toml|py))`\n\n```(?:toml|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL
)


def names() -> list[str]:
    """Name the examples, in the order of the page."""
    return list(dict.fromkeys(name for name, _, _ in _BLOCK.findall(PAGE.read_text(encoding="utf-8"))))


def type_off(into: Path) -> list[Path]:
    """Do as the page says: write its files, each into the folder of its example."""
    for name, file, text in _BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        (into / name).mkdir(parents=True, exist_ok=True)
        (into / name / file).write_text(text, encoding="utf-8")
    return [into / name for name in names()]
