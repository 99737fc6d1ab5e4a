"""The house: imports only go down, and what should be quick stays quick."""

import json
import re
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

# All of sparsebench that the process of a submission holds before it does anything. What is new here runs
# beside a stranger: it must need to.
CHILD = {
    *("errors", "ground", "ground.lazy", "ground.meant", "evaluate", "evaluate.child"),
    *(f"evaluate.child.{name}" for name in ("child", "gpu")),
    *(
        f"evaluate.child.{name}" for name in ("mends", "left_behind", "names", "sandboxed")
    ),  # how errors are told
    *("meter", "meter.client", "meter.model", "meter.structure", "meter.values", "meter.wire"),
    *(f"meter.client.{name}" for name in ("array", "function", "functions", "meant")),
    *(f"meter.client.{name}" for name in ("foresight", "inspection", "namespace", "transport")),
    *("models", "models.contract", "models.routes", "tasks", "tasks.given"),
    *(f"models.{name}" for name in ("fitted", "opening", "returned", "settings")),
    *("ops", "ops.backends", "ops.core", "ops.core.dtypes", "ops.core.own", "ops.families"),
}
# What its warm parent holds beside that, and all of ops.
PARENT = CHILD | {
    *(f"evaluate.child.{name}" for name in ("life", "parent", "walls", "watch")),
    *(
        f"evaluate.child.walls.{name}"
        for name in ("attempts", "canaries", "landlock", "limits", "namespaces")
    ),
    *(f"evaluate.child.walls.attempts{name}" for name in ("", "_on_kernel", "_on_others")),
    *(f"evaluate.child.walls.{name}" for name in ("canaries", "landlock", "limits", "namespaces")),
    *(f"evaluate.child.walls.{name}" for name in ("numbers", "outer", "plan", "powers", "seccomp", "system")),
}
WARM = "from sparsebench.evaluate.child import parent; parent._warm_up()"
IMPORTED = "import json, sys; print(json.dumps(sorted(sys.modules)))"


def imported_by(code):
    """Run code in a fresh interpreter; give the heavy packages that it imported."""
    tell = f"import json, sys; sys.stderr.write(json.dumps([n for n in {HEAVY!r} if n in sys.modules]))"
    program = f"import atexit, sys\natexit.register(lambda: exec({tell!r}))\n{code}"
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    return json.loads(ran.stderr)


def held_after(code):
    """Run code in a fresh interpreter; give its modules of sparsebench, and packages of others."""
    before = sys.stdlib_module_names | set(modules_after("pass"))  # what hooks of the installation import
    names = modules_after(code)
    ours = {name.removeprefix("sparsebench.") for name in names if name.startswith("sparsebench.")}
    return ours, {name.partition(".")[0] for name in names} - before - {"sparsebench"}


def modules_after(code):
    ran = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path[:] = {sys.path!r}\n{code}\n{IMPORTED}"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return json.loads(ran.stdout)


def test_a_submissions_process_holds_only_what_it_needs():
    ours, others = held_after("import sparsebench.evaluate.child.child")
    assert ours == CHILD
    assert others == {"numpy", "safetensors"}


def test_a_warm_parent_holds_only_what_its_children_need():
    ours, others = held_after(WARM)
    assert {name for name in ours if not name.startswith("ops.")} == {
        name for name in PARENT if not name.startswith("ops.")
    }
    made = {
        name for name in others if "cython" in name
    }  # what NumPy's generators bring under names of their own
    assert others - made == {"numpy", "safetensors"}


def test_what_a_submissions_process_holds_is_compiled_before():
    """It may not write compiled files, and would compile its modules anew each time."""
    there, _ = held_after("import sparsebench.evaluate.executor")
    held, _ = held_after(WARM)
    assert there >= held


@pytest.mark.parametrize(
    "code",
    [
        "from sparsebench import ops; ops.gather, ops.PRIMITIVES",
        "import sparsebench as sb; sb.Model, sb.Routed, sb.Split, sb.primitive",
    ],
)
def test_what_a_submission_takes_brings_nothing_of_the_harness(code):
    ours, others = held_after(f"import sparsebench.evaluate.child.child\n{code}")
    assert {name for name in ours - CHILD if not name.startswith("ops.")} == set()
    assert others == {"numpy", "safetensors"}


def test_the_map_names_what_there_is():
    """A path on the map may leave out where it begins; ``<family>`` is any family of primitives."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?!DIR/)[\w./<>-]+(?:\.pyi?|/))`", text))
    there = {
        f"/{path.relative_to(ROOT).as_posix()}"
        for top in ("harness", "leaderboard", "submissions", "tasks", "tests")
        for path in (ROOT / top, *(ROOT / top).rglob("*"))
    }
    wanted = {name: f"/{name.rstrip('/')}".replace("<family>", "grouped") for name in named}
    assert len(wanted) > 50
    assert [name for name, end in wanted.items() if not any(path.endswith(end) for path in there)] == []


def test_imports_only_go_down_the_house():
    lint = Path(sys.executable).with_name("lint-imports")
    if not lint.exists():
        pytest.skip("import-linter is not installed: pip install import-linter")
    ran = subprocess.run(
        [lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "4 kept, 0 broken" in ran.stdout


def circles(graph):
    """Give the modules that are in circles of imports, or between two of them."""
    below = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    while bare := {name for name, imported in below.items() if not imported}:
        below = {name: imported - bare for name, imported in below.items() if name not in bare}
    above = {name: {other for other in below if name in below[other]} for name in below}
    while bare := {name for name, importers in above.items() if not importers}:
        above = {name: importers - bare for name, importers in above.items() if name not in bare}
    return sorted(above)


def test_no_import_goes_in_a_circle():
    """Not one in a function either: what two modules share belongs below both."""
    grimp = pytest.importorskip("grimp", reason="grimp is not installed: pip install import-linter")
    graph = grimp.build_graph("sparsebench", exclude_type_checking_imports=True, cache_dir=None)
    assert circles(graph) == []


def test_a_circle_of_imports_would_be_seen():
    grimp = pytest.importorskip("grimp", reason="grimp is not installed: pip install import-linter")
    graph = grimp.ImportGraph()
    for importer, imported in ("ab", "bc", "ca", "xa", "cy", "yz"):
        graph.add_import(importer=importer, imported=imported)
    assert circles(graph) == ["a", "b", "c"]


SHARED = ("core", "cpu", "gpu", "jit", "kernels")


def family_of(module):
    """Give the family of operations that a module belongs to, or None."""
    parts = module.removeprefix("sparsebench.ops.").split(".")
    return (
        parts[0]
        if module.startswith("sparsebench.ops.") and len(parts) > 1 and parts[0] not in SHARED
        else None
    )


def across(graph):
    """Give imports by which a family takes more of another one than what it defines."""
    for importer in sorted(graph.modules):
        for imported in sorted(graph.find_modules_directly_imported_by(importer)):
            mine, other = family_of(importer), family_of(imported)
            backend = imported.rpartition(".")[2].startswith(("on_", "numba_", "cuda_"))
            if mine and other and mine != other and backend:
                yield importer, imported


def test_a_family_takes_of_another_only_what_it_defines():
    grimp = pytest.importorskip("grimp", reason="grimp is not installed: pip install import-linter")
    graph = grimp.build_graph("sparsebench", exclude_type_checking_imports=True, cache_dir=None)
    assert list(across(graph)) == []
    graph.add_import(importer="sparsebench.ops.tree.on_numpy", imported="sparsebench.ops.hashing.on_numpy")
    assert list(across(graph)) == [("sparsebench.ops.tree.on_numpy", "sparsebench.ops.hashing.on_numpy")]


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


def test_a_worker_reads_data_and_writes_rows_without_what_prints_and_frames(tmp_path):
    code = f"""
from pathlib import Path
from sparsebench.evaluate import cell, executor, plan
from sparsebench.models import find_submission
from sparsebench.results import ResultStore
one = plan.make_plan([find_submission("constant")], plan.Selection(("memorization@1",), small=True))[0]
plan.load_task(str(one.task_folder)).load(one.instance)
ResultStore(Path({str(tmp_path)!r})).write(cell.failed_row(one, "for a test"))
"""
    assert set(imported_by(code)) == {
        "numpy",
        "pyarrow",
        "pydantic",
        "psutil",
        "safetensors",
        "threadpoolctl",  # small: it says which BLAS counts
    }


def test_heavy_imports_would_be_seen():
    assert "numpy" in imported_by("import numpy")


def test_public_names_resolve_and_are_sorted():
    assert sorted(sparsebench.__all__) == sparsebench.__all__ == dir(sparsebench)
    for name in sparsebench.__all__:
        found = getattr(sparsebench, name)
        assert getattr(found, "__name__", "").rpartition(".")[2] == name
    with pytest.raises(AttributeError, match="no attribute 'Network'"):
        sparsebench.Network  # noqa: B018 - the access is what is tested


@pytest.mark.parametrize(
    "module", ["meter", "models", "ops", "results", "scoring", "tasks", "leaderboard", "errors"]
)
def test_what_a_module_promises_is_there(module):
    found = __import__(f"sparsebench.{module}", fromlist=["__all__"])
    assert [name for name in found.__all__ if not hasattr(found, name)] == []


# What only POSIX has. Packages of others are imported before: how they do without is theirs.
ELSEWHERE = """\
import asyncio, concurrent.futures.process, multiprocessing.connection, os, pathlib, select, signal, socket
import sys, tempfile, zoneinfo
import click, numpy, psutil, pyarrow.parquet, pydantic, rich.progress
for name in ("fcntl", "grp", "pty", "pwd", "resource", "syslog", "termios", "tty"):
    sys.modules[name] = None
MISSING = {
    os: "O_CLOEXEC O_DIRECTORY O_NOFOLLOW fork geteuid getuid killpg pidfd_open register_at_fork "
    "sched_getaffinity sched_setaffinity setsid sysconf",
    select: "poll",
    signal: "SIGHUP SIGKILL pidfd_send_signal",
    socket: "AF_TIPC AF_UNIX recv_fds send_fds",
}
for module, names in MISSING.items():
    for name in names.split():
        vars(module).pop(name, None)
sys.platform = "win32"
"""


@pytest.mark.parametrize(
    "code",
    [
        "import sparsebench; [getattr(sparsebench, name) for name in sparsebench.__all__]",
        "from sparsebench.cli import main; main(['--help'])",
        "from sparsebench.cli import main; main(['eval', '--help'])",
        "from sparsebench.cli import main; main(['submissions'])",
        "import sparsebench.evaluate.plan, sparsebench.evaluate.run, sparsebench.author.check",
        "from sparsebench.evaluate.host.parents import measured; assert measured().level == 'none'",
    ],
)
def test_what_runs_nothing_of_a_stranger_needs_no_posix(code):
    command = [sys.executable, "-c", ELSEWHERE + code]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 0, ran.stderr
