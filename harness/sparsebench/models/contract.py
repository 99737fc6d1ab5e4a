"""The contract of a submission: what people write, and what the harness calls."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, NamedTuple

from sparsebench.errors import ContractError

if TYPE_CHECKING:
    import numpy as np

    from sparsebench.tasks import Split

__all__ = ["Experts", "Parameters", "Routed", "Router", "Routes", "Submission", "routes_of"]

Parameters = dict[str, "np.ndarray[Any, Any]"]
"""A model: named NumPy arrays, and nothing else."""


class Submission(ABC):
    """A network under test.

    Its constructor takes the task (:class:`sparsebench.tasks.TaskInfo`) and a variant's settings as
    keywords, and stores them. Nothing that :meth:`fit` leaves on ``self`` reaches :meth:`predict`: they
    run in different processes, and what joins them is the returned dictionary alone.
    """

    @abstractmethod
    def fit(self, train: Split, valid: Split, rng: np.random.Generator) -> Parameters:
        """Learn, with any library and any method.

        Parameters
        ----------
        train, valid
            Inputs ``x`` float32 ``(n, ...)`` and targets ``y`` ``(n,)``, as NumPy arrays.
        rng
            The only source of randomness; seeded by task, instance, variant and seed.

        Returns
        -------
        dict of str to numpy.ndarray
            The model. It is what is stored, sized and hashed.
        """

    @abstractmethod
    def predict(self, params: dict[str, Any], x: Any) -> Any:
        """Predict, in array API code: ``xp = x.__array_namespace__()``.

        Parameters
        ----------
        params
            What :meth:`fit` returned, in the namespace of ``x``.
        x
            Inputs ``(n, ...)``, float32. In scoring these are handles without values.

        Returns
        -------
        array of a real dtype, shape (n,)
        """


class Routes(NamedTuple):
    """Which experts every input uses."""

    experts: Any
    """Integer array ``(n, k)``: the k experts of every input."""
    gates: Any = None
    """Real array ``(n, k)``: their weights; or None."""


class Router(ABC):
    """Decides which experts an input uses. What it executes is charged to the phase ``router``."""

    def fit(self, train: Split, valid: Split, rng: np.random.Generator) -> Parameters:  # noqa: ARG002
        """Learn the router's parameters; by default there are none. See :meth:`Submission.fit`."""
        return {}

    @abstractmethod
    def route(self, params: dict[str, Any], x: Any) -> Routes:
        """Choose the experts of every input, in array API code. Shapes as in :meth:`Submission.predict`."""


class Experts(ABC):
    """The parts of a network that are run or not. What they execute is charged to the phase ``experts``."""

    def fit(
        self,
        train: Split,  # noqa: ARG002 - to be overridden
        valid: Split,  # noqa: ARG002
        rng: np.random.Generator,  # noqa: ARG002
        routes: Routes,  # noqa: ARG002
    ) -> Parameters:
        """Learn the experts' parameters, given the routes of ``train.x``; by default there are none."""
        return {}

    @abstractmethod
    def apply(self, params: dict[str, Any], x: Any, routes: Routes) -> Any:
        """Run the chosen experts on ``x`` and merge their answers, in array API code; gives ``(n,)``."""


class Routed(Submission):
    """A router and its experts.

    The harness calls :meth:`Router.route` and :meth:`Experts.apply` one after the other and charges each
    phase by itself, so which phase an operation belongs to is not for the submission to say.
    """

    def __init__(self, router: Router, experts: Experts) -> None:
        self.router = router
        self.experts = experts

    def fit(self, train: Split, valid: Split, rng: np.random.Generator) -> Parameters:
        """Fit the router, route the training inputs, fit the experts on them."""
        routing = _model("router", self.router.fit(train, valid, rng))
        routes = routes_of(self.router.route(routing, train.x))
        expertise = _model("experts", self.experts.fit(train, valid, rng, routes))
        if both := sorted(routing.keys() & expertise.keys()):
            message = f"router and experts both return the parameter {both[0]!r}"
            raise ContractError(message, help="give it another name in one of them")
        return {**routing, **expertise}

    def predict(self, params: dict[str, Any], x: Any) -> Any:
        """Route, then apply."""
        return self.experts.apply(params, x, routes_of(self.router.route(params, x)))


def _model(part: str, fitted: Any) -> Parameters:
    if not isinstance(fitted, dict):
        message = f"{part}: fit: expected a dict of arrays, got {type(fitted).__name__}"
        raise ContractError(message, help="return a dict of str to numpy.ndarray, {} if it has no parameters")
    return fitted


def routes_of(chosen: Any) -> Routes:
    """Check what ``route`` returned.

    Raises
    ------
    ContractError
        If it is no :class:`Routes`.
    """
    if not isinstance(chosen, Routes):
        message = f"route: expected sparsebench.Routes, got {type(chosen).__name__}"
        raise ContractError(message, help="return sparsebench.Routes(experts, gates)")
    return chosen
