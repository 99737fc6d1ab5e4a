"""Circuits of two-input gates, each of which is one operation: making, pruning, laying out, and running them.

A signal is a number: 0 ... m - 1 are the input bits, and gate g is signal m + g. Gates come in an order in
which each reads earlier signals alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Booleans = NDArray[np.bool_]
    Function = tuple[int | None, bool]

__all__ = ["KINDS", "Circuit", "Gate", "lay_out", "run", "synthesize"]

KINDS: dict[str, Callable[[Any, Any], Any]] = {
    "and": lambda a, b: a & b,
    "or": lambda a, b: a | b,
    "xor": lambda a, b: a ^ b,
    "above": lambda a, b: a > b,
    "least": lambda a, b: a >= b,
    "equal": lambda a, b: a == b,
    "not": lambda a, _: ~a,
}
"""What a gate may compute in one operation: logical ones, and comparisons of bits.

Of the sixteen functions of two bits that leaves out NAND and NOR, which cost two, and the constants."""


class Gate(NamedTuple):
    """A gate and the two signals that it reads."""

    kind: str
    a: int
    b: int


class Circuit(NamedTuple):
    """Gates over some input bits, and the signals that are its outputs."""

    inputs: int
    gates: list[Gate]
    outputs: list[int]


def lay_out(circuit: Circuit) -> tuple[list[int], dict[str, np.ndarray]]:
    """Drop the gates that no output needs, and order the others by level and kind.

    Returns
    -------
    list of int
        The input bits that are needed, ascending: they are the first signals of the arrays.
    dict of str to numpy.ndarray
        ``gates-l-kind``: int64 ``(2, m)``, the signals that the gates of a level and a kind read, levels from
        0 on; ``outputs``: int64 ``(o,)``.
    """
    needed = _needed(circuit)
    bits = [signal for signal in range(circuit.inputs) if signal in needed]
    place = {signal: number for number, signal in enumerate(bits)}
    level = dict.fromkeys(range(circuit.inputs), -1)
    groups: dict[tuple[int, str], list[int]] = {}
    for number, gate in enumerate(circuit.gates, start=circuit.inputs):
        level[number] = 1 + max(level[gate.a], level[gate.b])
        if number in needed:
            groups.setdefault((level[number], gate.kind), []).append(number)
    order = list(KINDS)
    arrays = {}
    for own, kind in sorted(groups, key=lambda group: (group[0], order.index(group[1]))):
        gates = [circuit.gates[number - circuit.inputs] for number in groups[own, kind]]
        arrays[f"gates-{own}-{kind}"] = np.array([[place[g.a] for g in gates], [place[g.b] for g in gates]])
        place.update(zip(groups[own, kind], range(len(place), len(place) + len(gates)), strict=True))
    arrays["outputs"] = np.array([place[signal] for signal in circuit.outputs], dtype=np.int64)
    return bits, arrays


def _needed(circuit: Circuit) -> set[int]:
    """Collect the signals that outputs depend on."""
    needed = set(circuit.outputs)
    for number in range(len(circuit.gates) - 1, -1, -1):
        if number + circuit.inputs in needed:
            needed.update(circuit.gates[number][1:])
    return needed


def run(params: dict[str, Any], bits: Any) -> Any:
    """Evaluate what `lay_out` has laid out: 1 operation a gate, wiring is free.

    Parameters
    ----------
    params
        The arrays.
    bits
        Booleans ``(n, m)``: the input bits that are needed.

    Returns
    -------
    boolean array ``(n, o)``
    """
    xp = bits.__array_namespace__()
    signals, level = bits, 0
    while own := [kind for kind in KINDS if f"gates-{level}-{kind}" in params]:
        made = [signals]
        for kind in own:
            a, b = params[f"gates-{level}-{kind}"][0], params[f"gates-{level}-{kind}"][1]
            made.append(KINDS[kind](signals[:, a], signals[:, b]))
        signals, level = xp.concat(made, axis=1), level + 1
    return signals[:, params["outputs"]]


def synthesize(truth: Booleans, most: int) -> Circuit | None:
    """Make a circuit of a truth table, by splitting it by one bit after the other.

    A bit that flips the function wherever it flips is an exclusive or with the rest. Otherwise the bit is
    taken that leaves both halves fewest bits to depend on, and the halves are joined by what they need: one
    gate where one half is constant, two where one implies the other, and three in general. A half that has
    been made, or its complement, is made once. So a parity of k bits takes k - 1 gates, and a selection of
    parities finds its address bits.

    Parameters
    ----------
    truth
        Booleans ``(2**b,)``, the first bit of an address being the most significant, b at least 1.
    most
        Gates, at most.

    Returns
    -------
    Circuit or None
        Of b inputs and one output; None where that takes more gates, and where the function is constant.
    """
    bits = len(truth).bit_length() - 1
    maker = _Maker(bits, most)
    try:
        signal, flipped = maker.make(truth, tuple(range(bits)))
        if signal is not None and flipped:
            signal = maker.gate("not", signal, signal)
    except OverflowError:
        return None
    return None if signal is None else Circuit(bits, maker.gates, [signal])


class _Maker:
    """Makes gates, each of them once. A function is a signal and whether it is the signal's complement."""

    def __init__(self, bits: int, most: int) -> None:
        self.bits = bits
        self.most = most
        self.gates: list[Gate] = []
        self.numbers: dict[Gate, int] = {}
        self.made: dict[tuple[tuple[int, ...], bytes], Function] = {}

    def make(self, truth: Booleans, names: Sequence[int]) -> Function:
        """Make a function of the bits that are named; the signal None is the constant False."""
        table, names = _essential(truth.reshape((2,) * len(names)), tuple(names))
        if not names:
            return None, bool(table)
        flipped = bool(table.flat[0])  # functions are made that are False where all bits are
        table = table ^ flipped
        if len(names) == 1:
            return names[0], flipped
        key = names, table.tobytes()
        if key not in self.made:
            self.made[key] = self._split(table, names)
        signal, other = self.made[key]
        return signal, other ^ flipped

    def _split(self, table: Booleans, names: tuple[int, ...]) -> Function:
        halves = [(np.take(table, 0, axis), np.take(table, 1, axis)) for axis in range(len(names))]
        for axis, (low, high) in enumerate(halves):
            if np.array_equal(low, ~high):
                return self._join("xor", (names[axis], False), self._half(low, names, axis))
        left = [
            len(_essential(low, names[1:])[1]) + len(_essential(high, names[1:])[1]) for low, high in halves
        ]
        axis = int(np.argmin(left))
        return self._select(names[axis], halves[axis], names, axis)

    def _half(self, table: Booleans, names: tuple[int, ...], axis: int) -> Function:
        return self.make(table.reshape(-1), names[:axis] + names[axis + 1 :])

    def _select(
        self, bit: int, halves: tuple[Booleans, Booleans], names: tuple[int, ...], axis: int
    ) -> Function:
        """Join two halves, the first where the bit is 0."""
        low, high = (self._half(half, names, axis) for half in halves)
        if not np.any(halves[0] & ~halves[1]):  # low implies high: low or (bit and high)
            return self._or(low, self._and((bit, False), high))
        if not np.any(halves[1] & ~halves[0]):
            return self._or(high, self._and((bit, True), low))
        return self._or(self._and((bit, False), high), self._and((bit, True), low))

    def _and(self, one: Function, other: Function) -> Function:
        if other[0] is None:
            return one if other[1] else (None, False)
        return self._join("and", one, other)

    def _or(self, one: Function, other: Function) -> Function:
        if one[0] is None or other[0] is None:
            constant, rest = (one, other) if one[0] is None else (other, one)
            return (None, True) if constant[1] else rest
        signal, flipped = self._join("and", (one[0], not one[1]), (other[0], not other[1]))
        return signal, not flipped

    def _join(self, kind: str, one: Function, other: Function) -> Function:
        """Make one gate of two functions, whichever of them are complements."""
        (a, not_a), (b, not_b) = one, other
        assert a is not None  # constants have been dealt with
        assert b is not None
        if kind == "xor":
            return self.gate("xor", min(a, b), max(a, b)), not_a ^ not_b
        if not_a and not_b:
            return self.gate("or", min(a, b), max(a, b)), True
        if not_a or not_b:
            return self.gate("above", *((b, a) if not_a else (a, b))), False
        return self.gate("and", min(a, b), max(a, b)), False

    def gate(self, kind: str, a: int, b: int) -> int:
        """Give the signal of a gate, making it if there is none."""
        own = Gate(kind, a, b)
        if own not in self.numbers:
            if len(self.gates) >= self.most:
                raise OverflowError
            self.numbers[own] = self.bits + len(self.gates)
            self.gates.append(own)
        return self.numbers[own]


def _essential(table: Booleans, names: tuple[int, ...]) -> tuple[Booleans, tuple[int, ...]]:
    """Drop the axes that a function ``(2, 2, ...)`` does not depend on."""
    for axis in range(table.ndim - 1, -1, -1):
        low = np.take(table, 0, axis)
        if np.array_equal(low, np.take(table, 1, axis)):
            table, names = low, names[:axis] + names[axis + 1 :]
    return table, names
