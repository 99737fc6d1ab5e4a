"""Writes everywhere but into its scratch folder."""

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        import os
        import sys
        import sysconfig
        from pathlib import Path

        targets = [
            Path("/tmp/sparsebench-leak"),
            Path("/var/tmp/sparsebench-leak"),
        ]
        targets += [
            Path(__file__).parent / "leak.py",
            Path(__file__),
            Path(sb.__file__),
            Path(sb.__file__).parent / "leak.py",
        ]
        targets += [
            Path(sysconfig.get_paths()["purelib"]) / "leak.pth",
            Path("..") / "leak",
            Path("/root/leak"),
            Path("/etc/leak"),
        ]
        targets += [
            folder / "leaderboard" / "results" / "leak.parquet" for folder in Path(sb.__file__).parents
        ]
        for target in targets:
            try:
                target.open("ab").close()
            except OSError:
                continue
            if target not in {Path(sb.__file__), Path(__file__)}:
                target.unlink()
            raise RuntimeError(f"LEAK {target}")
        raise RuntimeError("all refused")

    def predict(self, params, x):
        xp = x.__array_namespace__()
        return x @ params["w"]
