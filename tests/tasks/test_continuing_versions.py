"""A version that continues an earlier one has its instances too, with their data and their rows."""

from __future__ import annotations

import re
import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from evaluate import tiny as submissions
from sparsebench.author.explain import explain
from sparsebench.errors import ManifestError, NotFoundError
from sparsebench.evaluate.plan import Selection, make_plan
from sparsebench.models import find_submission
from sparsebench.tasks import (
    list_tasks,
    load_task,
    newest_task,
    rederive,
    regenerate,
    standard,
    verify_task,
)
from sparsebench.tasks.authoring.checking import check_task
from sparsebench.tasks.authoring.freezing import freeze_task
from sparsebench.tasks.croissant.document import croissant

NEW = """
[[instances]]
name = "two"
description = "five rows more"
seed = 8
small = false
board = true
input_shape = [2]
target_dtype = "float32"
splits = { train = "learn.parquet", valid = "learn.parquet", test = "test.parquet" }

[instances.files]
"learn.parquet" = {}
"test.parquet" = {}
"""
CONTINUES = '[continues]\nversion = 1\nboard = ["one"]\n'


def later(folder, *changes, version=2, continues=CONTINUES, new=NEW):
    """Write a version beside an earlier one, which it continues."""
    place = folder.parent / f"v{version}"
    place.mkdir()
    text = (folder / "task.toml").read_text()
    head, box = text.partition("[[instances]]")[0].split("[box]")
    text = head.replace("version = 1", f"version = {version}") + continues + "[box]" + box + new
    for old, other in changes:
        assert old in text
        text = text.replace(old, other, 1)
    for name in ("learn", "test"):
        shutil.copy(folder / f"{name}.parquet", place)
        (hashes,) = re.findall(rf'"{name}.parquet" = (.*)', (folder / "task.toml").read_text())
        text = text.replace(f'"{name}.parquet" = {{}}', f'"{name}.parquet" = {hashes}')
    (place / "task.toml").write_text(text)
    (place / "generate.py").write_text((folder / "generate.py").read_text())
    return place


@pytest.fixture
def second(folder):
    return load_task(later(folder))


@pytest.fixture
def _only_these(folder, monkeypatch):
    monkeypatch.setattr(standard, "tasks_root", lambda: folder.parents[1])


def test_it_has_the_instances_of_both(folder, second):
    first = load_task(folder)
    assert list(second.instances) == ["one", "two"]
    assert second.board == ("one", "two")
    assert second.versions == ("tiny@2", "tiny@1")
    assert list(second.own) == ["two"]
    assert second.home("one").ref == "tiny@1"
    assert {name: home.hash for name, home in second.homes.items()} == {"one": first.hash}
    assert second.instances["one"].identity == first.instances["one"].identity
    assert second.hash != first.hash
    assert first.homes == {}


def test_an_inherited_instance_is_read_where_it_lies(folder, second):
    one, again = load_task(folder).load("one"), second.load("one")
    assert (again.task, again.hash) == ("tiny@1", one.hash)
    np.testing.assert_array_equal(again.train.x, one.train.x)
    assert second.load("two").task == "tiny@2"
    assert second.info["one"] == load_task(folder).info["one"]
    assert second.info["two"].task == "tiny@2"
    batch = next(iter(second.stream("one")))
    np.testing.assert_array_equal(batch["x"], one.train.x)


def test_its_board_may_leave_earlier_instances_out(folder):
    place = later(folder, ('board = ["one"]', "board = []"))
    assert load_task(place).board == ("two",)
    assert load_task(folder).board == ("one",)


def test_only_its_own_data_are_made_and_verified_with_it(second, tmp_path):
    freeze_task(second.folder, overwrite=True)
    assert sorted(path.name for path in second.folder.glob("*.parquet")) == ["learn.parquet", "test.parquet"]
    assert {check.instance for check in verify_task(second)} == {"two"}
    assert {check.instance for check in rederive(second)} == {"two"}
    assert {check.instance for check in check_task(second)} == {"two"}
    with pytest.raises(NotFoundError, match="tiny@2 has the data of one from tiny@1, which it continues"):
        list(check_task(second, instances=["one"]))
    with pytest.raises(NotFoundError, match="unknown instance 'three'"):
        list(check_task(second, instances=["three"]))
    assert len(regenerate(second, tmp_path / "made")) == 2
    described = croissant(second)
    assert "Continues tiny@1" in described["description"]
    assert {part["@id"] for part in described["distribution"]} == {"learn.parquet", "test.parquet"}


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (("version = 2", "version = 1"), "continues.version: expected a version before 1, got 1"),
        (('"nmse"', '"recall"'), "task.metric: expected 'nmse' as tiny@1 has, got 'recall'"),
        (("4.5", "5.5"), r"box: expected \(0.0, 4.5\) as tiny@1 has, got \(0.0, 5.5\)"),
        (('board = ["one"]', 'board = ["own"]'), r"continues.board\[0\]: expected an instance of tiny@1"),
        (('name = "two"', 'name = "one"'), r"instances\[0\].name: expected none that tiny@1 has, got 'one'"),
        (('name = "tiny"', 'name = "tidy"'), "task.name: expected 'tiny' as tiny@1 has, got 'tidy'"),
    ],
)
def test_what_would_make_rows_of_both_incomparable_is_refused(folder, change, what):
    place = later(folder, change)
    with pytest.raises(ManifestError, match=what):
        load_task(place, draft=True)


def test_a_version_that_is_not_there_is_told(folder):
    place = later(folder, ("version = 1\nboard", "version = 2\nboard"), version=3)
    with pytest.raises(NotFoundError, match=r"v2.task\.toml"):
        load_task(place, draft=True)


@pytest.mark.usefixtures("_only_these", "second")
def test_versions_may_continue_one_another(folder):
    continues = '[continues]\nversion = 2\nboard = ["one", "two"]\n'
    later(folder, version=3, continues=continues, new=NEW.replace('"two"', '"three"'))
    third = load_task("tiny")
    assert third.versions == ("tiny@3", "tiny@2", "tiny@1")
    assert {name: home.ref for name, home in third.homes.items()} == {"one": "tiny@1", "two": "tiny@2"}
    assert newest_task("tiny@1").ref == "tiny@3"
    assert [task.ref for task in list_tasks()] == ["tiny@1", "tiny@2", "tiny@3"]


def test_a_users_own_task_stands_for_itself_whatever_its_name(folder, tmp_path, monkeypatch):
    standard_ones = tmp_path / "standard" / "tiny"
    standard_ones.mkdir(parents=True)
    later(folder)
    for version in ("v1", "v2"):
        (folder.parent / version).rename(standard_ones / version)
        (folder.parent / version).mkdir()
    for path in (standard_ones / "v1").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(standard, "tasks_root", lambda: tmp_path / "standard")
    assert newest_task("tiny@1").ref == "tiny@2"
    assert newest_task(str(folder)).ref == "tiny@1"


def submission(place, *refs):
    submissions.write(place, submissions.plain(predict="return x[:, 0]"), tasks=refs)
    return find_submission(str(place))


def planned(folder, *tasks, instances=()):
    cells = make_plan([folder], Selection(tasks=tasks, instances=instances))
    return [(cell.task, cell.instance, cell.task_folder.name) for cell in cells]


@pytest.mark.usefixtures("_only_these", "second")
@pytest.mark.parametrize("refs", [("tiny@1",), ("tiny@2",), ("tiny@1", "tiny@2")])
def test_a_submission_is_evaluated_on_the_newest_version_by_the_names_that_rows_have(tmp_path, refs):
    """What is inherited is one cell, whichever version it is asked for by: nothing runs twice."""
    folder = submission(tmp_path / "s", *refs)
    assert planned(folder) == [("tiny@1", "one", "v1"), ("tiny@2", "two", "v2")]
    assert planned(folder, "tiny@2") == planned(folder)
    first = load_task("tiny@1")
    (cell,) = make_plan([folder], Selection(instances=("one",)))
    assert (cell.task_hash, cell.instance_hash) == (first.hash, first.instances["one"].hash)


@pytest.mark.usefixtures("_only_these", "second")
def test_an_earlier_version_can_be_asked_for_by_name(tmp_path):
    assert planned(submission(tmp_path / "s", "tiny@1"), "tiny@1") == [("tiny@1", "one", "v1")]


@pytest.mark.usefixtures("_only_these", "second")
def test_a_submission_to_the_first_version_is_explained_on_the_second(tmp_path):
    submission(tmp_path / "s", "tiny@1")
    told = explain(str(tmp_path / "s"), task="tiny@2", instance="two")
    assert (told.task, told.instance) == ("tiny@2", "two")


@pytest.mark.usefixtures("second")
def test_rows_name_the_version_that_their_instance_came_with(folder):
    """No row of the later version stands in for one of the earlier: a cell cannot be tried twice."""
    from sparsebench.leaderboard.standard import _is_of

    task = load_task(folder.parent / "v2")
    rows = [
        SimpleNamespace(task=ref, instance=name) for ref in ("tiny@1", "tiny@2") for name in ("one", "two")
    ]
    assert [(row.task, row.instance) for row in rows if _is_of(row, task)] == [
        ("tiny@1", "one"),
        ("tiny@2", "two"),
    ]
