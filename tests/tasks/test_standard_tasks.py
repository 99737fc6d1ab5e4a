"""What holds for every standard task, and for memorization; other families have files of their own."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from sparsebench.tasks import list_tasks, load_task, rederive, verify_task
from sparsebench.tasks.cache import cached_path
from sparsebench.tasks.parquet import read_columns
from sparsebench.tasks.sources import missing_packages

# A published version never changes: where one of these differs, make a new version folder.
FROZEN = json.loads(Path(__file__).with_name("frozen.json").read_text())
REFS = sorted(FROZEN)
SMALL = [(task.ref, name) for task in list_tasks() for name, spec in task.own.items() if spec.small]
REAL = [(task.ref, name) for task in list_tasks() for name, spec in task.own.items() if spec.source]
MEBIBYTE = 1 << 20


def test_every_standard_task_is_frozen():
    assert [task.ref for task in list_tasks()] == REFS


@pytest.mark.parametrize("ref", REFS)
def test_published_versions_are_frozen(ref):
    task = load_task(ref)
    declared = {file: columns for spec in task.own.values() for file, columns in spec.files.items()}
    assert declared == FROZEN[ref]["files"]
    assert task.hash == FROZEN[ref]["hash"]


@pytest.mark.parametrize("ref", REFS)
def test_the_committed_files_are_those_declared_and_what_their_hashes_say(ref):
    task = load_task(ref)
    committed = {file for spec in task.own.values() if not spec.generated for file in spec.files}
    assert {file.name for file in task.folder.glob("*.parquet")} == committed
    assert [check for check in verify_task(task) if not check.ok] == []


def test_the_committed_data_are_small():
    files = [file for task in list_tasks() for file in task.folder.glob("*.parquet")]
    assert sum(file.stat().st_size for file in files) <= 40 * MEBIBYTE


@pytest.mark.parametrize(("ref", "name"), SMALL)
def test_generators_make_identical_content(ref, name):
    """All instances: `sparsebench tasks verify --all`."""
    checks = list(rederive(load_task(ref), instances=[name]))
    assert [check.message for check in checks if not check.message.startswith("made again")] == []
    assert len(checks) == len(load_task(ref).instances[name].files)


@pytest.mark.parametrize(("ref", "name"), REAL)
def test_real_data_are_derived_from_their_packages(ref, name):
    spec = load_task(ref).instances[name]
    if missing := missing_packages(spec.source.packages):
        pytest.skip(f"{ref}/{name} needs {', '.join(missing)}")
    assert [check for check in rederive(load_task(ref), instances=[name]) if not check.ok] == []


@pytest.mark.parametrize("ref", REFS)
def test_a_version_folder_says_all_that_it_should(ref):
    task = load_task(ref)
    readme = (task.folder.parent / "README.md").read_text()
    for name, spec in task.instances.items():
        assert f"`{name}`" in readme, "the README names every instance"
        assert not (spec.small and spec.generated), "a first try needs nothing made"
        assert spec.board or not spec.small, "a first try shows what the board shows"
        assert (spec.seed is None) is False
        if spec.source:
            assert spec.source.licence
            pinned = [package.removeprefix("debian:").partition("==") for package in spec.source.packages]
            for package, _, version in pinned:
                assert not version or (package in readme.lower() and version in readme), package
    assert 3 <= len(task.board) <= 12
    if task.earlier:
        assert f"Version {task.version} continues version {task.earlier.version}" in " ".join(readme.split())
    assert {name for name in task.board if task.instances[name].streamed} == set()


# memorization@1


def memorized(name):
    return load_task("memorization@1").load(name)


@pytest.mark.parametrize(
    ("name", "n", "r"),
    [("n16-r2", 16, 2), ("n256-r4", 256, 4), ("n4096-r32", 4096, 32), ("n65536-r4", 65536, 4)],
)
def test_memorization_of_real_labels(name, n, r):
    task = load_task("memorization@1")
    instance = task.load(name)
    assert (task.metric, task.box.log2_ops_low, task.box.log2_ops_high) == ("recall", 0, 18)
    assert instance.train is instance.valid is instance.test
    split = instance.test
    assert (len(split), split.x.shape) == (n, (n, r))
    assert (split.id.dtype, split.x.dtype, split.y.dtype) == (np.int64, np.float32, np.float32)
    assert len(np.unique(split.x, axis=0)) == n
    np.testing.assert_array_equal(split.id, np.arange(n))
    for values in (split.x, split.y):
        assert -1 <= values.min() < values.max() < 1
    if n >= 256:
        assert split.y.min() < -0.95
        assert split.y.max() > 0.95
        # No rule between points and labels: each coordinate's correlation is that of chance.
        assert np.abs(np.corrcoef(split.x.T, split.y)[-1, :-1]).max() < 4 / math.sqrt(n)


def test_memorization_of_classes():
    split = memorized("n65536-r4-classes10").test
    assert split.y.dtype == np.int64
    shares = np.bincount(split.y, minlength=10) / len(split)
    assert len(shares) == 10
    assert np.abs(shares - 0.1).max() < 4 * math.sqrt(0.09 / len(split))
    assert load_task("memorization@1").info["n65536-r4-classes10"].classes == 10


@pytest.mark.parametrize("name", ["n4096-r4-close", "n65536-r4-close"])
def test_close_points_come_in_pairs_with_labels_of_their_own(name):
    split = memorized(name).test
    x = split.x.astype(np.float64)
    apart = np.abs(x[::2] - x[1::2]).max(axis=1)
    assert apart.min() >= 0.49e-4
    assert apart.max() <= 1e-4
    assert np.abs(x).max() <= 1
    y = split.y.astype(np.float64)
    assert abs(np.corrcoef(y[::2], y[1::2])[0, 1]) < 4 / math.sqrt(len(y) / 2)
    assert np.abs(y[::2] - y[1::2]).mean() > 0.6, "two thirds, for independent labels"


def test_a_set_drawn_in_pieces_is_the_set_drawn_at_once(monkeypatch):
    import importlib.util

    path = load_task("memorization@1").folder / "generate.py"
    found = importlib.util.spec_from_file_location("generate_memorization", path)
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    task = load_task("memorization@1")
    for name in ("n4096-r4", "n256-r2", "n4096-r4-classes10"):
        whole = module.whole(task.instances[name])
        for piece in (256, 1000):
            monkeypatch.setattr(module, "PIECE", piece)
            pieces = list(module.batches(task.instances[name]))
            assert len(pieces) == -(-len(whole["id"]) // piece)
            for column, values in whole.items():
                np.testing.assert_array_equal(np.concatenate([part[column] for part in pieces]), values)
            monkeypatch.undo()
    with pytest.raises(AssertionError, match="expected a name such as n4096-r4-close, got n4096"):
        module.kind_of("n4096")


def test_what_is_made_on_first_use_is_looked_for_under_its_hash():
    task = load_task("memorization@1")
    spec = task.instances["n1048576-r4"]
    assert spec.generated
    digest = spec.file_hash("n1048576-r4.parquet").removeprefix("sha256:")
    assert cached_path(task, spec, "n1048576-r4.parquet").name == f"n1048576-r4-{digest[:16]}.parquet"


def test_values_of_the_first_files_have_not_changed():
    """Spot values of the instances that were there first, as they were."""
    spots = {
        ("memorization@1", "n256-r4.parquet"): (0.4726811647415161, -0.8006488084793091),
        ("lipschitz-regression@1", "polynomial-test.parquet"): (-0.37996816635131836, 0.0023457303177565336),
    }
    for (ref, file), expected in spots.items():
        columns = read_columns(load_task(ref).folder / file)
        assert (float(columns["x"][0, 0]), float(columns["y"][-1])) == expected
