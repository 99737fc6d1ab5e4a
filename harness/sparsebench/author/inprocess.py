"""A submission in this process: for its author, with prints and a debugger. Never for a score."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING, Any

from sparsebench.evaluate.child.mends import Around, mend
from sparsebench.evaluate.host.finite import check_numbers
from sparsebench.meter import Description, Engine, Handle, InProcess, MeteredNamespace
from sparsebench.meter.lines import in_folder
from sparsebench.meter.model_file import structure_of
from sparsebench.models.contract import check_domains
from sparsebench.models.fitted import Fitted, fit
from sparsebench.models.opening import load_entry, made_by

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from importlib.machinery import ModuleSpec
    from pathlib import Path

    import numpy as np

    from sparsebench.evaluate.plan import Cell
    from sparsebench.meter.client.array import MeteredArray
    from sparsebench.meter.model import Model
    from sparsebench.models import Submission, SubmissionFolder
    from sparsebench.tasks import Instance, Task

__all__ = ["LocalModel", "fit_here", "guest", "is_own", "mend_here"]


def is_own(cell: Cell | SubmissionFolder) -> Callable[[str], bool]:
    """Return a function that recognises a submission's files, those that it includes too."""
    inside, include = in_folder(cell.path), {str(file) for file in cell.include}
    return lambda file: file in include or inside(file)


@contextlib.contextmanager
def guest(cell: Cell | SubmissionFolder) -> Iterator[None]:
    """Make a submission's modules importable in this process for a while.

    Included files are imported from their own folders, so tracebacks and debuggers name the files that the
    author edits.
    """
    path, finders, before = list(sys.path), list(sys.meta_path), set(sys.modules)
    first = sys.meta_path.index(PathFinder) if PathFinder in sys.meta_path else len(sys.meta_path)
    sys.meta_path.insert(first, _Included(cell.include))
    own = is_own(cell)
    try:
        yield
    finally:
        sys.path[:], sys.meta_path[:] = path, finders
        for name in set(sys.modules) - before:
            file = getattr(sys.modules[name], "__file__", None)
            if file and own(file):
                del sys.modules[name]


class _Included:
    """A finder of included modules, as if they lay beside the entry, whose folder comes first on the path."""

    def __init__(self, include: Sequence[Path]) -> None:
        self._files = {file.stem: file for file in include}

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:  # noqa: ARG002
        file = self._files.get(name)
        return None if file is None else importlib.util.spec_from_file_location(name, file)


def fit_here(cell: Cell, task: Task, data: Instance) -> tuple[Submission, Model]:
    """Construct a cell's submission in this process, as a :func:`guest`, and fit it as a cell does.

    The submission that predicts is constructed anew, so nothing that ``fit`` leaves on ``self`` is there. If
    the cell takes the fit of another variant, that variant is fitted.

    Raises
    ------
    ContractError
        If it does not keep the contract.
    FailedError
        If there is NaN in what it returned. Other errors of the submission pass through unchanged.
    """
    entry, fitting, about = load_entry(cell.path, cell.entry), cell.fitting, task.info[cell.instance]
    submission = made_by(entry, cell.path, about, fitting.settings, fitting.variant)
    check_domains(submission, declared=cell.uses_tags)
    model = fit(submission, data.train, data.valid, fitting.entropy("fit"))
    check_numbers(model, allow_nan=cell.allow_nan)
    return made_by(entry, cell.path, about, cell.settings, cell.variant), model


def mend_here(error: BaseException, cell: Cell, fitted: Sequence[Submission]) -> str:
    """Return the mend of an error of a submission in this process.

    Parameters
    ----------
    error
        The error.
    cell
        The cell of the submission.
    fitted
        The submission, if it is fitted already.
    """
    doing, made = ("predict", fitted[0]) if fitted else ("load", None)
    return mend(error, Around(cell.path, doing, "none", made, cell.variant, cell.settings))


class LocalModel:
    """A fitted submission whose predictions can be metered without another process.

    Parameters
    ----------
    submission
        The submission.
    engine
        The meter.
    parameters
        What ``fit`` returned.
    """

    def __init__(
        self, submission: Submission, engine: Engine, parameters: Mapping[str, np.ndarray[Any, Any]]
    ) -> None:
        namespace = MeteredNamespace(InProcess(engine))
        told = engine.add_parameters(parameters)
        self._fitted = Fitted(submission, namespace, told, structure_of(parameters))
        self.routed = self._fitted.routed

    def predict(self, engine: Engine, x: Description, tag: Description | None = None) -> Handle:
        """Predict."""
        return _pinned(engine, self._fitted.predict(*_given(x, tag)))

    def route(
        self, engine: Engine, x: Description, tag: Description | None = None
    ) -> tuple[Handle, Handle | None]:
        """Return experts and gates."""
        experts, gates = self._fitted.route(*_given(x, tag))
        return _pinned(engine, experts), None if gates is None else _pinned(engine, gates)

    def apply(self, engine: Engine, x: Description, experts: Handle, gates: Handle | None) -> Handle:
        """Run the experts."""
        told = None if gates is None else engine.describe(gates)
        return _pinned(engine, self._fitted.apply(x, engine.describe(experts), told))


def _given(x: Description, tag: Description | None) -> list[Description]:
    return [x] if tag is None else [x, tag]


def _pinned(engine: Engine, answer: MeteredArray) -> Handle:
    """Return the handle of an array, kept for as long as the engine's batch lasts."""
    engine.pin(answer.handle)
    return answer.handle
