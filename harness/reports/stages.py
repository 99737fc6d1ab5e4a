"""Where the time of a cell goes, stage by stage, for each shipped submission.

    python harness/reports/stages.py --write docs/performance.md
    git worktree add ../before COMMIT && python harness/reports/stages.py --beside ../before
    python harness/reports/stages.py constant conditional-tree --runs 9

A cell of each submission's first variant on the first instance of each of its tasks, in this process; the
first run warms it up and is left out. Each figure is the median of the other runs.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from sparsebench.evaluate.cell import run_cell
from sparsebench.evaluate.clock import STAGES, Clock, Stage
from sparsebench.evaluate.host.parents import measured
from sparsebench.evaluate.plan import Limits, Selection, make_plan
from sparsebench.leaderboard.publish import write_between_markers
from sparsebench.models import find_submission, shipped_names
from sparsebench.results.provenance import cpu_name

_BOARD = {
    "memorization@1": "n256-r4",
    "lipschitz-regression@1": "hypercube",
    "routed-classification@1": "synthetic-4",
    "cube@1": "parity-k2-n12",
}
_COMMANDS = (
    ("eval", "constant", "--instances", "n256-r4", "--seeds", "1"),
    ("eval", "conditional-tree", "--variants", "full", "--instances", "n256-r4", "--seeds", "1"),
)


def say(line):
    """Tell how far it is."""
    sys.stderr.write(f"{line}\n")


def cells(names):
    """Yield a cell of each submission and task."""
    for name in names:
        folder = find_submission(name)
        for task in folder.manifest.tasks:
            chosen = Selection((task,), (_BOARD[task],))
            yield make_plan([folder], chosen)[0]


def stages_of(cell, runs):
    """Run a cell, and give the medians of its stages: name -> Stage."""
    clocks = []
    for _ in range(runs + 1):
        clock = Clock()
        row = run_cell(cell, Limits(gpu=False), clock)
        if row.status != "ok":
            raise SystemExit(f"error: {cell.label}: {row.status}: {row.reason}")
        clocks.append(clock.stages)
    return {name: median([stages.get(name, Stage()) for stages in clocks[1:]]) for name in STAGES}


def median(stages):
    """Return the medians of what a stage took in several runs."""
    parts = ([getattr(stage, part) for stage in stages] for part in ("wall", "own", "child"))
    return Stage(*map(statistics.median, parts))


def seconds_of(arguments, harness=None):
    """Run a whole command in processes of its own: processor and wall seconds.

    ``harness`` is another checkout's source root, to run its code instead of this one's.
    """
    environment = os.environ | ({} if harness is None else {"PYTHONPATH": str(harness)})
    with tempfile.TemporaryDirectory() as folder:
        line = [
            sys.executable,
            "-c",
            "from sparsebench.cli import main; main()",
            *arguments,
            "--output",
            folder,
        ]
        before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(line, check=True, capture_output=True, env=environment)
        after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - begin
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


def command_lines(arguments, runs, beside):
    """Write the lines of a command: here and, in turns with it, by the code of another checkout."""
    places = {"here": None} | ({} if beside is None else {revision(beside): beside / "harness"})
    taken = {name: [] for name in places}
    for _ in range(runs):
        for name, harness in places.items():
            taken[name].append(seconds_of(arguments, harness))
    for name, runs_of in taken.items():
        used, wall = map(statistics.median, zip(*runs_of, strict=True))
        yield f"| `sparsebench {' '.join(arguments)}` | {name} | {used:.2f} | {wall:.2f} |"


def revision(checkout):
    """Name the commit of a checkout."""
    command = ["git", "-C", str(checkout), "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def report(names, runs, beside):
    """Write the part of the page."""
    lines = [
        "",
        "## A cell, stage by stage",
        "",
        "<!-- Written by `python harness/reports/stages.py --write docs/performance.md`. Do not edit. -->",
        "",
        "Milliseconds of processor time, of the harness and the submission's processes together, of the",
        f"first variant of each shipped submission; medians of {runs} runs in a warm process. `start` is all",
        "six starts of a process, walls included; `fit` is the submission's own work.",
        "",
        f"Machine: {cpu_name()}, Python {platform.python_version()}, NumPy {np.__version__}.",
        f"Sandbox: {measured().level}.",
        "",
        "| cell | " + " | ".join(STAGES) + " | all | wall |",
        "| --- | " + " | ".join("---:" for _ in STAGES) + " | ---: | ---: |",
    ]
    for cell in cells(names):
        say(cell.label)
        stages = stages_of(cell, runs)
        figures = [stages[name].processor for name in STAGES]
        told = [*figures, sum(figures), sum(stage.wall for stage in stages.values())]
        lines.append(
            f"| `{cell.submission}/{cell.variant}` on `{cell.instance}` | "
            + " | ".join(f"{1000 * seconds:,.0f}" for seconds in told)
            + " |"
        )
    lines += [
        "",
        "Whole commands, with the start of Python, of the worker and of its warm parents, by this code and",
        f"by that of the commit that is named, in turns; medians of {runs}:",
        "",
        "| command | code | processor, s | wall, s |",
        "| --- | --- | ---: | ---: |",
    ]
    for arguments in _COMMANDS:
        say(" ".join(arguments))
        lines += command_lines(arguments, runs, beside)
    return "\n".join([*lines, ""])


def main():
    """Measure, and print or write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("submissions", nargs="*", help="default: all that are shipped")
    parser.add_argument("--runs", type=int, default=5, help="of each cell (5)")
    parser.add_argument(
        "--beside", type=Path, help="a checkout of another commit, whose commands are timed too"
    )
    parser.add_argument("--write", type=Path, help="page to write the part into")
    options = parser.parse_args()
    text = report(options.submissions or shipped_names(), options.runs, options.beside)
    if options.write:
        write_between_markers(options.write, {"stages": text})
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
