"""The house: imports only go down, and what should be quick stays quick."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import sparsebench
from evaluate.tiny import ROOT

HEAVY = (
    "numpy",
    "pandas",
    "pyarrow",
    "pydantic",
    "rich",
    "tabulate",
    "safetensors",
    "threadpoolctl",
    "psutil",
)


def imported_by(code):
    """Run code in a fresh interpreter; give the heavy packages that it imported."""
    tell = f"import json, sys; sys.stderr.write(json.dumps([n for n in {HEAVY!r} if n in sys.modules]))"
    program = f"import atexit, sys\natexit.register(lambda: exec({tell!r}))\n{code}"
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    return json.loads(ran.stderr)


def test_imports_only_go_down_the_house():
    lint = Path(sys.executable).with_name("lint-imports")
    if not lint.exists():
        pytest.skip("import-linter is not installed: pip install import-linter")
    ran = subprocess.run(
        [lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "1 kept, 0 broken" in ran.stdout


@pytest.mark.parametrize(
    "code",
    [
        "import sparsebench",
        "import sparsebench; dir(sparsebench)",
        "import sparsebench.cli",
        *(
            f"from sparsebench.cli import main; main({arguments!r})"
            for arguments in (
                ["--help"],
                ["--version"],
                ["eval", "--help"],
                ["leaderboard", "show", "--help"],
            )
        ),
    ],
)
def test_a_first_look_imports_nothing_heavy(code):
    assert imported_by(code) == []


def test_heavy_imports_would_be_seen():
    assert "numpy" in imported_by("import numpy")


def test_public_names_resolve_and_are_sorted():
    assert sorted(sparsebench.__all__) == sparsebench.__all__ == dir(sparsebench)
    for name in sparsebench.__all__:
        found = getattr(sparsebench, name)
        assert getattr(found, "__name__", "").rpartition(".")[2] == name
    with pytest.raises(AttributeError, match="no attribute 'Model'"):
        sparsebench.Model  # noqa: B018 - the access is what is tested


@pytest.mark.parametrize(
    "module", ["meter", "models", "ops", "results", "scoring", "tasks", "leaderboard", "errors"]
)
def test_what_a_module_promises_is_there(module):
    found = __import__(f"sparsebench.{module}", fromlist=["__all__"])
    assert [name for name in found.__all__ if not hasattr(found, name)] == []
