"""One backend in a process of its own: told a round's number on a line, it answers with a line of JSON.

peers.py starts these; the threads of one backend spin on the cores of another where they share a process.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).parents[1])]

from reports.peers_cases import CASES  # noqa: E402 - the path comes first

REPEATS = 3  # runs on a round's inputs, after one that is not timed
SHOWN = 4096  # rows of an answer that are compared


def _told(run, inputs):
    answer = np.asarray(run(*inputs))
    seconds = []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        run(*inputs)
        seconds.append(time.perf_counter() - begin)
    return {
        "seconds": seconds,
        "answer": answer[:: max(len(answer) // SHOWN, 1)].ravel().tolist(),
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10,
    }


def main(case_name, backend):
    """Prepare, and serve rounds until the input ends."""
    case = CASES[case_name]
    parameters, missing = case.parameters(np.random.default_rng(0)), ""
    try:
        run = case.backends[backend](*parameters)
    except ImportError as error:
        missing = f"not installed ({error.name})"
    for line in sys.stdin:
        if missing:
            told = {"missing": missing}
        else:
            told = _told(run, case.inputs(np.random.default_rng([1, int(line)])))
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
