"""Fitted models that several variants take, stored with the rows in ``DIR/models``.

A model's file is named by its hash, and a note under the key of the fitted cell says which model that is, and
how it was made. Anything that is not exactly as it should be is not used: the cell then fits by itself, and
its model replaces the stored one.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import hmac
import json
import math
import re
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import safetensors

import sparsebench
from sparsebench.errors import SparsebenchError
from sparsebench.evaluate.host import payloads
from sparsebench.evaluate.host.parents import measured
from sparsebench.ground.replacing import replace_bytes, write_first
from sparsebench.meter.model_file import load_model, save_model
from sparsebench.results.provenance import provenance_fields
from sparsebench.tasks.cache import cache_root

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sparsebench.evaluate.plan import Cell
    from sparsebench.meter.model import Model

__all__ = ["MOST_KEPT_BYTES", "Fitted", "KeptModels"]

MOST_KEPT_BYTES = 64 << 20
"""Bytes of the largest model that is kept: a larger one is fitted again for each variant."""

_MOST_NOTE = 1 << 16
_SECRET = 32  # bytes
_HASH = re.compile(r"[0-9a-f]{64}")
_BROKEN = (
    *(OSError, ValueError, KeyError, TypeError, RecursionError),
    *(SparsebenchError, safetensors.SafetensorError),
)


class Fitted(NamedTuple):
    """The result of a fit."""

    model: Model
    """The model."""
    seconds: float
    """The seconds of the fit, by the harness's clock."""


class KeptModels:
    """The models in one folder. Nothing is made on disk before the first one is kept.

    Parameters
    ----------
    store
        Directory of the result store.
    """

    def __init__(self, store: Path) -> None:
        self._folder = store / "models"

    def take(self, cell: Cell) -> Fitted | None:
        """Return the model that was kept for a cell; None if there is no usable one.

        Parameters
        ----------
        cell
            A cell that is fitted by itself, see :attr:`sparsebench.evaluate.plan.Cell.fitting`.
        """
        try:
            note = json.loads(_read(self._note(cell), _MOST_NOTE))
            if not hmac.compare_digest(note.pop("mark"), _mark(note)):
                return None
            if any(note[name] != value for name, value in _about(cell).items()):
                return None
            model, seconds = self._model(note["model_hash"]), note["fit_seconds"]
            return Fitted(model, seconds) if type(seconds) is float and 0 <= seconds < math.inf else None
        except _BROKEN:
            return None

    def keep(self, cell: Cell, made: Fitted) -> Fitted:
        """Keep a model, unless it is too large, or one is there by now: the first one is used by all.

        A model that cannot be written is not kept: that costs a fit, but no row.

        Parameters
        ----------
        cell
            As for :meth:`take`.
        made
            The result of its fit.

        Returns
        -------
        Fitted
            The one that the cell uses: the one that another worker kept meanwhile, or ``made``.
        """
        content = save_model(made.model)
        if len(content) > MOST_KEPT_BYTES:
            return made
        if (first := self.take(cell)) is not None:
            return first
        digest = hashlib.sha256(content).hexdigest()
        note = {**_about(cell), "model_hash": digest, "fit_seconds": made.seconds}
        with contextlib.suppress(OSError):
            note["mark"] = _mark(note)
            self._folder.mkdir(parents=True, exist_ok=True)
            replace_bytes(self._file(digest), content)  # before the note, whose readers look for it
            replace_bytes(self._note(cell), json.dumps(note, indent=1).encode())
        return made

    def forget(self, cells: Iterable[Cell]) -> None:
        """Forget the models of cells, which must be fitted again. Files of models stay."""
        for cell in cells:
            with contextlib.suppress(OSError):
                self._note(cell).unlink(missing_ok=True)

    def _note(self, cell: Cell) -> Path:
        return self._folder / f"{cell.key}.json"

    def _file(self, digest: str) -> Path:
        return self._folder / f"{digest}.safetensors"

    def _model(self, digest: str) -> Model:
        """Read a model. Its name is its hash, so wrong bytes are noticed."""
        if not _HASH.fullmatch(digest):  # it becomes the name of a file
            raise ValueError(digest)
        content = _read(self._file(digest), MOST_KEPT_BYTES)
        if hashlib.sha256(content).hexdigest() != digest:
            raise ValueError(digest)
        model = load_model(content)
        payloads.check_arrays(model)
        return model


def _mark(note: Mapping[str, Any]) -> str:
    """Mark a note as one of this user's own runs: models that came with another user's rows are not.

    The mark uses a secret in the user's cache, which walls close to submissions.
    """
    text = json.dumps(note, sort_keys=True).encode()
    return hmac.new(_secret(), text, hashlib.sha256).hexdigest()


def _secret() -> bytes:
    """Return the user's secret, which is made on first use."""
    path = cache_root() / "kept-models.secret"
    with contextlib.suppress(FileNotFoundError):
        if len(secret := path.read_bytes()) == _SECRET:
            return secret
    path.parent.mkdir(parents=True, exist_ok=True)
    write_first(path, secrets.token_bytes(_SECRET), mode=0o600)
    if len(secret := path.read_bytes()) != _SECRET:
        raise OSError(f"{path} is no secret of ours")
    return secret


def _about(cell: Cell) -> dict[str, Any]:
    """Return which cell a model is for, and what made it: the facts that rows have on their origin."""
    made_with = provenance_fields()
    if made_with["harness_dirty"]:
        made_with["harness_changed"] = _last_change()
    return {
        "cell_key": cell.key,
        "submission_hash": cell.submission_hash,
        "sandbox": measured().level,
        **made_with,
    }


@functools.cache
def _last_change() -> int:
    """Return the time of the harness's last edit, in nanoseconds, since its commit does not identify it."""
    root = Path(sparsebench.__file__).parent
    return max(path.stat().st_mtime_ns for path in root.rglob("*.py"))


def _read(path: Path, most: int) -> bytes:
    """Read a file that may have been changed in any way."""
    if not path.is_file() or path.stat().st_size > most:
        raise ValueError(path)
    with path.open("rb") as file:
        return file.read(most)
