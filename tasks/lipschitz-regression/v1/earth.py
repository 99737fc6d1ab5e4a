"""Two fields of the real Earth, read from files of Debian's package ferret-datasets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from problem import Problem, Streams

from sparsebench.tasks.portable import cos2pi, sin2pi

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from problem import Sample

    Float64 = NDArray[np.float64]

FOLDER = Path("/usr/share/ferret-vis/data")
ROWS = (32768, 4096, 8192)
MISSING = -1e33
"""Values below are no values: the files write -1e34 there."""


def read_variable(file: str, variable: str) -> Float64:
    """Read a variable of a classic NetCDF file of the package, as float64.

    Raises
    ------
    FileNotFoundError
        If the package is not installed; the frame around a generator checks that first.
    """
    # SciPy is a tool of whoever makes the data again, not of those who use them.
    from scipy.io import netcdf_file  # noqa: PLC0415

    with netcdf_file(FOLDER / file, "r", mmap=False) as source:
        return source.variables[variable].data.astype(np.float64)


def relief_points(cells: NDArray[np.int64]) -> Float64:
    """Place cells of the grid of 2161 x 4320: latitude / 90 and longitude / 180, ``(n, 2)``.

    Rows go from the south pole to the north pole, columns east from Greenwich, every 1/12 of a degree. The
    file's own longitudes are rounded (its last is 359.92), so they are made from the index. East of 180
    degrees they go on at -180.
    """
    row, column = np.divmod(cells, 4320)
    east = column / 2160.0
    return np.stack([row / 1080.0 - 1.0, np.where(east < 1.0, east, east - 2.0)], axis=1)


def relief_problem(streams: Streams) -> Problem:
    """Pose ``etopo5``: height of the ground or of the sea floor in km.

    Cells are drawn without repetition, uniform in latitude and longitude, not in area.
    """

    def sample() -> Sample:
        height = read_variable("etopo5.cdf", "ROSE").reshape(-1)
        cells = streams("x").choice(len(height), size=sum(ROWS), replace=False)
        return relief_points(cells).astype(np.float32), height[cells] / 1000.0

    return Problem(sample, rows=ROWS)


def sea_points(cells: NDArray[np.int64]) -> Float64:
    """Place cells of 12 months x 90 x 180: latitude / 90, (longitude - 200) / 180, and the month's angle.

    ``(n, 4)``. Longitudes run from 20 to 380 degrees east, as in the file: the cut passes through Africa
    and Europe, not through the Pacific. The month is a cosine and a sine, because the year has no first
    month: December is as near to January as June to July, and a number from 1 to 12 would put a cliff
    between them.
    """
    month, place = np.divmod(cells, 90 * 180)
    row, column = np.divmod(place, 180)
    turn = month / 12.0
    columns = [(2.0 * row + 1.0) / 90.0 - 1.0, (2.0 * column + 1.0) / 180.0 - 1.0, cos2pi(turn), sin2pi(turn)]
    return np.stack(columns, axis=1)


def sea_problem(streams: Streams) -> Problem:
    """Pose ``sst``: the sea surface's mean temperature in degrees Celsius, where and when there is one."""

    def sample() -> Sample:
        temperature = read_variable("coads_climatology.cdf", "SST").reshape(-1)
        cells = np.flatnonzero(temperature > MISSING)
        cells = cells[streams("x").choice(len(cells), size=sum(ROWS), replace=False)]
        return sea_points(cells).astype(np.float32), temperature[cells]

    return Problem(sample, rows=ROWS)


PROBLEMS = {"etopo5": relief_problem, "sst": sea_problem}
