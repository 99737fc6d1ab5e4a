"""``submission.toml``: who made a submission, where its code starts, and its variants."""

from __future__ import annotations

import math
import re
import tomllib
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
    field_validator,
)

from sparsebench.errors import ManifestError
from sparsebench.models import requirements
from sparsebench.models.faults import faults_of, near_task
from sparsebench.models.fits import faults_of_fits
from sparsebench.models.includes import check_spelling

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Manifest", "Variant", "read_manifest"]

Name = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]
Setting = bool | int | float | str
_RESERVED = frozenset({"self", "task"})
_WORDS = "lower-case letters and digits joined by hyphens"
_FORMS = {"name": _WORDS, "fit": _WORDS, "entry": "module:name"}
_MOST_VARIANTS = 16  # as in scoring/budget.py, which is on the same layer: a test compares both


def _setting(value: Any) -> Setting:
    if isinstance(value, bool | int | str) or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise ValueError("expected a string, a finite number, true or false")


class Variant(BaseModel):
    """One setting of a submission's hyperparameters: a name, and any keys that its constructor takes."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)
    __pydantic_extra__: dict[str, Annotated[Any, PlainValidator(_setting)]]

    name: Name
    """Unique within the submission."""
    fit: Name | None = None
    """The variant whose fitted model it takes, to differ only in ``predict``; None if it has its own."""

    @property
    def settings(self) -> dict[str, Setting]:
        """The keywords of the constructor."""
        return dict(self.__pydantic_extra__)


class Manifest(BaseModel):
    """The ``[submission]`` table and the variants."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    name: Name
    """Unique on a board."""
    title: Annotated[str, Field(min_length=1, max_length=120)]
    """One line for people."""
    authors: list[str]
    """Names."""
    license: str
    """SPDX identifier."""
    entry: Annotated[str, Field(pattern=r"^[A-Za-z_]\w*:[A-Za-z_]\w*$")]
    """``module:name`` of the callable that gets the task and a variant's settings."""
    tasks: Annotated[list[str], Field(min_length=1)]
    """References of the tasks that it answers, e.g. ``memorization@1``."""
    reference: str = ""
    """Where it was published."""
    include: list[Annotated[str, AfterValidator(check_spelling)]] = []
    """Files that it shares with other submissions: modules beside its entry when it runs."""
    requires: list[Annotated[str, AfterValidator(requirements.check_spelling)]] = []
    """Python requirements beyond sparsebench itself, as pip writes them."""
    gpu: Literal["none", "optional", "required"] = "optional"
    """Whether it can use, or needs, a GPU when it is timed."""
    uses_tags: bool = False
    """Whether it gets the domain of every input that it predicts: the board then marks it."""
    allow_nan: bool = False
    """Whether NaN among what ``fit`` returns means something: it is refused otherwise."""
    variants: Annotated[list[Variant], Field(min_length=1)]
    """The points of its accuracy-cost curve: at most 16, because the best of many is good by luck."""

    @field_validator("tasks")
    @classmethod
    def _references(cls, tasks: list[str]) -> list[str]:
        wrong = [task for task in tasks if not re.fullmatch(r"[a-z0-9-]+@[0-9]+", task)]
        if wrong:
            near = near_task(wrong[0])
            mend = f": did you mean {near}?" if near else ""
            raise ValueError(f"expected name@version, got {wrong[0]!r}{mend}")
        return tasks

    @field_validator("include")
    @classmethod
    def _apart(cls, include: list[str]) -> list[str]:
        names = [path.rpartition("/")[2] for path in include]
        folded = [name.casefold() for name in names]  # some systems do not distinguish X.py from x.py
        twice = [name for name, alike in zip(names, folded, strict=True) if folded.count(alike) > 1]
        if twice:
            raise ValueError(f"expected files of different names, two are called {twice[0]!r}")
        return include

    @field_validator("variants")
    @classmethod
    def _few(cls, variants: list[Variant]) -> list[Variant]:
        if len(variants) > _MOST_VARIANTS:
            mend = "keep those that trace its curve of quality and cost"
            raise ValueError(f"{len(variants)} variants, expected at most {_MOST_VARIANTS}: {mend}")
        return variants

    @field_validator("variants")
    @classmethod
    def _unique(cls, variants: list[Variant]) -> list[Variant]:
        names = [variant.name for variant in variants]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two variants are called {twice[0]!r}")
        return variants

    @field_validator("variants")
    @classmethod
    def _free(cls, variants: list[Variant]) -> list[Variant]:
        for variant in variants:
            if taken := sorted(_RESERVED & variant.settings.keys()):
                raise ValueError(f"{variant.name!r} has a setting called {taken[0]!r}, which is taken")
        return variants


def read_manifest(path: Path) -> Manifest:
    """Read and validate a ``submission.toml``.

    Raises
    ------
    ManifestError
        With every fault of the file: the key, what was expected and what was got.
    """
    try:
        text = path.read_text(encoding="utf-8")
        raw = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ManifestError(f"{path}: not valid TOML: {error}", help="mend the line that it names") from None
    except OSError as error:
        raise ManifestError(f"{path}: cannot be read: {error.strerror}", help="check the path") from None
    stray = sorted(raw.keys() - {"submission", "variants"})
    if stray or not isinstance(raw.get("submission"), dict):
        got = ", ".join(sorted(raw)) or "nothing"
        message = f"{path}: expected the tables [submission] and [[variants]], got {got}"
        raise ManifestError(message, help="`sparsebench new NAME` writes a valid one")
    try:
        manifest = Manifest.model_validate({**raw["submission"], "variants": raw.get("variants", [])})
    except ValidationError as error:
        raise faults_of(path, error, list(Manifest.model_fields), _FORMS) from None
    if faults := "; ".join(faults_of_fits(manifest.variants, text)):
        mend = "name in `fit` a variant that is fitted by itself, or leave `fit` out"
        raise ManifestError(f"{path}: {faults}", help=mend)
    return manifest
