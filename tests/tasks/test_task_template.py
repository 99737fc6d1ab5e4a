"""``sparsebench tasks new``: a sound task once it is frozen; where it refuses it leaves nothing."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from sparsebench.errors import ManifestError, UsageError
from sparsebench.tasks import load_task, rederive, verify_task
from sparsebench.tasks.authoring.checking import check_task
from sparsebench.tasks.authoring.freezing import freeze_task
from sparsebench.tasks.authoring.template import new_task
from sparsebench.tasks.manifest import BoxTable, InstanceTable, SourceTable, SplitsTable, TaskTable


@pytest.fixture(scope="module")
def frozen(tmp_path_factory):
    """A task of one's own, its hashes frozen."""
    return freeze_task(new_task("my-task", tmp_path_factory.mktemp("own")))


def test_it_passes_the_check_as_it_is(frozen):
    assert (frozen.ref, frozen.folder.name, list(frozen.instances)) == ("my-task@1", "v1", ["plane", "cube"])
    assert [spec.small for spec in frozen.instances.values()] == [True, False]
    checks = list(check_task(frozen))
    assert [check for check in checks if not check.ok] == []
    assert {check.instance for check in checks} == {"plane", "cube"}


def test_its_generator_makes_the_same_again(frozen):
    checks = [*verify_task(frozen), *rederive(frozen)]
    assert len(checks) == 12
    assert [check for check in checks if not check.ok] == []


def test_its_labels_are_distances_to_the_nearest_of_some_points(frozen):
    train = frozen.load("plane").train
    assert (train.x.shape, train.x.dtype) == ((4096, 2), np.float32)
    assert (train.y >= 0).all()
    # Close to a point the label is the distance from it: the nearest rows to the least label rise from there.
    least = train.y.argmin()
    distance = np.sqrt(((train.x.astype(np.float64) - train.x[least]) ** 2).sum(axis=1))
    near = np.argsort(distance, kind="stable")[1:6]
    assert (np.abs(train.y[near] - distance[near]) <= train.y[least] + 1e-6).all()


def test_it_has_no_hashes_before_it_is_frozen(tmp_path):
    place = new_task("my-task", tmp_path)
    assert sorted(path.name for path in place.iterdir()) == [
        ".gitattributes",
        "README.md",
        "generate.py",
        "task.toml",
    ]
    with pytest.raises(ManifestError, match="expected hashes of id, x, y, got of none"):
        load_task(place)
    assert load_task(place, draft=True).title == "My task"


def test_it_has_its_own_name_in_every_file(tmp_path):
    place = new_task("another-one", tmp_path / "a" / "b")
    assert place == tmp_path / "a" / "b" / "another-one" / "v1"
    assert sorted(path.name for path in (tmp_path / "a" / "b").iterdir()) == ["another-one"]
    for path in set(place.iterdir()) - {place / ".gitattributes"}:
        text = path.read_text(encoding="utf-8")
        assert re.search(r"another-one|Another one", text)
        assert "$" not in text


def test_the_page_explains_every_key_and_every_check(frozen):
    page = (Path(__file__).parents[2] / "docs" / "own-task.md").read_text(encoding="utf-8")
    told = set(re.findall(r"`(?:\[+)?([a-z0-9_]+)`?", page))
    tables = (TaskTable, BoxTable, InstanceTable, SourceTable, SplitsTable)
    keys = {key for table in tables for key in table.model_fields}
    assert keys - told - {"files", "source", "train", "valid", "test"} == set()
    for key in ("[instances.files]", "[instances.source]", "train = ", "valid = ", "test = "):
        assert key in page
    checks = {check.name for check in check_task(frozen)} | {"tags", "quality"}
    listed = page.partition("## What `tasks check` looks at")[2].partition("Every pair")[0]
    assert set(re.findall(r"^\| `([a-z]+)` \|", listed, re.MULTILINE)) == checks


@pytest.mark.parametrize(
    "name", ["Bad", "with_underscore", "-a", "a-", "a--b", "a b", "ä", "..", "", "a/b", "a\n", "a" * 65]
)
def test_bad_names_are_refused_and_leave_nothing(tmp_path, name):
    with pytest.raises(UsageError, match=r"expected a name of .*lower-case letters") as caught:
        new_task(name, tmp_path)
    assert "my-task" in caught.value.help
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["folder", "file", "link"])
def test_what_exists_is_not_touched(tmp_path, kind):
    there = tmp_path / "mine"
    {
        "folder": there.mkdir,
        "file": lambda: there.write_text("text", encoding="utf-8"),
        "link": lambda: there.symlink_to(tmp_path / "nowhere"),
    }[kind]()
    with pytest.raises(UsageError, match="exists already"):
        new_task("mine", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    assert kind != "file" or there.read_text(encoding="utf-8") == "text"


def test_a_folder_that_cannot_be_made_is_the_users_mistake(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UsageError, match="cannot write"):
        new_task("mine", tmp_path / "file")
