"""A fitted model: what ``fit`` returns, and what ``predict`` gets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sparsebench.errors import ContractError

__all__ = ["Model"]

_SHOWN = 20  # most names that an error lists


class Model(dict[str, Any]):
    """Named arrays, and a structure with visible values. In all else it is a dict of the arrays.

    ``fit`` returns one, with NumPy arrays; ``predict``, ``route`` and ``apply`` get it as ``params``, with
    arrays of the namespace of ``x``.

    Parameters
    ----------
    arrays
        Name -> array.
    structure
        Plain JSON of at most 1 MiB: dict with keys of type str, list, str, int, float, bool or None. It is
        part of the model, of its hash and of its stored bytes. Code gets its own copy in each process, with
        the keys of dicts sorted.

    Attributes
    ----------
    structure
        The structure; None if there is none. Each part of :class:`sparsebench.Routed` gets its own.

    Raises
    ------
    ContractError
        If ``arrays`` is not a mapping.
    KeyError
        If an array does not exist; the error lists those that do.
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
