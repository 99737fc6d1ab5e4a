from __future__ import annotations

import importlib.util
import sys
from collections import Counter

import numpy as np
import pytest

from sparsebench.tasks.standard import tasks_root

FOLDER = tasks_root() / "routed-classification" / "v1"


def module(name):
    spec = importlib.util.spec_from_file_location(f"routed_classification_{name}", FOLDER / f"{name}.py")
    loaded = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


SENSORS = module("sensors")
needs_data = pytest.mark.skipif(
    not SENSORS.PACKAGE.is_file(), reason=f"the Debian package ferret-datasets is not here: {SENSORS.PACKAGE}"
)


class Spec:
    name, seed = "sensors", 6


@pytest.fixture(scope="module")
def files():
    return SENSORS.build(Spec)


def years_of(values, latitude=45.0, longitude=0.0):
    values = np.array(values, dtype=np.float64)
    return SENSORS.Years(values, np.full(len(values), latitude), np.full(len(values), longitude))


def test_only_complete_years_are_taken():
    grid = np.arange(12.0 * 2 * 3).reshape(12, 2, 3)
    grid[4, 0, 1] = grid[0, 1, 2] = -1e34
    years = SENSORS.complete(grid, np.array([-1.0, 1.0]), np.array([21.0, 23.0, 25.0]))
    assert years.latitude.tolist() == [-1, -1, 1, 1]
    assert years.longitude.tolist() == [21, 25, 21, 23]
    np.testing.assert_array_equal(years.values, [grid[:, i, j] for i, j in [(0, 0), (0, 2), (1, 0), (1, 1)]])


def test_values_are_rounded_to_levels():
    values = np.array([1 / 128, 3 / 128, 0.3, -0.3, -1 / 256, 2.0])
    got = SENSORS.rounded(values)
    assert got.dtype == np.float32
    assert (got * 64).tolist() == [0, 2, 19, -19, 0, 128]
    assert not np.signbit(got[4]), "no -0.0, which would hash unlike 0.0"


def test_blocks_are_ten_degrees_wide():
    latitude = np.array([-89.0, -81.0, -79.0, 89.0, 1.0, 1.0, 1.0])
    longitude = np.array([21.0, 29.0, 21.0, 379.0, 359.0, 361.0, 1.0])
    assert SENSORS.block(latitude, longitude).tolist() == [2, 2, 38, 17 * 36 + 1, 9 * 36 + 35, 9 * 36, 9 * 36]


def test_series_go_round_from_their_first_month():
    sensor = SENSORS.Sensor("T", -8.0, 16.0)
    values = 16.0 * np.arange(12.0) + 100.0 * np.arange(50.0)[:, None]
    series = SENSORS.cut(years_of(values), sensor, 3, np.random.default_rng(0))
    assert (series.x.shape, series.x.dtype) == ((100, 12, 2), np.float32)
    assert (series.tag == 3).all()
    np.testing.assert_array_equal(series.x[..., 1], 0.5)
    scaled = (values + 8.0) / 16.0  # multiples of 1/4: nothing is rounded
    months = []
    for row, (x, quarter) in enumerate(zip(series.x[..., 0], series.quarter, strict=True)):
        month = int(np.flatnonzero(scaled[row // 2] == x[0])[0])
        np.testing.assert_array_equal(x, np.roll(scaled[row // 2], -month))
        assert quarter == month // 3
        months.append(month)
    assert set(months) == set(range(12))
    assert all(one != other for one, other in zip(months[::2], months[1::2], strict=True))


def test_equal_series_are_left_out():
    x = np.zeros((4, 12, 2), dtype=np.float32)
    x[1, 3, 0] = x[3, 3, 0] = 1 / 64
    x[2, 4, 1] = 1 / 64
    number = np.arange(4)
    left = SENSORS.distinct(SENSORS.Series(x, number, number, number))
    assert left.quarter.tolist() == left.tag.tolist() == left.block.tolist() == [0, 2]
    np.testing.assert_array_equal(left.x, x[[0, 2]])


def test_blocks_stay_together():
    blocks = np.random.default_rng(1).integers(0, 200, 5000) * 3
    parts = SENSORS.split(blocks, np.random.default_rng(0))
    assert list(parts) == ["train", "valid", "test"]
    np.testing.assert_array_equal(np.sort(np.concatenate(list(parts.values()))), np.arange(5000))
    assert [len(np.unique(blocks[rows])) for rows in parts.values()] == [160, 16, 24]
    assert len(np.unique(blocks)) == 160 + 16 + 24, "no block is in two"
    assert all((np.diff(rows) < 0).any() for rows in parts.values()), "shuffled"


def test_units_are_powers_of_two():
    assert all(np.frexp(sensor.unit)[0] == 0.5 for sensor in SENSORS.SENSORS.values())


@needs_data
def test_the_sea_is_warm_at_the_equator():
    years = SENSORS.read(["SST", "SLP"])
    assert len(years["SST"].values) == 7_410
    assert len(years["SLP"].values) == 7_574
    warm = years["SST"].values[np.abs(years["SST"].latitude) < 5].mean()
    assert 26 < warm < 29  # °C
    north, south = (years["SST"].values[sign * years["SST"].latitude > 30] for sign in (1, -1))
    assert north.mean(axis=0).argmax() in {7, 8}, "August or September"
    assert south.mean(axis=0).argmax() in {1, 2}
    assert 1008 < years["SLP"].values.mean() < 1016  # hPa
    assert (years["SST"].longitude.min(), years["SST"].longitude.max()) == (21, 379)


@needs_data
def test_files_are_as_described(files):
    assert list(files) == [f"sensors-{split}.parquet" for split in ("train", "valid", "test")]
    for columns, rows in zip(files.values(), (84_017, 8_393, 12_114), strict=True):
        assert [(key, values.dtype) for key, values in columns.items()] == [
            ("id", np.int64), ("x", np.float32), ("y", np.int64), ("tag", np.int64)
        ]  # fmt: skip
        assert columns["x"].shape == (rows, 12, 2)
        assert np.isfinite(columns["x"]).all()
        np.testing.assert_array_equal(columns["x"] * 64, np.rint(columns["x"] * 64))
        assert set(columns["y"].tolist()) == set(range(4))
        # A sensor has about as many series as another, and a quarter of a year too.
        for number in (Counter(columns["tag"].tolist()), Counter(columns["y"].tolist())):
            assert min(number.values()) > 0.85 * max(number.values())
    np.testing.assert_array_equal(np.concatenate([c["id"] for c in files.values()]), np.arange(104_524))
    assert max(c["tag"].max() for c in files.values()) == len(SENSORS.SENSORS) - 1


@needs_data
def test_no_series_is_there_twice(files):
    rows = {row.tobytes() for columns in files.values() for row in columns["x"]}
    assert len(rows) == 104_524
