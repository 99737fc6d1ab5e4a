"""The instances that version 2 of memorization adds: pictures of clothes, moved about."""

from __future__ import annotations

import struct
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sparsebench.scoring import best_constant_recall
from sparsebench.tasks.importing import imported_generator
from sparsebench.tasks.parquet import read_columns
from sparsebench.tasks.standard import read_spec, tasks_root

FOLDER = tasks_root() / "memorization" / "v2"
SPECS = {
    name: spec for name, spec in read_spec(FOLDER, draft=True).instances.items() if name.startswith("jitter")
}
with imported_generator(FOLDER) as GENERATE:
    pass
every_instance = pytest.mark.parametrize("name", list(SPECS))
needs_images = pytest.mark.skipif(
    not GENERATE.PACKAGE.is_dir(),
    reason=f"the Debian package dataset-fashion-mnist is not here: {GENERATE.PACKAGE}",
)


def stored(name):
    return read_columns(FOLDER / f"{name}.parquet")


def canvases(name):
    return (stored(name)["x"] * 16).astype(np.uint8).reshape(-1, 16, 16)


def inner(canvas):
    """Cut the smallest window out that has all of what is not black."""
    rows, columns = canvas.any(axis=1).nonzero()[0], canvas.any(axis=0).nonzero()[0]
    return canvas[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


@settings(max_examples=5, deadline=None)
@given(hnp.arrays(np.uint8, (28, 28)))
def test_shrinking_takes_means_over_squares_of_seven_thirds_of_a_pixel(image):
    small = GENERATE.shrunk(image)
    assert (small.shape, small.dtype) == ((12, 12), np.uint8)
    assert small.max() <= 15
    for row, column in ((0, 0), (3, 7), (11, 11)):
        total = Fraction(0)
        for i in range(28):
            for j in range(28):
                high, wide = (
                    max(Fraction(0), min(Fraction(7, 3) * (at + 1), k + 1) - max(Fraction(7, 3) * at, k))
                    for at, k in ((row, i), (column, j))
                )
                total += high * wide * int(image[i, j])
        mean = total / Fraction(7, 3) ** 2
        assert small[row, column] == int(mean / 16)


def test_pictures_are_moved_and_nothing_is_lost():
    levels = np.arange(1, 145, dtype=np.uint8).reshape(1, 12, 12).repeat(3, axis=0)
    canvas = GENERATE.moved(levels, np.array([[0, 0], [4, 4], [1, 3]]))
    assert (canvas.shape, canvas.dtype) == ((3, 16, 16), np.uint8)
    np.testing.assert_array_equal(canvas[0, :12, :12], levels[0])
    np.testing.assert_array_equal(canvas[1, 4:, 4:], levels[0])
    np.testing.assert_array_equal(canvas[2, 1:13, 3:15], levels[0])
    assert (canvas.sum(axis=(1, 2)) == levels[0].sum()).all()


@settings(max_examples=15, deadline=None)
@given(st.integers(10, 40), st.integers(0, 99))
def test_chosen_pictures_are_distinct_and_classes_as_frequent(n, seed):
    rng = np.random.default_rng(seed)
    some = rng.integers(0, 256, size=(60, 28, 28), dtype=np.uint8)
    images = np.concatenate([np.full((1, 28, 28), 9, dtype=np.uint8), some, some])  # grey, and all twice
    labels = np.concatenate([[0], np.arange(60) % 10, np.arange(60) % 10])
    order = rng.permutation(len(images))
    levels, label = GENERATE.chosen(images, labels, order, n)
    counts = np.bincount(label, minlength=10)
    assert counts.tolist() == [n // 10 + (value < n % 10) for value in range(10)]
    known = {GENERATE.shrunk(image).tobytes(): value for image, value in zip(images, labels, strict=True)}
    assert len({small.tobytes() for small in levels}) == n
    assert [known[small.tobytes()] for small in levels] == label.tolist()
    assert (levels != levels[:, :1, :1]).any(axis=(1, 2)).all()


def test_too_few_pictures_are_an_error():
    with pytest.raises(AssertionError, match="too few images of a class"):
        GENERATE.chosen(np.zeros((1, 28, 28), dtype=np.uint8), np.array([0]), np.array([0]), 10)


def test_files_are_read_as_idx(tmp_path, monkeypatch):
    data = struct.pack(">4I", 0x0803, 2, 28, 28) + bytes(i % 251 for i in range(2 * 28 * 28))
    for kind in ("images-idx3", "labels-idx1"):
        (tmp_path / f"train-{kind}-ubyte.gz").write_bytes(GENERATE.gzip.compress(data))
    monkeypatch.setattr(GENERATE, "PACKAGE", tmp_path)
    images = GENERATE.read("images")
    assert images.shape == (2, 28, 28)
    assert images[1, 0, 0] == 28 * 28 % 251
    with pytest.raises(AssertionError, match="unsigned bytes"):
        GENERATE.read("labels")


@every_instance
def test_files_are_as_the_manifest_says(name):
    spec, columns, n = SPECS[name], stored(name), int(name.removeprefix("jitter-"))
    assert set(spec.splits.values()) == {f"{name}.parquet"}, "the training set is the test"
    assert {key: (values.dtype, values.shape) for key, values in columns.items()} == {
        "id": (np.int64, (n,)),
        "x": (np.float32, (n, 256)),
        "y": (np.int64, (n,)),
    }
    np.testing.assert_array_equal(columns["id"], np.arange(n))
    counts = np.bincount(columns["y"])
    assert len(counts) == 10
    assert counts.max() - counts.min() == 1
    # Quality is counted from the share of the most frequent class, as for any classes here.
    assert best_constant_recall(columns["y"]) == counts.max() / n == (n // 10 + 1) / n


@every_instance
def test_pictures_are_distinct_wherever_they_are_moved(name):
    canvas = canvases(name)
    np.testing.assert_array_equal((canvas / np.float32(16)).reshape(len(canvas), -1), stored(name)["x"])
    assert canvas.max() == 15
    assert len({picture.tobytes() for picture in canvas}) == len(canvas)
    # Of a picture that fills its 12 x 12, the corner is known: all 25 places occur, about as often.
    bounds = [inner(picture).shape for picture in canvas]
    assert max(max(shape) for shape in bounds) == 12
    full = np.array([shape == (12, 12) for shape in bounds])
    tops = np.array([np.argwhere(picture)[:, 0].min() for picture in canvas[full]])
    lefts = np.array([np.argwhere(picture)[:, 1].min() for picture in canvas[full]])
    places = np.bincount(5 * tops + lefts, minlength=25)
    assert len(places) == 25
    assert abs(places - full.sum() / 25).max() < 5 * np.sqrt(full.sum() / 25)


@needs_images
@every_instance
def test_labels_are_those_of_the_pictures(name):
    """Every canvas shows a picture of the collection, with its label."""
    images, labels = GENERATE.read("images")[:6_000], GENERATE.read("labels")[:6_000]
    columns = stored(name)
    known = {
        inner(small).tobytes() + bytes(inner(small).shape): value
        for small, value in zip(map(GENERATE.shrunk, images), labels.tolist(), strict=True)
        if small.any()
    }
    found = 0
    for canvas, label in zip(canvases(name), columns["y"].tolist(), strict=True):
        key = inner(canvas).tobytes() + bytes(inner(canvas).shape)
        if key in known:
            found += 1
            assert known[key] == label
    n = len(columns["y"])
    assert found == pytest.approx(n / 10, abs=4 * np.sqrt(n * 9 / 100)), (
        "a tenth of all images were looked at"
    )


def test_other_names_are_errors():
    with pytest.raises(AssertionError, match="expected a name such as jitter-1024, got n16-r2"):
        GENERATE.build(SimpleNamespace(name="n16-r2", seed=1))
