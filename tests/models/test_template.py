"""``sparsebench new``: what it writes runs as it is, and where it refuses it leaves nothing."""

import sys

import numpy as np
import pytest

from cuda import shim
from sparsebench.author.check import check_submission
from sparsebench.errors import UsageError
from sparsebench.models import find_submission
from sparsebench.models.opening import load_entry
from sparsebench.models.template import write_template
from sparsebench.ops.core import own
from sparsebench.ops.gpu import beside, nvrtc

FILES = ["submission.toml", "submission.py", "README.md"]


def test_it_passes_the_check_as_it_is(tmp_path):
    files = write_template(tmp_path / "my-router")
    assert [file.name for file in files] == [*FILES, ".gitattributes"]
    assert find_submission(str(tmp_path / "my-router")).manifest.name == "my-router"
    checks = list(check_submission(str(tmp_path / "my-router"), ("experts-8",)))
    assert [check for check in checks if not check.ok] == []
    names = [check.name.rpartition(" ")[2] for check in checks]
    audits = ["alone-as-in-batches", "order-invariance", "cost-in-batches", "phases-add-up", "repeats"]
    audits += ["expert-poison", "unread-parameters", "executed-within-dense", "known-answers"]
    audits += ["timed-as-metered"]
    assert names == ["manifest", "runs", *audits, "fits-again", "runs-again"]


@pytest.mark.parametrize("kernel", [False, True])
def test_it_says_how_to_check_it_out(tmp_path, kernel):
    files = write_template(tmp_path / "mine", kernel=kernel)
    assert "* text=auto eol=lf\n" in files[-1].read_text(encoding="utf-8")
    assert not any(b"\r" in file.read_bytes() for file in files)


def test_parents_are_made_and_nothing_else_is_left(tmp_path):
    write_template(tmp_path / "a" / "b" / "mine")
    assert sorted(path.name for path in (tmp_path / "a" / "b").iterdir()) == ["mine"]


@pytest.mark.parametrize(
    "name", ["Bad", "with_underscore", "-a", "a-", "a--b", "a b", "ä", "..", "a.py", "a" * 65]
)
def test_bad_names_are_refused_and_leave_nothing(tmp_path, name):
    with pytest.raises(UsageError, match=r"expected a name of .*lower-case letters") as caught:
        write_template(tmp_path / name)
    assert "my-router" in caught.value.help
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["folder", "file", "link"])
def test_what_exists_is_not_touched(tmp_path, kind):
    there = tmp_path / "mine"
    {
        "folder": there.mkdir,
        "file": lambda: there.write_text("text", encoding="utf-8"),
        "link": lambda: there.symlink_to(tmp_path / "nowhere"),
    }[kind]()
    with pytest.raises(UsageError, match="exists already"):
        write_template(there)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    assert kind != "file" or there.read_text(encoding="utf-8") == "text"


def test_a_folder_that_cannot_be_made_is_the_users_mistake(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UsageError, match="cannot write"):
        write_template(tmp_path / "file" / "mine")


def test_one_with_a_kernel_passes_the_check_as_it_is(tmp_path):
    files = write_template(tmp_path / "my-kernel", kernel=True)
    assert [file.name for file in files] == [*FILES, "kernel.cu", ".gitattributes"]
    checks = list(check_submission(str(tmp_path / "my-kernel"), ("experts-8",)))
    assert [check for check in checks if not check.ok] == []
    names = [check.name.rpartition(" on ")[2].partition(" ")[2] for check in checks]
    assert [name for name in names if name.startswith("nearest")] == [
        f"nearest {what}" for what in ("cost", "cpu", "compiles", "kernel")
    ]


@pytest.fixture
def nearest(tmp_path, monkeypatch):
    """Give the own primitive of the template."""
    write_template(tmp_path / "my-kernel", kernel=True)
    monkeypatch.setattr(own, "DEFINED", [])
    monkeypatch.setattr(sys, "path", list(sys.path))
    load_entry(tmp_path / "my-kernel", "submission:build")
    del sys.modules["submission"]
    return own.DEFINED[0]


@pytest.mark.skipif(shim.MISSING is not None, reason=str(shim.MISSING))
@pytest.mark.parametrize(("n", "experts"), [(1, 1), (300, 7)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_its_kernel_gives_what_its_reference_gives(nearest, n, experts, dtype):
    rng = np.random.default_rng(0)
    x, prototypes = (rng.integers(-8, 8, (rows, 5)).astype(dtype) / 4 for rows in (n, experts))
    device = shim.ShimDevice(sources={"kernel.cu": (nearest.folder / "kernel.cu").read_text()})
    found = nearest.launch(device, x, prototypes)
    np.testing.assert_array_equal(found, nearest.reference(x, prototypes))
    assert found.dtype == np.int64


@pytest.mark.skipif(nvrtc.find_library() is None, reason="NVRTC is not installed")
@pytest.mark.parametrize("arch", ["sm_80", "sm_90"])
def test_its_kernel_compiles(nearest, arch):
    cubin, _ = beside.translate(nearest.folder, "kernel.cu", "nearest<float>", arch)
    assert cubin.startswith(b"\x7fELF")
