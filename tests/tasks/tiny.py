"""A tiny task that tests make where they like."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np

from sparsebench.ground.line_ends import with_crlf
from sparsebench.tasks.hashing import column_hashes
from sparsebench.tasks.parquet_writing import write_columns

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST = """
[task]
name = "tiny"
version = 1
title = "A tiny task"
statement = "Guess."
metric = "nmse"
licence = "CC0-1.0"

[box]
log2_ops_low = 0.0
log2_ops_high = 4.5
reason = "A test."

[[instances]]
name = "one"
description = "five rows"
seed = 7
small = true
board = true
input_shape = [2]
target_dtype = "float32"
splits = {{ train = "learn.parquet", valid = "learn.parquet", test = "test.parquet" }}

[instances.files]
"learn.parquet" = {learn}
"test.parquet" = {test}
"""

GENERATOR = """
from pathlib import Path
import numpy as np
from sparsebench.tasks.generation import run_generator

def build(spec):
    one = {"id": np.arange(5), "x": np.arange(10, dtype="f4").reshape(5, 2), "y": np.arange(5, dtype="f4")}
    two = {"id": one["id"] + 5, "x": one["x"] + 1, "y": one["y"] + 1}
    return {"learn.parquet": one, "test.parquet": two}

run_generator(build, Path(__file__).parent)
"""


def hashes(columns) -> str:
    """The hashes of columns as task.toml has them."""
    return "{ " + ", ".join(f'{name} = "{value}"' for name, value in column_hashes(columns).items()) + " }"


def columns_of_five_rows():
    return {
        "id": np.arange(5, dtype=np.int64),
        "x": np.arange(10, dtype=np.float32).reshape(5, 2),
        "y": np.arange(5, dtype=np.float32),
    }


def write_tiny(place: Path) -> Path:
    """Make the version folder of a valid task of one instance below a folder."""
    place = place / "tiny" / "v1"
    place.mkdir(parents=True)
    columns = columns_of_five_rows()
    other = {name: values + 1 for name, values in columns.items()} | {"id": columns["id"] + 5}
    write_columns(place / "learn.parquet", columns)
    write_columns(place / "test.parquet", other)
    text = MANIFEST.format(learn=hashes(columns), test=hashes(other))
    (place / "task.toml").write_text(text)
    (place / "generate.py").write_text(GENERATOR)
    return place


def checked_out_with_crlf(folder: Path, copy: Path) -> Path:
    """Copy a folder, with CR LF in all text, as Git does where core.autocrlf is set."""
    shutil.copytree(folder, copy)
    for path in copy.rglob("*"):
        if path.is_file():
            path.write_bytes(with_crlf(path.read_bytes()))
    return copy
