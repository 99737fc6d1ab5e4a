"""Libraries that fits are made with work behind the walls."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sparsebench.evaluate.cell import run_cell
from sparsebench.evaluate.host.parents import _end, measured
from sparsebench.evaluate.host.session import Session
from sparsebench.evaluate.plan import Cell, Limits, Selection, make_plan
from sparsebench.models import find_submission
from sparsebench.tasks import load_task

HERE = Path(__file__).parent
LIMITS = Limits(seconds=120, memory=8 << 30)
NEEDS = {
    "fits-with-scikit-learn": "sklearn",
    "fits-with-joblib": "joblib",
    "fits-with-torch": "torch",
    "fits-with-numba": "numba",
    "fits-with-numba-that-is-kept": "numba",
}
"""What has to be installed."""

NOT_WHEN_RESTRICTED = {
    "fits-with-a-pool": "PermissionError",  # its semaphores are files of a folder that all processes share
    "fits-with-copied-files": "Operation not permitted",  # times and modes of files are seen by others
}
"""What needs a file system of one's own, and what it gets elsewhere."""

NAMES = sorted(manifest.parent.name for manifest in HERE.glob("*/submission.toml"))


def cell_of(name: str) -> Cell:
    return make_plan([find_submission(str(HERE / name))], Selection(instances=("n256-r4",)))[0]


def fitted(name: str) -> dict[str, np.ndarray[Any, Any]]:
    """Give what a fit returns in the submission's process."""
    cell = cell_of(name)
    task = load_task(str(cell.task_folder))
    with Session(cell, task.info[cell.instance], LIMITS) as session:
        return session.fit(task.load(cell.instance), cell.entropy("fit"))


def demand_installed(name: str) -> None:
    needed = NEEDS.get(name)
    if needed and importlib.util.find_spec(needed) is None:
        pytest.skip(f"{needed} is not installed here")


@pytest.mark.parametrize("name", NAMES)
def test_it_is_scored(name: str) -> None:
    demand_installed(name)
    row = run_cell(cell_of(name), LIMITS)
    if row.sandbox == "restricted" and name in NOT_WHEN_RESTRICTED:
        assert row.status == "failed"
        assert NOT_WHEN_RESTRICTED[name] in (row.reason or "")
        return
    assert row.status == "ok", row.reason
    assert not [audit for audit in row.audits if audit.verdict == "fail"]


EXPECTED = {
    "fits-with-joblib": {
        backend: np.array([1000.0 * i * i for i in range(8)]) for backend in ("loky", "threading")
    },
    "fits-with-a-pool": {"made": np.arange(20.0) ** 2},
    "fits-with-processes": {"made": np.arange(4.0) ** 2},
    "fits-with-copied-files": {"copied": np.array([3])},
    "fits-with-another-python": {"sum": np.array([2500.0]), "counted": np.array([100_000])},
    "fits-with-files": {"rows": np.array([256])},
}


@pytest.mark.parametrize("name", EXPECTED)
def test_it_fits_what_it_would_without_walls(name: str) -> None:
    demand_installed(name)
    if name in NOT_WHEN_RESTRICTED and measured().level == "restricted":
        pytest.skip("it needs the level isolated")
    made = fitted(name)
    for key, wanted in EXPECTED[name].items():
        np.testing.assert_array_equal(made[key], wanted)


COLD = """
import importlib.util, sys
import numpy as np
spec = importlib.util.spec_from_file_location("submission", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
np.savez(sys.argv[2], **module.work(5), **module.threads())
"""


@pytest.mark.parametrize("kernels", ["chosen", "usual"])
def test_linear_algebra_gives_the_bits_and_has_the_threads_of_a_cold_process(
    tmp_path: Path, kernels: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the kernels that the environment chooses, too: a row names the BLAS of our own process."""
    if kernels == "chosen":
        monkeypatch.setenv("OPENBLAS_CORETYPE", "Nehalem")
        _end()  # warm parents have the environment of when they were started
    made = fitted("fits-by-linear-algebra")
    told = dict(name.removeprefix("env:").split("=", 1) for name in made if name.startswith("env:"))
    kept = {name: value for name, value in os.environ.items() if not name.endswith("_THREADS")}
    subprocess.run(
        [
            sys.executable,
            "-c",
            COLD,
            str(HERE / "fits-by-linear-algebra" / "submission.py"),
            str(tmp_path / "c"),
        ],
        env=kept | told | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        check=True,
        timeout=120,
    )
    with np.load(tmp_path / "c.npz") as cold:
        assert [name for name in cold if name.startswith("threads:")]
        for name in cold:
            np.testing.assert_array_equal(made[name], cold[name], err_msg=name)
    _end()
