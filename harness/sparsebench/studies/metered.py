"""What a function costs, by the meter itself: in this process, for one input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sparsebench.meter import Engine, InProcess, MeteredArray, MeteredNamespace, price

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    Predict = Callable[[dict[str, Any], Any], Any]
    Params = Mapping[str, NDArray[Any]]

__all__ = ["Counted", "counted", "priced"]


class Counted(NamedTuple):
    """What one input takes."""

    ledger: list[Any]
    """The entries of the ledger."""
    loaded: int
    """Parameters that are read."""
    stored: int
    """Parameters that the model has."""

    def price(self, profile: str = "ops") -> int:
        """Return the operations by a price list."""
        return price(self.ledger, profile)


def counted(predict: Predict, params: Params, x: NDArray[Any]) -> Counted:
    """Count what a model does for one input.

    Parameters
    ----------
    predict
        Takes parameters and a batch of inputs, as a submission's ``predict`` does.
    params
        The model.
    x
        Inputs ``(n, ...)``, of which the first is taken.
    """
    engine = Engine()
    space = MeteredNamespace(InProcess(engine))
    held = {name: MeteredArray(space, about) for name, about in engine.add_parameters(dict(params)).items()}
    engine.loads.active = True
    predict(held, MeteredArray(space, engine.begin(x[:1], inputs=1)))
    stored = sum(array.size for array in params.values())
    return Counted(list(engine.ledger), engine.loads.elements(), stored)


def priced(predict: Predict, params: Params, x: NDArray[Any], profile: str = "ops") -> int:
    """Return what one input costs by a price list."""
    return counted(predict, params, x).price(profile)
