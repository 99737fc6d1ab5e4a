from __future__ import annotations

import numpy as np
import pytest

from sparsebench.errors import NotFoundError, SparsebenchError
from sparsebench.tasks import load_task, regenerate, verify_task
from sparsebench.tasks.parquet import write_columns


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
    assert "expected content sha256:" in changed.message
    assert "a changed hash is a new version" in changed.message
    assert "expected a Parquet file, got No such file" in missing.message


def test_regenerating_makes_the_same_content_elsewhere(folder, tmp_path):
    task = load_task(folder)
    before = {file: file.stat().st_mtime_ns for file in folder.iterdir()}
    files = regenerate(task, tmp_path / "new")
    assert [file.name for file in files] == ["learn.parquet", "test.parquet"]
    assert all(check.ok for check in verify_task(task, tmp_path / "new"))
    assert {file: file.stat().st_mtime_ns for file in folder.iterdir()} == before


def test_a_task_without_generator(folder, tmp_path):
    (folder / "generate.py").unlink()
    with pytest.raises(NotFoundError, match=r"tiny@1: no .*generate.py"):
        regenerate(load_task(folder), tmp_path / "new")


@pytest.mark.parametrize(
    ("code", "got"),
    [
        ("raise ValueError('no seed')", "ValueError: no seed"),
        ("raise SystemExit(3)", "exit status 3"),
        ("", "no learn"),
    ],
)
def test_a_generator_that_fails_says_what_it_said(folder, tmp_path, code, got):
    (folder / "generate.py").write_text(code)
    with pytest.raises(SparsebenchError, match=f"expected it to make 2 files, got {got}") as caught:
        regenerate(load_task(folder), tmp_path / "new")
    assert "generate.py --output DIR" in caught.value.help
