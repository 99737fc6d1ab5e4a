"""The contract of a submission: what people write, and what the harness calls."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from sparsebench.errors import ContractError
from sparsebench.meter.model import Model
from sparsebench.meter.structure import decode, encode
from sparsebench.models.routes import Routes

if TYPE_CHECKING:
    import numpy as np

    from sparsebench.tasks.given import Split

__all__ = [
    "PARTS",
    "Experts",
    "Model",
    "Parameters",
    "Routed",
    "Router",
    "Routes",
    "Submission",
    "check_domains",
    "check_structure",
    "domains_of",
    "part_of",
    "routes_of",
]

Parameters = dict[str, "np.ndarray[Any, Any]"]
"""A model without a structure: named NumPy arrays, and nothing else."""

PARTS = ("router", "experts")
"""The parts of a routed model, as their structures are called in the model's."""


class Submission(ABC):
    """A network under test.

    Its constructor takes the task (:class:`sparsebench.tasks.TaskInfo`) and a variant's settings as
    keywords, and stores them. Nothing that :meth:`fit` leaves on ``self`` reaches :meth:`predict`: they
    run in different processes, and what joins them is the returned model alone.
    """

    uses_tags: bool = False
    """Whether :meth:`predict` takes the domain of each input as well: ``submission.toml`` must say so too."""

    @abstractmethod
    def fit(self, train: Split, valid: Split, rng: np.random.Generator) -> Parameters | Model:
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
        dict of str to numpy.ndarray, or Model
            The model. It is what is stored, sized and hashed. ``sb.Model(arrays, structure)`` has plain JSON
            beside the arrays, which :meth:`predict` finds in ``params.structure``.
        """

    @abstractmethod
    def predict(self, params: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
        """Predict, in array API code: ``xp = x.__array_namespace__()``.

        To be written as ``predict(self, params, x)``, or, where :attr:`uses_tags`, as
        ``predict(self, params, x, tag)``.

        Parameters
        ----------
        params
            What :meth:`fit` returned, with arrays of the namespace of ``x``: a :class:`Model`.
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

    def fit(self, train: Split, valid: Split, rng: np.random.Generator) -> Parameters | Model:  # noqa: ARG002
        """Learn the router's parameters; by default there are none. See :meth:`Submission.fit`.

        Its structure is :meth:`route`'s alone; its arrays are the experts' as well.
        """
        return {}

    @abstractmethod
    def route(self, params: Any, x: Any, *args: Any, **kwargs: Any) -> Routes:
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
    ) -> Parameters | Model:
        """Learn the experts' parameters, given the routes of ``train.x``; by default there are none.

        Their structure is :meth:`apply`'s alone; their arrays are the router's as well.
        """
        return {}

    @abstractmethod
    def apply(self, params: Any, x: Any, routes: Routes) -> Any:
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

    def fit(self, train: Split, valid: Split, rng: np.random.Generator) -> Parameters | Model:
        """Fit the router, route the training inputs, fit the experts on them.

        Who overrides it gives the parts' structures, if any, by the part:
        ``sb.Model(arrays, {"router": ..., "experts": ...})``.
        """
        routing = _model("router", self.router.fit(train, valid, rng))
        routes = routes_of(self.router.route(routing, train.x, *domains_of(self.router, train.tag)))
        expertise = _model("experts", self.experts.fit(train, valid, rng, routes))
        if both := sorted(routing.keys() & expertise.keys()):
            message = f"router and experts both return the parameter {both[0]!r}"
            raise ContractError(message, help="give it another name in one of them")
        return Model({**routing, **expertise}, _together(routing.structure, expertise.structure))

    def predict(self, params: Any, x: Any, tag: Any = None) -> Any:
        """Route, then apply. Each part is given its own structure."""
        routes = self.router.route(part_of(params, "router"), x, *domains_of(self.router, tag))
        return self.experts.apply(part_of(params, "experts"), x, routes_of(routes))


def _model(part: str, fitted: Any) -> Model:
    if not isinstance(fitted, dict):
        message = f"{part}: fit: expected a dict of arrays, got {type(fitted).__name__}"
        raise ContractError(message, help="return a dict of str to numpy.ndarray, {} if it has no parameters")
    structure = getattr(fitted, "structure", None)
    try:
        return Model(fitted, None if structure is None else decode(encode(structure)))
    except ContractError as error:
        raise ContractError(f"{part}: fit: {error.what}", help=error.help) from None


def _together(*structures: Any) -> dict[str, Any] | None:
    """Put the structures of the parts together; None where no part has one."""
    named = {part: own for part, own in zip(PARTS, structures, strict=True) if own is not None}
    return named or None


def part_of(params: Any, part: str) -> Any:
    """Give a part of a routed model what it may see: all arrays, and its own structure.

    A plain dict, as people call their own code with, has no structures and comes back as it is.
    """
    if not isinstance(params, Model):
        return params
    structure = params.structure
    return Model(params, structure.get(part) if isinstance(structure, dict) else None)


def check_structure(structure: Any) -> None:
    """Check that the structure of a routed model says of each part of it whose it is.

    Raises
    ------
    ContractError
        If it does not.
    """
    if structure is None or (isinstance(structure, dict) and structure.keys() <= {*PARTS}):
        return
    got = (
        ", ".join(map(repr, list(structure)[:3])) if isinstance(structure, dict) else type(structure).__name__
    )
    message = f"fit: structure: expected the keys router and experts alone, as the model is routed, got {got}"
    mend = 'return sb.Model(arrays, {"router": ..., "experts": ...}); each part is given its own'
    raise ContractError(message, help=mend)


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


def domains_of(part: Submission | Router, tag: Any) -> tuple[Any, ...]:
    """Give what a submission or a router takes behind ``x``: domains if it is told them, else nothing."""
    return (tag,) if getattr(part, "uses_tags", False) else ()


def check_domains(submission: Submission, *, declared: bool) -> None:
    """Check that a submission's code is told domains where its ``submission.toml`` says so, and only there.

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
