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
SUBMIT = (ROOT / "docs/submit.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


EXAMPLES = {
    "example": (README, r"    \$ (sparsebench eval .*)", True),
    "explain": (SUBMIT, r"    \$ (sparsebench explain .*)", False),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_example_is_the_output_of_its_command(tmp_path, name):
    page, command, stores = EXAMPLES[name]
    block = rf"<!-- {name}:begin -->\n(.*?)<!-- {name}:end -->"
    found = re.search(rf"{command}\n\n{block}", page, re.DOTALL)
    assert found, "the page has an example between markers"
    arguments = [*shlex.split(found[1])[1:], *(["--output", str(tmp_path)] if stores else [])]
    command = [sys.executable, "-c", "from sparsebench.cli import main; main()", *arguments]
    run = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
        env={"COLUMNS": "100", "NO_COLOR": "1"},
    )
    assert run.returncode == 0, run.stderr
    shown = [line[4:].rstrip() for line in found[2].splitlines() if line]
    printed = [line.rstrip() for line in run.stdout.splitlines() if line.strip()]
    assert [line for line in shown if line] == printed


LINKS = [
    pytest.param(page, link, id=f"{page.stem}-{link}")
    for page in PAGES
    for link in sorted(set(re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))))
]


@pytest.mark.parametrize(("page", "link"), LINKS)
def test_links_lead_somewhere(page, link):
    path, _, anchor = link.partition("#")
    target = page if not path else page.parent / path
    assert link.startswith("http") or target.exists()
    if anchor and not link.startswith("http"):
        heads = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE)
        assert anchor in {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("script", ["scripts/try", "scripts/test", "scripts/lint"])
def test_named_scripts_are_executable(script):
    assert f"./{script}" in README
    assert (ROOT / script).stat().st_mode & 0o111
