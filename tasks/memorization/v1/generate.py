"""Makes the point sets of memorization@1: random points, random labels, no rule between them.

Every column has a random stream of its own, drawn in pieces, so a set of any size is made in the memory of
one piece. Where points do not come in pairs, the size of the pieces does not change what is drawn.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sparsebench.tasks.generation import run_generator, stream, uniform_inputs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from sparsebench.tasks import InstanceSpec

    Columns = dict[str, NDArray[np.int64] | NDArray[np.float32]]

REF = "memorization@1"
CLASSES = 10
DISTANCE = 1e-4  # the most between the two points of a close pair, in the maximum norm
PIECE = 1 << 20  # rows drawn at once; even, because two float32 share a draw of 64 bits
LEVELS = 1 << 24  # of a coordinate: multiples of 2^-23 in [-1, 1)


class Kind(NamedTuple):
    """What an instance's name says, such as ``n4096-r4-close``."""

    n: int
    """Points."""
    dimensions: int
    """Coordinates of a point."""
    labels: str
    """``real``, ``classes10``, or ``close``: real labels of pairs of points that lie close together."""


def kind_of(name: str) -> Kind:
    """Read the name of an instance."""
    found = re.fullmatch(r"n(\d+)-r(\d+)(?:-(classes10|close))?", name)
    assert found, f"expected a name such as n4096-r4-close, got {name}"
    return Kind(int(found[1]), int(found[2]), found[3] or "real")


def points(rng: np.random.Generator, kind: Kind) -> Iterator[NDArray[np.float32]]:
    """Draw points uniform on [-1, 1)^r, ``(n, r)`` in pieces; of close ones each second is near the first.

    Inputs have 24 random bits in each coordinate. Two equal ones are all but impossible for the sizes and
    dimensions here; for what is not streamed that is checked, because a point with two labels could not be
    memorized.
    """
    for start in range(0, kind.n, PIECE):
        rows = min(PIECE, kind.n - start)
        if kind.labels == "close":
            first = uniform_inputs(rng, (rows // 2, kind.dimensions))
            yield np.stack([first, beside(rng, first)], axis=1).reshape(rows, kind.dimensions)
        else:
            yield uniform_inputs(rng, (rows, kind.dimensions))


def beside(rng: np.random.Generator, first: NDArray[np.float32]) -> NDArray[np.float32]:
    """Move points by at most `DISTANCE` in each coordinate, and by at least 419 steps, 4.99e-5, in one.

    The steps are whole multiples of 2^-23, the grid that the points lie on, so the sums are exact in float64;
    near the edge of the cube they are folded inwards.
    """
    most = int(DISTANCE * (LEVELS // 2))
    steps = rng.integers(-most, most + 1, size=first.shape)
    axis = rng.integers(first.shape[1], size=len(first))
    rows = np.arange(len(first))
    far = rng.integers((most + 1) // 2, most + 1, size=len(first))
    steps[rows, axis] = np.where(rng.integers(0, 2, size=len(first)) == 1, far, -far)
    moved = first.astype(np.float64) + steps * (2.0 / LEVELS)
    folded = first.astype(np.float64) - steps * (2.0 / LEVELS)
    return np.where((moved >= -1.0) & (moved < 1.0), moved, folded).astype(np.float32)


def labels(rng: np.random.Generator, kind: Kind) -> Iterator[NDArray[np.float32] | NDArray[np.int64]]:
    """Draw labels ``(n,)`` in pieces: uniform on [-1, 1), or one of ten classes."""
    for start in range(0, kind.n, PIECE):
        rows = min(PIECE, kind.n - start)
        yield (
            rng.integers(0, CLASSES, size=rows)
            if kind.labels == "classes10"
            else uniform_inputs(rng, (rows,))
        )


def batches(spec: InstanceSpec) -> Iterator[Columns]:
    """Draw one instance in pieces: ``id`` (n,) int64, ``x`` (n, r) float32, ``y`` (n,) float32 or int64."""
    kind = kind_of(spec.name)
    start = 0
    drawn = zip(
        points(stream(REF, spec.name, spec.seed, "x"), kind),
        labels(stream(REF, spec.name, spec.seed, "y"), kind),
        strict=True,
    )
    for x, y in drawn:
        yield {"id": np.arange(start, start + len(x), dtype=np.int64), "x": x, "y": y}
        start += len(x)


def whole(spec: InstanceSpec) -> Columns:
    """Draw one instance at once."""
    pieces = list(batches(spec))
    columns = {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
    # A row's bytes, compared as one value: quicker than comparing numbers, and no row has both 0.0 and -0.0.
    rows = np.ascontiguousarray(columns["x"]).view(f"V{4 * columns['x'].shape[1]}").reshape(-1)
    assert len(np.unique(rows)) == len(rows), "a point must not appear twice"
    return columns


def build(spec: InstanceSpec) -> dict[str, object]:
    """Make the one file that is an instance's train, valid and test split.

    There is no `fresh`: no rule labels another point.
    """
    file = f"{spec.name}.parquet"
    return {file: (lambda: batches(spec)) if spec.streamed else whole(spec)}


if __name__ == "__main__":
    run_generator(build, Path(__file__).parent)
