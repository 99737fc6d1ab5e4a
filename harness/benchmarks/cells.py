"""What a whole cell takes, in a warm worker: processor seconds of all its processes, and the wall's."""

from __future__ import annotations

from sparsebench.evaluate.cell import run_cell
from sparsebench.evaluate.clock import Clock
from sparsebench.evaluate.plan import Limits, Selection, make_plan
from sparsebench.models import find_submission

_CELLS = {
    "constant": ("n256-r4", "best"),
    "conditional-tree": ("n256-r4", "full"),
    "lsh-affine": ("hypercube", "planes-8"),
    "dsm-topk": ("hypercube", "s64-d25"),
}


class WholeCell:
    """One cell, seed 0, from the loaded data to the row."""

    params = (list(_CELLS),)
    param_names = ("submission",)
    timeout = 300

    def setup(self, submission: str) -> None:
        """Run it once: parents are started, data are read, plans are kept."""
        instance, variant = _CELLS[submission]
        folder = find_submission(submission)
        self.cell = make_plan([folder], Selection(instances=(instance,), variants=(variant,)))[0]
        self._run()

    def time_cell(self, submission: str) -> None:  # noqa: ARG002 - asv's parameter
        """Time it by the clock on the wall."""
        self._run()

    def track_processor_seconds(self, submission: str) -> float:  # noqa: ARG002 - asv's parameter
        """Return the processor seconds of all its processes, the least of five runs."""
        return min(self._run() for _ in range(5))

    def _run(self) -> float:
        clock = Clock()
        row = run_cell(self.cell, Limits(gpu=False), clock)
        assert row.status == "ok", row.reason
        return sum(stage.processor for stage in clock.stages.values())


WholeCell.track_processor_seconds.unit = "seconds"  # type: ignore[attr-defined]  # asv reads it
