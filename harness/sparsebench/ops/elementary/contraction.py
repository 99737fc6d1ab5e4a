"""Einstein summation."""

from __future__ import annotations

import math
import string
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import numpy as np

from sparsebench.ops.charges import Charge, inner_product, name_of
from sparsebench.ops.core.arguments import Text, number
from sparsebench.ops.core.on_numpy import ON_NUMPY
from sparsebench.ops.core.primitive import primitive

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sparsebench.ops.core.call import Call

__all__ = ["einsum"]

_MOST_OPERANDS = 64
"""Reading the subscripts takes time that grows with the square of the operands."""

_Labels = tuple[str, ...]
"""Names of axes: letters, and ``.0``, ``.1``, ... for those of ``...``, counted from the right."""


class _Pair(NamedTuple):
    """The labels of two operands that are contracted, by their part in it."""

    stack: _Labels
    """In both, and kept."""
    rows: _Labels
    """In the left one alone."""
    columns: _Labels
    """In the right one alone."""
    inner: _Labels
    """In both, and summed."""

    def kept(self) -> _Labels:
        """Return the labels of the product."""
        return self.stack + self.rows + self.columns


class _Contraction(NamedTuple):
    """What is to be done, known from shapes alone."""

    lengths: dict[str, int]
    given: list[_Labels]
    """The labels of every operand."""
    alone: list[_Labels]
    """What is left of them when diagonals are taken and labels of that operand alone are summed."""
    pairs: list[_Pair]
    output: _Labels

    def size(self, labels: Iterable[str]) -> int:
        """Multiply the lengths of labels."""
        return math.prod(self.lengths[label] for label in labels)


def _distinct(labels: Iterable[str]) -> _Labels:
    return tuple(dict.fromkeys(labels))


def _labels(term: str, dots: int | None) -> _Labels:
    """Read the labels of one term; ``...`` stands for so many axes (None: there must be none)."""
    head, found, tail = term.partition("...")
    if set(head + tail) - set(string.ascii_letters):
        raise ValueError(f"einsum: expected letters and at most one '...' in a term, got {term!r}")
    if bool(found) != (dots is not None):
        raise ValueError(f"einsum: '...' must stand in {term!r} just where axes have no letter")
    return (*head, *(f".{place}" for place in reversed(range(dots or 0))), *tail)


def _input(term: str, axes: int) -> _Labels:
    dots = axes - len(term.replace("...", ""))
    labels = _labels(term, dots if "..." in term else None)
    if len(labels) != axes:
        raise ValueError(f"einsum: the term {term!r} does not fit an array of {axes} axes")
    return labels


def _output(term: str, inputs: list[_Labels]) -> _Labels:
    """Read the labels of the result, each of which some operand must have."""
    known = _distinct(label for labels in inputs for label in labels)
    dots = sum(label.startswith(".") for label in known)
    labels = _labels(term, dots if dots or "..." in term else None)
    if len(set(labels)) < len(labels) or set(labels) - set(known):
        raise ValueError(f"einsum: the result {term!r} must name labels of the operands, each once")
    return labels


def _implied(inputs: list[_Labels]) -> _Labels:
    """Return the labels of a result that is not written: those of ``...``, then what occurs once, sorted."""
    every = [label for labels in inputs for label in labels]
    letters = (label for label in every if label in string.ascii_letters and every.count(label) == 1)
    dots = {label for label in every if label.startswith(".")}
    return (*(f".{place}" for place in reversed(range(len(dots)))), *sorted(letters))


def _read(subscripts: str, operands: tuple[Any, ...]) -> _Contraction:
    """Read the subscripts and plan the contraction.

    Raises
    ------
    ValueError
        If they do not fit the operands.
    """
    if len(operands) > _MOST_OPERANDS:
        raise ValueError(f"einsum: expected at most {_MOST_OPERANDS} operands, got {len(operands)}")
    left, arrow, right = subscripts.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(operands):
        raise ValueError(f"einsum: {subscripts!r} is for {len(terms)} operands, got {len(operands)}")
    given = [_input(term, x.ndim) for term, x in zip(terms, operands, strict=True)]
    output = _output(right, given) if arrow else _implied(given)
    lengths: dict[str, int] = {}
    for labels, x in zip(given, operands, strict=True):
        for label, length in zip(labels, x.shape, strict=True):
            if lengths.setdefault(label, length) != length:
                axis = repr(label) if label in string.ascii_letters else "an axis of '...'"
                raise ValueError(f"einsum: {axis} is {lengths[label]} and {length} long in {subscripts!r}")
    alone = []
    for place, labels in enumerate(given):
        wanted = set(output).union(*given[:place], *given[place + 1 :])
        alone.append(tuple(label for label in _distinct(labels) if label in wanted))
    return _Contraction(lengths, given, alone, _pairs(alone, output), output)


def _pairs(alone: list[_Labels], output: _Labels) -> list[_Pair]:
    pairs = []
    left = alone[0]
    for place, right in enumerate(alone[1:], start=2):
        wanted = set(output).union(*alone[place:])
        shared = [label for label in left if label in right]
        pair = _Pair(
            stack=tuple(label for label in shared if label in wanted),
            rows=tuple(label for label in left if label not in right),
            columns=tuple(label for label in right if label not in left),
            inner=tuple(label for label in shared if label not in wanted),
        )
        pairs.append(pair)
        left = pair.kept()
    return pairs


def _plan(call: Call) -> None:
    """Read the subscripts once, for the price, the size and the run."""
    call.plan = _read(call.subscripts, call.operands)


def _cost(call: Call) -> tuple[Charge, ...]:
    plan, operands = call.plan, call.operands
    charges: list[Charge] = []
    for given, alone, x in zip(plan.given, plan.alone, operands, strict=True):
        if summed := set(given) - set(alone):
            additions = plan.size(alone) * max(plan.size(summed) - 1, 0)
            charges.append(Charge("add", name_of(x.dtype), additions))
    dtype = operands[0].dtype
    for pair, right in zip(plan.pairs, operands[1:], strict=True):
        dtype = np.result_type(dtype, right.dtype)
        outputs = plan.size(pair.kept())
        if pair.inner:
            charges.extend(inner_product(outputs, plan.size(pair.inner), dtype))
        else:
            charges.append(Charge("mul", name_of(dtype), outputs))
    return tuple(charges)


def _elements(call: Call) -> int:
    """Count the operands, which may be copied, and everything that is made on the way."""
    plan: _Contraction = call.plan
    made = sum(plan.size(pair.kept()) for pair in plan.pairs) + sum(map(plan.size, plan.alone))
    return plan.size(plan.output) + made + sum(int(x.size) for x in call.operands)


def _diagonal(xp: Any, x: Any, labels: _Labels, label: str) -> tuple[Any, _Labels]:
    """Take the diagonal of the first two axes of one label: every (m + 1)th element of m times m."""
    first = labels.index(label)
    second = labels.index(label, first + 1)
    others = tuple(place for place in range(x.ndim) if place not in (first, second))
    length = x.shape[first]
    turned = xp.permute_dims(x, (*others, first, second))
    flat = xp.reshape(turned, (*(x.shape[place] for place in others), length * length))
    return flat[..., :: length + 1], (*(labels[place] for place in others), label)


def _alone(xp: Any, x: Any, labels: _Labels, kept: _Labels) -> Any:
    """Take diagonals of one operand, and sum what only it has."""
    while repeated := [label for label in labels if labels.count(label) > 1]:
        x, labels = _diagonal(xp, x, labels, repeated[0])
    if axes := tuple(place for place, label in enumerate(labels) if label not in kept):
        x = xp.sum(x, axis=axes, dtype=x.dtype)
        labels = tuple(label for label in labels if label in kept)
    return xp.permute_dims(x, tuple(labels.index(label) for label in kept))


def _contract(xp: Any, plan: _Contraction, operands: tuple[Any, ...]) -> Any:
    """Do it with the functions of a namespace."""

    def matrices(x: Any, labels: _Labels, *groups: _Labels) -> Any:
        turned = xp.permute_dims(x, tuple(labels.index(label) for group in groups for label in group))
        return xp.reshape(turned, tuple(plan.size(group) for group in groups))

    parts = [_alone(xp, *part) for part in zip(operands, plan.given, plan.alone, strict=True)]
    made, labels = parts[0], plan.alone[0]
    for pair, right, its in zip(plan.pairs, parts[1:], plan.alone[1:], strict=True):
        a = matrices(made, labels, pair.stack, pair.rows, pair.inner)
        b = matrices(right, its, pair.stack, pair.inner, pair.columns)
        product = (
            xp.matmul(a, b) if pair.inner else a * b
        )  # (s, n, 1) times (s, 1, m) where nothing is summed
        labels = pair.kept()
        made = xp.reshape(product, tuple(plan.lengths[label] for label in labels))
    return xp.permute_dims(made, tuple(labels.index(label) for label in plan.output))


def _steady(call: Call) -> Any:
    """Do it so that no label sees its neighbours: any may be the one that the inputs of a batch go by."""
    made = _contract(ON_NUMPY, call.plan, call.operands)
    return (
        made if len(call.operands) > 1 else np.array(made)
    )  # a result of its own, not a look at the operand


@primitive(
    cost=_cost,
    elements=_elements,
    steady=_steady,
    check=_plan,
    price="per pair of operands and element of the product: 1 multiplication where nothing is summed, else k "
    "multiplications and k - 1 additions; a sum of k terms of one operand: k - 1 additions; diagonals: 0",
    example='scores = ops.einsum("nsd,ntd->nst", queries, keys)',
)
def einsum(
    subscripts: Annotated[str, Text()], *operands: Annotated[Any, number()]
) -> Annotated[Any, number()]:
    """Sum products of elements over labelled axes, as ``numpy.einsum`` does.

    Each operand alone comes first: diagonals are taken, and a label that neither the result nor another
    operand has is summed. Then operands are contracted from left to right in pairs; a label is summed in the
    last pair that has it, if the result does not. No better order is looked for: the order of the operands is
    the order of the work, and the price follows it.

    Parameters
    ----------
    subscripts
        One term of letters per operand, separated by commas; ``->`` and the term of the result may follow. A
        letter that stands twice in a term is a diagonal. ``...`` stands for the axes that have no letter,
        matched from the right. Without ``->`` the result has the axes of ``...`` and then the letters that
        occur once, sorted. Spaces mean nothing.
    *operands
        Arrays of integers or real numbers, at least one. A label has one length wherever it stands: 1 is not
        stretched.

    Returns
    -------
    array
        Of the dtype that NumPy's promotion gives, pair by pair. NaN and infinities go through products and
        sums as in any arithmetic; an empty sum is 0.

    Raises
    ------
    TypeError
        If an operand is boolean or complex.
    ValueError
        If the subscripts cannot be read or do not fit the operands, or there are more than 64 of these.
    """
    return _contract(operands[0].__array_namespace__(), _read(subscripts, operands), operands)
