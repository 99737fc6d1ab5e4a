from __future__ import annotations

import importlib.util
import struct
import sys
from collections import Counter

import numpy as np
import pytest

from sparsebench.tasks.discovery import load_task
from sparsebench.tasks.parquet import read_columns
from sparsebench.tasks.standard import tasks_root

TASK = load_task(tasks_root() / "routed-classification" / "v1", draft=True)
SPEC = TASK.instances["fashion"]


def module(name):
    spec = importlib.util.spec_from_file_location(f"routed_classification_{name}", TASK.folder / f"{name}.py")
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = loaded
    spec.loader.exec_module(loaded)
    return loaded


FASHION = module("fashion")
needs_images = pytest.mark.skipif(
    not FASHION.PACKAGE.is_dir(),
    reason=f"the Debian package dataset-fashion-mnist is not here: {FASHION.PACKAGE}",
)


@pytest.fixture(scope="module")
def built():
    return {file: read_columns(TASK.folder / file) for file in SPEC.files}


@pytest.fixture
def corner():
    """A black image whose upper left is ``[[255, 128], [40, 0]]``."""
    image = np.zeros((1, 28, 28), dtype=np.uint8)
    image[0, :2, :2] = [[255, 128], [40, 0]]
    return image


def test_photo_and_negative(corner):
    photo = FASHION.photo(corner)
    assert photo[0, :2, :2].tolist() == [[15, 8], [2, 0]]
    assert photo.sum() == 25
    np.testing.assert_array_equal(FASHION.negative(corner), 15 - photo)


def test_edges(corner):
    edges = FASHION.edges(corner)[0]
    # |255-128| + |255-40| = 342 is cut off at white; |128-0| + |128-0| = 256 too; 40 + 40 = 80 is level 5.
    assert edges[:2, :2].tolist() == [[15, 15], [5, 0]]
    assert edges.sum() == 35
    # Beyond the border is black.
    last = np.zeros((1, 28, 28), dtype=np.uint8)
    last[0, 27, 27] = 100
    assert FASHION.edges(last)[0, 26:, 26:].tolist() == [[0, 6], [6, 12]]


def test_turned(corner):
    turned = FASHION.turned(corner)[0]
    assert turned[26:, :2].tolist() == [[8, 0], [15, 2]]
    assert turned.sum() == 25


def test_stencil():
    image = np.full((1, 28, 28), 10, dtype=np.uint8)
    image[0, :, 14:] = 12
    assert FASHION.stencil(image)[0].tolist() == [[0] * 14 + [15] * 14] * 28
    # What equals the mean is not brighter.
    image[0] = 11
    image[0, 0, :3] = [10, 11, 12]
    assert np.argwhere(FASHION.stencil(image)[0]).tolist() == [[0, 2]]


def test_patches_are_read_line_by_line():
    image = np.arange(28 * 28).reshape(1, 28, 28)
    cut = FASHION.patches(image)
    assert (cut.shape, cut.dtype) == ((1, 49, 16), np.float32)
    for row in range(7):
        for column in range(7):
            patch = image[0, 4 * row : 4 * row + 4, 4 * column : 4 * column + 4]
            np.testing.assert_array_equal(cut[0, 7 * row + column], patch.reshape(-1) / 16)


def test_equal_images_and_grey_ones_are_left_out(corner):
    grey = np.full_like(corner, 7)
    images = np.concatenate([grey, corner, 255 - corner, corner, grey])
    assert FASHION.distinct(images).tolist() == [1, 2]


def test_the_first_of_equal_renderings_stays(corner):
    # Images 0 and 5 differ below a level: as photographs they are equal, and the domain of both is the first.
    others = [np.random.default_rng(seed).integers(0, 256, (1, 28, 28), dtype=np.uint8) for seed in range(4)]
    images = np.concatenate([corner, *others, corner + (corner == 40), corner])
    labels, train = np.zeros(7, dtype=np.int64), np.array([True] * 5 + [False] * 2)
    left = FASHION.pool(images, labels, train, np.arange(7))
    assert left.tag.tolist() == [0, 1, 2, 3, 4]
    assert left.train.all()
    np.testing.assert_array_equal(left.levels[0], FASHION.photo(corner)[0])
    # In the other order the other copy of the corner stays, and image 5 is a negative: nothing is like it.
    left = FASHION.pool(images, labels, train, np.arange(7)[::-1])
    assert left.tag.tolist() == [0, 1, 2, 3, 4, 0]
    assert left.train.tolist() == [False, False, True, True, True, True]


def test_files_are_read_as_idx(tmp_path, monkeypatch):
    data = struct.pack(">4I", 0x0803, 2, 28, 28) + bytes(i % 251 for i in range(2 * 28 * 28))
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(FASHION.gzip.compress(data))
    (tmp_path / "t10k-labels-idx1-ubyte.gz").write_bytes(FASHION.gzip.compress(data))
    monkeypatch.setattr(FASHION, "PACKAGE", tmp_path)
    images = FASHION.read("t10k", "images")
    assert images.shape == (2, 28, 28)
    assert images[1, 0, 0] == 28 * 28 % 251
    with pytest.raises(AssertionError, match="unsigned bytes"):
        FASHION.read("t10k", "labels")


def test_files_are_as_the_manifest_says(built):
    assert list(SPEC.files) == list(SPEC.splits.values())
    assert tuple(FASHION.RENDERINGS) == SPEC.domains
    for columns, rows in zip(built.values(), (32_000, 4_000, 8_000), strict=True):
        assert [(key, values.dtype) for key, values in columns.items()] == [
            ("id", np.int64), ("x", np.float32), ("y", np.int64), ("tag", np.int64)
        ]  # fmt: skip
        assert columns["x"].shape == (rows, *SPEC.input_shape)
        pairs = Counter(zip(columns["tag"].tolist(), columns["y"].tolist(), strict=True))
        assert len(pairs) == len(SPEC.domains) * SPEC.classes
        assert set(pairs.values()) == {rows // 50}, "as many rows of each class in each domain"
    ids = np.concatenate([columns["id"] for columns in built.values()])
    np.testing.assert_array_equal(ids, np.arange(44_000))


def levels_of(columns, rows=slice(None)):
    """Put patches together again: uint8 ``(n, 28, 28)``."""
    cut = (columns["x"][rows] * 16).astype(np.uint8).reshape(-1, 7, 7, 4, 4)
    return cut.transpose(0, 1, 3, 2, 4).reshape(-1, 28, 28)


def test_no_row_is_there_twice(built):
    seen = set()
    for columns in built.values():
        levels = levels_of(columns)
        np.testing.assert_array_equal(FASHION.patches(levels), columns["x"])  # so unequal rows are 1/16 apart
        assert levels.max() == 15
        assert (levels != levels[:, :1, :1]).any(axis=(1, 2)).all(), "no image of one grey"
        seen.update(levels.reshape(-1, 784).view("V784").ravel().tolist())
    assert len(seen) == 44_000


@needs_images
@pytest.mark.parametrize(("split", "part"), [("train", "train"), ("valid", "train"), ("test", "t10k")])
def test_images_are_from_the_right_file_with_their_labels(built, split, part):
    images, labels = FASHION.read(part, "images")[:10_000], FASHION.read(part, "labels")[:10_000]
    columns, found = built[f"fashion-{split}.parquet"], set()
    for tag, render in enumerate(FASHION.RENDERINGS.values()):
        here = columns["tag"] == tag
        known = dict(zip(map(bytes, levels_of(columns, here)), columns["y"][here].tolist(), strict=True))
        for image, label in zip(map(bytes, render(images)), labels.tolist(), strict=True):
            if image in known:
                found.add((tag, image))  # a set: some images are there twice in the package
                assert known[image] == label
    # All rows of the test split; of the others the share that the first 10,000 of 60,000 images are.
    rows = len(columns["y"])
    assert len(found) == (rows if part == "t10k" else pytest.approx(rows / 6, rel=0.1))


def test_each_image_is_used_once(built):
    """Undo the renderings that can be undone: no two rows show the same picture."""
    shown = []
    for columns in built.values():
        photos, negatives, turned = (levels_of(columns, columns["tag"] == tag) for tag in (0, 1, 3))
        shown += map(bytes, np.concatenate([photos, 15 - negatives, np.rot90(turned, -1, axes=(1, 2))]))
    assert len(shown) == 44_000 * 3 // 5
    assert len(set(shown)) == len(shown)


@needs_images
def test_building_makes_the_files_that_are_kept(built):
    again = FASHION.build(SPEC)
    assert list(again) == list(built)
    for file, columns in built.items():
        assert list(again[file]) == list(columns)
        for key, values in columns.items():
            np.testing.assert_array_equal(again[file][key], values)
