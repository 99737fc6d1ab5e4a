"""A newcomer adds a primitive as CONTRIBUTING.md says, and is told by name what is missing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from evaluate.tiny import ROOT

PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
CHAPTER = PAGE.partition("## Adding a primitive\n")[2].partition("\n## ")[0]
BLOCK = re.compile(r"`(?P<file>[\w./]+\.py)`:\n\n```python\n(?P<code>.*?)```\n", re.DOTALL)
COMMAND = re.compile(r"^    python (?P<line>-m sparsebench\S* ?[^#\n]*)", re.MULTILINE)
WORKLOADS = "harness/sparsebench/timing/workloads.py"


class Checkout:
    """A copy of what belongs to operations, in which the chapter is followed."""

    def __init__(self, root):
        self.root = root
        for name in ("harness", "tests", "docs"):
            ignored = shutil.ignore_patterns("__pycache__", "adversarial", "e2e", "reports")
            shutil.copytree(ROOT / name, root / name, ignore=ignored)
        shutil.copy(ROOT / "pyproject.toml", root)
        # Modules that tests of operations share with others are found there.
        self.environment = {**os.environ, "PYTHONPATH": f"{root / 'harness'}{os.pathsep}{root / 'tests'}"}
        self.environment["PYTHONDONTWRITEBYTECODE"] = "1"

    def run(self, *arguments):
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.root,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=280,
        )

    def pytest(self, *arguments):
        return self.run("-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments)

    def lacks(self):
        """Give the lines in which it is told what is missing of the new primitive."""
        ran = self.pytest("tests/ops/test_complete.py", "-k", "hinge")
        told = re.findall(r"^E +AssertionError: hinge lacks (.*)$", ran.stdout, re.MULTILINE)
        assert bool(told) == bool(ran.returncode), ran.stdout + ran.stderr
        return told[0].split("; ") if told else []

    def write(self, file, code):
        path = self.root / file
        if file == WORKLOADS:
            before, end, after = path.read_text(encoding="utf-8").partition(")\n\nWORKLOADS: ")
            assert "_PLAIN" in before
            code = f"{before}{textwrap.indent(code.rstrip(), '    ')},\n{end}{after}"
        path.parent.mkdir(exist_ok=True)
        path.write_text(code, encoding="utf-8")


@pytest.fixture
def checkout(tmp_path):
    return Checkout(tmp_path)


def blocks():
    found = [(match["file"], match["code"]) for match in BLOCK.finditer(CHAPTER)]
    assert [file for file, _ in found] == [
        *(f"harness/sparsebench/ops/margins/{name}.py" for name in ("definition", "on_numpy", "__init__")),
        WORKLOADS,
        *(f"tests/ops/margins/{name}.py" for name in ("specimens", "test_margins")),
    ]
    return found


def commands():
    found = [match["line"].split() for match in COMMAND.finditer(CHAPTER)]
    assert len(found) == 3
    return found


@pytest.mark.slow
def test_the_chapter_makes_a_primitive_to_which_nothing_is_missing(checkout):
    files, told = dict(blocks()), []
    package = [file for file in files if "/ops/margins/" in file and file.startswith("harness")]
    for file in package:
        checkout.write(file, files.pop(file))
    (missing,) = checkout.lacks()
    assert "families.py" in missing
    made = checkout.run(*commands()[0])
    assert made.returncode == 0, made.stderr
    told = checkout.lacks()
    for word in ("workload", "record", "test_*.py", "ops.md", "submit.md", "cost-model.md"):
        assert any(word in line for line in told), (word, told)
    for file, code in files.items():
        before = len(told)
        checkout.write(file, code)
        told = checkout.lacks()
        assert len(told) < before, (file, told)
    for command in commands()[1:]:
        if ">" in command:
            made = checkout.run(*command[: command.index(">")])
            (checkout.root / command[-1]).write_text(made.stdout, encoding="utf-8")
        else:
            made = checkout.run(*command)
        assert made.returncode == 0, made.stderr
    assert checkout.lacks() == []
    ran = checkout.pytest("tests/ops", "tests/meter", "tests/timing", "-k", "hinge")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert int(re.search(r"(\d+) passed", ran.stdout)[1]) > 15


def test_a_parameter_that_does_not_say_what_it_is_is_refused_by_name(checkout):
    code = "from sparsebench.ops.core.primitive import primitive\n"
    code += 'made = primitive(cost=None, elements=None, price="", example="")\n'
    code += "made(lambda scores, margin: scores)\n"
    ran = checkout.run("-c", code)
    assert "the parameter scores does not say what it is: write scores: Annotated[" in ran.stderr


def with_slip(checkout, slipped, before, after):
    """Follow the chapter up to the table of families, with a slip in one file."""
    for file, code in blocks():
        assert file != slipped or before in code
        checkout.write(file, code.replace(before, after) if file == slipped else code)
    made = checkout.run(*commands()[0])
    assert made.returncode == 0, made.stderr


def test_a_price_that_is_not_the_definitions_is_found(checkout):
    """What CONTRIBUTING calls independent: the definition is counted, and compared."""
    with_slip(checkout, "harness/sparsebench/ops/margins/definition.py", '("mul", "add", ', '("mul", ')
    ran = checkout.pytest("tests/meter/test_references.py", "-k", "hinge")
    assert ran.returncode == 1
    assert "test_references.py::test_price_is_the_price_of_the_reference[hinge]" in ran.stdout


def test_a_backend_that_nothing_imports_is_told(checkout):
    with_slip(
        checkout, "harness/sparsebench/ops/margins/__init__.py", "definition, on_numpy\n", "definition\n"
    )
    init = checkout.root / "harness/sparsebench/ops/margins/__init__.py"
    init.write_text(init.read_text(encoding="utf-8").replace(', "on_numpy"', ""), encoding="utf-8")
    assert any(line.startswith("the import of on_numpy.py in ") for line in checkout.lacks())


def test_a_family_without_its_place_in_the_layers_is_told(checkout):
    lint = Path(sys.executable).with_name("lint-imports")
    if not lint.exists():
        pytest.skip("import-linter is not installed: pip install import-linter")
    file, code = blocks()[0]
    checkout.write(file, code)
    checkout.write("harness/sparsebench/ops/margins/__init__.py", "")
    ran = checkout.run(str(lint), "--no-cache")
    assert ran.returncode == 1
    assert "margins" in ran.stdout
