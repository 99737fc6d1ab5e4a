"""Targets on k-dimensional subsets of R^d: a flat one, and a curved one.

The three dimensions d of one k share their latent points and their function of them, so that only the
space around differs.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from metric import ANCHORS, consistent, mcshane, one
from problem import ROWS, Problem, Streams

from sparsebench.tasks.generation import uniform_inputs
from sparsebench.tasks.portable import cos2pi, sin2pi

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from problem import Sample

    Float64 = NDArray[np.float64]

DIMENSIONS = (16, 64, 256)
FREQUENCIES = {2: (1, 2, 3), 3: (1, 2)}
"""k → how often each of the circles of a latent coordinate is run through: 12 values in R^12 for both k."""
FLAT_SPREAD, CURVED_SPREAD = 0.5, 1.0
"""Values are drawn from [0, spread): as `metric.SPREAD`, on a cube of edge 2 and a torus of girth 4."""
GIRTH = 4.0
"""The length given to one turn of a latent coordinate: at most |chord| / turn of the unit circle, 4."""


def inner(a: list[float], b: list[float]) -> float:
    """Add up products, the sum correctly rounded: no machine differs."""
    return math.fsum(x * y for x, y in zip(a, b, strict=True))


def frame(rng: np.random.Generator, d: int, m: int) -> Float64:
    """Draw m orthonormal vectors of R^d, as columns ``(d, m)``, orthogonal to about 1e-15.

    Gram and Schmidt, done twice, on sums of twelve uniform numbers: nearly normal, so all directions are
    nearly alike, and without the logarithm in which machines differ.
    """
    parts = rng.random((12, m, d))
    drawn = np.zeros((m, d))
    for part in parts:
        drawn = drawn + (part - 0.5)
    basis: list[list[float]] = []
    for row in drawn.tolist():
        vector = row
        for other in basis + basis:
            share = inner(vector, other)
            vector = [x - share * y for x, y in zip(vector, other, strict=True)]
        size = math.sqrt(inner(vector, vector))
        basis.append([x / size for x in vector])
    return np.array(basis).T


def combine(columns: Float64, z: Float64) -> Float64:
    """Multiply U ``(d, m)`` with each row of z ``(n, m)``: ``(n, d)``, terms added in order."""
    total = np.zeros((len(z), len(columns)))
    for j in range(columns.shape[1]):
        total = total + z[:, j : j + 1] * columns[:, j]
    return total


def torus_distance(z: Float64, point: Float64) -> Float64:
    """Measure geodesics of a flat torus from z ``(n, k)`` in turns to a point ``(k,)``, in units of 1/4 turn.

    Per coordinate the shorter way round, 4 |δ - round(δ)|; then the root of the sum of squares.
    """
    total = np.zeros(len(z))
    for i, value in enumerate(point):
        step = z[:, i] - value
        way = GIRTH * (step - np.rint(step))
        total = total + way * way
    return np.sqrt(total)


def wrap(frequencies: tuple[int, ...], z: Float64) -> Float64:
    """Map latent points in turns ``(n, k)`` onto circles of radius 1/m, run through m times: ``(n, 12)``.

    φ(z) has cos(2 pi m z_i) / m and sin(2 pi m z_i) / m for each coordinate i and frequency m. Between z
    and z + δ the first pair alone has the chord 2 |sin(pi δ_i)| >= 4 |δ_i| for |δ_i| <= 1/2 (the
    sine is concave up to a quarter turn, so above its secant). Added in squares over i,
    |φ(z) - φ(z')| >= `torus_distance` of z and z'. The other frequencies only lengthen it.
    """
    turns = [(z[:, i] * m, float(m)) for i in range(z.shape[1]) for m in frequencies]
    return np.stack([wave(t) / m for t, m in turns for wave in (cos2pi, sin2pi)], axis=1)


def flat_problem(k: int, d: int, streams: Streams) -> Problem:
    """Pose ``subspace-kK-dD``: f(x) = g(U'x), x = U z, z ~ U[-1, 1)^k, U orthonormal, g of McShane.

    f is 1-Lipschitz on all of R^d: U' shortens, and g is 1-Lipschitz. The label is that of x as rounded
    to float32, so it is a function of x itself.
    """
    family = f"subspace-k{k}"
    rng = streams("target", family=family)
    points = rng.uniform(-1.0, 1.0, (ANCHORS[k], k))
    values = consistent(points, FLAT_SPREAD * rng.random(len(points)))
    columns = frame(streams("frame"), d, k)

    def function(x: Float64) -> Float64:
        return mcshane(points, values, combine(np.ascontiguousarray(columns.T), x))

    def draw(rng: np.random.Generator, n: int) -> Sample:
        z = uniform_inputs(rng, (n, k)).astype(np.float64)
        x = combine(columns, z).astype(np.float32)
        return x, function(x.astype(np.float64))

    return Problem(lambda: draw(streams("x", family=family), sum(ROWS)), function, one, draw=draw)


def curved_latents(k: int, streams: Streams) -> Float64:
    """Draw the latent points of a ``curved`` instance's rows, in turns, ``(n, k)``."""
    return draw_latents(streams("x", family=f"curved-k{k}"), sum(ROWS), k)


def draw_latents(rng: np.random.Generator, n: int, k: int) -> Float64:
    """Draw points uniform on [0, 1)^k, ``(n, k)``: multiples of 2^-24."""
    return uniform_inputs(rng, (n, k), low=0).astype(np.float64)


def curved_value(k: int, streams: Streams, z: Float64) -> Float64:
    """Evaluate g of a ``curved`` instance, McShane's in `torus_distance`; ``(n, k)`` → ``(n,)``."""
    rng = streams("target", family=f"curved-k{k}")
    points = rng.random((ANCHORS[k], k))
    drawn = CURVED_SPREAD * rng.random(len(points))
    return mcshane(points, consistent(points, drawn, torus_distance), z, torus_distance)


def curved_frame(k: int, d: int, streams: Streams) -> Float64:
    """Draw U of a ``curved`` instance, ``(d, 12)``."""
    return frame(streams("frame"), d, 2 * k * len(FREQUENCIES[k]))


def curved_embedding(k: int, d: int, streams: Streams, z: Float64) -> Float64:
    """Embed latent points of a ``curved`` instance in R^d: U φ(z), ``(n, k)`` → ``(n, d)``, not rounded."""
    return combine(curved_frame(k, d, streams), wrap(FREQUENCIES[k], z))


def curved_unwrapped(k: int, d: int, streams: Streams, x: Float64) -> Float64:
    """Find the latent points of inputs of a ``curved`` instance, ``(n, d)`` → ``(n, k)``, about 1e-7 off.

    U'U is 1, so U'x has the cosine and sine of 2 pi z_i, frequency 1, in its columns 2 i len(frequencies)
    and the next. The angle is the library's: no label that is stored or scored comes from it.
    """
    columns, step = curved_frame(k, d, streams).T, 2 * len(FREQUENCIES[k])
    sides = [combine(np.ascontiguousarray(columns[[i * step, i * step + 1]]), x) for i in range(k)]
    return np.stack([np.arctan2(side[:, 1], side[:, 0]) / (2.0 * np.pi) % 1.0 for side in sides], axis=1)


def curved_problem(k: int, d: int, streams: Streams) -> Problem:
    """Pose ``curved-kK-dD``: f(U φ(z)) = g(z), z ~ U[0, 1)^k; U orthonormal, so no distance changes.

    g is 1-Lipschitz in the torus distance, which is at most |φ(z) - φ(z')| (see `wrap`): f is
    1-Lipschitz on the manifold in the metric of R^d. Not tight: near points are 2 pi sqrt(frequencies)
    of R^d apart for one turn, against 4 of the torus. Rounding x to float32 moves it by at most 1.2e-7.
    """

    def at(z: Float64) -> Sample:
        return curved_embedding(k, d, streams, z).astype(np.float32), curved_value(k, streams, z)

    def draw(rng: np.random.Generator, n: int) -> Sample:
        return at(draw_latents(rng, n, k))

    def relabel(x: Float64) -> Float64:
        return curved_value(k, streams, curved_unwrapped(k, d, streams, x))

    return Problem(lambda: at(curved_latents(k, streams)), None, one, draw=draw, relabel=relabel)


PROBLEMS = {
    f"{name}-k{k}-d{d}": partial(problem, k, d)
    for name, problem in (("subspace", flat_problem), ("curved", curved_problem))
    for k in (2, 3)
    for d in DIMENSIONS
}
