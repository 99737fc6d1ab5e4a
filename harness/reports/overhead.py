"""What metering costs, beside plain NumPy in the same run.

    python harness/reports/overhead.py --write docs/performance.md

Times are medians of alternating runs (A B A B ...) on one BLAS thread, as cells are evaluated.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import statistics
import sys
import time
import tracemalloc
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from sparsebench.evaluate.host.placement import on_one_core
from sparsebench.evaluate.plan import Selection, first_small, make_plan
from sparsebench.leaderboard.publish import write_between_markers
from sparsebench.meter import Description, Engine, Handle, InProcess, MeteredNamespace, OverPipe, Pipe, answer
from sparsebench.models import find_submission
from sparsebench.models.opening import construct
from sparsebench.results.provenance import provenance_fields
from sparsebench.tasks import fresh_inputs, load_task

_PAIRS = 25
_ROUND_TRIPS = 2000
_TRIES = 9  # processes that are asked so often
_ROWS = 16384  # of a batch of inputs: the most that a cell meters at once
_PREDICTIONS = {
    "conditional-tree": "full",
    "one-hidden-layer": "every-4",
    "lsh-affine": "planes-8",
    "dense-features": "units-64",
    "dsm-topk": "s64-d25",
    "nearest-prototype": "prototypes-64",
}
"""Shipped submissions, a variant of each, whose predictions are timed."""

_PLACES = ("one core", "two cores")
_OPERATIONS = {
    "x + y": lambda xp, x, y, w: x + y,
    "x * 2.0": lambda xp, x, y, w: x * 2.0,
    "x > 0.0": lambda xp, x, y, w: x > 0.0,
    "xp.maximum(x, 0.0)": lambda xp, x, y, w: xp.maximum(x, 0.0),
    "xp.exp(x)": lambda xp, x, y, w: xp.exp(x),
    "xp.tanh(x)": lambda xp, x, y, w: xp.tanh(x),
    "xp.where(x > 0.0, x, y)": lambda xp, x, y, w: xp.where(x > 0.0, x, y),
    "xp.sum(x, axis=-1)": lambda xp, x, y, w: xp.sum(x, axis=-1),
    "xp.sum(x, axis=0)": lambda xp, x, y, w: xp.sum(x, axis=0),
    "xp.max(x, axis=-1)": lambda xp, x, y, w: xp.max(x, axis=-1),
    "xp.argmax(x, axis=-1)": lambda xp, x, y, w: xp.argmax(x, axis=-1),
    "xp.sort(x, axis=-1)": lambda xp, x, y, w: xp.sort(x, axis=-1),
    "x @ w": lambda xp, x, y, w: x @ w,
    "xp.concat([x, y])": lambda xp, x, y, w: xp.concat([x, y]),
    "two layers": lambda xp, x, y, w: xp.maximum(xp.maximum(x @ w, 0.0) @ w, 0.0),
}
"""What is timed; x and y are (n, 64), w is (64, 64)."""


def _pair(metered, plain):
    """Seconds of both, medians of alternating runs."""
    seconds = ([], [])
    for _ in range(_PAIRS):
        for kept, run in zip(seconds, (metered, plain), strict=True):
            begin = time.perf_counter()
            run()
            kept.append(time.perf_counter() - begin)
    return tuple(map(statistics.median, seconds))


def operations(rows, dtype):
    """Time every operation on (rows, 64) arrays: name -> (metered, plain) seconds."""
    rng = np.random.default_rng(0)
    x, y = (rng.standard_normal((rows, 64)).astype(dtype) for _ in range(2))
    w = rng.standard_normal((64, 64)).astype(dtype)
    engine = Engine(memory_limit=1 << 32)
    xp = MeteredNamespace(InProcess(engine))
    told = engine.add_parameters({"w": w, "y": y})
    metered = [xp.wrap(engine.begin(x, inputs=rows)), xp.wrap(told["y"]), xp.wrap(told["w"])]
    found = {}
    for name, operation in _OPERATIONS.items():
        operation(xp, *metered)  # the first product of a shape is preceded by a trial
        found[name] = _pair(lambda op=operation: op(xp, *metered), lambda op=operation: op(np, x, y, w))
    return found


def predictions():
    """Time whole predictions of shipped submissions on a batch: name -> (metered, plain) seconds."""
    found = {}
    for name, variant in _PREDICTIONS.items():
        folder = find_submission(name)
        (ref, *_) = folder.manifest.tasks
        task = load_task(ref)
        small = first_small(task)
        (cell,) = make_plan([folder], Selection((ref,), (small,), (variant,), (0,)))
        data, rng = task.load(small), np.random.default_rng(0)
        submission = construct(cell.path, cell.entry, task.info[small], cell.settings)
        params = submission.fit(data.train, data.valid, rng)
        x = fresh_inputs(data.train, rng, _ROWS)
        engine = Engine(memory_limit=1 << 32)
        xp = MeteredNamespace(InProcess(engine))
        handles = {key: xp.wrap(told) for key, told in engine.add_parameters(params).items()}
        handle = xp.wrap(engine.begin(x, inputs=_ROWS))
        submission.predict(handles, handle)
        found[f"{name}/{variant}"] = _pair(
            lambda run=submission.predict, p=handles, x=handle: run(p, x),
            lambda run=submission.predict, p=params, x=x: run(p, x),
        )
    return found


def memory(rows):
    """Peak bytes of a chain of operations, metered and plain."""
    x = np.random.default_rng(0).standard_normal((rows, 64))

    def chain(xp, start):
        value = start
        for _ in range(8):
            value = xp.maximum(value * 0.5 + start, 0.0)
        return xp.sum(value, axis=-1)

    def peak(run):
        tracemalloc.start()
        run()
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    engine = Engine(memory_limit=1 << 32)
    xp = MeteredNamespace(InProcess(engine))
    handle = xp.wrap(engine.begin(x, inputs=rows))
    return peak(lambda: chain(xp, handle)), peak(lambda: chain(np, x))


def over_the_pipe(*, one_core):
    """Seconds of an operation on one number, asked for by another process; and arrays left behind."""
    engine = Engine()
    x = engine.begin(np.ones(1), inputs=1)
    (theirs_in, ours_out), (ours_in, theirs_out) = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        for end in (ours_out, ours_in):
            os.close(end)
        _ask(Pipe(theirs_in, theirs_out), x)
        os._exit(0)
    for end in (theirs_in, theirs_out):
        os.close(end)
    pipe = Pipe(ours_in, ours_out)
    pipe.set_deadline(time.monotonic() + 300)
    before = engine.memory.held
    with on_one_core(child) if one_core else contextlib.nullcontext():
        while "seconds" not in (request := pipe.receive())[0]:
            pipe.send(answer(engine, *request))
    os.waitpid(child, 0)
    return request[0]["seconds"], engine.memory.held - before


def raw_pipe(*, one_core):
    """Seconds for 60 bytes to another process that answers at once, in nothing but system calls."""
    (theirs_in, ours_out), (ours_in, theirs_out) = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        for end in (ours_out, ours_in):
            os.close(end)
        while data := os.read(theirs_in, 60):
            os.write(theirs_out, data)
        os._exit(0)
    seconds = []
    with on_one_core(child) if one_core else contextlib.nullcontext():
        for _ in range(_ROUND_TRIPS):
            begin = time.perf_counter()
            os.write(ours_out, bytes(60))
            os.read(ours_in, 60)
            seconds.append(time.perf_counter() - begin)
    for end in (ours_in, ours_out, theirs_in, theirs_out):
        os.close(end)
    os.waitpid(child, 0)
    return statistics.median(seconds)


def _ask(pipe, x):
    xp = MeteredNamespace(OverPipe(pipe))
    value = xp.wrap(Description(Handle(x.handle.number), x.dtype, x.ndim, x.shape))
    seconds = []
    for _ in range(_ROUND_TRIPS):
        begin = time.perf_counter()
        dropped = value + 1.0
        seconds.append(time.perf_counter() - begin)
        del dropped
    _ = value.shape
    last = value[0:1]
    del last
    xp.zeros(())  # drops travel with the next request
    pipe.send({"seconds": statistics.median(seconds)})


def _middle(measure_once, place):
    """Return the median of several tries, each with another process: where it comes to lie matters."""
    return sorted(measure_once(one_core=place == "one core") for _ in range(_TRIES))[_TRIES // 2]


def measure(note):
    """Make all measurements; ``note`` is told what is going on."""
    found = {"operations": {}}
    with threadpool_limits(1):
        for dtype in ("float64", "float32"):
            for rows in (2048, 16384):
                note(f"operations on {rows} x 64 numbers of {dtype}")
                found["operations"][f"{rows * 64:,} {dtype}"] = operations(rows, dtype)
        note("whole predictions")
        found["predictions"] = predictions()
        note("memory")
        found["memory"] = memory(16384)
        note("round trips over a pipe between two processes")
        found["pipe"] = {place: _middle(over_the_pipe, place) for place in _PLACES}
        found["raw pipe"] = {place: _middle(raw_pipe, place) for place in _PLACES}
    return found


_HEAD = """## Metering

<!-- Written by `python harness/reports/overhead.py --write docs/performance.md`. Do not edit. -->

What metering costs beside plain NumPy, on the same inputs in the same process: the quotient of two medians of
{pairs} alternating runs, on one BLAS thread. Timings on a shared machine are noisy: differences under a fifth
are none. `asv run` tracks the same over commits (`harness/benchmarks/meter.py`).

Machine: {cpu}, Python {python}, NumPy {numpy}.

### Operations, metered : plain

Arrays `x` and `y` are (n, 64), `w` is (64, 64); the head says how many numbers x has. In brackets the
microseconds that plain NumPy takes. A request costs the meter some microseconds however large its arrays
are, which is what the short operations show; `x @ w` is dearer where rows would otherwise get different last
digits at different places of a product; `xp.argmax` because NumPy copies what cannot be written to, as inputs
cannot.
"""

_PREDICTIONS_HEAD = f"""
### Whole predictions

Shipped submissions on {_ROWS:,} inputs at once, the most that a cell meters in one batch. Plain NumPy runs
the same `predict` and the same primitives.

| prediction | metered, µs | plain, µs | metered : plain |
| --- | ---: | ---: | ---: |"""

_PIPE_HEAD = """
### Over the pipe, and memory

| what | measured |
| --- | ---: |"""


def markdown(found):
    """Write the page."""
    where = provenance_fields()
    columns = list(found["operations"])
    lines = [
        _HEAD.format(pairs=_PAIRS, cpu=where["cpu"], python=platform.python_version(), numpy=np.__version__),
        "| operation | " + " | ".join(columns) + " |",
        "| --- |" + " ---: |" * len(columns),
    ]
    for name in _OPERATIONS:
        cells = (found["operations"][column][name] for column in columns)
        told = (f"{metered / plain:.2f} ({plain * 1e6:.0f})" for metered, plain in cells)
        lines.append(f"| `{name}` | " + " | ".join(told) + " |")
    medians = (
        statistics.median(metered / plain for metered, plain in found["operations"][column].values())
        for column in columns
    )
    lines.append("| median | " + " | ".join(f"{median:.2f}" for median in medians) + " |")
    lines += [_PREDICTIONS_HEAD, *_compared(found["predictions"])]
    metered, plain = found["memory"]
    lines.append(_PIPE_HEAD)
    for place in _PLACES:
        raw, (seconds, _) = found["raw pipe"][place], found["pipe"][place]
        kept = "both kept on one core, as in a cell" if place == "one core" else "where the system puts them"
        lines.append(f"| an operation on one number, by another process, {kept} | {seconds * 1e6:.0f} µs |")
        lines.append(f"| of which 60 bytes there and back take | {raw * 1e6:.0f} µs |")
    lines += [
        f"| peak memory of 25 operations on {16384 * 64:,} numbers | {metered / plain:.3f} of plain |",
        f"| bytes held after {_ROUND_TRIPS:,} results were dropped | {found['pipe'][_PLACES[0]][1]:,} |",
    ]
    return "\n".join(lines) + "\n"


def _compared(found):
    """Make rows of (metered, plain) seconds."""
    for name, (metered, plain) in found.items():
        yield f"| `{name}` | {metered * 1e6:,.0f} | {plain * 1e6:,.0f} | {metered / plain:.2f} |"


def main():
    """Measure and tell."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", type=Path, metavar="FILE", help="put it between its markers there")
    parser.add_argument("--json", action="store_true", help="print the raw seconds")
    arguments = parser.parse_args()
    found = measure(lambda text: sys.stderr.write(f"{text} ...\n"))
    if arguments.write:
        write_between_markers(arguments.write, {"overhead": markdown(found)})
    sys.stdout.write(json.dumps(found, indent=1) + "\n" if arguments.json else markdown(found))


if __name__ == "__main__":
    main()
