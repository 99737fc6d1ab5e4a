"""What the attacks' tests share."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

import pytest

from adversarial.leftovers import nothing_runs, own_state, processes
from adversarial.level import level

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def sandbox_level() -> str:
    """The level of the sandbox here."""
    return level()


@pytest.fixture
def undisturbed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for scratch folders; after the test, nothing is left of it, or changed of us."""
    monkeypatch.setenv("SPARSEBENCH_TEST_SECRET", "SECRET")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    state, before = own_state(), processes()
    yield tmp_path
    assert own_state() == state
    assert nothing_runs(tmp_path, before)
    assert not list(tmp_path.iterdir())
