"""Searches the memory it was started with for what its parent knows: the environment, the tests, other submissions."""

import sparsebench as sb
import numpy as np


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        words = [b"TEST_" + b"SECRET", b"n256-r4" + b".parquet", b"floods-its" + b"-output"]
        found = []
        with open("/proc/self/maps") as maps:
            lines = maps.read().splitlines()
        with open("/proc/self/mem", "rb", buffering=0) as memory:
            for line in lines:
                where, rights, *_ = line.split()
                if not rights.startswith("rw") or "[v" in line:
                    continue
                start, end = (int(part, 16) for part in where.split("-"))
                for place in range(start, end, 1 << 24):
                    try:
                        memory.seek(place)
                        block = memory.read(min(1 << 24, end - place))
                    except OSError:
                        break
                    found += [word for word in words if word in block.replace(b"'" + word, b"")]
        raise RuntimeError(f"LEAK: {found}" if found else "all refused: nothing found")

    def predict(self, params, x):
        return x @ params["w"]
