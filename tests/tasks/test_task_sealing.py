from __future__ import annotations

import hashlib
import json
import shutil
import stat

import numpy as np
import pytest

from sparsebench.errors import IntegrityError, NotFoundError, SparsebenchError, UsageError
from sparsebench.tasks import load_task, verify_task
from sparsebench.tasks.authoring.sealing import generator_hash, seal_instance, verify_seal
from sparsebench.tasks.parquet import read_columns
from sparsebench.tasks.parquet_writing import write_columns
from tasks.tiny import write_tiny

SEEDED = """
from pathlib import Path
import numpy as np
from sparsebench.tasks.generation import run_generator, stream

def build(spec):
    x = stream("tiny", spec.name, spec.seed).random((5, 2), dtype="f4")
    one = {"id": np.arange(5), "x": x, "y": np.arange(5, dtype="f4")}
    return {"learn.parquet": one, "test.parquet": one | {"id": one["id"] + 5, "y": one["y"] + 1}}

run_generator(build, Path(__file__).parent)
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """What a generator made once for all tests here: a task, its seed, and an instance sealed with it."""
    from sparsebench.tasks.authoring.freezing import freeze_task

    place = tmp_path_factory.mktemp("made")
    folder = write_tiny(place)
    (folder / "generate.py").write_text(SEEDED)
    seal_instance(freeze_task(folder, overwrite=True), "one", place / "seed", place / "sealed")
    return place


@pytest.fixture
def folder(made, tmp_path):
    """A test's own copy of the standard task."""
    return shutil.copytree(made / "tiny", tmp_path / "tiny") / "v1"


@pytest.fixture
def standard(folder, monkeypatch):
    """A standard task whose data depend on the seed."""
    monkeypatch.setattr("sparsebench.tasks.standard.tasks_root", lambda: folder.parents[1])
    return load_task(folder)


@pytest.fixture
def sealed(made, standard, tmp_path):
    shutil.copy(made / "seed", tmp_path / "seed")
    shutil.copytree(made / "sealed", tmp_path / "sealed")
    return tmp_path / "sealed", json.loads((tmp_path / "sealed" / "commitment.json").read_text())


def test_a_seal_binds_seed_and_data(sealed, standard, tmp_path):
    place, told = sealed
    seed = (tmp_path / "seed").read_bytes()
    assert told["seed"] == f"sha256:{hashlib.sha256(seed).hexdigest()}", "sha256sum gives it"
    assert (told["task"], told["drawn_as"], told["generator"]) == ("tiny@1", "one", generator_hash(standard))
    assert len(bytes.fromhex(seed.decode().strip())) == 32
    assert stat.S_IMODE((tmp_path / "seed").stat().st_mode) == 0o600
    task = load_task(place)
    (name,) = task.instances
    assert name == told["instance"] == f"one-sealed-{told['seed'][7:15]}"
    spec = task.instances[name]
    assert (task.ref, task.metric, task.box, task.board) == ("tiny@1", "nmse", standard.box, (name,))
    assert (spec.seed, spec.commitment, spec.files) == (None, told["seed"], told["data"])
    assert not np.array_equal(task.load(name).train.x, standard.load("one").train.x), "another draw"
    assert seed.decode().strip() not in "".join(
        p.read_text() for p in place.iterdir() if p.suffix != ".parquet"
    )
    assert all(check.ok for check in verify_task(task))
    checks = verify_seal(task, tmp_path / "seed")
    assert [(check.file, check.ok) for check in checks] == [
        ("commitment.json", True),
        ("seed", True),
        ("generate.py", True),
        ("task.toml", True),
        ("learn.parquet", True),
        ("test.parquet", True),
    ]
    assert [check.file for check in verify_seal(task, None)] == ["commitment.json"]


def test_the_same_seed_gives_the_same_data_and_another_others(standard, sealed, tmp_path):
    again = seal_instance(standard, "one", tmp_path / "seed", tmp_path / "again")
    assert json.loads(again.read_text()) == sealed[1]
    other = seal_instance(standard, "one", tmp_path / "other", tmp_path / "others")
    assert json.loads(other.read_text())["data"] != sealed[1]["data"]


def test_another_seed_is_not_the_one_committed_to(sealed, tmp_path):
    (tmp_path / "lie").write_text("another seed, long enough")
    checks = verify_seal(load_task(sealed[0]), tmp_path / "lie")
    assert [(check.file, check.ok) for check in checks] == [("commitment.json", True), ("lie", False)]
    assert f"expected {sealed[1]['seed']}, got sha256:" in checks[-1].message


def test_data_that_the_seed_does_not_give_are_found(sealed, tmp_path):
    """Whoever seals may have scored on other data than the seed's, with hashes that fit them."""
    place, told = sealed
    columns = read_columns(place / "test.parquet")
    changed = columns | {"y": columns["y"] + np.float32(1)}
    write_columns(place / "test.parquet", changed)
    from sparsebench.tasks.hashing import column_hashes

    old, new = told["data"]["test.parquet"]["y"], column_hashes(changed)["y"]
    for name in ("task.toml", "commitment.json"):
        (place / name).write_text((place / name).read_text().replace(old, new))
    task = load_task(place)
    commitment = place / "commitment.json"
    commitment.write_text(commitment.read_text().replace(told["task_hash"], task.hash))
    assert all(check.ok for check in verify_task(task))
    checks = {check.file: check for check in verify_seal(task, tmp_path / "seed")}
    assert checks["learn.parquet"].ok
    assert not checks["test.parquet"].ok
    assert checks["test.parquet"].message == "column 'y' is not what the seed gives"


def test_a_changed_generator_is_found(sealed, standard, tmp_path):
    script = standard.folder / "generate.py"
    script.write_text(script.read_text() + "# changed\n")
    checks = {check.file: check.ok for check in verify_seal(load_task(sealed[0]), tmp_path / "seed")}
    assert checks == {
        "commitment.json": True,
        "seed": True,
        "generate.py": False,
        "task.toml": True,
        "learn.parquet": True,
        "test.parquet": True,
    }


def test_the_task_of_an_own_one_is_named(sealed, standard, tmp_path, monkeypatch):
    monkeypatch.setattr("sparsebench.tasks.standard.tasks_root", lambda: tmp_path / "no-tasks")
    last = verify_seal(load_task(sealed[0]), tmp_path / "seed")[-1]
    assert (last.file, last.ok) == ("generate.py", False)
    assert "no standard task 'tiny@1' with an instance 'one'; give the folder" in last.message
    assert all(check.ok for check in verify_seal(load_task(sealed[0]), tmp_path / "seed", standard))


def test_a_commitment_that_differs_from_the_manifest(sealed):
    place, told = sealed
    (place / "commitment.json").write_text(json.dumps(told | {"seed": f"sha256:{'0' * 64}"}))
    (check,) = verify_seal(load_task(place), None)
    assert (check.ok, check.message) == (False, "task.toml and commitment.json differ")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('test = "test.parquet"', 'test = "learn.parquet"'),
        ("log2_ops_high = 4.5", "log2_ops_high = 30.0"),
        ('metric = "nmse"', 'metric = "recall"'),
    ],
)
def test_all_that_scores_depend_on_is_bound(sealed, tmp_path, old, new):
    """What is committed to is the whole task; what it asks is what the task it was drawn from asks."""
    place, told = sealed
    manifest = place / "task.toml"
    text = manifest.read_text()
    assert old in text
    unused = (
        [line for line in text.splitlines() if line.startswith('"test.parquet"')] if "test =" in old else []
    )
    manifest.write_text(text.replace(old, new).replace("".join(unused), ""))
    if not unused:  # else a file would be left over
        task = load_task(place)
        (check,) = verify_seal(task, None)
        assert (check.ok, check.message) == (False, "task.toml and commitment.json differ")
        told |= {"task_hash": task.hash}
        (place / "commitment.json").write_text(json.dumps(told))
        checks = {check.file: check.ok for check in verify_seal(task, tmp_path / "seed")}
        assert checks["commitment.json"]
        assert not checks["task.toml"], "another question than that of the task it was drawn from"
    else:
        (check,) = verify_seal(load_task(place), tmp_path / "seed")[:1]
        assert not check.ok


def test_a_commitment_runs_no_code_of_its_own_choice(sealed, tmp_path, monkeypatch):
    place, told = sealed
    theirs = place / "theirs"
    theirs.mkdir()
    (theirs / "task.toml").write_text((place / "task.toml").read_text())
    (theirs / "generate.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    (place / "commitment.json").write_text(json.dumps(told | {"task": str(theirs)}))
    checks = verify_seal(load_task(place), tmp_path / "seed")
    assert not checks[0].ok
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "text", ["[" * 5000, "", "[]", "{}", '{"format": "sparsebench commitment 1", "data": 3}']
)
def test_a_commitment_of_another_form(sealed, text):
    (sealed[0] / "commitment.json").write_text(text)
    with pytest.raises(
        IntegrityError, match=r"commitment.json: expected a sparsebench commitment 1, got something"
    ):
        verify_seal(load_task(sealed[0]), None)


def test_what_cannot_be_sealed(standard, sealed, tmp_path, folder):
    place, told = sealed
    with pytest.raises(UsageError, match=r"sealed: expected no such folder, got one"):
        seal_instance(standard, "one", tmp_path / "seed", place)
    with pytest.raises(NotFoundError, match="unknown instance 'two' in tiny@1"):
        seal_instance(standard, "two", tmp_path / "seed", tmp_path / "new")
    with pytest.raises(UsageError, match="cannot be sealed: it is sealed already"):
        seal_instance(load_task(place), told["instance"], tmp_path / "seed", tmp_path / "new")
    (tmp_path / "short").write_text("12345")
    with pytest.raises(UsageError, match=r"short: expected a seed of at least 16 bytes, got 5"):
        seal_instance(standard, "one", tmp_path / "short", tmp_path / "new")
    with pytest.raises(UsageError, match=r"expected commitment.json, got none"):
        verify_seal(standard, None)
    (folder / "generate.py").write_text("raise ValueError('no')")
    with pytest.raises(Exception, match="got ValueError: no"):
        seal_instance(standard, "one", tmp_path / "seed", tmp_path / "new")
    with pytest.raises(UsageError, match=r"no-folder/seed: cannot be made or read: No such file"):
        seal_instance(standard, "one", tmp_path / "no-folder" / "seed", tmp_path / "new")
    (folder / "generate.py").write_text(SEEDED.replace('"test.parquet"', '"exam.parquet"'))
    with pytest.raises(
        SparsebenchError, match=r"expected it to make learn.parquet, test.parquet, got exam.parquet"
    ):
        seal_instance(standard, "one", tmp_path / "seed", tmp_path / "new")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sealed", "seed", "short", "tiny"], (
        "nothing half-made"
    )
