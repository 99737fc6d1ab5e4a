"""Compiled kernels are kept whole, or not at all. No GPU and no compiler is needed to keep them."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from sparsebench.ops.gpu import compiler


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_what_is_kept_is_found_again(tmp_path):
    kept = compiler._write(tmp_path, "tree-1", b"code", {"f<float>": "_f"})
    assert compiler._read(tmp_path, "tree-1") == kept
    assert (kept.path.read_bytes(), names(tmp_path)) == (b"code", ["tree-1.cubin", "tree-1.json"])


@pytest.mark.skipif(sys.platform == "win32", reason="permissions are POSIX's")
def test_what_is_kept_is_the_users_alone(tmp_path):
    compiler._write(tmp_path, "tree-1", b"code", {})
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_what_cannot_be_kept_leaves_nothing(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        compiler._write(tmp_path, "tree-1", b"code", {})
    assert names(tmp_path) == []
