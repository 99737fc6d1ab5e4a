from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.spatial import cKDTree

from tasks.lipschitz_instances import GENERATE, MANIFOLDS, SPECS, gradients, problem, sampled, streams

MANIFOLD, METRIC = GENERATE.manifolds, GENERATE.metric
FLAT, CURVED = MANIFOLDS[:6], MANIFOLDS[6:]


@pytest.mark.parametrize("name", MANIFOLDS)
def test_no_difference_quotient_exceeds_the_constant_on_a_manifold(name):
    x, y = sampled(name)
    x = x.astype(np.float64)
    bound, rng = SPECS[name].facts["lipschitz"], np.random.default_rng(4)
    one, two = rng.integers(0, len(x), (2, 50_000))
    apart = one != two
    one, two = one[apart], two[apart]
    # Each point's nearest others, too: in the first 8 features, which tells who may be near.
    _, near = cKDTree(x[:4000, :8]).query(x[:4000, :8], k=3)
    steepest = 0.0
    for a, b in ((one, two), (near[:, 0], near[:, 1]), (near[:, 0], near[:, 2])):
        distance = np.sqrt(((x[a] - x[b]) ** 2).sum(axis=1))
        assert (np.abs(y[a] - y[b]) <= bound * distance + 3e-7).all()  # 3e-7: x is rounded to float32
        steepest = max(steepest, (np.abs(y[a] - y[b]) / distance).max())
    # Along the torus a turn has 2 pi sqrt(3) or 2 pi sqrt(2) of R^d for k = 2 or 3, but 4 of the geodesic.
    local = 1.0 if name in FLAT else 4 / (2 * math.pi * math.sqrt({2: 3, 3: 2}[int(name[8])]))
    assert 0.9 * local * bound < steepest


@pytest.mark.parametrize("name", FLAT)
def test_a_function_on_a_subspace_is_as_steep_as_it_is_said(name):
    k, d = int(name[10]), SPECS[name].input_shape[0]
    function, columns = problem(name).function, MANIFOLD.frame(streams(name)("frame"), d, k)
    z = np.random.default_rng(5).uniform(-1, 1, (500, k))
    slopes = gradients(lambda latent: function(latent @ columns.T), z)
    length = np.sqrt((slopes**2).sum(axis=1))
    assert 0.999 < length.max() < 1 + 1e-8
    # Across the subspace it is constant.
    normal = np.random.default_rng(6).normal(size=(500, d))
    normal -= normal @ columns @ columns.T
    np.testing.assert_allclose(function(z @ columns.T + normal), function(z @ columns.T), atol=1e-12)


@pytest.mark.parametrize("k", [2, 3])
def test_chords_of_the_curved_manifold_are_no_shorter_than_geodesics(k):
    z, w = np.random.default_rng(7).random((2, 20_000, k))
    # Close pairs, and pairs half a turn apart in one coordinate, where the bound is tight.
    w[:5000] = z[:5000] + 1e-3 * (w[:5000] - 0.5)
    w[5000:9000] = z[5000:9000]
    w[5000:9000, 0] += 0.5
    wrapped = [MANIFOLD.wrap(MANIFOLD.FREQUENCIES[k], values) for values in (z, w)]
    chords = np.sqrt(((wrapped[0] - wrapped[1]) ** 2).sum(axis=1))
    shifts = np.array(list(itertools.product([-1, 0, 1], repeat=k)))
    geodesics = 4 * np.sqrt(((z[:, None] - w[:, None] + shifts) ** 2).sum(axis=2)).min(axis=1)
    assert (chords >= geodesics * (1 - 1e-9)).all()
    tight = (chords / geodesics).min()
    assert tight < (1.001 if k == 3 else 1.2)
    turns = np.array([MANIFOLD.torus_distance(z[i : i + 1], w[i])[0] for i in range(0, 20_000, 97)])
    np.testing.assert_allclose(turns, geodesics[::97], rtol=1e-9)


@pytest.mark.parametrize("name", CURVED)
def test_curved_instances_are_what_they_say(name):
    """Brute force, from the latents: the formulas once more, with NumPy's own sines and matrix products."""
    k, d, draw = int(name[8]), SPECS[name].input_shape[0], streams(name)
    x, y = sampled(name)
    z = MANIFOLD.curved_latents(k, draw)[:50]
    frequencies = MANIFOLD.FREQUENCIES[k]
    angles = 2 * np.pi * z[:, :, None] * np.array(frequencies)
    waves = np.stack([np.cos(angles), np.sin(angles)], axis=3) / np.array(frequencies)[:, None]
    columns = MANIFOLD.frame(draw("frame"), d, 12)
    np.testing.assert_allclose(x[:50], waves.reshape(50, 12) @ columns.T, atol=2e-7)
    rng = draw("target", family=name[:9])
    points = rng.random((METRIC.ANCHORS[k], k))
    drawn = rng.random(len(points))
    shifts = np.array(list(itertools.product([-1, 0, 1], repeat=k)))
    away = 4 * np.sqrt(((z[:, None, None] - points[:, None] + shifts) ** 2).sum(axis=3)).min(axis=2)
    # The values before they were lowered give the same function: the extension lowers them itself.
    np.testing.assert_allclose(y[:50], (drawn + away).min(axis=1), atol=1e-12)


@pytest.mark.parametrize("d", [16, 256])
def test_manifolds_of_one_k_share_latents_and_labels(d):
    for name in ("subspace-k2", "curved-k3"):
        (x, y), (_, other) = sampled(f"{name}-d{d}"), sampled(f"{name}-d64")
        np.testing.assert_allclose(y, other, atol=1e-6)
        assert np.linalg.matrix_rank(x[:200], tol=1e-4) == (2 if name == "subspace-k2" else 12)


@pytest.mark.parametrize(("d", "m"), [(16, 2), (16, 12), (256, 12), (12, 12)])
def test_frames_are_orthonormal(d, m):
    columns = MANIFOLD.frame(np.random.default_rng(8), d, m)
    assert columns.shape == (d, m)
    np.testing.assert_allclose(columns.T @ columns, np.eye(m), atol=1e-15)
