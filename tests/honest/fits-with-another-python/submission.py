"""A Python of its own for a part of the work."""

import subprocess
import sys

import numpy as np

import sparsebench as sb

PART = "import numpy; print(float(numpy.ones((50, 50)).sum()))"


class Honest(sb.Submission):
    def __init__(self, task, **settings):
        pass

    def fit(self, train, valid, rng):
        ran = subprocess.run([sys.executable, "-c", PART], capture_output=True, text=True, check=True)
        piped = subprocess.Popen(
            ["/bin/sh", "-c", "cat | wc -c"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        counted = int(piped.communicate(b"x" * 100_000)[0])
        return {"w": np.zeros(4), "sum": np.array([float(ran.stdout)]), "counted": np.array([counted])}

    def predict(self, params, x):
        return x @ params["w"]
