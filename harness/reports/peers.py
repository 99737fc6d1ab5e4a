"""Primitives beside other libraries that do the same work, in one run.

    python harness/reports/peers.py --python PEERS/bin/python --json peers.json
    python harness/reports/peers.py --cpu-json peers.json --gpu-json gpu.json --write docs/performance.md

Every backend has a process of its own, for threads of one spin on the cores of another; they take turns
(A B A B ...), on inputs that are drawn anew for every round, and their answers are compared. Peers run in an
interpreter of their own (``pip install torch==2.13.0 scikit-learn faiss-cpu``); those that are not installed
there are told as such. The section on GPUs is written from what peers_gpu.py stored.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).parents[1])]

from reports.peers_cases import CASES  # noqa: E402 - the path comes first
from reports.peers_page import cpu_section, gpu_section  # noqa: E402 - the same
from sparsebench.leaderboard.publish import write_between_markers  # noqa: E402 - the same
from sparsebench.ops import backends  # noqa: E402 - the same
from sparsebench.results.provenance import provenance_fields  # noqa: E402 - the same

_WORKER = Path(__file__).with_name("peers_worker.py")
_PACKAGE = Path(backends.__file__).parents[2]  # the folder that the package is in
_ROUNDS = 7
_PAUSE = 0.15  # seconds before a turn, in which the threads of the one before fall asleep
_CLOSE = 1e-5  # of the norm
_SAME = 0.9999  # of addresses: two prototypes may be as near as rounding can tell
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "SPARSEBENCH_NUM_THREADS")
_ASK = """
import importlib.metadata, json, platform
told = {"Python": platform.python_version()}
for name in ("numpy", "numba", "torch", "scikit-learn", "faiss-cpu"):
    try:
        told[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        told[name] = "not installed"
print(json.dumps(told))
"""


class Backend:
    """A process that runs one backend of a case."""

    def __init__(self, case, name, python):
        path = os.pathsep.join(filter(None, (str(_PACKAGE), os.environ.get("PYTHONPATH"))))
        self.name, self.seconds, self.answers, self.peak, self.missing = name, [], [], 0, ""
        threads = dict.fromkeys(_THREADS, str(backends.threads()))
        self._process = subprocess.Popen(
            [python, str(_WORKER), case, name],
            env={**os.environ, **threads, "OMP_WAIT_POLICY": "PASSIVE", "PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def turn(self, number):
        """Run a round; keep what the process says of it."""
        time.sleep(_PAUSE)
        self._process.stdin.write(f"{number}\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended with exit code {self._process.wait()}")
        told = json.loads(line)
        self.missing = told.get("missing", "")
        if not self.missing:
            self.seconds += told["seconds"]
            self.answers.append(told["answer"])
            self.peak = max(self.peak, told["peak"])

    def close(self):
        """End the process."""
        self._process.stdin.close()
        self._process.wait(timeout=60)


def agree(case, answers, wanted):
    """Return whether answers are those of the first backend, and by how much they are off."""
    got, right = np.asarray(answers), np.asarray(wanted)
    if got.shape != right.shape:
        return False, float("inf")
    if case.integers:
        off = float((got != right).mean())
        return off <= 1 - _SAME, off
    off = float(np.linalg.norm(got - right) / np.linalg.norm(right))
    return off <= _CLOSE, off


def measure(name, rounds, python, note):
    """Time the backends of a case: backend -> seconds, peak memory and agreement."""
    case = CASES[name]
    # What is ours, or NumPy's, runs here: the interpreter of the peers need not have it.
    pythons = {who: python if who in case.peers else sys.executable for who in case.backends}
    running = [Backend(name, *pair) for pair in pythons.items()]
    try:
        for number in range(rounds):
            for backend in running:
                if not backend.missing:
                    note(f"{name}, round {number + 1} of {rounds}: {backend.name}")
                    backend.turn(number)
    finally:
        for backend in running:
            backend.close()
    return {backend.name: _found(case, backend, running[0]) for backend in running}


def _found(case, backend, first):
    if backend.missing:
        return {"missing": backend.missing}
    floor = backend.name in case.floors
    agreed = (
        [] if floor else [agree(case, *pair) for pair in zip(backend.answers, first.answers, strict=True)]
    )
    return {
        "quartiles": [float(part) for part in np.percentile(backend.seconds, (25, 50, 75))],
        "peak": backend.peak,
        "floor": floor,
        "ours": backend.name.startswith("sparsebench"),
        "equal": all(near for near, _ in agreed),
        "off": max((off for _, off in agreed), default=None),
    }


def _versions(python):
    done = subprocess.run([python, "-c", _ASK], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def measure_all(names, rounds, python):
    """Measure cases, and tell where."""
    return {
        "machine": provenance_fields()["cpu"],
        "threads": backends.threads(),
        "rounds": rounds,
        "versions": {"ours": _versions(sys.executable), "peers": _versions(python)},
        "cases": {
            name: {
                "title": CASES[name].title,
                "backends": measure(name, rounds, python, lambda text: sys.stderr.write(f"{text} ...\n")),
            }
            for name in names
        },
    }


def main():
    """Measure and tell; 1 where answers differ."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--case", action="append", choices=list(CASES), help="only this one; may be repeated")
    parser.add_argument("--rounds", type=int, default=_ROUNDS)
    parser.add_argument("--python", default=sys.executable, metavar="PATH", help="the peers' interpreter")
    parser.add_argument("--cpu-json", type=Path, metavar="FILE", help="take what --json stored there")
    parser.add_argument("--gpu-json", type=Path, metavar="FILE", help="take what peers_gpu.py stored there")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put it between its markers there")
    parser.add_argument("--json", type=Path, metavar="FILE", help="store the raw figures there")
    arguments = parser.parse_args()
    if arguments.cpu_json:
        found = json.loads(arguments.cpu_json.read_text("utf-8"))
    else:
        found = measure_all(arguments.case or CASES, arguments.rounds, arguments.python)
    gpu = json.loads(arguments.gpu_json.read_text("utf-8")) if arguments.gpu_json else None
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    sections = {"peers-cpu": cpu_section(found), "peers-gpu": gpu_section(gpu)}
    if arguments.write:
        write_between_markers(arguments.write, sections)
    sys.stdout.write("\n".join(sections.values()))
    told = [told for case in found["cases"].values() for told in case["backends"].values()]
    return int(not all(each.get("equal", True) for each in told))


if __name__ == "__main__":
    sys.exit(main())
