from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tasks.tiny import columns_of_five_rows, write_tiny

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def columns():
    return columns_of_five_rows()


@pytest.fixture
def folder(tmp_path) -> Path:
    """A version folder of a valid task of one instance."""
    return write_tiny(tmp_path)


@pytest.fixture
def edit(folder):
    """Replace text of the valid task.toml; what is replaced must be there."""

    def change(*pairs: tuple[str, str]) -> Path:
        manifest = folder / "task.toml"
        text = manifest.read_text()
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new, 1)
        manifest.write_text(text)
        return manifest

    return change
