"""Loading shipped submissions, and running them under the meter in this process."""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sparsebench.meter import Engine, InProcess, MeteredArray, MeteredNamespace, price
from sparsebench.models import Routed, find_submission
from sparsebench.tasks import Split, TaskInfo

if TYPE_CHECKING:
    from types import ModuleType

    from sparsebench.meter import Ledger
    from sparsebench.models import Submission

ROOT = Path(__file__).resolve().parents[2] / "submissions"
NAMES = sorted(path.parent.name for path in ROOT.glob("*/submission.toml"))
INFO = TaskInfo("lipschitz-regression@1", "nmse", (8,), "float32")  # for tests that need no task
SMALL = {
    "memorization@1": "n256-r4",
    "lipschitz-regression@1": "hypercube",
    "routed-classification@1": "synthetic-4",
    "cube@1": "parity-k2-n12",
}
"""An instance of each task that is quick enough for every variant."""


@functools.cache
def module(name: str) -> ModuleType:
    """Import a shipped submission's module, under a name of its own."""
    path = ROOT / name / "submission.py"
    spec = importlib.util.spec_from_file_location(f"shipped_{name.replace('-', '_')}", path)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def make(name: str, info: TaskInfo = INFO, **settings: Any) -> Submission:
    """Call a shipped submission's entry."""
    entry = find_submission(str(ROOT / name)).manifest.entry.partition(":")[2]
    return getattr(module(name), entry)(info, **settings)


def split(x: Any, y: Any, tag: Any = None) -> Split:
    """Make a split of inputs and labels, real ones or classes."""
    x, y = np.asarray(x, dtype=np.float32), np.asarray(y)
    return Split(np.arange(len(x)), x, y if y.dtype.kind == "i" else y.astype(np.float32), tag)


def answers(submission: Submission, params: dict[str, np.ndarray], rows: Split) -> np.ndarray:
    """Predict on plain arrays."""
    return submission.predict(params, rows.x, *((rows.tag,) if submission.uses_tags else ()))


class Metered(NamedTuple):
    """What a metered run gives."""

    answers: np.ndarray
    ledger: Ledger
    loaded: int
    stored: int


def metered(
    submission: Submission, params: dict[str, np.ndarray], x: np.ndarray, tag: np.ndarray | None = None
) -> Metered:
    """Run ``predict`` under the meter, phases told apart as the harness does."""
    engine = Engine()
    space = MeteredNamespace(InProcess(engine))
    held = {name: MeteredArray(space, about) for name, about in engine.add_parameters(params).items()}
    engine.loads.active = True
    rows = [MeteredArray(space, engine.begin(x, inputs=len(x)))]
    if submission.uses_tags:
        rows.append(MeteredArray(space, engine.place(tag)))
    answer = _run(engine, submission, held, rows)
    told = engine.value(answer._about.handle)
    engine.loads.read(told)  # the harness reads the answers: they may be a view of a parameter
    made = sum(elements for elements, _ in engine.constants.values())
    stored = sum(array.size for array in params.values()) + made
    return Metered(told.copy(), engine.ledger, engine.loads.elements(), stored)


def _run(engine: Engine, submission: Submission, params: dict[str, Any], rows: list[Any]) -> Any:
    if not isinstance(submission, Routed):
        return submission.predict(params, *rows)
    engine.phase = "router"
    routes = submission.router.route(params, *rows)
    engine.phase = "experts"
    return submission.experts.apply(params, rows[0], routes)


def columns(run: Metered) -> dict[str, int]:
    """Name a run's counts as the columns of a row are named; sums over the batch."""
    lines = list(run.ledger)
    return {
        "ops": price(lines),
        "ops_add_mul_cmp": price(lines, "add-mul-cmp"),
        "lookups": run.ledger.count("lookup"),
        "macs": price(lines, "macs"),
        "ops_router": price(line for line in lines if line.phase == "router"),
        "ops_experts": price(line for line in lines if line.phase == "experts"),
        "ops_router_free": price(lines, "paper-router-free"),
        "stored_parameters": run.stored,
        "loaded_parameters": run.loaded,
    }
