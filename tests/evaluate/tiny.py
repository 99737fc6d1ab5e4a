"""Tiny submissions, written by tests to be run as anybody's would be."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparsebench.evaluate.cell import run_cell
from sparsebench.evaluate.plan import Cell, Limits, Selection, make_plan
from sparsebench.models import find_submission

if TYPE_CHECKING:
    from sparsebench.results import Row

ROOT = Path(__file__).resolve().parents[2]
"""The checkout."""

MEMORIZATION = "memorization@1"
VARIANT = '[[variants]]\nname = "v"\n'
FIT = 'return {"w": np.zeros(4), "b": np.zeros(1)}'
PREDICT = 'return x @ params["w"] + params["b"]'

_HEAD = """\
import os
import signal
import sys
import time

import numpy as np

import sparsebench as sb
from sparsebench import ops
"""

_PLAIN = """
class Model(sb.Submission):
    def __init__(self, task, **settings):
        self.task, self.settings = task, settings

    def fit(self, train, valid, rng):
{fit}

    def predict(self, params, x):
        xp = x.__array_namespace__()
{predict}
"""

_ROUTED = """
class MyRouter(sb.Router):
    def fit(self, train, valid, rng):
{router_fit}

    def route(self, params, x):
        xp = x.__array_namespace__()
{route}


class MyExperts(sb.Experts):
    def fit(self, train, valid, rng, routes):
{experts_fit}

    def apply(self, params, x, routes):
        xp = x.__array_namespace__()
{apply}


def Model(task, **settings):
    return sb.Routed(MyRouter(), MyExperts())
"""

_MANIFEST = """\
[submission]
name = "{name}"
title = "A test"
authors = ["a test"]
license = "Apache-2.0"
entry = "submission:Model"
tasks = {tasks}
{more}
"""


def write(
    folder: Path,
    code: str,
    *,
    tasks: tuple[str, ...] = (MEMORIZATION,),
    variants: str = VARIANT,
    more: str = "",
) -> Path:
    """Write a submission folder with this code, named after the folder; ``more`` is for its manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    manifest = _MANIFEST.format(name=folder.name, tasks=list(tasks), more=more).replace("'", '"')
    (folder / "submission.toml").write_text(manifest + variants, encoding="utf-8")
    (folder / "submission.py").write_text(code, encoding="utf-8")
    return folder


def plain(fit: str = FIT, predict: str = PREDICT, *, top: str = "") -> str:
    """Give the code of a submission in one part; ``top`` comes first of all."""
    return f"{top}\n{_HEAD}" + _PLAIN.format(fit=_body(fit), predict=_body(predict))


def routed(
    route: str = 'return sb.Routes(xp.astype(x[:, :1] > params["edge"], xp.int64))',
    apply: str = 'return ops.gather(routes.experts[:, 0], params["labels"])',
    *,
    router_fit: str = 'return {"edge": np.zeros(1)}',
    experts_fit: str = 'return {"labels": np.zeros(2)}',
) -> str:
    """Give the code of a submission with a router."""
    return _HEAD + _ROUTED.format(
        route=_body(route), apply=_body(apply), router_fit=_body(router_fit), experts_fit=_body(experts_fit)
    )


def _body(lines: str) -> str:
    return textwrap.indent(textwrap.dedent(lines).strip("\n"), " " * 8)


def cell_of(folder: Path, *, instance: str = "n256-r4", seed: int = 0, variant: str = "") -> Cell:
    """Give the first cell of a submission on an instance."""
    chosen = Selection(instances=(instance,), seeds=(seed,), variants=(variant,) if variant else ())
    return make_plan([find_submission(str(folder))], chosen)[0]


def run(folder: Path, code: str, **limits: Any) -> Row:
    """Write a submission and run its one cell."""
    return run_cell(cell_of(write(folder, code)), Limits(**limits))
