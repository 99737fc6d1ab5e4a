"""What Python makes of bits that have left is no better than a table of as many cells, at about its price."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

import numpy as np
import pytest

from adversarial.test_attacks import ATTACKS, run
from sparsebench.tasks import load_task
from submissions.shipped import columns, make, metered

if TYPE_CHECKING:
    from sparsebench.models import Submission
    from sparsebench.tasks import Instance

FOLDER = ATTACKS / "computes-on-bits-in-python"
INSTANCES = ("hypercube", "polynomial")
ROWS = 512


def outside(bits: int) -> Submission:
    """Make the attack in this process: each of its bits takes a request for every row."""
    spec = importlib.util.spec_from_file_location("computes_outside", FOLDER / "submission.py")
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded.attack(None, bits)


def scored(submission: Submission, instance: Instance) -> tuple[float, float]:
    """Give quality and operations on the first rows of the test split."""
    params = submission.fit(instance.train, instance.valid, np.random.default_rng(0))
    done = metered(submission, params, instance.test.x[:ROWS])
    y = instance.test.y[:ROWS].astype(float)
    return 1 - float(np.sqrt(np.mean((done.answers - y) ** 2) / y.var())), columns(done)["ops"] / ROWS


@pytest.mark.slow
@pytest.mark.parametrize("name", INSTANCES)
def test_a_network_on_16_bits_gains_nothing_over_a_table_of_as_many_cells(name: str) -> None:
    """Two bits of each of 8 coordinates: a branch for each, or 15 operations to join them and 2 look-ups."""
    task = load_task("lipschitz-regression@1")
    quality, cost = scored(outside(16), task.load(name))
    as_table, cost_of_table = scored(make("grid-table", task.info[name], bits=16), task.load(name))
    assert (cost, cost_of_table) == (32, 33)
    assert quality <= as_table


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("name", INSTANCES)
def test_more_bits_do_not_leave(name: str, bits: int) -> None:
    row = run(FOLDER, instance=name, variants=(f"network-{bits}",))
    assert row.status == "refused"
    assert "more than 16 bits" in (row.reason or "")
