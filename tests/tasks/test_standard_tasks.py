from __future__ import annotations

import importlib.util
import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sparsebench.tasks import list_tasks, load_task, regenerate, verify_task

# A published version never changes: where one of these differs, make a new version folder.
FILES = {
    "lipschitz-regression@1": {
        "polynomial-train.parquet": "ab517f4d7c39f216cd46a257013a099d755e267618a3e35390ea4b5a00f8bfb4",
        "polynomial-valid.parquet": "b1e82e89ed0fd9f2cc377dae27e825a101a402114251378e45d6b66070086aa2",
        "polynomial-test.parquet": "96059dc47c5fb3fe19dcb32ec583c5f5597ca2bbb11d314a675bb60cfb0a14e6",
        "hypercube-train.parquet": "9989fb7267c17057e03ef460e21588c52a8f46bd39507024c2cc7f25901eed22",
        "hypercube-valid.parquet": "e02d43280f93da767e277f42999bf9cfc6cde9376c6cbdd05f3de37fd54cdd55",
        "hypercube-test.parquet": "2879fff76506daa3b8be07fef7325f2115386bed0be32641cb4f8ffce2b9c0db",
        "distance-2d-train.parquet": "504b37b522da1c1f96e7ba4814a52969d35a56f16ed0c276cf7c778b120aeadf",
        "distance-2d-valid.parquet": "c34f498c230c2063cd167827bf9f0fa62ceadf2f8cb1ca606a357f521bdb9ef2",
        "distance-2d-test.parquet": "e6c1a905d1ce8dc1c7dea50629a72c59f3d5c3ecd2309920d097c51ab5d09778",
    },
    "memorization@1": {
        "n256-r4.parquet": "98acd62fe4c6900b956ba2808e23566f4bc2b5e67d708848317fa1a2dd117e34",
        "n4096-r4.parquet": "c9ae799b901296edc4735419340b830e99e76b61b524b0c8df46e24dd4e81bdc",
        "n65536-r4.parquet": "d2978ba4e05d012de50a147b4df6f90e4e8f76c04a22b0eef4baf2713426ed47",
    },
}
TASKS = {
    "lipschitz-regression@1": "sha256:9f60bf2a84818afde0c248e4bb0472b37ff245dd13a1468f729829aa3a874718",
    "memorization@1": "sha256:0ff494b0dfab28f4891175ec1c3662731ff21defc285ec5c2d087f09a3736def",
}


def generator(name):
    path = load_task(name).folder / "generate.py"
    spec = importlib.util.spec_from_file_location(f"generate_{path.parts[-3].replace('-', '_')}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


LIPSCHITZ = generator("lipschitz-regression@1")
cube = hnp.arrays(np.float64, (6, 8), elements=st.floats(-1, 1, width=32))
plane = hnp.arrays(np.float64, (6, 2), elements=st.floats(0, 1, width=32))


@pytest.mark.parametrize("ref", TASKS)
def test_published_versions_are_frozen(ref):
    task = load_task(ref)
    assert task.hash == TASKS[ref]
    declared = {file: digest for spec in task.instances.values() for file, digest in spec.files.items()}
    assert declared == {file: f"sha256:{digest}" for file, digest in FILES[ref].items()}
    assert {file.name for file in task.folder.glob("*.parquet")} == set(declared)
    assert all(check.ok for check in verify_task(task))


def test_every_standard_task_is_frozen_here():
    assert {task.ref for task in list_tasks()} == set(TASKS)


@pytest.mark.parametrize("ref", TASKS)
def test_generators_make_identical_content(ref, tmp_path):
    task = load_task(ref)
    regenerate(task, tmp_path)
    checks = verify_task(task, tmp_path)
    assert [check.message for check in checks if not check.ok] == []
    assert len(checks) == len(FILES[ref])


def test_the_committed_data_are_small():
    files = [file for task in list_tasks() for file in task.folder.glob("*.parquet")]
    assert sum(file.stat().st_size for file in files) < 4_000_000


@pytest.mark.parametrize(
    ("name", "n", "small"), [("n256-r4", 2**8, True), ("n4096-r4", 2**12, True), ("n65536-r4", 2**16, False)]
)
def test_memorization(name, n, small):
    task = load_task("memorization@1")
    instance = task.load(name)
    assert (task.metric, task.box.log2_ops_low, task.box.log2_ops_high) == ("recall", 0, 18)
    assert instance.train is instance.valid is instance.test
    split = instance.test
    assert (len(split), split.x.shape, instance.small) == (n, (n, 4), small)
    assert (split.id.dtype, split.x.dtype, split.y.dtype) == (np.int64, np.float32, np.float32)
    assert len(np.unique(split.x, axis=0)) == n
    for values in (split.x, split.y):
        assert -1 <= values.min() < -0.95
        assert 0.95 < values.max() < 1
    # No rule between points and labels: each coordinate's correlation is that of chance.
    assert np.abs(np.corrcoef(split.x.T, split.y)[-1, :-1]).max() < 4 / math.sqrt(n)


@pytest.mark.parametrize(
    ("name", "d", "low"), [("polynomial", 8, -1), ("hypercube", 8, -1), ("distance-2d", 2, 0)]
)
def test_lipschitz_regression(name, d, low):
    task = load_task("lipschitz-regression@1")
    instance = task.load(name)
    splits = [instance.train, instance.valid, instance.test]
    assert (task.metric, task.box.log2_ops_low, task.box.log2_ops_high) == ("nmse", 0, 17)
    assert [len(split) for split in splits] == [16384, 2048, 4096]
    assert instance.small
    x = np.concatenate([split.x for split in splits])
    assert x.shape == (22528, d)
    assert low <= x.min() < x.max() < 1
    assert len(np.unique(x, axis=0)) == 22528, "no test row appears in train or valid"
    np.testing.assert_array_equal(np.concatenate([split.id for split in splits]), np.arange(22528))
    function = LIPSCHITZ.target(name, task.instances[name].seed)
    for split in splits:
        np.testing.assert_array_equal(split.y, function(split.x.astype(np.float64)).astype(np.float32))
    assert instance.test.y.std() > 0


def test_monomials_are_all_and_each_once():
    monomials = LIPSCHITZ.monomials()
    assert len(monomials) == len(set(monomials)) == math.comb(8 + 4, 4) == 495
    assert all(list(m) == sorted(m) and len(m) <= 4 for m in monomials)


@pytest.mark.parametrize("seed", range(5))
def test_coefficients_sum_below_one(seed):
    coefficients = LIPSCHITZ.polynomial_coefficients(np.random.default_rng(seed))
    assert 0.99 < math.fsum(np.abs(coefficients)) < 1
    assert (coefficients < 0).any()
    assert (coefficients > 0).any()


@settings(max_examples=20, deadline=None)
@given(x=cube, seed=st.integers(0, 99))
def test_polynomial_is_the_sum_of_its_monomials(x, seed):
    coefficients = LIPSCHITZ.polynomial_coefficients(np.random.default_rng(seed))
    terms = zip(coefficients, LIPSCHITZ.monomials(), strict=True)
    expected = sum(c * np.prod(x[:, list(variables)], axis=1) for c, variables in terms)
    got = LIPSCHITZ.polynomial(coefficients, x)
    np.testing.assert_allclose(got, expected, atol=1e-14)
    assert np.abs(got).max() < 1


def test_hypercube_is_v_at_the_vertices():
    values = LIPSCHITZ.hypercube_values(np.random.default_rng(3))
    assert set(values) == {-1.0, 1.0}
    vertices = np.array([[1.0 if index >> i & 1 else -1.0 for i in range(8)] for index in range(256)])
    np.testing.assert_array_equal(LIPSCHITZ.hypercube(values, vertices), values)
    np.testing.assert_allclose(LIPSCHITZ.hypercube(values, np.zeros((1, 8))), values.mean(), atol=1e-15)


@settings(max_examples=20, deadline=None)
@given(x=cube, seed=st.integers(0, 99))
def test_hypercube_is_the_formula(x, seed):
    values = LIPSCHITZ.hypercube_values(np.random.default_rng(seed))
    expected = np.zeros(len(x))
    for y in itertools.product([-1, 1], repeat=8):
        vertex = sum(1 << i for i in range(8) if y[i] == 1)
        expected += values[vertex] * np.prod((1 + np.array(y) * x) / 2, axis=1)
    np.testing.assert_allclose(LIPSCHITZ.hypercube(values, x), expected, atol=1e-13)


@settings(max_examples=40, deadline=None)
@given(x=plane, z=plane, points=plane)
def test_distance_is_to_the_nearest_and_1_lipschitz(x, z, points):
    got = LIPSCHITZ.distance(points, x)
    all_distances = np.hypot(x[:, None, 0] - points[:, 0], x[:, None, 1] - points[:, 1])
    np.testing.assert_allclose(got, all_distances.min(axis=1), atol=1e-12)
    between = np.hypot(*(x - z).T)
    assert (np.abs(got - LIPSCHITZ.distance(points, z)) <= between + 1e-12).all()
    np.testing.assert_array_equal(LIPSCHITZ.distance(points, points), 0)
