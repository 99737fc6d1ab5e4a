"""Grid table: quantised coordinates are the address of a constant, or of an affine function."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

import sparsebench as sb
from sparsebench import ops
from walsh import addresses, on_cube, signs, tables

if TYPE_CHECKING:
    from collections.abc import Callable

    Teacher = Callable[[np.ndarray], "Answers"]

MEMORY = 15 * 2**20  # bytes that affine cells may take: where inputs are wide there are fewer
FEW = 2  # coordinates that are scaled and quantised; more of them are compared with edges, level by level
CENTRES = 2048  # of the kernel machine
WIDTHS = (0.125, 0.25, 0.5, 1.0, 2.0)  # of its kernel, in deviations of the inputs, to choose among
TRIAL = 512  # centres while a width is chosen
RIDGE = 1e-9
NEIGHBOURS = 24  # that an interpolation by neighbours is made of
PRIOR = 32  # samples that the middle of a cell, and what the teacher says of it, are worth
BESIDE = 1024  # inputs around some points that their neighbours are looked for among
SIGNS = 10  # of the cube that tell affine cells apart, at most: each needs samples of its own
LOSS = 0.002  # share of validation samples that a smaller table of signs may miss more than the best
CHUNK = 512  # points that a teacher is asked for at once


class GridTable(sb.Routed):
    """Look a function up in a grid of 2**bits cells that a dense teacher has filled.

    On the Boolean cube, where labels are two classes, a cell is told by the signs of the coordinates that
    matter, as their Walsh coefficients say.

    Parameters
    ----------
    task
        Public facts of the task: whether labels are classes.
    bits
        Bits of an address (B), spread over the coordinates; fewer where affine cells would not fit into
        memory, and on the cube at most so many.
    affine
        Whether a cell holds an affine function instead of a constant.
    """

    def __init__(self, task: sb.TaskInfo, *, bits: int, affine: bool = False) -> None:
        while affine and 4 * 2**bits * (math.prod(task.input_shape) + 1) > MEMORY:
            bits -= 1
        self.bits = bits
        self.affine = affine
        self.classes = task.classes
        super().__init__(GridRouter(bits), CellExperts(bits, affine=affine, classes=task.classes is not None))

    def fit(self, train: sb.Split, valid: sb.Split, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Fit router and experts one after the other; on the cube, where bits are chosen, together.

        Returns
        -------
        dict of str to numpy.ndarray
            What `GridRouter.fit` and `CellExperts.fit` return; on the cube ``constants`` are classes, int64.

        Raises
        ------
        ValueError
            If labels are classes, and not two, or inputs are not of -1 and 1 alone.
        """
        if self.classes is None:
            return super().fit(train, valid, rng)
        if not on_cube(train.x, self.classes):
            raise ValueError("grid-table: of classes it tabulates two, and inputs of -1 and 1 alone")
        return of_signs(train, valid, self.bits, affine=self.affine)


def of_signs(train: sb.Split, valid: sb.Split, bits: int, *, affine: bool) -> dict[str, np.ndarray]:
    """Tabulate a function on the cube by the coordinates that matter, as few as the validation samples allow.

    Returns
    -------
    dict of str to numpy.ndarray
        As `GridTable.fit`, of one level.
    """
    y, told = signs(train.y), (valid.x, signs(valid.y))
    made = []
    for columns, values in tables(train.x, y, min(bits, SIGNS) if affine else bits, told):
        params = {"columns": columns, "edges-0": np.zeros(len(columns))}
        if affine:
            start = Answers(values, np.zeros((len(values), train.x.shape[1])))
            cell = addresses(train.x, columns)
            own = corrected(start, train.x.astype(np.float64), y, cell, affine=True)
            params["slopes"] = own.slopes[:, None, :].astype(np.float32)
            params["intercepts"] = own.values[:, None].astype(np.float32)
            cell = addresses(valid.x, columns)
            sides = own.values[cell] + np.sum(valid.x * own.slopes[cell], axis=1) > 0
        else:
            params["constants"] = (values > 0).astype(np.int64)
            sides = params["constants"][addresses(valid.x, columns)]
        made.append((float(np.mean(sides == valid.y)), params))
    best = max(right for right, _ in made)
    return next(params for right, params in made if right >= best - LOSS)


class Grid(NamedTuple):
    """Cells of equal size in the box of the training inputs."""

    columns: np.ndarray
    """The coordinates that are cut, those with more bits first, int64 ``(c,)``."""
    bits: tuple[int, ...]
    """How many bits each of them has: as equal as may be."""
    low: np.ndarray
    """Where the box begins in each, float64 ``(c,)``."""
    width: np.ndarray
    """How wide it is in each, float64 ``(c,)``."""
    middle: np.ndarray
    """The middle of the box in all coordinates, float64 ``(d,)``."""


def grid_of(x: np.ndarray, bits: int) -> Grid:
    """Lay a grid over inputs ``(n, d)``: where bits do not divide evenly, those that vary more get one more.

    Returns
    -------
    Grid
        Of ``min(bits, d)`` coordinates. A few coordinates that are never negative begin at 0, which spares
        the addition of a shift.
    """
    x = x.astype(np.float64)
    columns = np.argsort(-x.std(axis=0), kind="stable")[: min(bits, x.shape[1])]
    least, most = x.min(axis=0), x.max(axis=0)
    low = least[columns]
    if len(columns) <= FEW and low.min() >= 0:
        low = np.zeros_like(low)
    width = most[columns] - low
    width[width == 0] = 1.0  # a coordinate that never changes
    return Grid(columns, shares(bits, len(columns)), low, width, (least + most) / 2)


def shares(bits: int, columns: int) -> tuple[int, ...]:
    """Spread bits over coordinates as equally as may be, the first ones getting what is left over."""
    each, over = divmod(bits, columns)
    return tuple(each + (place < over) for place in range(columns))


def descend(grid: Grid) -> tuple[list[np.ndarray], np.ndarray]:
    """Halve the cells, level by level, by a bit of every coordinate that has one left.

    Returns
    -------
    list of numpy.ndarray
        For every level the edges of every cell of it, ``(cells, coordinates that are halved)``.
    numpy.ndarray
        The number of every last cell's place in each coordinate, int64 ``(2**bits, c)``.
    """
    places = np.zeros((1, len(grid.bits)), dtype=np.int64)
    levels = []
    for level in range(max(grid.bits)):
        halved = sum(bits > level for bits in grid.bits)
        edges = grid.low + grid.width * (2 * places + 1) / 2 ** (level + 1)
        levels.append(edges[:, :halved])
        sides = np.arange(2**halved)[:, None] >> np.arange(halved)[::-1] & 1
        finer = np.repeat(places, 2**halved, axis=0)
        finer[:, :halved] = 2 * finer[:, :halved] + np.tile(sides, (len(places), 1))
        places = finer
    return levels, places


def places_of(grid: Grid) -> np.ndarray:
    """Give the place in each coordinate of every cell, in the order of the cells, int64 ``(2**bits, c)``."""
    if len(grid.columns) <= FEW:
        return np.indices([2**bits for bits in grid.bits]).reshape(len(grid.bits), -1).T
    return descend(grid)[1]


class GridRouter(sb.Router):
    """Find an input's cell.

    One or two coordinates are scaled and quantised. Of more, the first bit of each is a comparison with a
    constant, and what their next bits are compared with is one look-up for all of them.
    """

    def __init__(self, bits: int) -> None:
        self.bits = bits

    def fit(self, train: sb.Split, valid: sb.Split, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Lay the grid over the training inputs.

        Returns
        -------
        dict of str to numpy.ndarray
            ``columns``: int64 ``(c,)``. For one or two coordinates ``scale`` and, where one is negative,
            ``shift``, float64 ``(c,)``; else ``edges-0``, float64 ``(c,)``, and for every further level
            ``edges-l``, float64 ``(cells, halved)``, and ``first-l``, int64 ``(cells,)``: the first of the
            cells that a cell is cut into.
        """
        grid = grid_of(train.x, self.bits)
        params = {"columns": grid.columns}
        if len(grid.columns) <= FEW:
            params["scale"] = 2.0 ** np.array(grid.bits) / grid.width
            return params | ({"shift": -grid.low * params["scale"]} if grid.low.any() else {})
        levels, _ = descend(grid)
        params["edges-0"] = levels[0][0]
        for level, edges in enumerate(levels[1:], start=1):
            params[f"edges-{level}"] = edges
            params[f"first-{level}"] = np.arange(len(edges)) << edges.shape[1]
        return params

    def route(self, params: dict[str, Any], x: Any) -> sb.Routes:
        """Give the cell of every input, ``(n, 1)``."""
        x = x[:, params["columns"]]
        cell = self._scaled(params, x) if "scale" in params else _compared(params, x)
        return sb.Routes(experts=cell[:, None])

    def _scaled(self, params: dict[str, Any], x: Any) -> Any:
        x = x * params["scale"]
        if "shift" in params:
            x = x + params["shift"]
        bits = shares(self.bits, x.shape[1])
        cell = ops.quantize(x[:, 0], levels=2 ** bits[0])
        for column in range(1, x.shape[1]):
            cell = cell * 2 ** bits[column] + ops.quantize(x[:, column], levels=2 ** bits[column])
        return cell


def _compared(params: dict[str, Any], x: Any) -> Any:
    """Compare with edges: those of a deeper level lie with the number that its bits are added to."""
    cell = _packed(x > params["edges-0"])
    level = 1
    while f"edges-{level}" in params:
        edges, first = ops.gather(cell, params[f"edges-{level}"], params[f"first-{level}"])
        cell = first + _packed(x[:, : edges.shape[1]] > edges)
        level += 1
    return cell


def _packed(sides: Any) -> Any:
    """Pack the columns of ``(n, c)`` booleans."""
    return ops.pack_bits(*(sides[:, column] for column in range(sides.shape[1])))


class CellExperts(sb.Experts):
    """What a dense teacher says at the centre of a cell."""

    def __init__(self, bits: int, *, affine: bool, classes: bool) -> None:
        self.bits = bits
        self.affine = affine
        self.classes = classes

    def fit(
        self,
        train: sb.Split,
        valid: sb.Split,
        rng: np.random.Generator,
        routes: sb.Routes,
    ) -> dict[str, np.ndarray]:
        """Ask a teacher for its value and its slope at every centre; the samples of a cell correct it.

        Far from all samples the teacher guesses badly, and the affine function of all samples, or their mean,
        may be the better one to begin with: the validation split says so.

        Returns
        -------
        dict of str to numpy.ndarray
            ``constants``: float32 ``(2**B,)``; or ``slopes``: float32 ``(2**B, 1, d)`` and ``intercepts``:
            float32 ``(2**B, 1)``.
        """
        cell = routes.experts[:, 0]
        centres = cell_centres(grid_of(train.x, self.bits), train.x, cell)
        router = GridRouter(self.bits)
        unseen = router.route(router.fit(train, valid, rng), valid.x).experts[:, 0]

        def filled(teacher: Teacher) -> Answers:
            told = teacher(centres)
            if not self.affine:
                told = Answers(told.values, np.zeros_like(told.slopes))
            return corrected(told, train.x - centres[cell], train.y, cell, affine=self.affine)

        def error(own: Answers) -> float:
            away = valid.x - centres[unseen]
            told = own.values[unseen] + np.sum(away * own.slopes[unseen], axis=1)
            return float(np.mean((told - valid.y) ** 2))

        teachers = (best_teacher(train, valid, rng), affine_teacher(train), mean_teacher(train))
        values, slopes = min(map(filled, teachers), key=error)
        if not self.affine:
            return {"constants": values.astype(np.float32)}
        intercepts = values - np.sum(slopes * centres, axis=1)
        return {
            "slopes": slopes[:, None, :].astype(np.float32),
            "intercepts": intercepts[:, None].astype(np.float32),
        }

    def apply(self, params: dict[str, Any], x: Any, routes: sb.Routes) -> Any:
        """Look the cell up: ``(n,)``, float32, or int64 classes."""
        cell = routes.experts[:, 0]
        if not self.affine:
            return ops.gather(cell, params["constants"])
        told = ops.grouped_linear(x, cell, params["slopes"], params["intercepts"])[:, 0]
        xp = x.__array_namespace__()
        return xp.astype(told > 0, xp.int64) if self.classes else told


def cell_centres(grid: Grid, x: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Give a point of every cell: its middle, and more and more the mean of its samples where it has many.

    Inputs on a curved surface keep to a corner of their cell, and the function is known there alone.

    Returns
    -------
    numpy.ndarray
        float64 ``(2**bits, d)``.
    """
    places = places_of(grid)
    sums = np.tile(PRIOR * grid.middle, (len(places), 1))
    sums[:, grid.columns] = PRIOR * (grid.low + grid.width * (places + 0.5) / 2.0 ** np.array(grid.bits))
    np.add.at(sums, cell, x)
    return sums / (PRIOR + np.bincount(cell, minlength=len(places)))[:, None]


def corrected(
    told: Answers, offsets: np.ndarray, y: np.ndarray, cell: np.ndarray, *, affine: bool
) -> Answers:
    """Add to every cell's function the ridge regression of what it leaves over on the samples in the cell.

    A large cell has many samples, and a tangent at its centre says little about its corners.

    Parameters
    ----------
    told
        What the teacher says at the centres.
    offsets, y, cell
        Of every sample: where it lies from the centre of its cell ``(n, d)``, its label, its cell.
    affine
        Whether slopes are corrected, too.
    """
    values, slopes = told.values.copy(), told.slopes.copy()
    rest = y - values[cell] - np.sum(offsets * slopes[cell], axis=1)
    unit = np.sqrt(np.mean(offsets**2, axis=0))
    unit[unit == 0] = 1.0
    inputs = np.column_stack([np.ones(len(y)), offsets / unit] if affine else [np.ones(len(y))])
    for own, rows in members(cell):
        found = ridge(inputs[rows], rest[rows])
        values[own] += found[0]
        if affine:
            slopes[own] += found[1:] / unit
    return Answers(values, slopes)


def ridge(a: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Regress with the weight of ``PRIOR`` samples on 0, by the smaller of the two systems that say so."""
    many, features = a.shape
    if many < features:
        return a.T @ np.linalg.solve(a @ a.T + PRIOR * np.eye(many), y)
    return np.linalg.solve(a.T @ a + PRIOR * np.eye(features), a.T @ y)


def members(cell: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """List the cells that have samples, each with the numbers of its samples."""
    order = np.argsort(cell, kind="stable")
    seen, first = np.unique(cell[order], return_index=True)
    return list(zip(seen.tolist(), np.split(order, first[1:]), strict=True))


class Answers(NamedTuple):
    """What a teacher says at points ``(m, d)``."""

    values: np.ndarray
    """``(m,)``."""
    slopes: np.ndarray
    """``(m, d)``."""


def best_teacher(train: sb.Split, valid: sb.Split, rng: np.random.Generator) -> Teacher:
    """Choose a teacher by the validation split: kernel machines of several widths, or the neighbours.

    Returns
    -------
    callable
        Gives `Answers` at points ``(m, d)``.
    """
    x, y = train.x.astype(np.float64), train.y.astype(np.float64)
    order = rng.permutation(len(x))
    scale = np.sqrt(np.sum(x.var(axis=0)))
    some = order[: 4 * TRIAL]

    def error(teacher: Teacher) -> float:
        return float(np.mean((teacher(valid.x[:CHUNK].astype(np.float64)).values - valid.y[:CHUNK]) ** 2))

    trials = [kernel_machine(x[some], y[some], x[some[:TRIAL]], width * scale) for width in WIDTHS]
    width = WIDTHS[int(np.argmin([error(trial) for trial in trials]))]
    machine = kernel_machine(x, y, x[order[:CENTRES]], width * scale)
    return min(machine, neighbours(x, y), key=error)


def affine_teacher(train: sb.Split) -> Teacher:
    """Fit one affine function to all samples, by least squares."""
    x, y = train.x.astype(np.float64), train.y.astype(np.float64)
    middle = x.mean(axis=0)
    slope = np.linalg.lstsq(x - middle, y - y.mean(), rcond=None)[0]
    return lambda points: Answers(y.mean() + (points - middle) @ slope, np.tile(slope, (len(points), 1)))


def mean_teacher(train: sb.Split) -> Teacher:
    """Say the mean label everywhere."""
    mean = float(train.y.mean(dtype=np.float64))
    return lambda points: Answers(np.full(len(points), mean), np.zeros(points.shape))


def in_chunks(teacher: Teacher) -> Teacher:
    """Ask for a few points at a time, so that the kernels fit into memory."""

    def ask(points: np.ndarray) -> Answers:
        parts = [teacher(points[start : start + CHUNK]) for start in range(0, len(points), CHUNK)]
        return Answers(*map(np.concatenate, zip(*parts, strict=True)))

    return ask


def kernel_machine(x: np.ndarray, y: np.ndarray, centres: np.ndarray, width: float) -> Teacher:
    """Fit Gaussian bumps at some inputs, by ridge regression on all of them."""
    mean = y.mean()
    gram, moment = np.zeros((len(centres), len(centres))), np.zeros(len(centres))
    for start in range(0, len(x), CHUNK):
        rows = slice(start, start + CHUNK)
        bumps = np.exp(-squares(x[rows], centres) / (2 * width**2))
        gram += bumps.T @ bumps
        moment += bumps.T @ (y[rows] - mean)
    weights = np.linalg.solve(gram + RIDGE * len(x) * np.eye(len(centres)), moment)

    def ask(points: np.ndarray) -> Answers:
        parts = np.exp(-squares(points, centres) / (2 * width**2)) * weights
        sums = parts.sum(axis=1)
        return Answers(mean + sums, (parts @ centres - sums[:, None] * points) / width**2)

    return in_chunks(ask)


def neighbours(x: np.ndarray, y: np.ndarray) -> Teacher:
    """Interpolate between the nearest inputs by their distances: a polyharmonic spline of few centres.

    The spline is a constant and a sum of distances to the neighbours whose weights sum to 0.
    """
    many = min(NEIGHBOURS, len(x))

    def ask(points: np.ndarray) -> Answers:
        rows = around(points, x)
        near = rows[np.argpartition(squares(points, x[rows]), many - 1, axis=1)[:, :many]]
        own, labels = x[near], y[near]
        system = np.ones((len(points), many + 1, many + 1))
        system[:, :many, :many] = np.sqrt(squares(own, own))
        system[:, many, many] = 0.0
        right = np.concatenate([labels, np.zeros((len(points), 1))], axis=1)
        solved = np.linalg.solve(system, right[..., None])[..., 0]
        away = points[:, None] - own
        distance = np.maximum(np.linalg.norm(away, axis=-1), np.finfo(np.float32).tiny)
        values = solved[:, many] + np.sum(solved[:, :many] * distance, axis=1)
        return Answers(values, np.sum((solved[:, :many] / distance)[..., None] * away, axis=1))

    return in_chunks(ask)


def around(points: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Find the inputs in the box of some points, and those nearest to it: neighbouring cells share a box.

    Returns
    -------
    numpy.ndarray
        The numbers of rows of ``x``, at least ``BESIDE`` where there are as many.
    """
    outside = np.maximum(points.min(axis=0) - x, x - points.max(axis=0))
    away = np.sum(np.maximum(outside, 0.0) ** 2, axis=1)
    return np.flatnonzero(away <= np.partition(away, min(BESIDE, len(x)) - 1)[min(BESIDE, len(x)) - 1])


def squares(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Square the distances between two sets of points, or stacks of them."""
    norms = np.sum(x * x, axis=-1)[..., :, None] + np.sum(y * y, axis=-1)[..., None, :]
    return np.maximum(norms - 2 * x @ np.swapaxes(y, -1, -2), 0.0)
