"""Running a model with changes around its experts, and finding the tables of the experts."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.meter.engine.loads import as_seen, root_of
from sparsebench.meter.rules import RULES
from sparsebench.meter.values import Handle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from sparsebench.evaluate.passes.passes import Model
    from sparsebench.meter import Description, Engine
    from sparsebench.meter.engine.engine import Request

__all__ = ["MOVES", "Meddled", "TableWatch"]

MOVES = frozenset(
    (
        *(
            "copy",
            "astype",
            "broadcast_to",
            "concat",
            "expand_dims",
            "flip",
            "getitem",
            "matrix_transpose",
        ),
        *("moveaxis", "permute_dims", "repeat", "reshape", "roll", "sort", "squeeze", "stack", "tile"),
    )
)
"""Operations whose results hold no other numbers than their first argument."""


class Meddled:
    """A model whose experts are run inside a context.

    Parameters
    ----------
    model
        The model.
    around
        Takes the handle of the routed experts and returns a context manager, in which the experts are run,
        and which yields the handle that they get.
    """

    def __init__(self, model: Model, around: Callable[[Handle], AbstractContextManager[Handle]]) -> None:
        self._model = model
        self._around = around
        self.routed = model.routed

    def predict(self, engine: Engine, x: Description, tag: Description | None = None) -> Handle:
        """Predict."""
        return self._model.predict(engine, x, tag)

    def route(
        self, engine: Engine, x: Description, tag: Description | None = None
    ) -> tuple[Handle, Handle | None]:
        """Return experts and gates."""
        return self._model.route(engine, x, tag)

    def apply(self, engine: Engine, x: Description, experts: Handle, gates: Handle | None) -> Handle:
        """Run the experts, inside the context."""
        with self._around(experts) as told:
            return self._model.apply(engine, x, told, gates)


class TableWatch:
    """A record of the parameters that the experts address by the routes: tables with one expert in each row.

    An index counts as the routes if it is the array of experts, a view of its memory, or made from it by
    :data:`MOVES`.

    Parameters
    ----------
    engine
        The engine that executes the model and holds its parameters.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._routes: list[np.ndarray[Any, Any]] = []
        self._names = {
            id(root_of(engine.value(told.handle))): name for name, told in engine.parameters.items()
        }
        self._found: list[tuple[str, np.ndarray[Any, Any], int]] = []

    @contextlib.contextmanager
    def around(self, experts: Handle) -> Iterator[Handle]:
        """Watch the engine while the experts run."""
        self._routes.append(root_of(self._engine.value(experts)))
        self._engine.observers.append(self._note)
        try:
            yield experts
        finally:
            self._engine.observers.remove(self._note)

    @property
    def tables(self) -> set[str]:
        """The parameters that were found."""
        return {name for name, _, _ in self._found}

    def others(self, experts: np.ndarray[Any, Any]) -> dict[str, np.ndarray[Any, Any]]:
        """Return the elements of tables of real numbers that belong to no routed expert.

        Parameters
        ----------
        experts
            The routed ones.

        Returns
        -------
        dict
            Name of a parameter -> mask of its shape; only parameters with such elements.
        """
        other: dict[str, np.ndarray[Any, Any]] = {}
        own: dict[str, np.ndarray[Any, Any]] = {}
        for name, table, axis in self._found:
            if table.dtype.kind != "f":
                continue
            length = table.shape[axis]
            rows = np.isin(np.arange(length), np.where(experts < 0, experts + length, experts))
            for masks, which in ((other, ~rows), (own, rows)):
                mask = masks.setdefault(name, np.zeros(root_of(table).shape, dtype=np.bool_))
                np.moveaxis(as_seen(table, mask), axis, 0)[which] = True
        masked = {name: mask & ~own[name] for name, mask in other.items()}
        return {name: mask for name, mask in masked.items() if mask.any()}

    def _note(self, request: Request) -> None:
        if request.what != "call":
            return
        rule = RULES[request.name]
        args = self._arrays(request.args)
        if rule.touched:
            kwargs = {name: self._arrays(value) for name, value in request.kwargs.items()}
            read, named = rule.bound(args, kwargs)
            for array, key in rule.touched(*read, **named):
                self._note_table(array, key if isinstance(key, tuple) else (key,))
        moved = args[0] if args and isinstance(args[0], tuple) else args[:1]
        if request.name in MOVES and moved and all(map(self._is_routes, moved)):
            self._routes.append(root_of(self._engine.value(request.told.handle)))

    def _note_table(self, array: np.ndarray[Any, Any], key: tuple[Any, ...]) -> None:
        name = self._names.get(id(root_of(array)))
        if name is None:
            return
        for place, part in enumerate(key):
            if self._is_routes(part) and part.dtype.kind in "iu":
                self._found.append((name, array, _axis(key, place, array.ndim)))

    def _is_routes(self, value: Any) -> bool:
        return isinstance(value, np.ndarray) and any(root_of(value) is routes for routes in self._routes)

    def _arrays(self, value: Any) -> Any:
        """Replace handles by arrays."""
        if isinstance(value, Handle):
            return self._engine.value(value)
        return tuple(map(self._arrays, value)) if isinstance(value, tuple) else value


def _axis(key: tuple[Any, ...], place: int, ndim: int) -> int:
    """Return the axis to which a part of a key applies."""

    def taken(parts: tuple[Any, ...]) -> int:
        return sum(part is not None and part is not ... for part in parts)

    behind = any(part is ... for part in key[:place])
    return ndim - taken(key[place:]) if behind else taken(key[:place])
