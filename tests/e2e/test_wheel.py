"""The wheel: it carries the tasks and the submissions, and works in an empty folder."""

import contextlib
import importlib.metadata
import importlib.util
import re
import shutil
import subprocess
import sys
import venv
import zipfile

import pytest

from e2e.examples import FACTS, type_off
from evaluate.tiny import ROOT
from sparsebench.results import ResultStore
from sparsebench.tasks import list_tasks

MISSING = [name for name in ("build", "hatchling") if importlib.util.find_spec(name) is None]

pytestmark = pytest.mark.skipif(
    bool(MISSING), reason=f"building a wheel needs {', '.join(MISSING)}: pip install build hatchling"
)


def called(command, **options):
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240, **options)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    called([sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)])
    (made,) = folder.glob("*.whl")
    return made


def dependencies(name, found):
    """Gather the distributions that one needs, and those that they need, without extras."""
    for line in importlib.metadata.requires(name) or ():
        requirement, _, marker = line.partition(";")
        needed = re.match(r"[A-Za-z0-9._-]+", requirement)[0]
        if "extra" in marker or needed in found:
            continue
        with contextlib.suppress(
            importlib.metadata.PackageNotFoundError
        ):  # needed elsewhere, such as on Windows
            found[needed] = importlib.metadata.distribution(needed)
            dependencies(needed, found)
    return found


def link(source, target):
    """Link a file, or copy it where it is on another disk."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copyfile(source, target)


@pytest.fixture(scope="module")
def python(tmp_path_factory, wheel):
    """Install the wheel and what it needs in an environment of its own, without the network."""
    folder = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(folder, with_pip=False, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    zipfile.ZipFile(wheel).extractall(packages)
    for distribution in dependencies("sparsebench", {}).values():
        for file in distribution.files:
            if ".." not in file.parts and "__pycache__" not in file.parts:
                link(distribution.locate_file(file), packages / file)
    python = folder / "bin" / "python"
    home = called([python, "-I", "-c", "import sparsebench; print(sparsebench.__file__)"]).strip()
    assert home == str(packages / "sparsebench" / "__init__.py")
    return python


def test_it_carries_everything_that_runs_and_no_rubbish(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    source = {
        f"sparsebench/{path.relative_to(ROOT / 'harness' / 'sparsebench').as_posix()}"
        for path in (ROOT / "harness" / "sparsebench").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    data = {
        f"sparsebench/_data/{path.relative_to(ROOT).as_posix()}"
        for folder in ("tasks", "submissions")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {name for name in names if name.startswith("sparsebench/")} == source | data
    assert {
        f"sparsebench/models/template_files/{n}.txt"
        for n in ("submission.toml", "submission.py", "README.md")
    } <= names
    assert any(name.endswith("memorization/v1/n256-r4.parquet") for name in data)
    assert {name.partition("/")[0].rpartition(".")[2] for name in names} == {"sparsebench", "dist-info"}


def test_it_draws_new_inputs(python, tmp_path):
    code = """
from sparsebench.tasks import load_task
instances = {
    "cube@1": "parity-k2-n12",
    "lipschitz-regression@1": "polynomial",
    "routed-classification@1": "synthetic-4",
}
for ref, name in instances.items():
    task = load_task(ref)
    print(name, len(task.fresh(task.load(name), 5, 1024)))
"""
    assert called([python, "-I", "-c", code], cwd=tmp_path).split() == [
        "parity-k2-n12",
        "1024",
        "polynomial",
        "1024",
        "synthetic-4",
        "1024",
    ]


@pytest.mark.parametrize("submission", ["conditional-tree", "oracle-router", "mine"])
def test_it_evaluates_in_an_empty_folder(python, tmp_path, submission):
    run = [python, "-I", "-c", "from sparsebench.cli import main; main()"]
    arguments = ["--instances", "n256-r4"]
    if submission == "oracle-router":  # includes files that others include, too
        arguments = ["--instances", "synthetic-4", "--variants", "linear"]
    if submission == "mine":
        called([*run, "new", "mine"], cwd=tmp_path)
        submission, arguments = "./mine", ["--instances", "polynomial", "--variants", "experts-8"]
    out = called([*run, "eval", submission, *arguments, "--seeds", "1"], cwd=tmp_path)
    rows = ResultStore(tmp_path / "sparsebench-results").latest()
    assert {row.status for row in rows} == {"ok"}
    assert rows[0].submission in out
    full = [row for row in rows if row.variant == "full"]
    assert [(row.recall, row.ops_add_mul_cmp, row.ops) for row in full] in ([], [(1.0, 15, 31)])
    files = sum(len(spec.files) for task in list_tasks() for spec in task.own.values())
    assert called([*run, "tasks", "verify"], cwd=tmp_path).count("ok ") == files


def test_a_strangers_path(python, tmp_path):
    """With the wheel and scikit-learn alone, in an empty folder: a template, and examples as typed off."""
    (packages,) = python.parent.parent.glob("lib/python*/site-packages")
    added = {"scikit-learn": importlib.metadata.distribution("scikit-learn")}
    for distribution in dependencies("scikit-learn", added).values():
        for file in distribution.files:
            if ".." not in file.parts and not (packages / file).exists() and "__pycache__" not in file.parts:
                link(distribution.locate_file(file), packages / file)
    run = [python, "-I", "-c", "from sparsebench.cli import main; main()"]
    called([*run, "new", "my-router"], cwd=tmp_path)
    typed = [folder.name for folder in type_off(tmp_path) if folder.name != "experts"]  # that needs torch
    folders = [f"./{name}" for name in ("my-router", *typed)]
    assert len(folders) == 5
    variants = "experts-8,wide-256,steps-8,points-256,depth-8"
    options = ["--instances", "polynomial", "--seeds", "1", "--variants", variants]
    told = called([*run, "eval", *folders, *options], cwd=tmp_path)
    rows = ResultStore(tmp_path / "sparsebench-results").latest()
    assert {row.submission: row.status for row in rows} == dict.fromkeys(("my-router", *typed), "ok")
    assert all(row.quality > 0.1 for row in rows)
    assert [row.submission for row in rows if not FACTS.get(row.submission, bool)(row)] == []
    assert called([*run, "leaderboard", "show"], cwd=tmp_path) == told
    for name in ("my-router", *typed):
        assert f"  {name}  " in told
