"""Where a submission's process finds modules."""

from __future__ import annotations

import site
import sys
from pathlib import Path

import pytest

from sparsebench.evaluate.host import warm


def test_what_lies_beside_a_program_is_not_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "program.py")])
    monkeypatch.setattr(sys, "path", [str(tmp_path), "", *sys.path])
    assert str(tmp_path) not in warm._search_path()
    assert "" not in warm._search_path()


@pytest.mark.parametrize("folder", site.getsitepackages())
def test_packages_are_found_though_the_program_lies_among_them(
    folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As what starts a notebook's kernel does."""
    monkeypatch.setattr(sys, "argv", [str(Path(folder) / "launcher.py")])
    monkeypatch.setattr(sys, "path", [folder, *sys.path])
    assert folder in warm._search_path()
