"""What the shipped submissions cost and reach, tracked over commits. Smaller is better in both figures."""

from __future__ import annotations

from sparsebench.evaluate.cell import run_cell
from sparsebench.evaluate.plan import Limits, Selection, make_plan
from sparsebench.models import find_submission

_CELLS = {
    "conditional-tree/full": "n256-r4",
    "lsh-affine": "hypercube",
    "dense-features": "hypercube",
    "nearest-prototype": "distance-2d",
}


class Scores:
    """One cell of some submissions: the first variant that is named or listed, seed 0."""

    params = (list(_CELLS),)
    param_names = ("submission",)
    timeout = 300

    def setup(self, submission: str) -> None:
        """Run the cell."""
        name, _, variant = submission.partition("/")
        folder = find_submission(name)
        chosen = variant or folder.manifest.variants[0].name
        cell = make_plan([folder], Selection(instances=(_CELLS[submission],), variants=(chosen,)))[0]
        self.row = run_cell(cell, Limits())

    def track_ops(self, submission: str) -> float:  # noqa: ARG002 - asv's parameter
        """Return active operations per input."""
        return self.row.ops if self.row.ops is not None else float("nan")

    def track_error(self, submission: str) -> float:  # noqa: ARG002 - asv's parameter
        """Return the error."""
        return self.row.error if self.row.error is not None else float("nan")
