"""Files that are copied with their modes and times."""

import shutil
from pathlib import Path

import numpy as np

import sparsebench as sb


class Honest(sb.Submission):
    def __init__(self, task, **settings):
        pass

    def fit(self, train, valid, rng):
        shutil.copytree(Path(__file__).parent, "code")
        shutil.copy2(__file__, "copied.py")
        shutil.copy(__file__, "again.py")
        return {"w": np.zeros(4), "copied": np.array([len(list(Path().rglob("*.py")))])}

    def predict(self, params, x):
        return x @ params["w"]
