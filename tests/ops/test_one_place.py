"""A primitive is described in few places: whoever changes one need not look through the house."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest

from sparsebench.meter.stubs import STUBS
from sparsebench.ops import PRIMITIVES
from sparsebench.ops.core.arguments import Text

ROOT = Path(__file__).parents[2]
MOST = 8
USERS = ("submissions", "reports", "adversarial", "honest", "e2e", "models")
"""Folders of tests about what uses primitives."""
SHARED = ("gpu", "jit")
"""Where other libraries say what a function takes."""

WORDS = {
    word
    for primitive in PRIMITIVES.values()
    for told in primitive.parser.arguments.values()
    if isinstance(told, Text)
    for word in told.options
}
"""Primitives that other ones are told by name, such as activations, are words of those."""


def described_in(file):
    """Yield the names in a file that are not those of calls: texts, and what is defined."""
    text = file.read_text(encoding="utf-8")
    if file.suffix != ".py":
        yield from (name for name in PRIMITIVES if re.search(rf"\b{name}\b", text))
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.keyword):
            yield node.arg


@pytest.fixture(scope="module")
def places():
    found = defaultdict(set)
    package = ROOT / "harness" / "sparsebench"
    files = [*package.rglob("*.py"), *package.rglob("*.cu"), *package.rglob("*.cuh")]
    files += [
        file
        for file in (ROOT / "tests").rglob("*.py")
        if file.relative_to(ROOT / "tests").parts[0] not in USERS
    ]
    for file in files:
        if file not in STUBS:
            for name in described_in(file):
                found[name].add(file.relative_to(ROOT).as_posix())
    return found


@pytest.mark.parametrize("name", sorted(PRIMITIVES.keys() - WORDS))
def test_a_name_stands_in_few_files(places, name):
    assert len(places[name]) <= MOST, sorted(places[name])


@pytest.mark.parametrize("name", sorted(PRIMITIVES))
def test_a_name_stands_where_it_is_looked_for(places, name):
    """Or the count would be of nothing."""
    module = PRIMITIVES[name].definition.__module__.replace(".", "/")
    folder = module.split("/")[2]
    assert {
        f"harness/{module}.py",
        "harness/sparsebench/timing/workloads.py",
        f"tests/ops/{folder}/specimens.py",
    } <= places[name]


def test_no_signature_is_repeated():
    """Prices, loads and backends take the call, so nothing is named that is not used."""
    for file in (ROOT / "harness" / "sparsebench" / "ops").rglob("*.py"):
        if file.parent.name not in SHARED:
            assert "ARG001" not in file.read_text(encoding="utf-8"), file
