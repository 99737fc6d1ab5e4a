"""A fitted model: what ``fit`` gives, and what ``predict`` is given again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sparsebench.errors import ContractError

__all__ = ["Model"]

_SHOWN = 20  # names that an error lists


class Model(dict[str, Any]):
    """Named arrays, and a structure in the clear. A dict of the arrays in all else.

    ``fit`` returns one, with NumPy arrays; ``predict``, ``route`` and ``apply`` get it as ``params``, with
    arrays of the namespace of ``x``.

    Parameters
    ----------
    arrays
        Name -> array.
    structure
        Plain JSON of at most 1 MiB: dict with keys of type str, list, str, int, float, bool or None. It is
        part of the model, of its hash and of what it stores. Code gets a copy of its own in each process,
        with the keys of dicts sorted.

    Attributes
    ----------
    structure
        The structure; None where there is none. Of the parts of :class:`sparsebench.Routed` each gets its
        own.

    Raises
    ------
    ContractError
        If ``arrays`` are no mapping.
    KeyError
        Where an array is asked for that there is not: says which there are.
    """

    __slots__ = ("structure",)

    structure: Any

    def __init__(self, arrays: Mapping[str, Any], structure: Any = None) -> None:
        if not isinstance(arrays, Mapping):
            message = f"sb.Model: expected a dict of arrays, got {type(arrays).__name__}"
            raise ContractError(message, help="write sb.Model({name: array}, structure)")
        super().__init__(arrays)
        self.structure = structure

    def __missing__(self, name: object) -> Any:
        shown = ", ".join(sorted(map(str, self))[:_SHOWN]) or "no arrays"
        more = f" and {len(self) - _SHOWN} more" if len(self) > _SHOWN else ""
        raise KeyError(f"no array called {name!r:.80}; the model has: {shown}{more}")

    def __repr__(self) -> str:
        return f"Model({super().__repr__()}, {self.structure!r})"
