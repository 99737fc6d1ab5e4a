"""The routes that a router returns: which experts every input uses. They are checked when they are made."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

from sparsebench.errors import ContractError

__all__ = ["Routes"]

_INTEGERS = ("int", "uint")
_REAL = (*_INTEGERS, "float", "bfloat")
_MATRIX = 2


class _Fields(NamedTuple):
    experts: Any
    """Integer array ``(n, k)``: the k experts of every input."""
    gates: Any = None
    """Real array ``(n, k)``: their weights; or None."""


class Routes(_Fields):
    """The experts of every input.

    Parameters
    ----------
    experts
        Integer array ``(n, k)``: the k experts of every input.
    gates
        Real array ``(n, k)``: their weights; or None.

    Raises
    ------
    ContractError
        If they are anything else. The checks ask nothing of a metered array that would cost a bit.
    """

    __slots__ = ()

    def __new__(cls, experts: Any, gates: Any = None) -> Self:
        """Check both, then put them together."""
        _check_experts(experts)
        if gates is not None:
            _check_gates(gates, experts)
        return super().__new__(cls, experts, gates)


def _check_experts(experts: Any) -> None:
    _demand_array("experts", experts)
    shape = _shape(experts)
    if not _is(experts, _INTEGERS) or experts.ndim != _MATRIX or (shape is not None and not shape[1]):
        message = f"Routes: expected integer experts of shape (n, k), got {_told(experts)}"
        raise ContractError(message, help=_mend_of_experts(experts))


def _mend_of_experts(experts: Any) -> str:
    if _is(experts, ("bool",)):
        return "use xp.astype(bits, xp.int64)"
    if not _is(experts, _INTEGERS):
        return "choose with xp.argmax, ops.top_k or ops.quantize"
    return (
        "use index[:, None] for k = 1" if experts.ndim < _MATRIX else "give every input at least one expert"
    )


def _check_gates(gates: Any, experts: Any) -> None:
    _demand_array("gates", gates)
    shapes = _shape(gates), _shape(experts)
    other = None not in shapes and shapes[0] != shapes[1]
    if not _is(gates, _REAL) or gates.ndim != experts.ndim or other:
        of = "experts" if shapes[1] is None else f"experts, {shapes[1]}"
        message = f"Routes: expected real gates of the shape of {of}, got {_told(gates)}"
        raise ContractError(message, help="one gate per expert, or None")


def _demand_array(name: str, value: Any) -> None:
    if not all(hasattr(value, part) for part in ("dtype", "ndim", "__getitem__")):
        message = f"Routes: expected {name} to be an array of the namespace of x, got {type(value).__name__}"
        raise ContractError(message, help="compute it with xp = x.__array_namespace__()")


def _is(array: Any, kinds: tuple[str, ...]) -> bool:
    """Return whether a dtype is of these kinds: by its name, because every library has its own dtypes."""
    return _dtype(array).startswith(kinds)


def _dtype(array: Any) -> str:
    return str(array.dtype).rpartition(".")[2]


def _shape(array: Any) -> tuple[int, ...] | None:
    """Return the shape; None where a metered array would have to pay for it."""
    found = array.known_shape if hasattr(type(array), "known_shape") else array.shape
    return None if found is None else tuple(found)


def _told(array: Any) -> str:
    shape = _shape(array)
    axes = f"number of axes {array.ndim}" if shape is None else f"shape {shape}"
    return f"{axes} and dtype {_dtype(array)}"
