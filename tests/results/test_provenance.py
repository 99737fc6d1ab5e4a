"""Where a row was made."""

import json
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sparsebench.results import COLUMNS, provenance
from sparsebench.results.provenance import (
    blas_name,
    cpu_model,
    cpu_name,
    harness_commit,
    harness_version,
    package_versions,
    provenance_fields,
    utc_now,
)


@pytest.fixture(autouse=True)
def fresh():
    cached = (blas_name, cpu_model, cpu_name, harness_commit)
    for function in cached:
        function.cache_clear()
    yield
    for function in cached:
        function.cache_clear()


def git(folder, *arguments):
    subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
    )


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A repository that holds a copy of the one file that the module looks for."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed: commits cannot be tested")
    package = tmp_path / "harness" / "sparsebench"
    (package / "results").mkdir(parents=True)
    copy = package / "results" / "provenance.py"
    shutil.copy(provenance.__file__, copy)
    monkeypatch.setattr(provenance, "__file__", str(copy))
    monkeypatch.setattr(provenance, "_PACKAGE", package)
    git(tmp_path, "init", "-q")
    return tmp_path


def test_the_commit_and_its_flag(checkout, monkeypatch):
    git(checkout, "add", ".")
    git(checkout, "commit", "-qm", "first")
    monkeypatch.setenv("GIT_DIR", str(checkout / "nowhere"))  # as inside a hook of another repository
    commit, dirty = harness_commit()
    assert re.fullmatch(r"[0-9a-f]{40}", commit)
    assert dirty is False
    (checkout / "rows.parquet").write_bytes(b"outside the package")
    harness_commit.cache_clear()
    assert harness_commit() == (commit, False)
    (checkout / "harness" / "sparsebench" / "new.py").write_text("x = 1\n")
    harness_commit.cache_clear()
    assert harness_commit() == (commit, True)


def test_an_untracked_copy_has_no_commit(checkout):
    (checkout / "other.txt").write_text("somebody's project")
    git(checkout, "add", "other.txt")
    git(checkout, "commit", "-qm", "first")
    assert harness_commit() == (None, None)


def test_a_repository_without_a_commit(checkout):
    git(checkout, "add", ".")
    assert harness_commit() == (None, None)


def test_no_git_no_commit(monkeypatch):
    monkeypatch.setattr(provenance.shutil, "which", lambda _: None)
    assert harness_commit() == (None, None)


def test_git_that_cannot_be_run_or_hangs(monkeypatch):
    monkeypatch.setattr(provenance.shutil, "which", lambda _: "/nonexistent/git")
    assert harness_commit() == (None, None)


def test_the_model_of_the_processor(tmp_path, monkeypatch):
    info = tmp_path / "cpuinfo"
    monkeypatch.setattr(provenance, "_CPUINFO", info)
    info.write_text("cpu family\t: 6\nmodel\t\t: 143\nmodel name\t: X\nstepping\t: 8\n\nstepping\t: 9\n")
    assert cpu_model() == "6-143-8"
    cpu_model.cache_clear()
    info.write_text("cpu family\t: 6\n")
    assert cpu_model() is None
    cpu_model.cache_clear()
    info.unlink()
    assert cpu_model() is None


def test_the_blas_that_is_loaded():
    name, version, *kernels = blas_name().split(", ")[0].split()
    assert name in {"openblas", "mkl", "blis", "flexiblas", "armpl", "accelerate"}
    assert version[0].isdigit()
    assert all(word.isprintable() for word in kernels)


def test_no_blas_at_all(monkeypatch):
    monkeypatch.setattr("threadpoolctl.threadpool_info", list)
    assert blas_name() is None


def test_cpu_name_from_proc_and_from_the_platform(tmp_path, monkeypatch):
    info = tmp_path / "cpuinfo"
    info.write_text("processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\nmodel name\t: another\n")
    monkeypatch.setattr(provenance, "_CPUINFO", info)
    assert cpu_name() == "Some CPU @ 2 GHz"
    for absent in (tmp_path / "none", info):
        info.write_text("Hardware: unnamed\n")
        monkeypatch.setattr(provenance, "_CPUINFO", absent)
        monkeypatch.setattr(provenance.platform, "processor", lambda: "")
        monkeypatch.setattr(provenance.platform, "machine", lambda: "riscv64")
        cpu_name.cache_clear()
        assert cpu_name() == "riscv64"


def test_versions():
    assert re.match(r"\d+\.\d+", harness_version())
    versions = package_versions()
    assert {"numpy", "pyarrow"} <= set(versions)
    assert list(versions) == sorted(versions)
    versions["numpy"] = "changed"
    assert package_versions()["numpy"] != "changed"
    assert provenance._version("no-such-package-at-all") is None


def test_provenance_has_the_rows_names():
    found = provenance_fields()
    assert set(found) <= set(COLUMNS)
    assert json.loads(found["packages"]) == package_versions()
    assert found["cpu"]


def test_now_is_utc_to_the_microsecond():
    moment = utc_now()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00", moment)
    assert abs((datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds()) < 60


def test_the_package_is_where_it_says():
    assert (provenance._PACKAGE / "errors.py").is_file()
    assert Path(provenance.__file__).is_relative_to(provenance._PACKAGE)
