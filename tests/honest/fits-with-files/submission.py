"""Temporary files, a database, a mapped array, and folders for caches at home."""

import shutil
import sqlite3
import tempfile
from pathlib import Path

import numpy as np

import sparsebench as sb


class Honest(sb.Submission):
    def __init__(self, task, **settings):
        pass

    def fit(self, train, valid, rng):
        for place in (Path.home() / ".cache" / "some-library", Path.home() / ".config" / "matplotlib"):
            place.mkdir(parents=True, exist_ok=True)
            (place / "kept.json").write_text("{}", encoding="utf-8")
        with tempfile.TemporaryDirectory() as folder, tempfile.NamedTemporaryFile() as file:
            file.write(b"some")
            kept = Path(folder) / "kept.npy"
            np.save(kept, train.x)
            shutil.copyfile(kept, Path(folder) / "copy.npy")
            kept.replace(Path(folder) / "moved.npy")
            mapped = np.load(Path(folder) / "moved.npy", mmap_mode="r")
            total = float(mapped.sum())
            with sqlite3.connect(Path(folder) / "rows.db") as database:
                database.execute("create table rows (x real)")
                database.executemany("insert into rows values (?)", [(float(v),) for v in train.x[:, 0]])
                rows = database.execute("select count(*) from rows").fetchone()[0]
            database.close()
        return {"w": np.zeros(4), "total": np.array([total]), "rows": np.array([rows])}

    def predict(self, params, x):
        return x @ params["w"]
