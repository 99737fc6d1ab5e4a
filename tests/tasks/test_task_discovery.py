from __future__ import annotations

import pickle
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

from sparsebench.errors import ManifestError, NotFoundError
from sparsebench.tasks import Split, list_tasks, load_task, standard


def test_the_standard_tasks_are_listed_in_order():
    assert [task.ref for task in list_tasks()] == sorted(task.ref for task in list_tasks())
    assert {"lipschitz-regression@1", "memorization@1"} <= {task.ref for task in list_tasks()}


def test_a_task_is_found_by_reference_name_and_path(folder, monkeypatch):
    assert load_task("memorization@1").ref == "memorization@1"
    assert load_task("memorization").name == "memorization"
    assert load_task(folder) == load_task(str(folder)) == load_task(folder / "task.toml")
    monkeypatch.chdir(folder.parent)
    assert load_task("v1").ref == "tiny@1"


def test_a_folder_of_the_same_name_does_not_hide_a_task(tmp_path, monkeypatch):
    (tmp_path / "memorization").mkdir()
    monkeypatch.chdir(tmp_path)
    assert load_task("memorization").version >= 1


@pytest.mark.parametrize("ref", ["memorisation", "memorization@99", "memorization@x", "Memorization@1"])
def test_an_unknown_task_says_did_you_mean_and_lists_all(ref):
    known = ", ".join(sorted(task.ref for task in list_tasks()))
    with pytest.raises(NotFoundError, match=f"unknown task '{ref}'") as caught:
        load_task(ref)
    assert re.search(r"did you mean 'memorization@\d'\?", caught.value.help)
    assert f"there are: {known}" in caught.value.help


def test_nothing_near_is_not_guessed():
    with pytest.raises(NotFoundError) as caught:
        load_task("zzz")
    assert "did you mean" not in caught.value.help


@pytest.mark.parametrize("ref", ["./memorization", "no/such/folder"])
def test_a_path_is_never_taken_for_a_name(ref, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotFoundError, match=r"task.toml: expected a manifest, got No such file"):
        load_task(ref)


@pytest.fixture
def root(folder, monkeypatch):
    monkeypatch.setattr(standard, "tasks_root", lambda: folder.parents[1])
    return folder.parents[1]


def test_a_bare_name_means_the_newest_version(root, folder):
    for version in (2, 10):
        later = shutil.copytree(folder, folder.parent / f"v{version}") / "task.toml"
        later.write_text(later.read_text().replace("version = 1", f"version = {version}"))
    assert [task.ref for task in list_tasks()] == ["tiny@1", "tiny@2", "tiny@10"]
    assert load_task("tiny").version == 10
    assert load_task("tiny@2").version == 2


def test_folder_and_manifest_must_agree(root, folder):
    folder.rename(folder.parent / "v2")
    with pytest.raises(ManifestError, match=r"expected to lie in tiny/v1 .*, got tiny/v2"):
        list_tasks()


def test_no_tasks_at_all(root, folder):
    shutil.rmtree(root / "tiny")
    assert list_tasks() == []
    with pytest.raises(NotFoundError, match="unknown task 'tiny'") as caught:
        load_task("tiny")
    assert caught.value.help == "there are: none"


def test_the_data_inside_an_installed_package_come_first(tmp_path, monkeypatch):
    package = tmp_path / "site" / "sparsebench"
    monkeypatch.setattr(standard, "__file__", str(package / "tasks" / "standard.py"))
    assert standard.tasks_root() == tmp_path / "tasks"
    (package / "_data" / "tasks").mkdir(parents=True)
    assert standard.tasks_root() == package / "_data" / "tasks"


def test_loading_an_instance(folder):
    task = load_task(folder)
    instance = task.load("one")
    assert (instance.task, instance.name, instance.small) == ("tiny@1", "one", True)
    assert instance.hash == task.instances["one"].hash
    assert instance.train is instance.valid
    np.testing.assert_array_equal(instance.test.id, np.arange(5, 10))
    assert (len(instance.train), instance.train.tag) == (5, None)


def test_an_unknown_instance_says_did_you_mean():
    with pytest.raises(NotFoundError, match="unknown instance 'n256' in memorization@1") as caught:
        load_task("memorization@1").load("n256")
    assert "did you mean 'n256-r4'? there are: " in caught.value.help
    assert "n4096-r4-close, " in caught.value.help


def test_a_task_crosses_a_process_boundary(folder):
    task = load_task(folder)
    copy = pickle.loads(pickle.dumps(task))
    assert copy == task
    assert copy.hash == task.hash


def test_a_split_has_columns_of_one_length():
    with pytest.raises(ValueError, match="columns of one length"):
        Split(np.arange(3), np.zeros((3, 1), np.float32), np.zeros(2, np.float32))


def test_importing_tasks_imports_neither_pyarrow_nor_pydantic():
    heavy = "('pyarrow', 'pydantic', 'pandas')"
    code = f"import sys, sparsebench.tasks; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
