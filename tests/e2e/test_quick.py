"""The quick run is told what to leave out, and still touches every room of the package."""

from __future__ import annotations

import ast
import os
import subprocess
import sys

import pytest

import quick
from evaluate.tiny import ROOT

PACKAGE, TESTS = ROOT / "harness" / "sparsebench", ROOT / "tests"
ROOMS = sorted(
    folder.relative_to(PACKAGE.parent).as_posix().replace("/", ".")
    for folder in PACKAGE.rglob("*")
    if folder.is_dir() and (folder / "__init__.py").is_file()
)


def selected():
    """Give the files of the quick run."""
    out = [TESTS / name for name in quick.LEFT_OUT]
    return [file for file in TESTS.rglob("test_*.py") if not any(file.is_relative_to(path) for path in out)]


def imported_by(file):
    """Give the dotted names that a file's imports name, and those of what they lie in."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.fixture(scope="module")
def touched():
    """All dotted names that the quick run imports."""
    return {name for file in selected() for name in imported_by(file)}


@pytest.mark.parametrize("room", ["sparsebench.errors", *ROOMS])
def test_every_room_is_in_the_quick_run(touched, room):
    family = room.startswith("sparsebench.ops.") and (PACKAGE / "ops" / room[16:] / "definition.py").is_file()
    wanted = "sparsebench.ops" if family else room  # primitives are asked for by the package's names
    assert any(f"{name}.".startswith(f"{wanted}.") for name in touched)


@pytest.mark.parametrize("name", quick.LEFT_OUT)
def test_what_is_left_out_is_there(name):
    assert (TESTS / name).exists()


def test_what_is_left_out_is_not_collected():
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--collect-only",
        "-q",
        "-p",
        "no:cacheprovider",
        "tests/models",
    ]
    environment = {**os.environ, quick.CHOSEN_BY: "1"}
    ran = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=120
    )
    assert "models/test_contract.py" in ran.stdout
    assert "test_template" not in ran.stdout


def test_the_script_asks_for_it():
    script = (ROOT / "scripts" / "test").read_text(encoding="utf-8")
    assert f'{quick.CHOSEN_BY}=1 exec "${{pytest[@]}}"' in script
