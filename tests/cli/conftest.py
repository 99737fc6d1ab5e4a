"""Running the command line in this process, in an empty folder."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from sparsebench.cli import main


class Outcome(NamedTuple):
    """What a command gave."""

    code: int
    out: str
    err: str


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Work in an empty folder."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def cli(here, capsys):
    """Call the command line: ``cli("eval", "constant")``."""

    def call(*arguments):
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            main([str(argument) for argument in arguments])
        return Outcome(caught.value.code, *capsys.readouterr())

    return call
