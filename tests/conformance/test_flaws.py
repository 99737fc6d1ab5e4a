"""The list of tests that are wrong themselves says why, and what is tested instead."""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).parent
HEAD, *BLOCKS = (FOLDER / "flaws.txt").read_text(encoding="utf-8").strip().split("\n\n")


def test_every_group_has_a_reason_and_well_formed_tests():
    assert "tests/meter/test_standard.py" in HEAD
    for block in BLOCKS:
        reason = [line for line in block.splitlines() if line.startswith("# ")]
        tests = block.splitlines()[len(reason) :]
        assert reason
        assert tests
        assert tests == sorted(set(tests))
        assert all(re.fullmatch(r"array_api_tests/test_\w+\.py::test_\w+(\[.+\])?", test) for test in tests)


def test_nothing_is_in_both_lists():
    flaws = {line for block in BLOCKS for line in block.splitlines() if not line.startswith("#")}
    refusals = (FOLDER / "refusals.txt").read_text(encoding="utf-8").splitlines()
    assert flaws.isdisjoint(refusals)
