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

    Its constructor takes the task (:class:`sparsebench.tasks.TaskInfo`) and a variant's settings as keywords,
    and stores them. Nothing that :meth:`fit` leaves on ``self`` reaches :meth:`predict`: they run in
    different processes, and only the returned model passes from one to the other.
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
            The model, which is stored, measured and hashed. ``sb.Model(arrays, structure)`` has plain JSON in
            addition to the arrays; :meth:`predict` finds it in ``params.structure``.
        """

    @abstractmethod
    def predict(self, params: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
        """Predict, in array API code: ``xp = x.__array_namespace__()``.

        To be written as ``predict(self, params, x)``, or, where :attr:`uses_tags`, as
        ``predict(self, params, x, tag)``.

        Parameters
        ----------
        params
            The :class:`Model` that :meth:`fit` returned, with arrays of the namespace of ``x``.
        x
            Inputs ``(n, ...)``, float32. In scoring these are handles without values.
        tag
            The domain of each input, int64 ``(n,)``: like ``x`` a handle, and free of charge.

        Returns
        -------
        array of a real dtype, shape (n,)
            Integers or floats; for the metric ``nmse``, floats.
        """


class Router(ABC):
    """The part that decides which experts an input uses. Its operations belong to the phase ``router``."""

    uses_tags: bool = False
    """Whether :meth:`route` takes the domain of every input as well: ``submission.toml`` must say so too."""

    def fit(self, train: Split, valid: Split, rng: np.random.Generator) -> Parameters | Model:  # noqa: ARG002
        """Learn the router's parameters; by default there are none. See :meth:`Submission.fit`.

        Only :meth:`route` gets its structure; the experts get its arrays as well.
        """
        return {}

    @abstractmethod
    def route(self, params: Any, x: Any, *args: Any, **kwargs: Any) -> Routes:
        """Choose the experts of every input, in array API code. Shapes are as in :meth:`Submission.predict`.

        To be written as ``route(self, params, x)``, or, where :attr:`uses_tags`, as
        ``route(self, params, x, tag)``.
        """


class Experts(ABC):
    """The parts of a network that are run or not. Their operations are charged to the phase ``experts``."""

    def fit(
        self,
        train: Split,  # noqa: ARG002 - to be overridden
        valid: Split,  # noqa: ARG002
        rng: np.random.Generator,  # noqa: ARG002
        routes: Routes,  # noqa: ARG002
    ) -> Parameters | Model:
        """Learn the experts' parameters, given the routes of ``train.x``; by default there are none.

        Only :meth:`apply` gets their structure; the router gets their arrays as well.
        """
        return {}

    @abstractmethod
    def apply(self, params: Any, x: Any, routes: Routes) -> Any:
        """Run the chosen experts on ``x`` and merge their answers into ``(n,)``, in array API code."""


class Routed(Submission):
    """A router and its experts.

    The harness calls :meth:`Router.route` and :meth:`Experts.apply` one after the other and charges each
    phase by itself, so the submission does not decide to which phase an operation belongs. It uses tags if
    its router does.
    """

    def __init__(self, router: Router, experts: Experts) -> None:
        self.router = router
        self.experts = experts
        self.uses_tags = getattr(router, "uses_tags", False)  # a router need not derive from Router

    def fit(self, train: Split, valid: Split, rng: np.random.Generator) -> Parameters | Model:
        """Fit the router, route the training inputs, and fit the experts on them.

        A class that overrides it returns the structures of the parts, if any, by part:
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
    """Return the structures of the parts as one; None if no part has one."""
    named = {part: own for part, own in zip(PARTS, structures, strict=True) if own is not None}
    return named or None


def part_of(params: Any, part: str) -> Any:
    """Return what a part of a routed model may see: all arrays, and its own structure.

    A plain dict, with which people may call their own code, has no structures and is returned unchanged.
    """
    if not isinstance(params, Model):
        return params
    structure = params.structure
    return Model(params, structure.get(part) if isinstance(structure, dict) else None)


def check_structure(structure: Any) -> None:
    """Check that the structure of a routed model says to which part each of its parts belongs.

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
    """Check and return what ``route`` returned.

    Raises
    ------
    ContractError
        If it is not a :class:`Routes`.
    """
    if not isinstance(chosen, Routes):
        message = f"route: expected sparsebench.Routes, got {type(chosen).__name__}"
        raise ContractError(message, help="return sparsebench.Routes(experts, gates)")
    return chosen


def domains_of(part: Submission | Router, tag: Any) -> tuple[Any, ...]:
    """Return the arguments of a submission or a router after ``x``: domains if it uses them, else nothing."""
    return (tag,) if getattr(part, "uses_tags", False) else ()


def check_domains(submission: Submission, *, declared: bool) -> None:
    """Check that a submission's code and its ``submission.toml`` agree on whether it is given domains.

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
