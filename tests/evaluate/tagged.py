"""A tiny task with domains, made by tests, and submissions that are told of them or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sparsebench.tasks.hashing import column_hashes
from sparsebench.tasks.parquet_writing import write_columns

if TYPE_CHECKING:
    from pathlib import Path

REF = "tagged@1"
DOMAINS = 3

_TASK = """\
[task]
name = "tagged"
version = 1
title = "A tiny task with domains"
statement = "The label is the domain's own number, and one more where the first feature is positive."
metric = "{metric}"
licence = "CC0-1.0"

[box]
log2_ops_low = 0.0
log2_ops_high = 10.0
reason = "A test."
"""
_INSTANCE = """
[[instances]]
name = "{name}"
description = "a test"
seed = 1
small = {small}
board = {board}
input_shape = [4]
target_dtype = "int64"
classes = 6
{domains}
splits = {{ train = "{name}-train.parquet", valid = "{name}-valid.parquet", test = "{name}-test.parquet" }}

[instances.files]
{files}
"""
SIZES = {"train": 90, "valid": 30, "test": 300}

ORACLE = """\
import numpy as np

import sparsebench as sb
from sparsebench import ops


class Oracle(sb.Router):
    uses_tags = True

    def route(self, params, x, tag):
        return sb.Routes(tag[:, None])


class Experts(sb.Experts):
    def fit(self, train, valid, rng, routes):
        labels = np.zeros((3, 2), np.int64)
        for expert in range(3):
            for side in range(2):
                mine = (routes.experts[:, 0] == expert) & ((train.x[:, 0] > 0) == side)
                labels[expert, side] = np.bincount(train.y[mine]).argmax()
        return {"labels": labels.reshape(-1)}

    def apply(self, params, x, routes):
        xp = x.__array_namespace__()
        side = xp.astype(x[:, 0] > 0.0, xp.int64)
        return ops.gather(routes.experts[:, 0] * 2 + side, params["labels"])


def Model(task, **settings):
    assert (task.classes, task.domains) == (6, 3), task
    return sb.Routed(Oracle(), Experts())
"""
"""Routes by the tag: every answer is right, for one comparison, an addition, a product and a look-up."""

PLAIN = """\
import numpy as np

import sparsebench as sb


class Model(sb.Submission):
    uses_tags = True

    def __init__(self, task):
        pass

    def fit(self, train, valid, rng):
        return {"w": np.zeros(1)}

    def predict(self, params, x, tag):
        xp = x.__array_namespace__()
        return 2 * tag + xp.astype(x[:, 0] > 0.0, xp.int64)
"""
"""Computes the label from the tag, in one part."""


def columns(rng: np.random.Generator, first: int, n: int, *, tags: bool) -> dict[str, np.ndarray]:
    """Draw rows of uneven domains."""
    x = rng.uniform(-1.0, 1.0, (n, 4)).astype(np.float32)
    tag = rng.choice(DOMAINS, n, p=[0.6, 0.3, 0.1])
    y = 2 * tag + (x[:, 0] > 0)
    drawn = {"id": np.arange(first, first + n), "x": x, "y": y.astype(np.int64)}
    return {**drawn, "tag": tag.astype(np.int64)} if tags else drawn


def write_task(folder: Path, *, metric: str = "accuracy") -> Path:
    """Write the version folder ``tagged/v1``: a board instance, one for studies, and one without tags."""
    place = folder / "tagged" / "v1"
    place.mkdir(parents=True)
    rng, text = np.random.default_rng(5), _TASK.format(metric=metric)
    for name, small, board, tags in (
        ("one", True, True, True),
        ("two", False, True, True),
        ("study", True, False, True),
        ("bare", False, False, False),
    ):
        lines, first = [], 0
        for split, n in SIZES.items():
            made = columns(rng, first, n, tags=tags)
            first += n
            write_columns(place / f"{name}-{split}.parquet", made)
            hashes = ", ".join(f'{column} = "{value}"' for column, value in column_hashes(made).items())
            lines.append(f'"{name}-{split}.parquet" = {{ {hashes} }}')
        text += _INSTANCE.format(
            name=name,
            small=str(small).lower(),
            board=str(board).lower(),
            domains='domains = ["a", "b", "c"]' if tags else "",
            files="\n".join(lines),
        )
    (place / "task.toml").write_text(text, encoding="utf-8")
    return place
