"""Generators that cannot be believed are found, and none leaves a trace in the process that imported it."""

from __future__ import annotations

import dataclasses
import shutil
import sys
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstwobign

from sparsebench.errors import IntegrityError, ManifestError, NotFoundError, SparsebenchError, UsageError
from sparsebench.tasks import load_task
from sparsebench.tasks.authoring.checking import check_task
from sparsebench.tasks.authoring.freezing import freeze_task
from sparsebench.tasks.authoring.fresh_checks import largest_gap, tolerated_gap
from sparsebench.tasks.authoring.template import new_task
from sparsebench.tasks.fresh import _columns_fault
from sparsebench.tasks.importing import imported_generator, is_importing

DRAW = "    x = uniform_inputs(rng, (n, *spec.input_shape))\n"
GIVE = '    return {"x": x, "y": label(spec, x)}\n'
LABEL = "    return distance(x.astype(np.float64), points).astype(np.float32)\n"


@pytest.fixture(scope="module")
def frozen(tmp_path_factory):
    return freeze_task(new_task("my-task", tmp_path_factory.mktemp("own")))


@pytest.fixture
def sabotaged(frozen, tmp_path):
    """Copy a sound task, and change its generator; what is changed must be there."""

    def change(*pairs):
        folder = tmp_path / "v1"
        shutil.copytree(frozen.folder, folder)
        script = folder / "generate.py"
        text = script.read_text()
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new)
        script.write_text(text)
        return load_task(folder)

    return change


def checked(task):
    (found,) = (c for c in check_task(task, instances=["plane"]) if c.name == "fresh")
    return found


def test_a_sound_generator_is_believed(frozen):
    got = frozen.fresh(frozen.load("plane"), 5, 1024)
    assert (got.x.shape, got.y.shape, got.tag) == ((1024, 2), (1024,), None)
    found = checked(frozen)
    assert found.ok
    assert found.detail == (
        "1024 inputs like those of test, and in no split; labels of 1024 test inputs come out to within 0"
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (GIVE, '    return {"x": x}\n', "expected columns x, y, got x"),
        (GIVE, "    return None\n", "expected columns x, y, got nothing"),
        (GIVE, "    return x, label(spec, x)\n", "expected columns x, y, got a tuple"),
        (GIVE, '    return {"x": x, "y": x, "tag": x}\n', "expected columns x, y, got x, y, tag"),
        (DRAW, "    x = rng.random((n, 2))\n", r"x: expected float32 of shape \(16, 2\), got float64 of"),
        (DRAW, "    x = uniform_inputs(rng, (n + 1, 2))\n", r"x: expected .* got float32 of shape \(17, 2\)"),
        (GIVE, '    return {"x": x, "y": list(x)}\n', r"y: expected float32 of shape \(16,\), got a list"),
        (DRAW, "    x = uniform_inputs(rng, (n, 2)) / np.float32(0)\n", "x: expected finite values"),
        (
            DRAW,
            '    x = uniform_inputs(stream(REF, spec.name, spec.seed, "x"), (n, 2))\n',
            "expected inputs that are in no split, got 16 of 16 that are in train",
        ),
        (LABEL, "    return np.float32(1.001) * distance(x.astype(np.float64), points).astype(np.float32)\n",
         "labels of 256 stored inputs come out to within .*, expected .* at most"),
        (GIVE, '    return {"x": x, "y": np.sort(label(spec, x))}\n',
         "labels of 16 fresh inputs come out to within .*, expected"),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:(divide by zero|invalid value)")
def test_what_a_generator_gives_is_held_to_what_is_declared_and_stored(sabotaged, old, new, message):
    # What `build` makes, which calls the same functions, stays as it is: the files are not made again.
    task = sabotaged((old, new))
    with pytest.raises(IntegrityError, match=message) as caught:
        task.fresh(task.load("plane"), 5, 16)
    assert "generate.py: fresh inputs of my-task@1/plane: " in caught.value.what
    assert caught.value.help
    assert not checked(task).ok


def test_labels_that_are_made_again_are_of_the_declared_kind(sabotaged):
    task = sabotaged(
        (".astype(np.float32)\n", "\n"), ("label(spec, x)}", "label(spec, x).astype(np.float32)}")
    )
    with pytest.raises(IntegrityError, match=r"label: expected float32 of shape \(256,\), got float64 of"):
        task.fresh(task.load("plane"), 5, 16)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (DRAW, "    raise ValueError('no\\nway')\n", "fresh: expected arrays, got ValueError: no\n"),
        (LABEL, "    return missing\n", "expected arrays, got NameError: name 'missing'"),
        ("def fresh(", "def other(", "expected a function fresh, got none"),
    ],
)
def test_a_generator_that_fails_is_named(sabotaged, old, new, message):
    task = sabotaged((old, new))
    with pytest.raises(SparsebenchError, match=message):
        task.fresh(task.load("plane"), 5, 16)
    found = checked(task)
    assert not found.ok
    assert "\n" not in found.detail


def test_labels_need_not_be_made_again(sabotaged):
    task = sabotaged(("label(spec", "other(spec"))
    assert len(task.fresh(task.load("plane"), 5, 16)) == 16
    assert checked(task).detail.endswith("labels of test were not made again")


@pytest.mark.parametrize(
    ("new", "message"),
    [
        (
            "    x = uniform_inputs(np.random.default_rng(), (n, 2))\n",
            "x differs between two draws of one seed",
        ),
        ("    x = uniform_inputs(np.random.default_rng(1), (n, 2))\n", "inputs do not depend on the seed"),
        ("    x = uniform_inputs(rng, (n, 2)) / np.float32(2)\n", "feature 0 of x is distributed otherwise"),
    ],
)
def test_the_check_looks_closer(sabotaged, new, message):
    task = sabotaged((DRAW, new))
    assert len(task.fresh(task.load("plane"), 5, 16)) == 16
    found = checked(task)
    assert not found.ok
    assert message in found.detail


def test_labels_alone_that_are_distributed_otherwise_are_found(sabotaged):
    task = sabotaged(("label(spec, x)}", "label(spec, x) / np.float32(2)}"), ("label(spec", "other(spec"))
    assert "y is distributed otherwise than in test" in checked(task).detail


def test_what_has_no_new_inputs_says_why(frozen, tmp_path):
    folder = tmp_path / "v1"
    shutil.copytree(frozen.folder, folder)
    text = (folder / "task.toml").read_text().replace("\nfresh = true", "")
    (folder / "task.toml").write_text(text)
    task = load_task(folder)
    assert task.hash == frozen.hash, "scores do not depend on it"
    assert task.spec("plane").public_test
    assert task.fresh(task.load("plane"), 5, 16) is None
    assert checked(task).ok
    assert checked(task).detail.startswith("none: task.toml does not say `fresh = true`; a public test")


@pytest.mark.parametrize("key", ["streamed = true", f'commitment = "sha256:{"0" * 64}"'])
def test_new_inputs_are_not_promised_where_there_can_be_none(edit, key):
    manifest = edit(("board = true\n", f"board = true\nfresh = true\n{key}\n"))
    with pytest.raises(
        ManifestError, match=r"instances\[0\].fresh: expected data that the generator can draw"
    ):
        load_task(manifest.parent)


def test_numbers_of_classes_and_domains_exist(frozen):
    spec = dataclasses.replace(
        frozen.spec("plane"), classes=3, domains=("a", "b"), target_dtype="int64", input_shape=(1,)
    )
    sound = {"x": np.zeros((2, 1), np.float32), "y": np.array([0, 2]), "tag": np.array([1, 0])}
    assert _columns_fault(sound, spec, 2) == ""
    for name, value, message in (
        ("y", 3, "y: expected numbers from 0 to 2, got 0 to 3"),
        ("y", -1, "y: expected numbers from 0 to 2, got -1 to 0"),
        ("tag", 2, "tag: expected numbers from 0 to 1, got 0 to 2"),
    ):
        assert _columns_fault(sound | {name: np.array([0, value])}, spec, 2) == message
    assert "expected columns x, y, tag, got x, y" in _columns_fault({"x": 0, "y": 0}, spec, 2)


def test_a_generator_leaves_the_process_as_it_was(sabotaged, monkeypatch):
    task = sabotaged(("import numpy as np\n", "import numpy as np\nimport problem\n"))
    (task.folder / "problem.py").write_text("HERE = 1\n")
    other = object()
    monkeypatch.setitem(sys.modules, "problem", other)
    before, path, flag = set(sys.modules), list(sys.path), sys.dont_write_bytecode
    with imported_generator(task.folder) as generator:
        assert generator.problem.HERE == 1
        assert sys.modules["generate"] is generator
        assert is_importing()
    assert sys.modules["problem"] is other
    assert {name for name in set(sys.modules) - before if name in {"generate", "problem"}} == set()
    assert (sys.path, sys.dont_write_bytecode, is_importing()) == (path, flag, False)
    assert not list(task.folder.glob("__pycache__"))
    with imported_generator(task.folder) as again:
        assert again is generator, "it is imported once"
        with imported_generator(load_task("routed-classification@1").folder) as inner:
            assert inner is not generator
        assert sys.modules["generate"] is generator


def test_an_error_leaves_the_process_as_it_was(sabotaged):
    task, path = sabotaged((DRAW, "    raise ValueError\n")), list(sys.path)
    with pytest.raises(SparsebenchError):
        task.fresh(task.load("plane"), 5, 16)
    assert sys.path == path
    assert "generate" not in sys.modules
    assert not is_importing()


def test_a_generator_that_was_edited_is_imported_anew(sabotaged):
    task = sabotaged((DRAW, "    raise ValueError\n"))
    instance = task.load("plane")
    with pytest.raises(SparsebenchError):
        task.fresh(instance, 5, 16)
    script = task.folder / "generate.py"
    script.write_text(script.read_text().replace("    raise ValueError\n", DRAW))
    assert len(task.fresh(instance, 5, 16)) == 16


def test_a_script_that_would_run_when_imported_is_refused(sabotaged):
    task = sabotaged(('if __name__ == "__main__":\n    run_generator', "run_generator"))
    before = sorted(path.name for path in task.folder.iterdir())
    with pytest.raises(UsageError, match="expected run_generator where it runs as a script") as caught:
        task.fresh(task.load("plane"), 5, 16)
    assert "__main__" in caught.value.help
    assert sorted(path.name for path in task.folder.iterdir()) == before


@pytest.mark.parametrize("name", ["random", "numpy", "sparsebench"])
def test_a_file_that_hides_a_module_is_refused(frozen, tmp_path, name):
    folder = tmp_path / "v1"
    shutil.copytree(frozen.folder, folder)
    (folder / f"{name}.py").write_text("")
    with pytest.raises(UsageError, match=rf"{name}\.py: expected a name of its own"):
        load_task(folder).fresh(frozen.load("plane"), 5, 16)
    assert checked(load_task(folder)).detail.endswith("; rename it")


def test_without_a_generator_nothing_is_drawn(frozen, tmp_path):
    folder = tmp_path / "v1"
    shutil.copytree(frozen.folder, folder)
    (folder / "generate.py").unlink()
    with pytest.raises(NotFoundError, match=r"expected a generate\.py, got none"):
        load_task(folder).fresh(frozen.load("plane"), 5, 16)


def test_threads_take_turns(frozen):
    routed = load_task("routed-classification@1")
    work = [(frozen, frozen.load("plane")), (routed, routed.load("synthetic-4"))]
    alone = [task.fresh(instance, 5, 64).x for task, instance in work]
    same = []

    def draw(which):
        task, instance = work[which]
        same.extend(np.array_equal(task.fresh(instance, 5, 64).x, alone[which]) for _ in range(10))

    threads = [threading.Thread(target=draw, args=(which,)) for which in (0, 1, 0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert same == [True] * 40


numbers = st.lists(st.integers(-5, 5), min_size=1, max_size=40).map(np.array)


@given(numbers, numbers)
def test_the_largest_gap_is_the_statistic_of_kolmogorov_and_smirnov(one, other):
    expected = max(abs((one <= value).mean() - (other <= value).mean()) for value in range(-5, 6))
    assert largest_gap(one, other) == pytest.approx(expected, abs=1e-12)
    assert largest_gap(one, one) == 0


@pytest.mark.parametrize("chance", [1e-2, 1e-6, 1e-9])
def test_a_gap_is_tolerated_as_often_as_it_is_said(chance):
    most = tolerated_gap(4096, 1024, chance)
    scaled = most * np.sqrt(4096 * 1024 / (4096 + 1024))
    assert kstwobign.sf(scaled) == pytest.approx(chance, rel=1e-3)
