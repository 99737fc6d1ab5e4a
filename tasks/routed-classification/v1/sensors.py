"""Years of weather at sea: which quarter of a year a series of 12 months starts in; the domain is the sensor.

The data are the climatology of COADS, the Comprehensive Ocean-Atmosphere Data Set: for each month, what was
measured in squares of 2 degrees, averaged over the years. They come in the Debian package ferret-datasets.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sparsebench.tasks.generation import stream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from sparsebench.tasks import InstanceSpec

    Float64 = NDArray[np.float64]
    Int64 = NDArray[np.int64]

REF = "routed-classification@1"
PACKAGE = Path("/usr/share/ferret-vis/data/coads_climatology.cdf")
MONTHS, QUARTERS, STARTS = 12, 4, 2
"""Months of a series, classes, and how many series are made of each year of measurements."""
LEVELS = 64
"""A feature is a multiple of 1/64."""
MISSING = -1e33
"""Whatever is below was not measured; the file says -1e34."""
BLOCK = 10
"""Degrees of latitude and longitude: places in one such block are in one split."""
SHARES = {"train": 80, "valid": 8, "test": 12}
"""Per cent of the blocks."""


class Sensor(NamedTuple):
    """What is measured: its name in the file, and the scale of feature 0, (value - zero) / unit.

    Scales are like those of a logger's channels: the level of a series tells most sensors apart, but not the
    two temperatures, nor the two winds.
    """

    variable: str
    zero: float
    unit: float
    """A power of two, so that dividing is exact."""


SENSORS = {
    "sea-temperature": Sensor("SST", -16.0, 16.0),  # °C
    "air-temperature": Sensor("AIRT", -16.0, 16.0),  # °C
    "humidity": Sensor("SPEH", 32.0, 8.0),  # g/kg
    "wind-speed": Sensor("WSPD", -12.0, 4.0),  # m/s
    "wind-eastward": Sensor("UWND", 0.0, 4.0),  # m/s
    "wind-northward": Sensor("VWND", 0.0, 4.0),  # m/s
    "pressure": Sensor("SLP", 1048.0, 8.0),  # hPa
}
"""Name of a domain → its sensor, in the order of the tags."""


class Years(NamedTuple):
    """Years of measurements, one a row."""

    values: Float64
    """``(n, 12)``, January to December, in the units of the file."""
    latitude: Float64
    """``(n,)``, degrees north."""
    longitude: Float64
    """``(n,)``, degrees east."""


class Series(NamedTuple):
    """Series of 12 months, one a row."""

    x: NDArray[np.float32]
    """``(n, 12, 2)``: the scaled value, and the latitude over 90°."""
    quarter: Int64
    """``(n,)``: 0 for January to March, which the first month is in."""
    tag: Int64
    """``(n,)``"""
    block: Int64
    """``(n,)``"""


def read(variables: Iterable[str]) -> dict[str, Years]:
    """Read variables from the package's file, in NetCDF's classic format."""
    from scipy.io import netcdf_file  # noqa: PLC0415 - not a dependency: only where the data are made

    with netcdf_file(PACKAGE, "r", mmap=False) as file:
        axes = [np.array(file.variables[name][:], dtype=np.float64) for name in ("COADSY", "COADSX")]
        grids = {name: np.array(file.variables[name][:], dtype=np.float64) for name in variables}
    return {name: complete(grid, *axes) for name, grid in grids.items()}


def complete(grid: Float64, latitude: Float64, longitude: Float64) -> Years:
    """Take the places of a grid ``(12, latitudes, longitudes)`` at which all months were measured."""
    row, column = np.nonzero((grid > MISSING).all(axis=0))
    return Years(grid[:, row, column].T, latitude[row], longitude[column])


def rounded(values: Float64) -> NDArray[np.float32]:
    """Round to the nearest multiple of 1 / `LEVELS`, of two as near to the even one; without -0.0."""
    return (np.rint(values * LEVELS) / LEVELS + 0.0).astype(np.float32)


def block(latitude: Float64, longitude: Float64) -> Int64:
    """Return the numbers of places' blocks: 36 from Greenwich eastwards, in 18 rows from the south pole."""
    row = np.floor_divide(latitude + 90.0, BLOCK).astype(np.int64)
    return row * (360 // BLOCK) + np.floor_divide(longitude % 360.0, BLOCK).astype(np.int64)


def cut(years: Years, sensor: Sensor, tag: int, rng: np.random.Generator) -> Series:
    """Cut years open at `STARTS` random months each, all different, and go round from there."""
    start = rng.permuted(np.tile(np.arange(MONTHS), (len(years.values), 1)), axis=1)[:, :STARTS].reshape(-1)
    values, latitude, longitude = (np.repeat(column, STARTS, axis=0) for column in years)
    months = (start[:, None] + np.arange(MONTHS)) % MONTHS
    scaled = (np.take_along_axis(values, months, axis=1) - sensor.zero) / sensor.unit
    where = np.broadcast_to((latitude / 90.0)[:, None], scaled.shape)
    return Series(
        x=rounded(np.stack([scaled, where], axis=2)),
        quarter=start // (MONTHS // QUARTERS),
        tag=np.full(len(start), tag, dtype=np.int64),
        block=block(latitude, longitude),
    )


def distinct(series: Series) -> Series:
    """Leave out series whose x is that of another; features that are not equal are 1/64 apart."""
    keys = [row.tobytes() for row in series.x]
    number = Counter(keys)
    kept = np.array([number[key] == 1 for key in keys])
    return Series(*(column[kept] for column in series))


def split(blocks: Int64, rng: np.random.Generator) -> dict[str, Int64]:
    """Deal rows out to the splits, with all rows of one block ``(n,)`` in one of them, and shuffle each.

    Returns
    -------
    dict
        Split → numbers of its rows.
    """
    groups = np.unique(blocks)
    place = rng.permutation(len(groups))[np.searchsorted(groups, blocks)]
    order = rng.permutation(len(blocks))
    parts, low = {}, 0
    for name, share in SHARES.items():
        # place / len(groups) is in [low, low + share) per cent, in integers.
        inside = (100 * place >= low * len(groups)) & (100 * place < (low + share) * len(groups))
        parts[name] = order[inside[order]]
        low += share
    return parts


def candidates(spec: InstanceSpec) -> Series:
    """Read all years, and cut them into series."""
    rng = stream(REF, spec.name, spec.seed, "starts")
    years = read(sensor.variable for sensor in SENSORS.values())
    lots = [cut(years[sensor.variable], sensor, tag, rng) for tag, sensor in enumerate(SENSORS.values())]
    return distinct(Series(*(np.concatenate(columns) for columns in zip(*lots, strict=True))))


def build(spec: InstanceSpec) -> dict[str, dict[str, NDArray[np.generic]]]:
    """Make an instance's three files; ids run through them."""
    series = candidates(spec)
    files, start = {}, 0
    for name, rows in split(series.block, stream(REF, spec.name, spec.seed, "split")).items():
        files[f"{spec.name}-{name}.parquet"] = {
            "id": np.arange(start, start + len(rows), dtype=np.int64),
            "x": series.x[rows],
            "y": series.quarter[rows],
            "tag": series.tag[rows],
        }
        start += len(rows)
    return files
