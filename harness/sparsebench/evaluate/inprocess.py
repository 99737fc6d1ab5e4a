"""A submission in this process: for its author, with prints and a debugger. Never for a score."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.evaluate.child.child import array_of, construct, is_routed, parameters_of
from sparsebench.meter import Description, Engine, Handle, InProcess, MeteredNamespace
from sparsebench.models import Routed, Routes, Submission
from sparsebench.models.contract import check_tags, routes_of
from sparsebench.ops import backends

if TYPE_CHECKING:
    from sparsebench.evaluate.plan import Cell
    from sparsebench.tasks import Instance, Task

__all__ = ["LocalModel", "fit_here"]


def fit_here(cell: Cell, task: Task, data: Instance) -> tuple[Submission, dict[str, np.ndarray[Any, Any]]]:
    """Construct a cell's submission in this process, and fit it as a cell does.

    Raises
    ------
    ContractError
        If it does not keep the contract. Whatever else the submission raises comes out as it is.
    """
    submission = construct(cell.path, cell.entry, task.info[cell.instance], cell.settings)
    check_tags(submission, declared=cell.uses_tags)
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence(cell.entropy("fit"))))
    with backends.use("steady"):
        return submission, parameters_of(submission.fit(data.train, data.valid, rng))


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
        self, submission: Submission, engine: Engine, parameters: dict[str, np.ndarray[Any, Any]]
    ) -> None:
        self._submission = submission
        self._namespace = MeteredNamespace(InProcess(engine))
        self._params = {
            name: self._namespace.wrap(told) for name, told in engine.add_parameters(parameters).items()
        }
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
        routes = routes_of(self._submission.router.route(self._params, *self._wrapped(x, tag)))
        gates = None if routes.gates is None else _pinned(engine, routes.gates, "route: gates")
        return _pinned(engine, routes.experts, "route: experts"), gates

    def apply(self, engine: Engine, x: Description, experts: Handle, gates: Handle | None) -> Handle:
        """Run the experts."""
        assert isinstance(self._submission, Routed)
        wrapped = [None if h is None else self._namespace.wrap(engine.describe(h)) for h in (experts, gates)]
        answer = self._submission.experts.apply(self._params, self._namespace.wrap(x), Routes(*wrapped))
        return _pinned(engine, answer, "apply")

    def _wrapped(self, x: Description, tag: Description | None) -> list[Any]:
        return [self._namespace.wrap(given) for given in (x, tag) if given is not None]


def _pinned(engine: Engine, answer: Any, where: str) -> Handle:
    """Give the handle of an array, kept for as long as the engine's batch lasts."""
    handle = array_of(answer, where).handle
    engine.pin(handle)
    return handle
