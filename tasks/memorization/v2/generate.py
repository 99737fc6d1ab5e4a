"""Makes the new instances of memorization@2, pictures of clothes; the others are those of version 1.

The pictures come from the Debian package dataset-fashion-mnist. Everything is done in integers.
"""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sparsebench.tasks.generation import run_generator, stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sparsebench.tasks import InstanceSpec

    Int64 = NDArray[np.int64]
    Images = NDArray[np.uint8]

REF = "memorization@2"
PACKAGE = Path("/usr/share/datasets/fashion-mnist")
SIDE, SMALL, CANVAS, LEVELS, CLASSES = 28, 12, 16, 16, 10


def read(kind: str) -> NDArray[np.uint8]:
    """Read the collection's training file, in IDX format: images ``(n, 28, 28)`` or labels ``(n,)``."""
    axes = 3 if kind == "images" else 1
    data = gzip.decompress((PACKAGE / f"train-{kind}-idx{axes}-ubyte.gz").read_bytes())
    header = np.frombuffer(data, dtype=">u4", count=1 + axes)
    assert header[0] == 0x0800 + axes, "unsigned bytes, so many axes"
    return np.frombuffer(data, dtype=np.uint8, offset=4 * (1 + axes)).reshape(header[1:].astype(np.int64))


def shrunk(image: Images) -> Images:
    """Shrink an image ``(28, 28)`` to ``(12, 12)`` levels from 0 to 15, means over squares of 7/3 pixels.

    28 pixels in 12 cells: cut each pixel into 3 x 3, and a cell has 7 x 7 of the pieces. Means are rounded
    down.
    """
    part = SIDE * 3 // SMALL
    pieces = np.repeat(np.repeat(image.astype(np.int64), 3, axis=0), 3, axis=1)
    total = pieces.reshape(SMALL, part, SMALL, part).sum(axis=(1, 3))
    return (total // (part * part * LEVELS)).astype(np.uint8)


def chosen(images: Images, labels: Int64, order: Int64, n: int) -> tuple[Images, Int64]:
    """Take n images in a given order: as many of one class as of another, none twice, none of one grey.

    Returns
    -------
    levels, label
        ``(n, 12, 12)`` and ``(n,)``. If n is not a multiple of 10, the first classes have one more.
    """
    left = [n // CLASSES + (value < n % CLASSES) for value in range(CLASSES)]
    kept: dict[bytes, tuple[Images, int]] = {}
    for row in order.tolist():
        value = int(labels[row])
        if not left[value]:
            continue
        small = shrunk(images[row])
        if small.tobytes() not in kept and (small != small[0, 0]).any():
            kept[small.tobytes()] = small, value
            left[value] -= 1
    assert not any(left), "too few images of a class"
    levels, label = zip(*kept.values(), strict=True)
    return np.stack(levels), np.array(label, dtype=np.int64)


def moved(levels: Images, corner: Int64) -> Images:
    """Put pictures ``(n, 12, 12)`` on black canvases ``(n, 16, 16)``, upper left corners at ``(n, 2)``."""
    canvas = np.zeros((len(levels), CANVAS, CANVAS), dtype=np.uint8)
    for place, small, (row, column) in zip(canvas, levels, corner.tolist(), strict=True):
        place[row : row + SMALL, column : column + SMALL] = small
    return canvas


def build(spec: InstanceSpec) -> dict[str, dict[str, Int64 | NDArray[np.float32]]]:
    """Make the one file that is an instance's train, valid and test split.

    There is no `fresh`: these are real data, and the training set is the test.
    """
    found = re.fullmatch(r"jitter-(\d+)", spec.name)
    assert found, f"expected a name such as jitter-1024, got {spec.name}"
    images, labels = read("images"), read("labels").astype(np.int64)
    n, order = int(found[1]), stream(REF, spec.name, spec.seed, "order").permutation(len(labels))
    levels, y = chosen(images, labels, order, n)
    corner = stream(REF, spec.name, spec.seed, "corner").integers(0, CANVAS - SMALL + 1, size=(n, 2))
    x = (moved(levels, corner).reshape(n, -1) / LEVELS).astype(np.float32)
    assert len(np.unique(x, axis=0)) == n, "a picture must not appear twice"
    return {f"{spec.name}.parquet": {"id": np.arange(n, dtype=np.int64), "x": x, "y": y}}


if __name__ == "__main__":
    run_generator(build, Path(__file__).parent)
