"""What the folders of shipped submissions have in common."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from sparsebench.models import find_submission
from sparsebench.tasks import load_task
from submissions.shipped import NAMES, ROOT, SMALL, make, module


@pytest.mark.parametrize("name", NAMES)
def test_the_manifest_validates_and_carries_the_folders_name(name):
    folder = find_submission(str(ROOT / name))
    assert folder.manifest.name == name
    assert folder.manifest.requires == []
    assert {load_task(ref).ref for ref in folder.manifest.tasks} == set(folder.manifest.tasks)


@pytest.mark.parametrize("name", NAMES)
def test_the_readme_says_how_to_run_it_and_cites_its_source(name):
    text = (ROOT / name / "README.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {name}\n")
    assert f"sparsebench eval {name}\n" in text
    assert find_submission(str(ROOT / name)).manifest.reference in text


@pytest.mark.parametrize("name", NAMES)
def test_every_variants_settings_are_keywords_of_the_entry(name):
    folder = find_submission(str(ROOT / name))
    info = load_task(folder.manifest.tasks[-1]).info[SMALL[folder.manifest.tasks[-1]]]
    for variant in folder.variants():
        assert make(name, info, **variant.settings).uses_tags is folder.manifest.uses_tags


@pytest.mark.parametrize("name", NAMES)
def test_everything_public_is_documented(name):
    shipped = module(name)
    public = [part for part in vars(shipped).values() if getattr(part, "__module__", "") == shipped.__name__]
    assert public
    assert all(inspect.getdoc(part) for part in public)


@pytest.mark.parametrize("name", NAMES)
def test_fit_is_a_function_of_data_and_rng_and_leaves_them_alone(name):
    folder = find_submission(str(ROOT / name))
    task = load_task(folder.manifest.tasks[0])
    spec = SMALL[task.ref]
    train = task.load(spec).train
    before = [values.tobytes() for values in train.columns.values()]
    settings = folder.variants()[0].settings
    first, second = (
        make(name, task.info[spec], **settings).fit(train, train, np.random.default_rng(7)) for _ in range(2)
    )
    assert first.keys() == second.keys()
    assert all(first[key].tobytes() == second[key].tobytes() for key in first)
    assert before == [values.tobytes() for values in train.columns.values()]
