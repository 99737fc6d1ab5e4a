"""Fitting a submission, and asking it for predictions on handles: the same code wherever it runs.

A score runs it in the submission's process, with the meter behind a pipe; an author's tools run it in theirs.
The module holds nothing of the harness.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.meter.model import Model
from sparsebench.models.contract import Routed, Routes, part_of, routes_of
from sparsebench.models.opening import is_routed
from sparsebench.models.returned import array_of, model_of
from sparsebench.ops import backends

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sparsebench.meter.client.array import MeteredArray
    from sparsebench.meter.client.namespace import MeteredNamespace
    from sparsebench.meter.values import Description
    from sparsebench.models.contract import Submission
    from sparsebench.tasks.given import Split

__all__ = ["Fitted", "fit"]


def fit(submission: Submission, train: Split, valid: Split, entropy: int | Sequence[int]) -> Model:
    """Fit a submission. Others must be able to repeat the fit, whatever they have installed.

    Parameters
    ----------
    submission
        What learns.
    train, valid
        What it learns from.
    entropy
        Seeds all the randomness that it is given.

    Raises
    ------
    ContractError
        If what it returns is no model. Other errors of the submission pass through unchanged.
    """
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy)))
    with backends.use("steady"):
        fitted = submission.fit(train, valid, rng)
    return model_of(fitted, routed=is_routed(submission))


class Fitted:
    """A submission and its model on handles.

    Its answers are arrays, and the meter may forget an array as soon as nothing holds it. So the caller pins
    its handle, or reports it, first.

    Parameters
    ----------
    submission
        The submission.
    namespace
        Whose arrays it is given.
    parameters
        The meter's descriptions of the model's arrays.
    structure
        The model's structure; None where it has none.

    Attributes
    ----------
    routed
        Whether it is asked in two parts, :meth:`route` and :meth:`apply`, instead of by :meth:`predict`.
    """

    def __init__(
        self,
        submission: Submission,
        namespace: MeteredNamespace,
        parameters: Mapping[str, Description],
        structure: Any = None,
    ) -> None:
        self._submission = submission
        self._namespace = namespace
        self._parameters = parameters
        self._structure = structure
        self.routed = is_routed(submission)

    def predict(self, *given: Description) -> MeteredArray:
        """Predict, given ``x`` and, where the submission uses them, tags."""
        return array_of(self._submission.predict(self._params(), *self._wrapped(given)), "predict")

    def route(self, *given: Description) -> tuple[MeteredArray, MeteredArray | None]:
        """Return experts and gates; arguments are those of :meth:`predict`."""
        assert isinstance(self._submission, Routed)
        routes = routes_of(
            self._submission.router.route(part_of(self._params(), "router"), *self._wrapped(given))
        )
        gates = None if routes.gates is None else array_of(routes.gates, "route: gates")
        return array_of(routes.experts, "route: experts"), gates

    def apply(self, x: Description, experts: Description | None, gates: Description | None) -> MeteredArray:
        """Run the experts."""
        assert isinstance(self._submission, Routed)
        wrapped, *chosen = self._wrapped((x, experts, gates))
        answer = self._submission.experts.apply(part_of(self._params(), "experts"), wrapped, Routes(*chosen))
        return array_of(answer, "apply")

    def _params(self) -> Model:
        """Return the model in a new dict for this call: what is put into it does not reach the next call."""
        wrapped = {name: self._namespace.wrap(told) for name, told in self._parameters.items()}
        return Model(wrapped, self._structure)

    def _wrapped(self, given: Iterable[Description | None]) -> list[Any]:
        return [self._namespace.wrap(told) for told in given]
