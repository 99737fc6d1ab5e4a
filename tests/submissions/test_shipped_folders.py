"""What the folders of shipped submissions have in common."""

from __future__ import annotations

import inspect
import shutil
import tomllib

import numpy as np
import pytest

from sparsebench.errors import ManifestError, NotFoundError
from sparsebench.evaluate.plan import Selection, make_plan
from sparsebench.models import find_submission, shipped_names
from sparsebench.tasks import Split, load_task
from submissions.formulas import rows_of
from submissions.shipped import NAMES, ROOT, make, module, small

with (ROOT.parent / "pyproject.toml").open("rb") as file:
    EXTRA = tomllib.load(file)["project"]["optional-dependencies"]["models"]


@pytest.mark.parametrize("name", NAMES)
def test_the_manifest_validates_and_carries_the_folders_name(name):
    folder = find_submission(str(ROOT / name))
    assert folder.manifest.name == name
    assert set(folder.manifest.requires) <= {"autograd>=1.7", "scikit-learn>=1.5"}, (
        "the extra `models` has them"
    )
    assert {load_task(ref).ref for ref in folder.manifest.tasks} == set(folder.manifest.tasks)


def including(shared):
    return {
        name for name in NAMES if shared in {path.name for path in find_submission(str(ROOT / name)).include}
    }


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    """A copy of all submissions, and of what they share."""
    place = tmp_path_factory.mktemp("copied") / "submissions"
    shutil.copytree(ROOT, place, ignore=shutil.ignore_patterns("__pycache__"))
    return place


def hashes(place):
    return {name: find_submission(str(place / name)).hash for name in NAMES}


def test_a_shared_file_is_part_of_every_submission_that_includes_it_and_of_no_other(copied):
    before = hashes(copied)
    assert before == hashes(ROOT)
    for file in sorted((copied / "common").glob("*.py")):
        content = file.read_bytes()
        file.write_bytes(content + b"\n")
        after = hashes(copied)
        file.write_bytes(content)
        assert {name for name in NAMES if before[name] != after[name]} == including(file.name)
    assert hashes(copied) == before


def test_cells_change_with_what_their_submission_includes(copied):
    def keys():
        folders = [find_submission(str(copied / name)) for name in ("random-router", "constant")]
        ref = "routed-classification@1"
        return [make_plan([folder], Selection((ref,), (small(ref),)))[0].key for folder in folders]

    including_it, other = keys()
    file = copied / "common" / "training.py"
    content = file.read_bytes()
    file.write_bytes(content + b"\n")
    changed, unchanged = keys()
    file.write_bytes(content)
    assert changed != including_it
    assert unchanged == other


def test_every_file_that_is_shared_is_included_by_a_submission():
    included = {file for name in NAMES for file in find_submission(str(ROOT / name)).include}
    assert {path for path in (ROOT / "common").iterdir() if path.name != "__pycache__"} == included


def test_the_folder_of_shared_files_is_no_submission():
    assert "common" not in shipped_names()
    with pytest.raises(NotFoundError, match="there is no submission called 'common'"):
        find_submission("common")
    with pytest.raises(ManifestError, match=r"there is no submission\.toml in it"):
        find_submission(str(ROOT / "common"))


@pytest.mark.parametrize("name", NAMES)
def test_the_readme_says_how_to_run_it_and_cites_its_source(name):
    text = (ROOT / name / "README.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {name}\n")
    assert f"sparsebench eval {name}\n" in text
    assert find_submission(str(ROOT / name)).manifest.reference in text


@pytest.mark.parametrize("name", NAMES)
def test_every_variants_settings_are_keywords_of_the_entry(name):
    folder = find_submission(str(ROOT / name))
    info = load_task(folder.manifest.tasks[-1]).info[small(folder.manifest.tasks[-1])]
    for variant in folder.variants():
        assert make(name, info, **variant.settings).uses_tags is folder.manifest.uses_tags


@pytest.mark.parametrize("name", NAMES)
def test_everything_public_is_documented(name):
    shipped = module(name)
    public = [part for part in vars(shipped).values() if getattr(part, "__module__", "") == shipped.__name__]
    assert public
    assert all(inspect.getdoc(part) for part in public)


def few(rows: Split, many: int) -> Split:
    return Split(**{name: values[:many].copy() for name, values in rows.columns.items()})


@pytest.mark.parametrize("name", NAMES)
def test_fit_is_a_function_of_data_and_rng_and_leaves_them_alone(name):
    folder = find_submission(str(ROOT / name))
    task = load_task(folder.manifest.tasks[0])
    spec = small(task.ref)
    train = few(task.load(spec).train, min(rows_of(name), 512))
    before = [values.tobytes() for values in train.columns.values()]
    settings = folder.variants()[0].settings
    first, second = (
        make(name, task.info[spec], **settings).fit(train, train, np.random.default_rng(7)) for _ in range(2)
    )
    assert first.keys() == second.keys()
    assert all(first[key].tobytes() == second[key].tobytes() for key in first)
    assert before == [values.tobytes() for values in train.columns.values()]
