"""LUT network: a layer of look-up tables over comparisons of the input, whose records are added up."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

import sparsebench as sb
from oblivious import Bins, Loss, bins_of, classes_of, grow, laid_out, leaves_of, newton, of_classes
from walsh import covers, on_cube, signs
from walsh import tables as walsh_tables

SAMPLES = 16384  # that tables are fitted to, at most
GROWN = 4096  # that a table's bits are chosen by, at most
PASSES = 8  # times that every table is fitted anew to what the others leave
LOSS = 0.002  # share of validation samples that a cheaper model may miss more than the best


class LutNetwork(sb.Submission):
    """Tables of k address bits each, whose records are added up.

    Parameters
    ----------
    task
        Public facts of the task: the number of classes.
    tables
        How many tables (T), at most.
    bits
        Address bits of a table (k), at most.
    """

    def __init__(self, task: sb.TaskInfo, *, tables: int, bits: int) -> None:
        self.classes = task.classes
        self.tables = tables
        self.bits = bits

    def fit(self, train: sb.Split, valid: sb.Split, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Choose every table's bits, and fit all records together.

        Returns
        -------
        dict of str to numpy.ndarray
            ``features``: int64 ``(u,)`` and ``thresholds``: float32 ``(u,)``, the different comparisons;
            ``wires``: int64 ``(k, T)``, those that each bit of the tables reads; ``values``: float32
            ``(T, 2**k, o)``, with one output for two classes, else one for each; or int64 ``(1, 2**k)``, the
            classes of a single table.
        """
        x = train.x.reshape(len(train.x), -1)
        some = np.sort(rng.permutation(len(x))[:SAMPLES])
        data = Data.of(x[some], train.y[some], valid, self.classes)
        if on_cube(x, self.classes):
            return self._of_bits(data, rng)
        return self._grown(data, train.tag[some], rng).params

    def predict(self, params: dict[str, Any], x: Any) -> Any:
        """Compare, look up, add, and choose: int64 ``(n,)``."""
        return classes_of(params, x.__array_namespace__().reshape(x, (x.shape[0], -1)))

    def _of_bits(self, data: Data, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Take the cheapest network that the validation samples hardly tell from the best."""
        x, y, (unseen, labels) = data.x, signs(data.y), data.valid
        made = []
        if self.tables == 1:
            for columns, values in walsh_tables(x, y, self.bits, (unseen, signs(labels))):
                model = Wired.of([(columns, np.zeros(len(columns)))], values[None, :, None])
                made.append(model.judged(data))
        elif chosen := covers(x, y, self.bits, self.tables):
            made.append(self._covering(data, chosen))
        if all(own.right < 1 - LOSS for own in made):
            made.append(self._grown(data, None, rng))
        best = max(own.right for own in made)
        return min((own for own in made if own.right >= best - LOSS), key=Wired.size).params

    def _covering(self, data: Data, chosen: list[list[int]]) -> Wired:
        """Fit tables of given coordinates; smaller ones are filled up with what they do not depend on."""
        most = max(map(len, chosen))
        others = range(data.x.shape[1])
        filled = [(own + [i for i in others if i not in own])[:most] for own in chosen]
        wires = [(np.array(own), np.zeros(most, dtype=np.int64)) for own in filled]
        return fitted(data, wires, np.zeros((len(wires), 2**most, 1)), PASSES)

    def _grown(self, data: Data, domains: np.ndarray | None, rng: np.random.Generator) -> Wired:
        """Grow tables one after the other, then fit them together.

        Where samples come from domains, the first bits of all tables are those that tell the domain best.
        """
        prefix, leaf = (np.zeros((2, 0), dtype=np.int64), np.zeros(len(data.y), dtype=np.int64))
        if domains is not None and domains.max() > 0:
            many = int(domains.max()) + 1
            shared = min(self.bits // 2, (many - 1).bit_length())
            told = of_classes(domains, many)
            prefix = np.stack(
                grow(data.bins, told.slopes(np.zeros((len(domains), told.outputs))), shared, rng)
            )
            leaf = leaves_of(data.bins, *prefix)
        outputs = np.zeros((len(data.y), data.loss.outputs))
        wires, values = [], []
        for _ in range(self.tables):
            slopes = data.loss.slopes(outputs)
            some = rng.permutation(len(leaf))[:GROWN]
            part = Bins(data.bins.edges, data.bins.places[some])
            own = grow(part, (slopes[0][some], slopes[1][some]), self.bits - prefix.shape[1], rng, leaf[some])
            wires.append(tuple(np.concatenate([prefix, np.stack(own)], axis=1)))
            cell = leaves_of(data.bins, *wires[-1])
            values.append(self.tables ** (-1 / 3) * newton(cell, slopes, 2**self.bits))
            outputs += values[-1][cell]
        return fitted(data, wires, np.stack(values), PASSES if self.tables > 1 else 0)


class Data(NamedTuple):
    """Samples to fit and to judge by."""

    x: np.ndarray
    """``(N, d)``."""
    y: np.ndarray
    """Classes, int64 ``(N,)``."""
    bins: Bins
    loss: Loss
    valid: tuple[np.ndarray, np.ndarray]
    """Inputs ``(m, d)`` and classes ``(m,)``."""

    @classmethod
    def of(cls, x: np.ndarray, y: np.ndarray, valid: sb.Split, classes: int) -> Data:
        """Bin the inputs."""
        unseen = valid.x.reshape(len(valid.x), -1)
        return cls(x, y, bins_of(x), of_classes(y, classes), (unseen, valid.y))


class Wired(NamedTuple):
    """A network, laid out, and the share of validation samples that it gets right."""

    params: dict[str, np.ndarray]
    right: float = 0.0

    @classmethod
    def of(cls, wires: list[tuple[np.ndarray, np.ndarray]], values: np.ndarray) -> Wired:
        """Lay tables of features and thresholds out; a comparison that several make is made once."""
        features, thresholds = (np.stack(own) for own in zip(*wires, strict=True))
        return cls(laid_out(features, thresholds, values.astype(np.float32), classes=True))

    def judged(self, data: Data) -> Wired:
        """Count what is right."""
        told = classes_of(self.params, data.valid[0])
        return Wired(self.params, float(np.mean(told == data.valid[1])))

    def size(self) -> int:
        """Count comparisons and bits of addresses, which is what a network costs, but for additions."""
        return len(self.params["features"]) + self.params["wires"].size


def fitted(data: Data, wires: list[tuple[np.ndarray, np.ndarray]], values: np.ndarray, passes: int) -> Wired:
    """Fit every table anew to what the others leave, several times; the validation samples say how often.

    A step is Newton's, in every cell by itself, towards the records that lower the loss and their squares.

    Parameters
    ----------
    data
        Samples.
    wires
        Of every table the features, and the numbers of their thresholds.
    values
        Records to start from, ``(T, 2**k, o)``.
    passes
        How often, at most.

    Returns
    -------
    Wired
    """
    cells = [leaves_of(data.bins, *own) for own in wires]
    outputs = sum(own[cell] for own, cell in zip(values, cells, strict=True))
    laid = [(features, data.bins.edges[features, places]) for features, places in wires]
    best = Wired.of(laid, values).judged(data)
    for _ in range(passes):
        for table, cell in enumerate(cells):
            step = newton(cell, data.loss.slopes(outputs), len(values[table]), values[table])
            values[table] += step
            outputs += step[cell]
        later = Wired.of(laid, values).judged(data)
        if later.right <= best.right:
            break
        best = later
    return best
