"""Our CUDA backends beside what one writes with PyTorch and Triton, and beside what the GPU can do at most.

    PYTHONPATH=harness:tests python3 harness/reports/peers_gpu.py --json peers_gpu.json

Every case runs in a process of its own, so that one that fails takes none with it. Every contestant is
checked first, against float64 on a sample of rows, after what it wrote before was overwritten. Times are of
CUDA events around single calls (median and quartiles), and of replays of a captured graph.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2] / "harness")]

from reports.gpu_cases import CASES  # noqa: E402 - the path comes first
from reports.peers_page import gpu_section  # noqa: E402 - the same

_PATIENCE = 90  # seconds of a case
_CEILINGS = "ceilings"
_PACKAGES = ("cupy-cuda13x", "torch", "triton", "numpy")
_LONG = 0.2  # seconds of a call from which on fewer are made
_MANY, _FEW = 30, 20


def _versions():
    found = {"Python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def _wiped(made):
    """Overwrite what was made with NaN, or -1, so that an element that nobody writes next time is seen."""
    import torch

    if isinstance(made, torch.Tensor):
        made.view(torch.uint8).fill_(255)
    else:
        made.view("uint8").fill(255)


def _judged(contestant):
    """Check and time one contestant."""
    import torch

    made = contestant.run()  # compiles, and tunes
    torch.cuda.synchronize()
    _wiped(made)
    torch.cuda.synchronize()
    del made
    begin = time.perf_counter()
    made = contestant.run()
    torch.cuda.synchronize()
    repeats = _MANY if time.perf_counter() - begin < _LONG else _FEW
    error = contestant.error(made)
    del made
    told = {"error": error, "right": error <= contestant.limit, "note": contestant.note}
    told["calls"] = contestant.clock.calls(contestant.run, repeats)
    try:
        told["graph"] = contestant.clock.replays(contestant.run, repeats)
    except Exception as failure:  # noqa: BLE001 - not all libraries can be captured: that is a finding
        told["no graph"] = _said(failure)
    return told


def _said(failure):
    lines = str(failure).strip().splitlines() or [""]
    return f"{type(failure).__name__}: {lines[0]}"[:300]


def _next(contestants):
    """Return the next contestant, or why there is none: what is not installed is told."""
    try:
        return next(contestants, None), None
    except Exception as failure:  # noqa: BLE001 - whatever keeps it from being made
        return None, _said(failure)


def run_case(name, path, *, quick):
    """Run one case, and write what is known after every contestant."""
    case = CASES[name](quick)
    told = {
        "title": case.title,
        "floor": {
            "bytes": case.bytes_floor,
            "flops": case.flops,
            "kind": case.kind,
            "gathers": case.gathers,
            "told": case.floor_told,
        },
        "facts": case.facts,
        "contestants": {},
    }
    while True:
        contestant, why_not = _next(case.contestants)
        if why_not:
            told["contestants"]["others"] = {"failed": why_not}
        if contestant is None:
            break
        try:
            judged = _judged(contestant)
        except Exception as failure:  # noqa: BLE001 - one that fails is told, and the others go on
            judged = {"failed": _said(failure)}
        told["contestants"][contestant.name] = judged
        path.write_text(json.dumps(told), "utf-8")
        sys.stderr.write(f"{name}: {contestant.name}: {judged}\n")
    path.write_text(json.dumps(told), "utf-8")


def run_ceilings(path, *, quick):
    """Measure the ceilings, and tell which GPU it is."""
    import torch

    from reports.gpu_ceilings import ceilings

    there = torch.cuda.get_device_properties(0)
    told = {
        "device": there.name,
        "multiprocessors": there.multi_processor_count,
        "versions": {**_versions(), "CUDA of PyTorch": torch.version.cuda},
        _CEILINGS: ceilings(quick=quick),
    }
    path.write_text(json.dumps(told), "utf-8")


def _in_a_process(name, patience, *, quick):
    """Run a case; give what it wrote, whole or not, and what became of it if it did not end well."""
    with tempfile.TemporaryDirectory(prefix="peers-gpu-") as folder:
        path = Path(folder) / "told.json"
        command = [sys.executable, __file__, "--only", name, "--json", str(path)]
        begin = time.monotonic()
        try:
            done = subprocess.run([*command, *["--quick"] * quick], timeout=patience, check=False)
            ended = f"ended with code {done.returncode}" if done.returncode else ""
        except subprocess.TimeoutExpired:
            ended = f"took over {patience:.0f} seconds"
        told = json.loads(path.read_text("utf-8")) if path.exists() else {}
    told["seconds"] = round(time.monotonic() - begin, 1)
    return {**told, "ended": ended} if ended else told


def measure(arguments):
    """Run all cases, as far as the time reaches."""
    end, quick = time.monotonic() + arguments.limit, arguments.quick
    found = {"quick": quick, **_in_a_process(_CEILINGS, _PATIENCE, quick=quick), "cases": {}}
    for name in arguments.cases or CASES:
        left = end - time.monotonic()
        if left < 5:
            found["cases"][name] = {"title": name, "ended": "no time was left for it"}
        else:
            told = _in_a_process(name, min(left, _PATIENCE), quick=quick)
            found["cases"][name] = {"title": name, **told}
        if arguments.json:
            arguments.json.write_text(json.dumps(found, indent=1), "utf-8")
    return found


def main():
    """Measure and tell."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all that was measured there")
    parser.add_argument("--quick", action="store_true", help="small sizes: to see whether it runs")
    parser.add_argument("--cases", nargs="*", choices=list(CASES), metavar="CASE", help="only these")
    parser.add_argument("--limit", type=float, default=400, metavar="SECONDS", help="for all together")
    parser.add_argument("--only", metavar="CASE", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only == _CEILINGS:
        run_ceilings(arguments.json, quick=arguments.quick)
    elif arguments.only:
        run_case(arguments.only, arguments.json, quick=arguments.quick)
    else:
        sys.stdout.write(gpu_section(measure(arguments)))


if __name__ == "__main__":
    main()
