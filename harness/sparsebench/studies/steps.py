"""The steps of a study: each is done once, and kept, so that a run that was stopped goes on where it was."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from sparsebench.ground.replacing import replace_text
from sparsebench.meter.prices import COST_MODEL

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["Steps", "source_digest"]

T = TypeVar("T")


def source_digest(*files: Path) -> str:
    """Return a digest of source files: what was computed by other code is not taken over."""
    digest = hashlib.sha256()
    for path in files:
        content = path.read_bytes()
        digest.update(f"{len(content)} ".encode() + content)
    return digest.hexdigest()


class Steps:
    """Runs the steps of a study, and takes over those that were done before by the same code.

    Parameters
    ----------
    folder
        Where results are kept, as JSON; None to keep none.
    code
        A digest of what computes them.
    quick
        Whether sizes are small: for a look, not for a verdict to quote.
    told
        Called with the name of every step that begins.
    store
        A directory of stored rows, for studies that read them; None if there is none.
    """

    def __init__(
        self,
        folder: Path | None,
        code: str,
        *,
        quick: bool = False,
        told: Callable[[str], None] = lambda _: None,
        store: Path | None = None,
    ) -> None:
        self.quick, self.store = quick, store
        self._folder, self._told = folder, told
        self._key = f"{code} {COST_MODEL} {np.__version__} {'quick' if quick else 'full'}"

    def take(self, name: str, compute: Callable[[], T]) -> T:
        """Return the result of a step: kept from an earlier run, or computed now.

        Parameters
        ----------
        name
            What the step is called: letters, digits, ``-``, ``_``, ``.`` and ``=``, other than any other's.
        compute
            Returns what JSON can hold: numbers, texts, lists, dictionaries with texts as keys. Numbers come
            back as they were; tuples come back as lists, now as later.
        """
        kept = self._kept(name)
        if kept is not None:
            value: T = kept["value"]
            return value
        self._told(name)
        text = json.dumps({"key": self._key, "value": compute()}, allow_nan=False)
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
            replace_text(self._folder / f"{name}.json", text)
        read: T = json.loads(text)["value"]  # as a later run reads it
        return read

    def _kept(self, name: str) -> dict[str, Any] | None:
        if self._folder is None or not (path := self._folder / f"{name}.json").is_file():
            return None
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:  # something else wrote it
            return None
        return record if isinstance(record, dict) and record.get("key") == self._key else None
