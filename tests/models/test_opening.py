"""How a submission is opened, in whichever process."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from sparsebench.errors import ContractError
from sparsebench.models import Routed, Router, Submission
from sparsebench.models.opening import construct, is_routed, load_entry

if TYPE_CHECKING:
    from pathlib import Path


def test_an_entry_that_is_not_there_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "some_entry.py").write_text("value = 5\n")
    for name in ("missing", "value"):
        with pytest.raises(ContractError, match=name):
            load_entry(tmp_path, f"some_entry:{name}")


def test_an_entry_that_makes_something_else_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "other_entry.py").write_text("def build(task, width=1):\n    return width\n")
    with pytest.raises(ContractError, match=r"to give a sparsebench\.Submission, got int") as caught:
        construct(tmp_path, "other_entry:build", None, {"width": 3})  # type: ignore[arg-type]
    assert "return sparsebench.Routed(...)" in caught.value.help


def test_only_the_harness_puts_router_and_experts_together() -> None:
    class Own(Routed):
        def predict(self, params: object, x: object) -> object:
            return x

    class Anywhere(Router):
        def route(self, params: object, x: object) -> object:
            return x

    assert is_routed(Routed(Anywhere(), None))  # type: ignore[arg-type]
    assert not is_routed(Own(Anywhere(), None))  # type: ignore[arg-type]
    assert issubclass(Own, Submission)
