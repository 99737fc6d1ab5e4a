from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from sparsebench.errors import IntegrityError, NotFoundError, SparsebenchError, UsageError
from sparsebench.tasks import load_task, rederive, regenerate, verify_task
from sparsebench.tasks.authoring.freezing import freeze_task
from sparsebench.tasks.cache import CACHE_VARIABLE, cache_root, cached_path, discard, locate
from sparsebench.tasks.parquet_writing import write_columns
from sparsebench.tasks.sources import missing_packages


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_every_file_is_reported_good_or_bad(folder, columns):
    task = load_task(folder)
    assert [(c.instance, c.file, c.ok) for c in verify_task(task)] == [
        ("one", "learn.parquet", True),
        ("one", "test.parquet", True),
    ]
    assert verify_task(task)[0].message.startswith("5 rows, sha256:")
    write_columns(folder / "learn.parquet", columns | {"y": columns["y"] * np.float32(2)})
    (folder / "test.parquet").unlink()
    changed, missing = verify_task(task)
    assert (changed.ok, missing.ok) == (False, False)
    expected = task.instances["one"].files["learn.parquet"]["y"]
    assert f"learn.parquet: column 'y': expected content {expected}, got sha256:" in changed.message
    assert "a changed hash is a new version" in changed.message
    assert "expected a Parquet file, got No such file" in missing.message


def test_regenerating_makes_the_same_content_elsewhere(folder, tmp_path):
    task = load_task(folder)
    before = {file: file.stat().st_mtime_ns for file in folder.iterdir()}
    files = regenerate(task, tmp_path / "new")
    assert [file.name for file in files] == ["learn.parquet", "test.parquet"]
    assert all(check.ok for check in verify_task(task, tmp_path / "new"))
    assert {file: file.stat().st_mtime_ns for file in folder.iterdir()} == before


def test_deriving_again_compares_and_writes_nothing(folder):
    task = load_task(folder)
    before = {file: file.stat().st_mtime_ns for file in folder.iterdir()}
    good = list(rederive(task, jobs=2))
    assert [(check.file, check.ok) for check in good] == [("learn.parquet", True), ("test.parquet", True)]
    assert all(check.message.startswith("made again, sha256:") for check in good)
    assert {file: file.stat().st_mtime_ns for file in folder.iterdir()} == before
    script = folder / "generate.py"
    script.write_text(script.read_text().replace('one["y"] + 1', 'one["y"] + 2'))
    learn, test = rederive(task)
    assert learn.ok
    assert not test.ok
    assert test.message.startswith(
        f"column 'y': expected content {task.instances['one'].files['test.parquet']['y']}, got sha256:"
    )
    script.write_text("raise ValueError('no seed')")
    assert [(check.ok, "got ValueError: no seed" in check.message) for check in rederive(task)] == [
        (False, True)
    ] * 2


def test_a_task_without_generator(folder, tmp_path):
    (folder / "generate.py").unlink()
    with pytest.raises(NotFoundError, match=r"tiny@1: no .*generate.py"):
        regenerate(load_task(folder), tmp_path / "new")


@pytest.mark.parametrize(
    ("code", "got"),
    [
        ("raise ValueError('no seed')", "to make its files, got ValueError: no seed"),
        ("raise SystemExit(3)", "to make its files, got exit status 3"),
        ("", "to make 2 files, got 0: no learn.parquet, test.parquet"),
        ("print('hello')", "a line of JSON for each file, got hello"),
    ],
)
def test_a_generator_that_fails_says_what_it_said(folder, tmp_path, code, got):
    (folder / "generate.py").write_text(code)
    with pytest.raises(SparsebenchError, match=f"expected (it )?{got}") as caught:
        regenerate(load_task(folder), tmp_path / "new")
    assert "generate.py --output DIR" in caught.value.help or "run_generator" in caught.value.help


# What is made on first use.


@pytest.fixture
def made_on_use(folder, edit, cache):
    edit(("small = true", "small = true\ngenerated = true"))
    for file in folder.glob("*.parquet"):
        file.unlink()
    return load_task(folder)


def test_data_are_made_on_first_use_and_once(made_on_use, cache, columns):
    said = []
    assert [(c.ok, c.message) for c in verify_task(made_on_use)] == [
        (True, "not made yet; it is on first use")
    ] * 2
    first = made_on_use.load("one", progress=said.append)
    np.testing.assert_array_equal(first.train.x, columns["x"])
    assert said == [f"making tiny@1/one, which is kept in {cache / 'tiny@1'}"]
    (made_on_use.folder / "generate.py").write_text("raise SystemExit(1)")
    again = made_on_use.load("one", progress=said.append)
    np.testing.assert_array_equal(again.test.y, first.test.y)
    assert len(said) == 1
    assert all(check.message.startswith("5 rows") for check in verify_task(made_on_use))
    assert not list(made_on_use.folder.glob("*.parquet"))
    kept = sorted(path.suffix for path in (cache / "tiny@1").iterdir())
    assert kept == [".lock", ".parquet", ".parquet"], "nothing half-made is left"


def test_a_damaged_file_of_the_cache_is_refused(made_on_use, columns):
    made_on_use.load("one")
    spec = made_on_use.instances["one"]
    write_columns(cached_path(made_on_use, spec, "learn.parquet"), columns | {"id": columns["id"] + 100})
    with pytest.raises(IntegrityError, match="column 'id': expected content sha256:"):
        made_on_use.load("one")


def test_what_is_broken_in_the_cache_is_discarded_to_be_made_again(made_on_use):
    made_on_use.load("one")
    spec = made_on_use.instances["one"]
    cached_path(made_on_use, spec, "learn.parquet").write_bytes(b"")
    with pytest.raises(IntegrityError, match="expected a readable Parquet file"):
        made_on_use.load("one")
    assert discard(made_on_use, spec, "learn.parquet")
    assert not discard(made_on_use, spec, "learn.parquet")
    assert len(made_on_use.load("one").train) == 5


def test_what_is_made_otherwise_is_not_kept(made_on_use, cache):
    script = made_on_use.folder / "generate.py"
    script.write_text(script.read_text().replace("reshape(5, 2)", "reshape(5, 2) * 2"))
    with pytest.raises(
        IntegrityError, match=r"tiny@1/one: learn.parquet: column 'x': expected content sha256:.*generate.py"
    ):
        made_on_use.load("one")
    assert not list(cache.rglob("*.parquet"))


def test_two_processes_make_it_once(made_on_use, cache, tmp_path):
    script = made_on_use.folder / "generate.py"
    note = f"open({str(tmp_path / 'runs')!r}, 'a').write('run\\n')\nimport time; time.sleep(1)\n"
    script.write_text(note + script.read_text())
    place = repr(str(made_on_use.folder))
    code = f"from sparsebench.tasks import load_task; print(load_task({place}).load('one').test.y.sum())"
    running = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    assert {process.communicate()[0] for process in running} == {"15.0\n"}
    assert (tmp_path / "runs").read_text() == "run\n"


def test_a_cache_that_cannot_be_written_says_where_else(made_on_use, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "file"))
    with pytest.raises(UsageError, match="the data of tiny@1/one cannot be kept there: ") as caught:
        made_on_use.load("one")
    assert CACHE_VARIABLE in caught.value.help


def test_a_file_beside_the_task_is_taken_before_the_cache(made_on_use, columns):
    write_columns(made_on_use.folder / "learn.parquet", columns)
    place = made_on_use.folder / "learn.parquet"
    assert locate(made_on_use, made_on_use.instances["one"], "learn.parquet") == place


def test_the_cache_is_the_users_own(monkeypatch):
    monkeypatch.delenv(CACHE_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    if sys.platform == "linux":
        assert str(cache_root()) == "/somewhere/sparsebench/tasks"
    assert cache_root().name == "tasks"


def test_what_is_too_large_is_read_in_batches_only(folder, edit, cache):
    task = load_task(edit(("small = true", "small = true\nstreamed = true")))
    with pytest.raises(UsageError, match="tiny@1/one is too large to be loaded at once") as caught:
        task.load("one")
    assert ".stream('one')" in caught.value.help
    assert sum(len(batch["id"]) for batch in task.stream("one")) == 5
    assert all(check.ok for check in verify_task(task))


# Hashes are written by a program.


def test_freezing_fills_a_draft_in(folder, edit, columns):
    frozen = (folder / "task.toml").read_text()
    lines = [line for line in frozen.splitlines() if line.startswith(('"learn', '"test'))]
    edit(*((line, line.partition(" = ")[0] + " = {}") for line in lines))
    for file in folder.glob("*.parquet"):
        file.unlink()
    task = freeze_task(folder)
    assert (folder / "task.toml").read_text() == frozen
    assert task.hash == load_task(folder).hash
    assert all(check.ok for check in verify_task(task))
    assert sorted(path.name for path in folder.iterdir()) == [
        "generate.py",
        "learn.parquet",
        "task.toml",
        "test.parquet",
    ]


def test_freezing_refuses_to_change_a_hash(folder, columns):
    before = {path: path.read_bytes() for path in folder.iterdir()}
    script = folder / "generate.py"
    script.write_text(script.read_text().replace('one["x"] + 1', 'one["x"] + 2'))
    with pytest.raises(
        IntegrityError, match=r"tiny@1/one: test.parquet: column 'x': expected content"
    ) as caught:
        freeze_task(folder)
    assert "a changed hash is a new version" in caught.value.help
    assert all(path.read_bytes() == content for path, content in before.items() if path != script)
    changed = freeze_task(folder, overwrite=True)
    assert all(check.ok for check in verify_task(changed))


def test_freezing_keeps_remarks_and_refuses_names_that_there_are_not(folder, edit):
    line = next(line for line in (folder / "task.toml").read_text().splitlines() if line.startswith('"test'))
    edit((line, '"test.parquet" = {}  # the test'))
    freeze_task(folder)
    assert f"{line}  # the test\n" in (folder / "task.toml").read_text()
    assert all(check.ok for check in verify_task(load_task(folder)))
    with pytest.raises(NotFoundError, match="unknown instance 'oen' in tiny@1"):
        freeze_task(folder, instances=["oen"])
    edit((f"{line}  # the test", "'test.parquet' = {}"))
    with pytest.raises(SparsebenchError, match=r"expected a line '\"test.parquet\" = \{\}'"):
        freeze_task(folder)


def test_freezing_needs_a_line_for_each_file(folder, edit):
    script = folder / "generate.py"
    script.write_text(
        script.read_text().replace('"test.parquet": two', '"test.parquet": two, "more.parquet": two')
    )
    with pytest.raises(
        SparsebenchError, match=r"expected a line '\"more.parquet\" = \{\}' in its \[instances.files\]"
    ):
        freeze_task(folder)


# Packages that data come from.


def test_packages_are_looked_for_in_their_versions():
    assert missing_packages([f"numpy=={np.__version__}"]) == []
    assert missing_packages(["numpy"]) == []
    assert missing_packages(["no-such-package"]) == ["no-such-package (there is none)"]
    assert missing_packages(["numpy==0.1", "no-such-package==1.0"]) == [
        f"numpy==0.1 (there is {np.__version__})",
        "no-such-package==1.0 (there is none)",
    ]
    assert missing_packages(["debian:no-such-package==1.0"]) == [
        "debian:no-such-package==1.0 (there is none)"
    ]


def test_data_whose_packages_are_missing_are_not_derived_again_and_not_faulty(folder, edit, tmp_path):
    source = """
[instances.source]
title = "Nothing"
licence = "MIT"
url = "https://example.org"
packages = ["no-such-package==1.0"]

[instances.files]"""
    task = load_task(edit(("\n[instances.files]", source)))
    checks = list(rederive(task))
    assert [(check.ok, check.message) for check in checks] == [
        (True, "not derived again: it needs no-such-package==1.0 (there is none)")
    ] * 2
    assert all(check.ok for check in verify_task(task))
    with pytest.raises(SparsebenchError, match=r"one: cannot be derived without no-such-package==1.0"):
        regenerate(task, tmp_path / "new", instances=["one"])


def test_debian_packages_are_found():
    import shutil

    if not shutil.which("dpkg-query"):
        pytest.skip("this is no Debian: there is no dpkg-query")
    command = ["dpkg-query", "--show", "--showformat=${Version}", "dpkg"]
    version = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert missing_packages([f"debian:dpkg=={version}"]) == []
    assert missing_packages(["debian:dpkg==0"]) == [f"debian:dpkg==0 (there is {version})"]
