"""Plans: which cells, in which order, with which identity."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluate.tiny import plain, write
from sparsebench.errors import NotFoundError, UsageError
from sparsebench.evaluate import run
from sparsebench.evaluate.plan import Limits, Selection, first_small, make_plan
from sparsebench.evaluate.run import prepare
from sparsebench.models import find_submission
from sparsebench.tasks import load_task, newest_task, records

BOTH = ("memorization@1", "lipschitz-regression@1")
TWO = '[[variants]]\nname = "v"\nn = 1\n[[variants]]\nname = "w"\nn = 2\n'


@pytest.fixture
def folder(tmp_path):
    return write(tmp_path / "mine", plain(), tasks=BOTH, variants=TWO)


def plan(folder, *arguments, **keywords):
    return make_plan([find_submission(str(folder))], Selection(*arguments, **keywords))


def test_every_variant_on_every_instance_with_every_seed_once(folder):
    cells = plan(folder, seeds=(0, 3))
    assert len(cells) == 2 * sum(len(newest_task(ref).board) for ref in BOTH) * 2
    assert len({cell.key for cell in cells}) == len(cells)
    assert {cell.settings["n"] for cell in cells if cell.variant == "w"} == {2}
    assert plan(folder, seeds=(0, 3)) == cells


def test_small_is_narrower(folder):
    everything = {cell.instance for cell in plan(folder, all_instances=True)}
    assert {cell.instance for cell in plan(folder, small=True)} < everything
    assert {cell.instance for cell in plan(folder)} < everything


def test_the_first_small_instance_is_one_of_the_boards():
    assert {ref: first_small(load_task(ref)) for ref in BOTH} == {
        "memorization@1": "n256-r4",
        "lipschitz-regression@1": "polynomial",
    }


@pytest.mark.parametrize("name", ["submission.py", "notes.txt"])
def test_a_change_of_the_folder_changes_every_key(folder, name):
    before = {cell.key for cell in plan(folder)}
    (folder / name).write_text("# changed\n", encoding="utf-8")
    assert before.isdisjoint(cell.key for cell in plan(folder))


@given(st.integers(0, 2**31), st.integers(0, 2**31), st.sampled_from(["fit", "timing"]))
def test_entropy_is_of_the_seed_and_the_purpose(tiny_cell, one, other, purpose):
    from dataclasses import replace

    first, second = replace(tiny_cell, seed=one), replace(tiny_cell, seed=other)
    assert (first.entropy(purpose) == second.entropy(purpose)) == (one == other)
    assert first.entropy(purpose) != first.entropy("another")
    assert all(0 <= word < 2**32 for word in first.entropy(purpose))


@pytest.fixture(scope="module")
def tiny_cell(tmp_path_factory):
    return plan(write(tmp_path_factory.mktemp("cell") / "mine", plain()))[0]


def test_entropy_is_not_of_the_code(folder):
    before = plan(folder)[0].entropy("fit")
    (folder / "notes.txt").write_text("changed", encoding="utf-8")
    assert plan(folder)[0].entropy("fit") == before


def test_names_that_nothing_has(folder):
    for kind in ("tasks", "instances", "variants"):
        with pytest.raises(NotFoundError, match="'zz'"):
            plan(folder, **{kind: ("zz",)})


def test_a_task_that_the_submission_does_not_answer(folder):
    only = write(folder.parent / "only", plain(), tasks=("memorization@1",))
    with pytest.raises(UsageError, match="nothing to run: only answers memorization@1"):
        plan(only, tasks=("lipschitz-regression@1",))


def test_one_reference_twice_is_one_submission(folder, tmp_path):
    run = prepare([str(folder)] * 2, Selection(small=True), tmp_path / "out", Limits())
    assert len(run.cells) == len(plan(folder, small=True))
    assert not (tmp_path / "out").exists()


def test_two_ways_to_one_folder_are_one_submission(folder, tmp_path):
    run = prepare(
        [str(folder), f"{folder}/submission.toml"], Selection(small=True), tmp_path / "out", Limits()
    )
    assert len(run.cells) == len(plan(folder, small=True))


def test_a_plan_hashes_and_reads_a_task_once_however_many_cells_it_has(tmp_path, monkeypatch):
    hashed, read = [], []
    once, load = records.canonical_hash, run.load_task
    monkeypatch.setattr(records, "canonical_hash", lambda value: hashed.append(value) or once(value))
    monkeypatch.setattr(run, "load_task", lambda ref: read.append(ref) or load(ref))

    def counts(seeds):
        hashed.clear()
        read.clear()
        selection = Selection(instances=("n256-r4", "n4096-r4"), seeds=tuple(range(seeds)))
        made = run.prepare(["conditional-tree"], selection, tmp_path, Limits(), make_data=False)
        return len(made.cells) // seeds, len(hashed), len(read)

    assert counts(1) == counts(50)
    assert counts(50)[2] == 1
