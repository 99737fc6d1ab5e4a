"""The best constant has quality 0 and the labels quality 1, for every metric, or the check says so."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparsebench.author.task_quality import best_constant, check_qualities
from sparsebench.errors import IntegrityError, NotFoundError
from sparsebench.scoring import best_constant_recall, score_predictions
from sparsebench.tasks import Split, Task, load_task


def split_of(y, tag=None):
    return Split(np.arange(len(y)), np.zeros((len(y), 1), np.float32), y, tag)


def test_the_standard_tasks_can_be_scored():
    for ref, names in (
        ("memorization@1", ["n256-r4", "n4096-r4"]),
        ("routed-classification@1", ["synthetic-4"]),
        ("cube@1", ["parity-k2-n12", "address-k2-n12"]),
    ):
        checks = list(check_qualities(load_task(ref), instances=names))
        assert [(check.instance, check.name, check.ok) for check in checks] == [
            (name, "quality", True) for name in names
        ]
        assert all("has quality 0, labels 1" in check.detail for check in checks)


def test_an_instance_that_does_not_exist_is_refused():
    with pytest.raises(NotFoundError, match="unknown instance 'two' in memorization@1"):
        list(check_qualities(load_task("memorization@1"), instances=["two"]))


def test_what_is_made_on_first_use_is_left_out_unless_it_is_there(monkeypatch, tmp_path):
    monkeypatch.setenv("SPARSEBENCH_CACHE", str(tmp_path))
    task = load_task("memorization@1")
    found = {check.instance for check in check_qualities(task)}
    assert found == {name for name, spec in task.instances.items() if not spec.generated}
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def loaded(monkeypatch):
    """Let the one task that is checked have a test split of one's own."""

    def check(test):
        def load(self, name, *, progress=None):
            if isinstance(test, Exception):
                raise test
            return type("Instance", (), {"test": test})

        monkeypatch.setattr(Task, "load", load)
        (found,) = check_qualities(load_task("memorization@1"), instances=["n256-r4"])
        return found

    return check


def test_labels_of_which_a_constant_recalls_all_are_found(loaded):
    found = loaded(split_of(np.full(5, 0.25, np.float32)))
    assert (found.name, found.ok) == ("quality", False)
    assert "metric 'recall' needs labels that differ" in found.detail


def test_files_that_cannot_be_read_are_a_fault_and_no_traceback(loaded):
    found = loaded(IntegrityError("test.parquet: expected a Parquet file, got none", help="restore it"))
    assert not found.ok
    assert found.detail == "test.parquet: expected a Parquet file, got none; restore it"


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from([0.0, 1.0, 1.0000005, 1.0000015, 2e6, 2e6 + 1]), min_size=2, max_size=12))
def test_no_constant_recalls_more(values):
    y = np.array(values, np.float32)
    constant = best_constant("recall", split_of(y))
    if best_constant_recall(y) < 1:
        scores = score_predictions("recall", y, np.full(len(y), constant))
        assert (scores.quality, scores.extras["recall"]) == (0.0, best_constant_recall(y))


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_no_class_is_right_more_often(data):
    n = data.draw(st.integers(2, 30))
    labels = st.lists(st.integers(0, 3), min_size=n, max_size=n)
    y, tag = (np.array(data.draw(labels), np.int64) for _ in range(2))
    tag = data.draw(st.sampled_from([None, tag]))
    if len(np.unique(y)) > 1:
        best = score_predictions(
            "accuracy", y, np.full(n, best_constant("accuracy", split_of(y, tag))), tag
        ).extras["accuracy"]
        assert best == max(
            score_predictions("accuracy", y, np.full(n, c), tag).extras["accuracy"] for c in range(4)
        )


def test_the_best_constant_of_real_labels_is_their_mean():
    assert best_constant("nmse", split_of(np.array([1.0, 2.0, 6.0], np.float32))) == 3.0
