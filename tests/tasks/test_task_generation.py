from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparsebench.errors import NotFoundError
from sparsebench.tasks import Split, fresh_inputs, load_task
from sparsebench.tasks.generation import run_generator, secret_seed, stream, uniform_inputs


def test_the_streams_are_frozen():
    """NumPy does not promise its streams across versions; the tasks' data depend on these."""
    rng = stream("task@1", "instance", 3, "x")
    assert rng.integers(0, 2**32, 3).tolist() == [760138219, 3549516360, 1004408509]
    assert rng.random(2).tolist() == [0.7985453345024445, 0.3709848465144464]
    assert rng.random(2, dtype=np.float32).tolist() == [0.5397966504096985, 0.6924869418144226]
    assert rng.uniform(-1.0, 1.0, 2).tolist() == [-0.04507926551513175, 0.3477722612085399]


def test_each_purpose_has_its_own_stream():
    keys = [("a", 1, "x"), ("a", 1, "y"), ("a", 2, "x"), ("b", 1, "x")]
    assert len({stream(*key).integers(2**62) for key in keys}) == len(keys)


@pytest.mark.parametrize("low", [-1, 0])
def test_uniform_inputs_fill_the_interval(low):
    x = uniform_inputs(stream("u"), (20_000, 3), low=low)
    assert (x.dtype, x.shape) == (np.float32, (20_000, 3))
    assert low <= x.min() < low + 0.001
    assert 0.999 < x.max() < 1
    assert abs(x.mean() - (low + 1) / 2) < 0.01


def test_the_map_to_minus_one_one_is_exact():
    unit = stream("u").random(1000, dtype=np.float32).astype(np.float64)
    np.testing.assert_array_equal(uniform_inputs(stream("u"), (1000,)).astype(np.float64), 2 * unit - 1)


@settings(max_examples=40, deadline=None)
@given(
    rows=st.integers(1, 20), inner=st.lists(st.integers(1, 3), min_size=1, max_size=3), n=st.integers(0, 30)
)
def test_fresh_inputs_take_each_feature_from_its_own_column(rows, inner, n):
    size = int(np.prod(inner))
    # Feature j has values in [1000 j, 1000 j + rows): any mixing of features would show.
    x = (np.arange(rows)[:, None] + 1000 * np.arange(size)).astype(np.float32).reshape(rows, *inner)
    fresh = fresh_inputs(Split(np.arange(rows), x, np.zeros(rows, np.float32)), np.random.default_rng(0), n)
    assert (fresh.dtype, fresh.shape) == (np.float32, (n, *inner))
    feature, row = np.divmod(fresh.reshape(n, size), 1000)
    np.testing.assert_array_equal(feature, np.broadcast_to(np.arange(size), (n, size)))
    assert (row < rows).all()


def test_a_generator_writes_beside_its_task_or_where_it_is_told(folder, columns, tmp_path, capsys):
    expected = load_task(folder).instances["one"].files["learn.parquet"]

    def build(spec):
        assert (spec.name, spec.seed) == ("one", 7)
        return {"learn.parquet": columns}

    for argv, place in ([], folder), (["--output", str(tmp_path / "a" / "b")], tmp_path / "a" / "b"):
        (folder / "learn.parquet").unlink(missing_ok=True)
        run_generator(build, folder, argv)
        told = {"instance": "one", "file": "learn.parquet", "columns": expected}
        assert json.loads(capsys.readouterr().out) == told
        assert (place / "learn.parquet").is_file()
    assert not (folder / "learn.parquet").exists()


def test_a_generator_hashes_without_writing_and_only_what_is_asked_for(folder, columns, capsys):
    run_generator(lambda _: {"learn.parquet": columns}, folder, ["--hashes", "--instances", "one"])
    assert (
        json.loads(capsys.readouterr().out)["columns"]
        == load_task(folder).instances["one"].files["learn.parquet"]
    )
    with pytest.raises(NotFoundError, match="unknown instance 'two' in tiny@1"):
        run_generator(lambda _: {}, folder, ["--hashes", "--instances", "two"])


@pytest.mark.parametrize("hashes", [[], ["--hashes"]])
def test_what_does_not_fit_into_memory_is_made_in_batches(folder, columns, tmp_path, capsys, hashes):
    def batches():
        for part in (slice(0, 3), slice(3, 5)):
            yield {name: values[part] for name, values in columns.items()}

    run_generator(lambda _: {"learn.parquet": batches}, folder, ["--output", str(tmp_path / "new"), *hashes])
    told = capsys.readouterr()
    assert json.loads(told.out)["columns"] == load_task(folder).instances["one"].files["learn.parquet"]
    assert "progress: learn.parquet" in told.err
    assert "5 rows" in told.err
    assert (tmp_path / "new" / "learn.parquet").is_file() == (not hashes)


def test_a_secret_seed_takes_the_place_of_the_told_one(folder, columns, tmp_path, capsys):
    seen = []

    def build(spec):
        seen.append(spec.seed)
        return {"learn.parquet": columns}

    (tmp_path / "seed").write_bytes(b"a secret of some length")
    run_generator(build, folder, ["--hashes", "--seed-file", str(tmp_path / "seed")])
    assert seen == [secret_seed(b"a secret of some length")]
    assert seen[0].bit_length() > 200
    assert secret_seed(b"a") != secret_seed(b"b")


def test_fresh_inputs_are_new_rows_of_the_same_distribution():
    train = load_task("lipschitz-regression@1").load("polynomial").train
    fresh = fresh_inputs(train, np.random.default_rng(1), 2000)
    old = {row.tobytes() for row in train.x}
    assert not any(row.tobytes() in old for row in fresh)
    np.testing.assert_allclose(fresh.std(axis=0), train.x.std(axis=0), atol=0.03)
    np.testing.assert_array_equal(fresh, fresh_inputs(train, np.random.default_rng(1), 2000))
