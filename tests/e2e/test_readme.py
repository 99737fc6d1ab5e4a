"""What the README shows is what its command prints."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_example_is_the_output_of_its_command(tmp_path):
    block = r"<!-- example:begin -->\n(.*?)<!-- example:end -->"
    found = re.search(r"    \$ (sparsebench eval .*)\n\n" + block, README, re.DOTALL)
    assert found, "the README has an example between markers"
    arguments = [*shlex.split(found[1])[1:], "--output", str(tmp_path)]
    command = [sys.executable, "-c", "from sparsebench.cli import main; main()", *arguments]
    run = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=240, env={"COLUMNS": "100"}
    )
    assert run.returncode == 0, run.stderr
    shown = [line[4:].rstrip() for line in found[2].splitlines() if line]
    printed = [line.rstrip() for line in run.stdout.splitlines() if line.strip()]
    assert [line for line in shown if line] == printed


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#]+)\)", README))))
def test_links_lead_somewhere(link):
    assert link.startswith("http") or (ROOT / link).exists()


@pytest.mark.parametrize("script", ["scripts/try", "scripts/test", "scripts/lint"])
def test_named_scripts_are_executable(script):
    assert f"./{script}" in README
    assert (ROOT / script).stat().st_mode & 0o111
