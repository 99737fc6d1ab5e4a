"""Fitted models that several variants take, kept beside the rows: ``DIR/models``.

A model lies there as its file, called by its hash, and a note under the key of the cell that it is the fit of
says which model that is, and what it was made with. Whatever is not exactly as it should be is not taken: the
cell fits by itself, and what it fits takes that place.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import re
import secrets
from typing import TYPE_CHECKING, Any, NamedTuple

import safetensors

from sparsebench.errors import SparsebenchError
from sparsebench.evaluate.host import payloads
from sparsebench.evaluate.host.parents import measured
from sparsebench.meter.model_file import load_model, save_model
from sparsebench.results.provenance import provenance_fields

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from sparsebench.evaluate.plan import Cell
    from sparsebench.meter.model import Model

__all__ = ["MOST_KEPT_BYTES", "Fitted", "KeptModels"]

MOST_KEPT_BYTES = 64 << 20
"""Bytes of the largest model that is kept: a larger one is fitted again for each variant."""

_MOST_NOTE = 1 << 16
_HASH = re.compile(r"[0-9a-f]{64}")
_BROKEN = (
    *(OSError, ValueError, KeyError, TypeError, RecursionError),
    *(SparsebenchError, safetensors.SafetensorError),
)


class Fitted(NamedTuple):
    """What a fit gave."""

    model: Model
    """The model."""
    seconds: float
    """What it took, by the harness's clock, when it was made."""


class KeptModels:
    """The models under one folder. Nothing is made on disk before the first one is kept.

    Parameters
    ----------
    store
        Directory of the result store.
    """

    def __init__(self, store: Path) -> None:
        self._folder = store / "models"

    def take(self, cell: Cell) -> Fitted | None:
        """Give the model that was kept for a cell; None where there is none that can be taken.

        Parameters
        ----------
        cell
            A cell that is fitted by itself, see :attr:`sparsebench.evaluate.plan.Cell.fitting`.
        """
        try:
            note = json.loads(_read(self._note(cell), _MOST_NOTE))
            if any(note[name] != value for name, value in _about(cell).items()):
                return None
            model, seconds = self._model(note["model_hash"]), note["fit_seconds"]
            return Fitted(model, seconds) if type(seconds) is float and 0 <= seconds < math.inf else None
        except _BROKEN:
            return None

    def keep(self, cell: Cell, made: Fitted) -> Fitted:
        """Keep a model, unless it is too large, or there is one by now: who is first is taken by all.

        What cannot be written is not kept: that costs a fit, and no row.

        Parameters
        ----------
        cell
            As for :meth:`take`.
        made
            What it was fitted to.

        Returns
        -------
        Fitted
            What the cell goes on with: the one that another worker kept meanwhile, or what was made.
        """
        content = save_model(made.model)
        if len(content) > MOST_KEPT_BYTES:
            return made
        if (first := self.take(cell)) is not None:
            return first
        digest = hashlib.sha256(content).hexdigest()
        note = {**_about(cell), "model_hash": digest, "fit_seconds": made.seconds}
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            _write(self._file(digest), content)  # before the note: who finds a note finds its model
            _write(self._note(cell), json.dumps(note, indent=1).encode())
        return made

    def forget(self, cells: Iterable[Cell]) -> None:
        """Forget what was kept for cells: they are to be fitted again. Files of models stay."""
        for cell in cells:
            with contextlib.suppress(OSError):
                self._note(cell).unlink(missing_ok=True)

    def _note(self, cell: Cell) -> Path:
        return self._folder / f"{cell.key}.json"

    def _file(self, digest: str) -> Path:
        return self._folder / f"{digest}.safetensors"

    def _model(self, digest: str) -> Model:
        """Read a model. Its name is its hash, so another one's bytes are noticed."""
        if not _HASH.fullmatch(digest):  # it becomes the name of a file
            raise ValueError(digest)
        content = _read(self._file(digest), MOST_KEPT_BYTES)
        if hashlib.sha256(content).hexdigest() != digest:
            raise ValueError(digest)
        model = load_model(content)
        payloads.check_arrays(model)
        return model


def _about(cell: Cell) -> dict[str, Any]:
    """Say whose a model is, and what made it: rows say the same of what made them."""
    made_with = {name: value for name, value in provenance_fields().items() if name != "harness_dirty"}
    return {
        "cell_key": cell.key,
        "submission_hash": cell.submission_hash,
        "sandbox": measured().level,
        **made_with,
    }


def _read(path: Path, most: int) -> bytes:
    """Read a file that may have become anything meanwhile."""
    if not path.is_file() or path.stat().st_size > most:
        raise ValueError(path)
    with path.open("rb") as file:
        return file.read(most)


def _write(path: Path, content: bytes) -> None:
    """Write a file: whole or not at all."""
    temporary = path.with_name(f".{path.name}-{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
