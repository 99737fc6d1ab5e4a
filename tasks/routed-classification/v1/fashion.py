"""Fashion-MNIST at 16 grey levels, each image rendered in one of five ways, its domain.

The images come from the Debian package dataset-fashion-mnist. Renderings are done in integers. An image is
used once, in one domain; those of the test split are from the collection's own test file.
"""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sparsebench.tasks.generation import stream

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from sparsebench.tasks import InstanceSpec

    Int64 = NDArray[np.int64]
    Images = NDArray[np.uint8]

REF = "routed-classification@1"
PACKAGE = Path("/usr/share/datasets/fashion-mnist")
SIDE, PATCH, LEVELS, CLASSES = 28, 4, 16, 10
ROWS = {"train": ("train", 640), "valid": ("train", 80), "test": ("t10k", 160)}
"""Split → the file that its images are from, and how many for each class in each domain."""


def photo(images: Images) -> Images:
    """Keep images as they are; uint8 ``(n, 28, 28)`` → levels 0 to 15 of the same shape, as all here."""
    return images // LEVELS


def negative(images: Images) -> Images:
    """Swap black and white."""
    return LEVELS - 1 - photo(images)


def edges(images: Images) -> Images:
    """Show where grey changes: the difference to the pixel on the right plus that to the pixel below.

    Differences are taken before greys are rounded to levels; beyond the border everything is black.
    """
    grey = np.pad(images.astype(np.int64), ((0, 0), (0, 1), (0, 1)))
    here = grey[:, :-1, :-1]
    change = np.abs(here - grey[:, :-1, 1:]) + np.abs(here - grey[:, 1:, :-1])
    return np.minimum(change // LEVELS, LEVELS - 1).astype(np.uint8)


def turned(images: Images) -> Images:
    """Turn images by a quarter, against the clock."""
    return np.rot90(photo(images), axes=(1, 2))


def stencil(images: Images) -> Images:
    """Make what is brighter than the image's mean white, and all else black."""
    total = images.sum(axis=(1, 2), dtype=np.int64)
    bright = images.astype(np.int64) * SIDE**2 > total[:, None, None]
    return np.where(bright, LEVELS - 1, 0).astype(np.uint8)


RENDERINGS: dict[str, Callable[[Images], Images]] = {
    "photo": photo,
    "negative": negative,
    "edges": edges,
    "turned": turned,
    "stencil": stencil,
}
"""Name of a domain → its rendering, in the order of the tags."""


class Pool(NamedTuple):
    """Rendered images that may be used, in the order in which they are taken."""

    levels: Images
    """``(n, 28, 28)``, 0 to 15."""
    label: Int64
    """``(n,)``, 0 to 9."""
    tag: Int64
    """``(n,)``, 0 to 4."""
    train: NDArray[np.bool_]
    """``(n,)``: whether the image is from the collection's training file."""


def read(part: str, kind: str) -> NDArray[np.uint8]:
    """Read a file of the package, in IDX format: images ``(n, 28, 28)`` or labels ``(n,)``."""
    axes = 3 if kind == "images" else 1
    data = gzip.decompress((PACKAGE / f"{part}-{kind}-idx{axes}-ubyte.gz").read_bytes())
    header = np.frombuffer(data, dtype=">u4", count=1 + axes)
    assert header[0] == 0x0800 + axes, "unsigned bytes, so many axes"
    return np.frombuffer(data, dtype=np.uint8, offset=4 * (1 + axes)).reshape(header[1:].astype(np.int64))


def distinct(images: Images) -> Int64:
    """List the first of each lot of equal images, in ascending order, without those of one grey all over."""
    seen: dict[bytes, int] = {}
    for row, image in enumerate(images):
        if (image != image[0, 0]).any():
            seen.setdefault(image.tobytes(), row)
    return np.array(list(seen.values()), dtype=np.int64)


def pool(images: Images, label: Int64, train: NDArray[np.bool_], order: Int64) -> Pool:
    """Deal images out to the domains, in a given order, and render them; none of the outcome is there twice.

    Levels are 1/16 apart, so rendered images that are not equal are not within 1e-6 of one another.
    """
    kept = distinct(images[order])
    images, label, train = images[order][kept], label[order][kept], train[order][kept]
    tag, levels = np.empty_like(label), np.empty_like(images)
    for value in range(CLASSES):
        rows = np.flatnonzero(label == value)
        tag[rows] = np.arange(len(rows)) % len(RENDERINGS)
    for domain, render in enumerate(RENDERINGS.values()):
        levels[tag == domain] = render(images[tag == domain])
    kept = distinct(levels)
    return Pool(levels[kept], label[kept], tag[kept], train[kept])


def patches(levels: Images) -> NDArray[np.float32]:
    """Cut images into 7 rows of 7 patches, read line by line, and so their 16 pixels; ``(n, 49, 16)``."""
    across = SIDE // PATCH
    cut = levels.reshape(-1, across, PATCH, across, PATCH).transpose(0, 1, 3, 2, 4)
    return cut.reshape(-1, across**2, PATCH**2).astype(np.float32) / np.float32(LEVELS)


def candidates(spec: InstanceSpec) -> Pool:
    """Read all 70,000 images, in a random order but those of the training file first, and render them.

    Of two equal images of different files it is thus the test's that is left out.
    """
    parts = ("train", "t10k")
    labels = [read(part, "labels").astype(np.int64) for part in parts]
    train = np.repeat([True, False], [len(label) for label in labels])
    shuffled = stream(REF, spec.name, spec.seed, "order").permutation(len(train))
    order = np.concatenate([shuffled[train[shuffled]], shuffled[~train[shuffled]]])
    images = np.concatenate([read(part, "images") for part in parts])
    return pool(images, np.concatenate(labels), train, order)


def build(spec: InstanceSpec) -> dict[str, dict[str, NDArray[np.int64] | NDArray[np.float32]]]:
    """Make an instance's three files, with as many rows of each class and domain; ids run through them."""
    left, rng = candidates(spec), stream(REF, spec.name, spec.seed, "rows")
    free, files, start = np.ones(len(left.label), dtype=np.bool_), {}, 0
    for split, (part, each) in ROWS.items():
        lots = [
            np.flatnonzero(
                free & (left.train == (part == "train")) & (left.label == value) & (left.tag == tag)
            )
            for value in range(CLASSES)
            for tag in range(len(RENDERINGS))
        ]
        assert min(map(len, lots)) >= each, "too few images of a class in a domain"
        rows = rng.permutation(np.concatenate([lot[:each] for lot in lots]))
        free[rows] = False
        ids = np.arange(start, start + len(rows), dtype=np.int64)
        columns = {"id": ids, "x": patches(left.levels[rows]), "y": left.label[rows], "tag": left.tag[rows]}
        files[f"{spec.name}-{split}.parquet"] = columns
        start += len(rows)
    return files
