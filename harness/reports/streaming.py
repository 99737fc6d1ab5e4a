"""What it takes to read data in batches: seconds and resident memory, for growing sets of memorization@1.

    python harness/reports/streaming.py --write docs/performance.md

The sets are made first, in the cache, if they are not there; that is timed too. Each is read by a process of
its own, whose peak of resident memory the system tells.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from sparsebench.leaderboard.publish import write_between_markers
from sparsebench.results.provenance import provenance_fields
from sparsebench.tasks import load_task
from sparsebench.tasks.cache import CACHE_VARIABLE

_TASK = "memorization@1"
_MAKE = """
import sys
from sparsebench.cli import main
main(["tasks", "generate", sys.argv[1], "--instances", sys.argv[2]])
"""
_COLUMNS = (
    *(
        "instance",
        "rows",
        "file, MB",
        "made in, s",
        "making, MB resident",
        "read in, s",
        "reading, MB resident",
    ),
    "labels alone, s",
)
_INSTANCES = ("n65536-r4", "n1048576-r4", "n16777216-r4", "n134217728-r4")


def read(name, columns):
    """Read an instance in batches, every value checked and hashed; print what it took."""
    begin = time.perf_counter()
    batches = load_task(_TASK).stream(name, columns=columns)
    rows, total = 0, 0.0
    for batch in batches:
        rows += len(batch["y"])
        total += float(np.sum(batch["y"], dtype=np.float64))
    seconds = time.perf_counter() - begin
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sys.stdout.write(
        json.dumps({"rows": rows, "mean": total / rows, "seconds": seconds, "kib": resident}) + "\n"
    )


def in_a_process(*arguments):
    """Run this file again, and give what it prints."""
    command = [sys.executable, __file__, *arguments]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def make(name):
    """Make an instance in the cache; give seconds, the most memory of a process, and bytes of the file."""
    command = [sys.executable, "-c", _MAKE, _TASK, name]
    begin = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds = time.perf_counter() - begin
    path = Path(done.stdout.strip())
    return seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, path.stat().st_size


def measure(tell):
    """Make and read every instance, the smallest first: a peak of all children is that of the last."""
    found = {}
    for name in _INSTANCES:
        tell(name)
        made = make(name) if load_task(_TASK).instances[name].generated else None
        found[name] = {
            "made": made,
            "whole": in_a_process("--read", name),
            "labels": in_a_process("--read", name, "--columns", "y"),
        }
    return found


def markdown(found):
    """Write the section."""
    where = provenance_fields()
    versions = f"Python {platform.python_version()}, NumPy {np.__version__}, pyarrow {pa.__version__}"
    lines = [
        "## Reading in batches",
        "",
        "<!-- Written by `python harness/reports/streaming.py --write docs/performance.md`. Do not edit. -->",
        "",
        f"Sets of `{_TASK}`, read in batches of 2^18 rows by a process of its own: every value is",
        "checked, and hashed against `task.toml`. Resident memory is the peak of the whole process, Python",
        "and its libraries included; what making takes is the peak of the generator. One run each.",
        "",
        f"Machine: {where['cpu']}, {versions}.",
        "",
        f"| {' | '.join(_COLUMNS)} |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, told in found.items():
        made, whole, labels = told["made"], told["whole"], told["labels"]
        size = made[2] if made else (load_task(_TASK).folder / f"{name}.parquet").stat().st_size
        cells = [
            f"`{name}`",
            f"{whole['rows']:,}",
            f"{size / 1e6:,.1f}",
            f"{made[0]:.1f}" if made else "-",
            f"{made[1] * 1024 / 1e6:,.0f}" if made else "-",
            f"{whole['seconds']:.1f}",
            f"{whole['kib'] * 1024 / 1e6:,.0f}",
            f"{labels['seconds']:.1f}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main():
    """Measure and tell."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", type=Path, metavar="FILE", help="put it between its markers there")
    parser.add_argument("--read", metavar="INSTANCE", help=argparse.SUPPRESS)
    parser.add_argument("--columns", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.read:
        read(arguments.read, arguments.columns and tuple(arguments.columns.split(",")))
        return
    with tempfile.TemporaryDirectory(prefix="sparsebench-") as cache:
        os.environ[CACHE_VARIABLE] = cache  # made anew, so that making is timed
        section = markdown(measure(lambda text: sys.stderr.write(f"{text} ...\n")))
    if arguments.write:
        write_between_markers(arguments.write, {"streaming": section})
    sys.stdout.write(section)


if __name__ == "__main__":
    main()
