"""Makes a device of the disk in its own folder, where it is root."""

import os
from pathlib import Path

import numpy as np

import sparsebench as sb

PACKAGE = Path(sb.__file__).parent
PLACES = [PACKAGE / "_data" / "tasks", *(folder / "tasks" for folder in PACKAGE.parents)]
FILES = [place / "memorization" / "v1" / "n256-r4.parquet" for place in PLACES]


def read(files):
    """Open the first that opens."""
    errors = []
    for file in files:
        try:
            with open(file, "rb") as stream:
                stream.read(4)
        except OSError as error:
            errors.append(type(error).__name__)
        else:
            raise RuntimeError(f"LEAK {file}")
    raise RuntimeError("all refused: " + ", ".join(sorted(set(errors))))


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        import stat

        devices = []
        for major, minor in ((254, 0), (8, 0), (259, 0), (253, 0), (1, 1)):
            try:
                os.mknod(
                    f"disk-{major}",
                    stat.S_IFBLK | 0o600 if major != 1 else stat.S_IFCHR | 0o600,
                    os.makedev(major, minor),
                )
                devices.append(f"disk-{major}")
            except OSError as error:
                refused = type(error).__name__
        if devices:
            raise RuntimeError(f"LEAK {devices}")
        raise RuntimeError(f"all refused: {refused}")

    def predict(self, params, x):
        xp = x.__array_namespace__()
        return x @ params["w"]
