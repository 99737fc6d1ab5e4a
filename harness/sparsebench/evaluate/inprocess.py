"""A submission in this process: for its author, with prints and a debugger. Never for a score."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sparsebench.errors import ContractError
from sparsebench.evaluate.child import is_routed
from sparsebench.meter import Description, Engine, Handle, InProcess, MeteredArray, MeteredNamespace
from sparsebench.models import Routed, Routes, Submission

if TYPE_CHECKING:
    import numpy as np

__all__ = ["LocalModel"]


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

    def predict(self, engine: Engine, x: Description) -> Handle:
        """Predict."""
        return _pinned(engine, self._submission.predict(self._params, self._namespace.wrap(x)))

    def route(self, engine: Engine, x: Description) -> tuple[Handle, Handle | None]:
        """Give experts and gates."""
        assert isinstance(self._submission, Routed)
        routes = self._submission.router.route(self._params, self._namespace.wrap(x))
        gates = None if routes.gates is None else _pinned(engine, routes.gates)
        return _pinned(engine, routes.experts), gates

    def apply(self, engine: Engine, x: Description, experts: Handle, gates: Handle | None) -> Handle:
        """Run the experts."""
        assert isinstance(self._submission, Routed)
        wrapped = [None if h is None else self._namespace.wrap(engine.describe(h)) for h in (experts, gates)]
        answer = self._submission.experts.apply(self._params, self._namespace.wrap(x), Routes(*wrapped))
        return _pinned(engine, answer)


def _pinned(engine: Engine, answer: Any) -> Handle:
    """Give the handle of an array, kept for as long as the engine's batch lasts."""
    if not isinstance(answer, MeteredArray):
        message = f"expected an array of the namespace of x, got {type(answer).__name__}"
        raise ContractError(message, help="compute it with xp = x.__array_namespace__()")
    handle = answer._about.handle  # noqa: SLF001 - the harness's side of an array it made itself
    engine.pin(handle)
    return handle
