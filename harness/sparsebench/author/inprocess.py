"""A submission in this process: for its author, with prints and a debugger. Never for a score."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.evaluate.child.child import array_of, is_routed, load_entry, made_by, model_of
from sparsebench.evaluate.child.mends import Around, mend
from sparsebench.evaluate.host.finite import check_numbers
from sparsebench.meter import Description, Engine, Handle, InProcess, MeteredNamespace
from sparsebench.meter.model import Model
from sparsebench.meter.model_file import structure_of
from sparsebench.meter.profile import in_folder
from sparsebench.models import Routed, Routes, Submission
from sparsebench.models.contract import check_domains, part_of, routes_of
from sparsebench.ops import backends

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from importlib.machinery import ModuleSpec
    from pathlib import Path

    from sparsebench.evaluate.plan import Cell
    from sparsebench.tasks import Instance, Task

__all__ = ["LocalModel", "fit_here", "guest", "is_own", "mend_here"]


def is_own(cell: Cell) -> Callable[[str], bool]:
    """Tell files of a submission, those that it includes too, from all others."""
    inside, include = in_folder(cell.path), {str(file) for file in cell.include}
    return lambda file: file in include or inside(file)


@contextlib.contextmanager
def guest(cell: Cell) -> Iterator[None]:
    """Have a submission's modules in this process for a while.

    What it includes is imported from where it lies, so that tracebacks and debuggers name the file that its
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
    """Finds included modules as if they lay beside the entry, whose folder comes first on the path."""

    def __init__(self, include: Sequence[Path]) -> None:
        self._files = {file.stem: file for file in include}

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:  # noqa: ARG002
        file = self._files.get(name)
        return None if file is None else importlib.util.spec_from_file_location(name, file)


def fit_here(cell: Cell, task: Task, data: Instance) -> tuple[Submission, Model]:
    """Construct a cell's submission in this process, as a :func:`guest`, and fit it as a cell does.

    What is given to predict with is constructed anew: nothing that ``fit`` leaves on ``self`` is there. Where
    the cell takes the fit of another variant, that one is fitted.

    Raises
    ------
    ContractError
        If it does not keep the contract.
    FailedError
        If there is NaN in what it returned. Whatever else the submission raises comes out as it is.
    """
    entry, fitting, about = load_entry(cell.path, cell.entry), cell.fitting, task.info[cell.instance]
    submission = made_by(entry, cell.path, about, fitting.settings, fitting.variant)
    check_domains(submission, declared=cell.uses_tags)
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence(fitting.entropy("fit"))))
    with backends.use("steady"):
        fitted = submission.fit(data.train, data.valid, rng)
    model = model_of(fitted, routed=is_routed(submission))
    check_numbers(model, allow_nan=cell.allow_nan)
    return made_by(entry, cell.path, about, cell.settings, cell.variant), model


def mend_here(error: BaseException, cell: Cell, fitted: Sequence[Submission]) -> str:
    """Say what mends an error of a submission in this process.

    Parameters
    ----------
    error
        What it raised.
    cell
        Whose it is.
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
        self._submission = submission
        self._namespace = MeteredNamespace(InProcess(engine))
        wrapped = {
            name: self._namespace.wrap(told) for name, told in engine.add_parameters(parameters).items()
        }
        self._params = Model(wrapped, structure_of(parameters))
        self.routed = is_routed(submission)

    def predict(self, engine: Engine, x: Description, tag: Description | None = None) -> Handle:
        """Predict."""
        answer = self._submission.predict(self._params, *self._wrapped(x, tag))
        return _pinned(engine, answer, "predict")

    def route(
        self, engine: Engine, x: Description, tag: Description | None = None
    ) -> tuple[Handle, Handle | None]:
        """Give experts and gates."""
        assert isinstance(self._submission, Routed)
        routes = routes_of(
            self._submission.router.route(part_of(self._params, "router"), *self._wrapped(x, tag))
        )
        gates = None if routes.gates is None else _pinned(engine, routes.gates, "route: gates")
        return _pinned(engine, routes.experts, "route: experts"), gates

    def apply(self, engine: Engine, x: Description, experts: Handle, gates: Handle | None) -> Handle:
        """Run the experts."""
        assert isinstance(self._submission, Routed)
        wrapped = [None if h is None else self._namespace.wrap(engine.describe(h)) for h in (experts, gates)]
        answer = self._submission.experts.apply(
            part_of(self._params, "experts"), self._namespace.wrap(x), Routes(*wrapped)
        )
        return _pinned(engine, answer, "apply")

    def _wrapped(self, x: Description, tag: Description | None) -> list[Any]:
        return [self._namespace.wrap(given) for given in (x, tag) if given is not None]


def _pinned(engine: Engine, answer: Any, where: str) -> Handle:
    """Give the handle of an array, kept for as long as the engine's batch lasts."""
    handle = array_of(answer, where).handle
    engine.pin(handle)
    return handle
