"""``sparsebench tasks check``: every fault that is planted is found, under its name, and nothing else is."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from sparsebench.errors import NotFoundError
from sparsebench.tasks import load_task
from sparsebench.tasks.authoring import fact_checks
from sparsebench.tasks.authoring.checking import check_task
from sparsebench.tasks.generation import stream
from sparsebench.tasks.hashing import column_hashes
from sparsebench.tasks.parquet_writing import write_columns
from sparsebench.tasks.records import Box

ROWS = {"train": 80, "valid": 20, "test": 40}
NAMES = ["files", "ids", "leaks", "contradictions", "labels", "facts", "fresh", "box", "size"]

MANIFEST = """
[task]
name = "mine"
version = 1
title = "Mine"
statement = "Guess."
metric = "{metric}"
licence = "CC0-1.0"

[box]
log2_ops_low = 0.0
log2_ops_high = 10.0
reason = "A test."

[[instances]]
name = "one"
description = "a few rows"
seed = 7
small = true
board = true
input_shape = [3]
target_dtype = "{dtype}"
{more}
splits = {{ train = "{train}.parquet", valid = "{valid}.parquet", test = "{test}.parquet" }}

[instances.files]
"""


@pytest.fixture
def splits():
    """Three splits of a sound regression: the distance from the origin at distinct points."""
    rng, tables, start = np.random.default_rng(5), {}, 0
    for split, rows in ROWS.items():
        x = rng.random((rows, 3), dtype=np.float32)
        y = np.sqrt((x.astype(np.float64) ** 2).sum(axis=1)).astype(np.float32)
        tables[split] = {"id": np.arange(start, start + rows), "x": x, "y": y}
        start += rows
    return tables


@pytest.fixture
def task(tmp_path):
    """Write splits as a task with hashes that hold, and read it."""

    def make(splits, *, metric="nmse", more="", files=None):
        files = files or {split: split for split in ROWS}
        dtype = splits["train"]["y"].dtype.name
        text = MANIFEST.format(metric=metric, dtype=dtype, more=more, **files)
        for file in dict.fromkeys(files.values()):
            columns = splits[file]
            write_columns(tmp_path / f"{file}.parquet", columns)
            hashes = ", ".join(f'{name} = "{value}"' for name, value in column_hashes(columns).items())
            text += f'"{file}.parquet" = {{ {hashes} }}\n'
        (tmp_path / "task.toml").write_text(text)
        return load_task(tmp_path)

    return make


@pytest.fixture
def classes(splits):
    """The same inputs in four classes and two domains."""
    for columns in splits.values():
        columns["y"] = np.arange(len(columns["id"])) % 4
        columns["tag"] = np.arange(len(columns["id"])) // 4 % 2
    return splits


CLASSES = 'classes = 4\ndomains = ["left", "right"]'


def faults(task, **options):
    """Name → detail of the checks that are not ok."""
    return {check.name: check.detail for check in check_task(task, **options) if not check.ok}


def test_a_sound_task_passes_every_check(task, splits):
    checks = list(check_task(task(splits, more="facts = { lipschitz = 1.0 }")))
    assert [check for check in checks if not check.ok] == []
    assert [check.name for check in checks] == NAMES
    assert {check.instance for check in checks} == {"one"}
    assert "80 rows to train, 20 rows to valid, 40 rows to test" in checks[0].detail


def test_sound_classes_pass_every_check_and_tell_their_balance(task, classes):
    checks = {check.name: check for check in check_task(task(classes, metric="accuracy", more=CLASSES))}
    assert [check for check in checks.values() if not check.ok] == []
    assert list(checks) == [*NAMES[:5], "tags", *NAMES[5:]]
    assert "smallest share in test 25.0%, largest 25.0%" in checks["labels"].detail
    assert "every one of 2 domains is in train, valid, test" in checks["tags"].detail


@pytest.mark.parametrize(("one", "other"), [("test", "train"), ("test", "valid"), ("valid", "train")])
@pytest.mark.parametrize("distance", [0.0, 5e-7])
def test_a_leak_is_found_exact_or_near(task, splits, one, other, distance):
    # Below 2^-7 a float32 is exact to 2^-31: the distance is the one that is meant.
    splits[other]["x"][11] = 2.0**-7
    splits[one]["x"][3] = splits[other]["x"][11] - np.float32(distance)
    found = faults(task(splits))
    assert list(found) == ["leaks"]
    ids = f"id {splits[one]['id'][3]}, near id {splits[other]['id'][11]}"
    assert f"1 rows of {one} lie within 1e-6 of a row of {other}, the first is {ids}" in found["leaks"]


def test_a_near_miss_is_no_leak(task, splits):
    splits["train"]["x"][11] = 2.0**-7
    splits["test"]["x"][3] = splits["train"]["x"][11]
    splits["test"]["x"][3, 1] -= np.float32(2e-6)
    assert faults(task(splits)) == {}


def test_ids_that_are_repeated_within_a_file_are_found(task, splits):
    splits["train"]["id"][5] = 6
    found = faults(task(splits))
    assert list(found) == ["ids"]
    assert "train.parquet: column 'id': expected distinct ids, got 6 more than once" in found["ids"]


def test_ids_that_are_repeated_across_files_are_found(task, splits):
    splits["test"]["id"][0] = 17
    assert faults(task(splits)) == {
        "ids": "1 ids are in train and in test, the first is 17; let ids run through train, valid and test"
    }


def test_files_that_are_not_what_their_hashes_say_are_found_and_the_rest_still_looked_at(
    task, splits, tmp_path
):
    mine = task(splits)
    write_columns(tmp_path / "test.parquet", splits["test"] | {"y": splits["test"]["y"] + 1})
    checks = list(check_task(mine))
    assert [(check.name, check.ok) for check in checks] == [("files", False), ("box", True), ("size", True)]
    assert "test.parquet: column 'y': expected content sha256:" in checks[0].detail
    (tmp_path / "train.parquet").unlink()
    assert "train.parquet: expected a Parquet file" in faults(mine)["files"]


def test_the_training_set_may_be_the_test_set_if_it_is_all_three(task, splits):
    same = dict.fromkeys(ROWS, "train")
    checks = {check.name: check for check in check_task(task(splits, metric="recall", files=same))}
    assert all(check.ok for check in checks.values())
    assert checks["leaks"].detail == "train, valid and test are one file: the training set is the test"
    found = faults(task(splits, files=same | {"test": "test"}))
    assert list(found) == ["leaks"]
    assert found["leaks"].startswith("train and valid are one file; give each split a file of its own")


def test_equal_inputs_with_different_labels_are_a_fault_of_the_test_split_alone(task, splits):
    splits["train"]["x"][1] = splits["train"]["x"][0]
    checks = {check.name: check for check in check_task(task(splits))}
    assert checks["contradictions"].ok
    assert "train has equal inputs with different labels, such as ids" in checks["contradictions"].detail
    splits["test"]["x"][1] = splits["test"]["x"][0]
    found = faults(task(splits))
    assert list(found) == ["contradictions"]
    assert "no prediction is right for both" in found["contradictions"]


def test_labels_that_are_all_the_same_are_found(task, splits):
    splits["test"]["y"][:] = 0.5
    assert faults(task(splits)) == {
        "labels": "all labels of test are 0.5: there is nothing to predict; change the target"
    }


def test_labels_that_a_constant_answers_are_found(task, splits):
    splits["valid"]["y"][:10] = 0.5
    assert faults(task(splits)) == {}
    splits["valid"]["y"][:11] = 0.5
    assert "55.0% of the labels of valid are 0.5, expected at most 50%" in faults(task(splits))["labels"]


def test_a_class_that_is_missing_from_train_is_found(task, classes):
    classes["train"]["y"][classes["train"]["y"] == 2] = 1
    found = faults(task(classes, metric="accuracy", more=CLASSES))
    assert list(found) == ["labels"]
    assert "train has no row of 1 of 4 classes: 2; add rows" in found["labels"]


def test_a_test_split_of_one_class_is_found(task, classes):
    classes["test"]["y"][:] = 3
    assert "all labels of test are 3" in faults(task(classes, metric="accuracy", more=CLASSES))["labels"]


def test_accuracy_needs_classes(task, splits):
    assert "metric 'accuracy' needs classes" in faults(task(splits, metric="accuracy"))["labels"]


@pytest.mark.parametrize("split", ROWS)
def test_a_domain_without_rows_is_found(task, classes, split):
    classes[split]["tag"][:] = 0
    found = faults(task(classes, metric="accuracy", more=CLASSES))
    if split == "train":  # whose tags say how many domains there are: it is not even read
        assert list(found) == ["files"]
        assert "domains: expected 1, as its train split has, got 2" in found["files"]
        return
    assert list(found) == ["tags"]
    assert f"{split} has no row of 1 of 2 domains: right" in found["tags"]


@pytest.mark.parametrize("constant", [1.0, 0.99995])
def test_a_lipschitz_constant_that_holds_passes(task, splits, constant):
    """The second is below what holds by less than what a constant may be rounded by."""
    assert faults(task(splits, more=f"facts = {{ lipschitz = {constant} }}")) == {}


def test_a_lipschitz_constant_that_is_too_small_is_found(task, splits):
    found = faults(task(splits, more="facts = { lipschitz = 0.9 }"))
    assert list(found) == ["facts"]
    assert "lipschitz: expected at most 0.9, got two rows of train that rise by 0.99" in found["facts"]


def test_one_steep_pair_of_neighbours_is_found(task, splits):
    splits["train"]["x"][1] = splits["train"]["x"][0] + np.float32(1e-3)
    splits["train"]["y"][1] = splits["train"]["y"][0] + np.float32(0.01)
    assert list(faults(task(splits, more="facts = { lipschitz = 1.0 }"))) == ["facts"]


def test_neighbours_are_looked_at_where_random_pairs_would_miss_them(task, splits, monkeypatch):
    monkeypatch.setattr(fact_checks, "_PAIRS", 1)
    train = splits["train"]
    train["x"][40:] = train["x"][:40] + np.float32(1e-3)
    train["y"][40:] = train["y"][:40] + np.float32(0.01)
    assert list(faults(task(splits, more="facts = { lipschitz = 4.0 }"))) == ["facts"]


def test_equal_inputs_with_different_labels_have_no_lipschitz_constant(task, splits):
    splits["train"]["x"][1] = splits["train"]["x"][0]
    assert "rise by inf times" in faults(task(splits, more="facts = { lipschitz = 1000.0 }"))["facts"]


@pytest.mark.parametrize(
    ("fact", "message"),
    [
        ("lipschitz = 0.0", "lipschitz: expected more than 0, got 0"),
        ("lipschitz = -1.0", "lipschitz: expected more than 0, got -1"),
        ("bayes_accuracy = 0.0", "bayes_accuracy: expected more than 0 and at most 1, got 0"),
        ("bayes_accuracy = 1.01", "bayes_accuracy: expected more than 0 and at most 1, got 1.01"),
        ("other = inf", "other: expected a finite number, got inf"),
        ("other = nan", "other: expected a finite number, got nan"),
    ],
)
def test_facts_that_cannot_be_are_found(task, splits, fact, message):
    found = faults(task(splits, more=f"facts = {{ {fact} }}"))
    assert list(found) == ["facts"]
    assert message in found["facts"]


@pytest.mark.parametrize(
    ("low", "high", "message"),
    [
        (3.0, 3.0, "expected log2_ops_low below log2_ops_high"),
        (0.0, 41.0, "log2_ops_high: expected at most 40, got 41"),
        (0.0, 2.5, "a linear model on 3 features costs 2^2.58 operations, dearer than 2^2.5"),
    ],
)
def test_boxes_that_cannot_be_scored_in_are_found(task, splits, low, high, message):
    found = faults(dataclasses.replace(task(splits), box=Box(low, high)))
    assert list(found) == ["box"]
    assert message in found["box"]


def test_a_box_for_recall_may_be_smaller_than_a_linear_model(task, splits):
    files = dict.fromkeys(ROWS, "train")
    mine = dataclasses.replace(task(splits, metric="recall", files=files), box=Box(0.0, 2.5))
    assert faults(mine) == {}


def test_a_large_task_is_said_to_be_large_and_is_no_fault(task, splits, tmp_path):
    mine = task(splits)
    sizes = {check.name: check.detail for check in check_task(mine)}["size"]
    assert "generated" not in sizes
    large = dict(mine.instances["one"].files) | {"large.parquet": {}}
    (tmp_path / "large.parquet").write_bytes(bytes(fact_checks.MANY_BYTES))
    other = dataclasses.replace(mine.instances["one"], name="two", files=large)
    mine = dataclasses.replace(mine, instances=mine.instances | {"two": other})
    size = next(check for check in check_task(mine) if check.name == "size")
    assert size.ok
    assert "10.01 MB of the whole task, which is more than 10 MB" in size.detail


GENERATOR = """
from pathlib import Path
import numpy as np
from sparsebench.tasks.generation import run_generator, stream

def build(spec):
    x = stream("x").random((140, 3), dtype=np.float32)
    columns = {"id": np.arange(140), "x": x, "y": x[:, 0]}
    parts = {"train": slice(0, 80), "valid": slice(80, 100), "test": slice(100, 140)}
    return {f"{s}.parquet": {n: v[part] for n, v in columns.items()} for s, part in parts.items()}

run_generator(build, Path(__file__).parent)
"""


@pytest.mark.parametrize("streamed", [False, True])
def test_what_is_made_on_first_use_is_checked_when_it_is_named(tmp_path, task, splits, monkeypatch, streamed):
    monkeypatch.setenv("SPARSEBENCH_CACHE", str(tmp_path / "cache"))
    drawn = stream("x").random((140, 3), dtype=np.float32)
    for columns in splits.values():
        columns["x"] = drawn[columns["id"]]
        columns["y"] = columns["x"][:, 0]
    mine = task(splits, more=f"generated = true\nstreamed = {str(streamed).lower()}")
    (tmp_path / "generate.py").write_text(GENERATOR)
    for split in ROWS:
        (tmp_path / f"{split}.parquet").unlink()
    unmade = list(check_task(mine))
    assert [(check.name, check.ok) for check in unmade] == [
        (n, True) for n in ("files", "facts", "box", "size")
    ]
    assert "not made yet" in unmade[0].detail
    told = []
    made = list(check_task(mine, instances=["one"], progress=told.append))
    assert [check for check in made if not check.ok] == []
    assert any(line.startswith("making mine@1/one") for line in told)
    if streamed:
        assert [check.name for check in made] == ["files", "facts", "box", "size"]
        assert made[0].detail.startswith("140 rows, read in batches: ids ascend")
    else:
        assert [check.name for check in made] == NAMES
    # Once made, it is checked without being named.
    assert list(check_task(mine)) == made


def test_an_instance_that_does_not_exist_is_refused(task, splits):
    with pytest.raises(NotFoundError, match="unknown instance 'two' in mine@1"):
        list(check_task(task(splits), instances=["two"]))
