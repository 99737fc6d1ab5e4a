"""The class of rules: an operation's execution together with its price."""

from __future__ import annotations

import inspect
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from sparsebench.errors import UncountedOperationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sparsebench.ops.charges import Charge
    from sparsebench.ops.core.kinds import Kind

__all__ = [
    "COUNTED",
    "DEFINITION",
    "FREE",
    "FREE_BITS",
    "QUANTIZE",
    "WIDEST",
    "Arguments",
    "Plan",
    "Rule",
    "axes_of",
    "common_dtype",
    "copy_bytes",
    "lanes",
    "refuse_rounding",
    "shape_of",
]

Arguments = tuple[tuple[Any, ...], dict[str, Any]]
"""Those of a call by position and by name."""

WIDEST = 16
"""Bytes of the widest element that a result can have."""

FREE_BITS = "it would give unboundedly many free bits about a real number"
QUANTIZE = "use ops.quantize(x, levels=m)"


DEFINITION = "definition"
COUNTED = "counted from the defining formula"


class Plan(NamedTuple):
    """The cost of a call, known from shapes and dtypes alone before it runs."""

    charges: tuple[Charge, ...]
    """What to write into the ledger."""
    nbytes: int
    """Upper bound of the bytes of new memory that the result takes; 0 for views."""


@dataclass(frozen=True, eq=False)
class Rule:
    """One operation of the meter."""

    name: str
    """Name in the namespace, as in the array API standard where it has the operation."""
    run: Callable[..., Any]
    """Executes it on NumPy arrays. Its signature is the operation's whole signature, and the annotations of
    its parameters say what they take (:mod:`sparsebench.meter.rules.kinds`)."""
    plan: Callable[..., Plan]
    """Prices a call from the same arguments. It uses shapes and dtypes, never values, so its errors may be
    reported."""
    price: str
    """The price in words, for the documentation."""
    example: str
    """One line that uses it."""
    touched: Callable[..., Iterable[tuple[Any, Any]]] | None = None
    """Pairs of (array, key), one for every operand of which only ``array[key]`` is read; nothing of it is
    read where the key is None. Operands without a pair are read whole."""
    source: str = DEFINITION
    """Where the price comes from, for the documentation: :data:`DEFINITION` of the cost model,
    :data:`COUNTED`, or the algorithm that was counted."""
    view: bool = False
    """Whether it reads nothing where the result is another look at the operand's memory."""
    secret_rows: Callable[..., int] = lambda *_args, **_kwargs: 0
    """If the shape of the result depends on values, the most rows it can have; else 0. Such a shape is a
    secret until the child pays for it."""
    hidden: bool = False
    """Whether it is reached by a method of the handle and not by a name of the namespace."""
    fields: tuple[str, ...] = ()
    """Names of the results where the standard gives them as a named tuple."""
    several: bool = False
    """Whether it gives a tuple of arrays whose number is not known beforehand."""
    listed: bool = False
    """Whether these come in a list, as the standard has it for this operation, and not in a tuple."""
    tells_length: bool = False
    """Whether the number of results is a length of the operand. Where that is a secret, it is refused."""
    constant: bool = False
    """Whether no value of an operand decides the result, so that what predict makes by it is a constant."""
    wiring: bool = False
    """Whether it moves numbers along paths that no value decides, so that what comes of constants is one."""
    moves: bool = False
    """Whether lengths of operands say where numbers go. Where an input decides a length, that is no wiring:
    what is not charged otherwise is charged as moved by the engine."""
    kinds: Mapping[str, Kind] | None = None
    """What its parameters take, where the annotations of ``run`` do not say it."""
    device: bool = False
    """Whether the standard gives it an argument ``device``. There is one: the client takes care of it."""
    definition: Callable[..., Any] | None = None
    """The function whose signature is the operation's, where ``run`` takes a call that was read before."""
    parse: Callable[[tuple[Any, ...], dict[str, Any]], Any] | None = None
    """Reads a call once, into a record that is then all that ``run``, ``plan`` and ``touched`` take. It looks
    at shapes and dtypes alone, as ``plan`` does; None where these take the arguments themselves."""

    def bound(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Arguments:
        """Return the arguments of ``run``, ``plan`` and ``touched``: those of the call, or its record."""
        return (args, kwargs) if self.parse is None else ((self.parse(args, kwargs),), {})

    @property
    def signature(self) -> inspect.Signature:
        """The signature of the operation."""
        return inspect.signature(self.definition or self.run)


FREE: tuple[Charge, ...] = ()
"""The charge of an operation that costs nothing."""


def shape_of(value: Any) -> tuple[int, ...]:
    """Return the shape of an array or a Python scalar."""
    return tuple(getattr(value, "shape", ()))


def common_dtype(*values: Any) -> np.dtype[Any]:
    """Return the dtype that results from arrays and Python scalars by NumPy's promotion."""
    return np.result_type(*(getattr(value, "dtype", value) for value in values))


def axes_of(x: Any, axis: int | tuple[int, ...] | None) -> tuple[int, ...]:
    """Return the axes that ``axis`` names, in order and none negative; all of them for None.

    Raises
    ------
    ValueError
        If an axis is out of range or named twice.
    """
    return tuple(range(x.ndim)) if axis is None else tuple(sorted(normalize_axis_tuple(axis, x.ndim)))


def lanes(x: Any, axis: int | tuple[int, ...] | None) -> tuple[int, int]:
    """Return the number of lanes of a reduction over ``axis``, and the length of each."""
    axes = axes_of(x, axis)
    others = (length for position, length in enumerate(x.shape) if position not in axes)
    return math.prod(others), math.prod(x.shape[position] for position in axes)


def copy_bytes(x: Any, dtype: np.dtype[Any] | None = None) -> int:
    """Return the bytes of a contiguous copy in ``dtype``; 0 if ``x`` itself is one."""
    wanted = x.dtype if dtype is None else dtype  # for NumPy float64 equals None
    return 0 if x.flags.c_contiguous and wanted == x.dtype else x.size * wanted.itemsize


def refuse_rounding(name: str, source: np.dtype[Any], target: np.dtype[Any]) -> None:
    """Refuse to turn a real number into an integer or a boolean free of charge.

    Raises
    ------
    UncountedOperationError
        If ``source`` is real and ``target`` is not.
    """
    if source.kind == "f" and target.kind not in "fc":
        raise UncountedOperationError(
            f"{name} from {source} to {target} is refused: {FREE_BITS}", help=QUANTIZE
        )
