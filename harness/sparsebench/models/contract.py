"""The contract of a submission: what people write, and what the harness calls."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from sparsebench.errors import ContractError
from sparsebench.models.routes import Routes

if TYPE_CHECKING:
    import numpy as np

    from sparsebench.tasks.given import Split

__all__ = [
    "Experts",
    "Parameters",
    "Routed",
    "Router",
    "Routes",
    "Submission",
    "check_tags",
    "routes_of",
    "tags_of",
]

Parameters = dict[str, "np.ndarray[Any, Any]"]
"""A model: named NumPy arrays, and nothing else."""


class Submission(ABC):
    """A network under test.

    Its constructor takes the task (:class:`sparsebench.tasks.TaskInfo`) and a variant's settings as
    keywords, and stores them. Nothing that :meth:`fit` leaves on ``self`` reaches :meth:`predict`: they
    run in different processes, and what joins them is the returned dictionary alone.
    """

    uses_tags: bool = False
    """Whether :meth:`predict` takes the domain of each input as well: ``submission.toml`` must say so too."""

    @abstractmethod
    def fit(self, train: Split, valid: Split, rng: np.random.Generator) -> Parameters:
        """Learn, with any library and any method.

        Parameters
        ----------
        train, valid
            Inputs ``x`` float32 ``(n, ...)`` and targets ``y`` ``(n,)``, as NumPy arrays; and ``tag`` int64
            ``(n,)``, the domain of each row, None where the task has no domains.
        rng
            The only source of randomness; seeded by task, instance, variant and seed.

        Returns
        -------
        dict of str to numpy.ndarray
            The model. It is what is stored, sized and hashed.
        """

    @abstractmethod
    def predict(self, params: dict[str, Any], x: Any, *args: Any, **kwargs: Any) -> Any:
        """Predict, in array API code: ``xp = x.__array_namespace__()``.

        To be written as ``predict(self, params, x)``, or, where :attr:`uses_tags`, as
        ``predict(self, params, x, tag)``.

        Parameters
        ----------
        params
            What :meth:`fit` returned, in the namespace of ``x``.
        x
            Inputs ``(n, ...)``, float32. In scoring these are handles without values.
        tag
            The domain of each input, int64 ``(n,)``: a handle as ``x`` is, and free of charge as it is.

        Returns
        -------
        array of a real dtype, shape (n,)
            Integers or floats; for the metric ``nmse``, floats.
        """


class Router(ABC):
    """Decides which experts an input uses. What it executes is charged to the phase ``router``."""

    uses_tags: bool = False
    """Whether :meth:`route` takes the domain of every input as well: ``submission.toml`` must say so too."""

    def fit(self, train: Split, valid: Split, rng: np.random.Generator) -> Parameters:  # noqa: ARG002
        """Learn the router's parameters; by default there are none. See :meth:`Submission.fit`."""
        return {}

    @abstractmethod
    def route(self, params: dict[str, Any], x: Any, *args: Any, **kwargs: Any) -> Routes:
        """Choose the experts of every input, in array API code. Shapes as in :meth:`Submission.predict`.

        To be written as ``route(self, params, x)``, or, where :attr:`uses_tags`, as
        ``route(self, params, x, tag)``.
        """


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
    phase by itself, so which phase an operation belongs to is not for the submission to say. It uses tags
    where its router does.
    """

    def __init__(self, router: Router, experts: Experts) -> None:
        self.router = router
        self.experts = experts
        self.uses_tags = getattr(router, "uses_tags", False)  # somebody's router may derive from nothing

    def fit(self, train: Split, valid: Split, rng: np.random.Generator) -> Parameters:
        """Fit the router, route the training inputs, fit the experts on them."""
        routing = _model("router", self.router.fit(train, valid, rng))
        routes = routes_of(self.router.route(routing, train.x, *tags_of(self.router, train.tag)))
        expertise = _model("experts", self.experts.fit(train, valid, rng, routes))
        if both := sorted(routing.keys() & expertise.keys()):
            message = f"router and experts both return the parameter {both[0]!r}"
            raise ContractError(message, help="give it another name in one of them")
        return {**routing, **expertise}

    def predict(self, params: dict[str, Any], x: Any, tag: Any = None) -> Any:
        """Route, then apply."""
        routes = self.router.route(params, x, *tags_of(self.router, tag))
        return self.experts.apply(params, x, routes_of(routes))


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


def tags_of(part: Submission | Router, tag: Any) -> tuple[Any, ...]:
    """Give what a submission or a router takes behind ``x``: the tags where it uses them, else nothing."""
    return (tag,) if getattr(part, "uses_tags", False) else ()


def check_tags(submission: Submission, *, declared: bool) -> None:
    """Check that a submission's code uses tags where its ``submission.toml`` says so, and only there.

    Raises
    ------
    ContractError
        If the two do not agree.
    """
    has = getattr(submission, "uses_tags", False)  # as above
    if has is declared:
        return
    part = "router" if isinstance(submission, Routed) else "submission"
    says = str(declared).lower()
    message = f"uses_tags: submission.toml has {says}, the class of the {part} has {has!r}"
    toml = f"uses_tags = {str(has is True).lower()} in [submission]"
    raise ContractError(message, help=f"write {toml}, or uses_tags = {declared} in the class")
