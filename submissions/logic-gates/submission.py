"""Logic gates: an input is compared with constants, and a circuit of two-input gates does the rest."""

from __future__ import annotations

from typing import Any

import numpy as np

import sparsebench as sb
from circuits import Circuit, Gate, lay_out, run, synthesize
from soft_gates import FUNCTIONS, Layer, fit_gates
from walsh import on_cube, signs, tables

BITS = 16  # coordinates of the cube that a circuit may read
LOSS = 0.002  # share of validation samples that a smaller circuit may miss more than the best
DEPTH = 4  # layers of gates that are trained
LEVELS = (0.25, 0.5, 0.75)  # quantiles of a number that it is compared with
SAMPLES = 16384  # that gates are trained on, at most
WORK = 2**28  # gates times samples of all passes, at most: many gates are trained on fewer samples
QUANTILES = 2048  # samples that quantiles are taken of
EPOCHS = 12


class LogicGates(sb.Submission):
    """A circuit of gates, each of which is one operation.

    Parameters
    ----------
    task
        Public facts of the task: the number of classes.
    gates
        How many gates there may be.
    """

    def __init__(self, task: sb.TaskInfo, *, gates: int) -> None:
        self.classes = task.classes
        self.gates = gates

    def fit(self, train: sb.Split, valid: sb.Split, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Synthesize a circuit where inputs are bits already, and train one elsewhere.

        Returns
        -------
        dict of str to numpy.ndarray
            ``columns``: int64 ``(m,)`` and ``edges``: float32 ``(m,)``, what is compared with what; the
            arrays of `circuits.lay_out`, whose ``outputs`` are the class's gates one class after the other,
            or one signal that says which of two classes it is.
        """
        x = train.x.reshape(len(train.x), -1)
        if on_cube(x, self.classes):
            return of_bits(x, train.y, (valid.x, valid.y), self.gates)
        some = rng.permutation(len(x))[: min(SAMPLES, WORK // (EPOCHS * self.gates))]
        return trained(x[some], train.y[some], self.classes, self.gates, rng)

    def predict(self, params: dict[str, Any], x: Any) -> Any:
        """Give the class whose gates are true most often, int64 ``(n,)``."""
        xp = x.__array_namespace__()
        x = xp.reshape(x, (x.shape[0], -1))
        told = run(params, x[:, params["columns"]] > params["edges"])
        if told.shape[1] == 1:
            return xp.astype(told[:, 0], xp.int64)
        votes = xp.reshape(told, (told.shape[0], self.classes, -1))
        return xp.argmax(xp.sum(votes, axis=2, dtype=xp.int64), axis=1)


def of_bits(
    x: np.ndarray, classes: np.ndarray, valid: tuple[np.ndarray, np.ndarray], most: int
) -> dict[str, np.ndarray]:
    """Find the coordinates that matter, tabulate the label over them, and synthesize the table's circuit.

    Of tables of 1, 2, ... coordinates whose circuits have at most ``most`` gates the smallest circuit is
    taken that the validation samples hardly tell from the best, or the commonest label.
    """
    y, told = signs(classes), (valid[0], signs(valid[1]))
    common = int(2 * np.sum(classes) > len(classes))
    made = [(float(np.mean(valid[1] == common)), 1, constant(common))]
    for columns, values in tables(x, y, BITS, told):
        circuit = synthesize(values > 0, most)
        if circuit is not None:
            params = compared(circuit, columns, np.zeros(len(columns), dtype=np.float32))
            sides = run(params, valid[0][:, params["columns"]] > params["edges"])[:, 0]
            size = len(params["columns"]) + len(circuit.gates)
            made.append((float(np.mean(sides == valid[1])), size, params))
    best = max(right for right, _, _ in made)
    return min((one for one in made if one[0] >= best - LOSS), key=lambda one: one[1])[2]


def constant(label: int) -> dict[str, np.ndarray]:
    """Compare a coordinate, which is -1 or 1, with an edge that it is always or never above."""
    return compared(Circuit(1, [], [0]), np.zeros(1, dtype=np.int64), np.array([-2.0 if label else 2.0]))


def compared(circuit: Circuit, columns: np.ndarray, edges: np.ndarray) -> dict[str, np.ndarray]:
    """Lay a circuit out, whose input bits are comparisons of some numbers of the input with edges."""
    bits, arrays = lay_out(circuit)
    return {"columns": columns[bits].astype(np.int64), "edges": edges[bits].astype(np.float32)} | arrays


def trained(
    x: np.ndarray, y: np.ndarray, classes: int, gates: int, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Train gates on a thermometer code of the inputs, and keep the functions that are likeliest."""
    edges = np.quantile(x[:QUANTILES], LEVELS, axis=0).astype(np.float32).reshape(-1)
    columns = np.tile(np.arange(x.shape[1]), len(LEVELS))
    width = max(1, gates // DEPTH // classes) * classes
    some = np.sort(rng.permutation(len(edges))[: 2 * width])  # the first layer reads no more
    columns, edges = columns[some], edges[some]
    bits = (x[:, columns] > edges).astype(np.float32)
    layers = fit_gates(bits, y, classes=classes, width=width, depth=DEPTH, rng=rng, epochs=EPOCHS)
    return compared(hardened(bits.shape[1], layers), columns, edges)


def hardened(inputs: int, layers: list[Layer]) -> Circuit:
    """Make every gate its likeliest function; one that passes a signal on is no gate."""
    names = list(FUNCTIONS)
    gates: list[Gate] = []
    signals = list(range(inputs))
    for layer in layers:
        made = []
        for a, b, function in zip(*layer.wires.tolist(), layer.logits.argmax(axis=1).tolist(), strict=True):
            gate = _gate(names[function], signals[a], signals[b])
            if isinstance(gate, Gate):
                gates.append(gate)
                gate = inputs + len(gates) - 1
            made.append(gate)
        signals = made
    return Circuit(inputs, gates, signals)


def _gate(function: str, a: int, b: int) -> Gate | int:
    """Give the gate of a function, or the signal that it passes on."""
    own = {"a": a, "b": b}
    match function.split():
        case [name] if name in own:
            return own[name]
        case ["not", name]:
            return Gate("not", own[name], own[name])
        case [first, kind, second]:
            return Gate(kind, own[first], own[second])
    return Gate(function, a, b)
