"""Who ships the answers of a public test is found out wherever a generator can draw new inputs."""

from __future__ import annotations

import numpy as np
import pytest

from evaluate.tiny import cell_of, write
from sparsebench.evaluate.cell import run_cell
from sparsebench.evaluate.plan import Limits
from sparsebench.tasks import load_task

SUBMISSION = '''
from pathlib import Path

import numpy as np
import sparsebench as sb
from sparsebench import ops


class Model(sb.Submission):
    """Finds an input by where it lies along a direction, and gives the answer that it came with."""

    def __init__(self, task):
        pass

    def fit(self, train, valid, rng):
        return dict(np.load(Path(__file__).parent / "answers.npz"))

    def predict(self, params, x):
        xp = x.__array_namespace__()
        flat = xp.astype(xp.reshape(x, (x.shape[0], params["direction"].shape[0])), xp.float64)
        return ops.gather(ops.searchsorted_route(flat @ params["direction"], params["edges"]), params["y"])
'''
GENERATED = [
    (ref, name)
    for ref in ("cube@1", "lipschitz-regression@1", "routed-classification@1")
    for name, spec in load_task(ref).instances.items()
    if spec.fresh
]


def answers_of(test):
    flat = test.x.reshape(len(test.x), -1).astype(np.float64)
    direction = np.random.default_rng(0).normal(size=flat.shape[1])
    along = flat @ direction
    order = np.argsort(along)
    ordered = along[order]
    return {"direction": direction, "edges": (ordered[1:] + ordered[:-1]) / 2, "y": test.y[order]}


@pytest.mark.parametrize(("task", "instance"), GENERATED)
def test_who_knows_the_test_is_invalid(tmp_path, task, instance):
    folder = write(tmp_path / "mine", SUBMISSION, tasks=(task,))
    np.savez(folder / "answers.npz", **answers_of(load_task(task).load(instance).test))
    row = run_cell(cell_of(folder, instance=instance), Limits())
    assert row.status == "invalid"
    assert row.reason.startswith("quality 1.0000 on the test split, ")
    assert row.fresh_inputs == 1024


def test_there_are_such_instances():
    assert len(GENERATED) > 10
