from __future__ import annotations

import numpy as np

from tasks.lipschitz_instances import GENERATE, sampled, skip_without_source


def test_relief_is_what_the_file_says():
    skip_without_source("etopo5")
    x, y = sampled("etopo5")
    height = GENERATE.earth.read_variable("etopo5.cdf", "ROSE")
    row = np.rint((x[:, 0].astype(np.float64) * 90 + 90) * 12).astype(int)
    column = np.rint(x[:, 1].astype(np.float64) * 180 * 12).astype(int) % 4320
    np.testing.assert_array_equal(y, height[row, column] / 1000)
    assert (x[:, 0].min(), x[:, 0].max()) == (-1, 1)
    assert x[:, 1].min() == -1
    assert 0.999 < x[:, 1].max() < 1
    # Places people know: Mount Everest's cell is high, the Mariana Trench is deep, Greenwich is neither.
    for latitude, longitude, low, high in ((28, 87, 4, 9), (11.35, 142.2, -11, -8), (51.5, 0, -0.1, 0.3)):
        value = height[round((latitude + 90) * 12), round(longitude * 12)] / 1000
        assert low < value < high
        cell = np.array([round((latitude + 90) * 12) * 4320 + round(longitude * 12)])
        point = GENERATE.earth.relief_points(cell)[0]
        np.testing.assert_allclose(point * [90, 180], [latitude, longitude], atol=0.05)


def test_sea_temperatures_are_what_the_file_says():
    skip_without_source("sst")
    x, y = sampled("sst")
    temperature = GENERATE.earth.read_variable("coads_climatology.cdf", "SST")
    east, north = (
        GENERATE.earth.read_variable("coads_climatology.cdf", name) for name in ("COADSX", "COADSY")
    )
    turn = np.arctan2(x[:, 3], x[:, 2]) / (2 * np.pi)
    month = np.rint(12 * turn).astype(int) % 12
    row = np.abs(north - 90 * x[:, :1].astype(np.float64)).argmin(axis=1)
    column = np.abs(east - (200 + 180 * x[:, 1:2].astype(np.float64))).argmin(axis=1)
    np.testing.assert_allclose(north[row], 90 * x[:, 0], atol=1e-5)
    np.testing.assert_allclose(east[column], 200 + 180 * x[:, 1], atol=2e-5)
    np.testing.assert_array_equal(y, temperature[month, row, column])
    assert -3 < y.min() < y.max() < 34
    assert sorted(set(month.tolist())) == list(range(12))
    # July is warmer than January in the north, and colder in the south.
    for low, high, sign in ((0.2, 0.5, 1), (-0.5, -0.2, -1)):
        band = (low < x[:, 0]) & (x[:, 0] < high)
        means = [y[band & (month == m)].mean() for m in (0, 6)]
        assert sign * (means[1] - means[0]) > 1
