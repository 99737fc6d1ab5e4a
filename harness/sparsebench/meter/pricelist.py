"""A user's own price list: a TOML file that prices raw counts, in addition to the standard lists.

::

    name = "my-accelerator"      # the heading of its column
    like = "ops"                 # a standard list to start from; without it every kind needs a price

    [ops]                        # price of one operation of a kind
    special = 20
    lookup = 0.5

    [dtypes.float64]             # where a dtype has a price of its own
    mul = 4

    [phases]                     # what a phase's prices are multiplied by
    router = 1
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, create_model

from sparsebench.errors import NotFoundError, UsageError
from sparsebench.ground.faults import Fault, manifest_error, model_faults, read_toml
from sparsebench.ground.naming import NAME_PATTERN, unknown_name
from sparsebench.meter.ledger import PHASES, Entry
from sparsebench.meter.prices import PROFILES, WEIGHTS
from sparsebench.meter.values import DTYPES
from sparsebench.ops.charges import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["MOST", "PriceList", "find_price_list", "read_price_list", "standard_price_list"]

MOST = 1e12
"""The largest price: what is priced by it stays a finite number."""

_NUMBER = f"a number from 0 to {MOST:g}"
_PROFILE = f"the name of a standard list: {', '.join(PROFILES)}"


@dataclass(frozen=True)
class PriceList:
    """A named price for every entry of a ledger."""

    name: str
    """The heading of its column."""
    weight: Callable[[Entry], float]
    """The price of one operation of an entry."""

    def price(self, entries: Iterable[Entry]) -> float:
        """Return the price of a ledger. With whole prices it is exact.

        Raises
        ------
        UsageError
            If this list does not know the kind of an entry: there is no default price.
        """
        return sum(entry.amount * self._weight(entry) for entry in entries)

    def _weight(self, entry: Entry) -> float:
        if entry.kind not in KINDS:
            message = f"{self.name}: expected one of the kinds {', '.join(KINDS)}, got {entry.kind!r}"
            raise UsageError(message, help="use the version of sparsebench that counted it")
        return self.weight(entry)


def find_price_list(reference: str) -> PriceList:
    """Find a price list: a standard one by its name, else a user's own by the path of its file.

    Raises
    ------
    NotFoundError
        If there is neither.
    ManifestError
        If the file does not validate.
    """
    if reference in PROFILES:
        return standard_price_list(reference)
    path = Path(reference)
    if path.is_file():
        return read_price_list(path)
    if path.suffix or len(path.parts) > 1:  # names of lists do not look like this
        got = "a folder" if path.is_dir() else "nothing of that name"
        mend = f"mend the path, or name a standard list: {', '.join(PROFILES)}"
        raise NotFoundError(f"{path}: expected a price list as a TOML file, got {got}", help=mend)
    error = unknown_name("price list", reference, PROFILES)
    raise NotFoundError(error.what, help=f"{error.help}; or give the path of a TOML file")


def standard_price_list(name: str) -> PriceList:
    """Return one of :data:`sparsebench.meter.PROFILES`."""
    return PriceList(name, PROFILES[name])


def read_price_list(path: Path) -> PriceList:
    """Read and validate a price list.

    Raises
    ------
    NotFoundError
        If there is no such file.
    ManifestError
        With every fault of the file: the key, what was expected, what was got and the mend.
    """
    raw = read_toml(path)
    faults = _unpriced(raw)
    try:
        document: Any = _Document.model_validate(raw)
    except ValidationError as error:
        raise manifest_error(path, [*model_faults(error, _Document), *faults]) from None
    if faults:
        raise manifest_error(path, faults)
    return _price_list(document.model_dump(exclude_none=True))


def _unpriced(raw: Mapping[str, Any]) -> list[Fault]:
    """Find the kinds that have no price, if there is no list to start from."""
    if "like" in raw:
        return []
    mend = 'or name a list to start from: like = "ops"'
    priced = raw.get("ops", {})
    if not priced:
        return [Fault("ops", f"a price for each of {', '.join(KINDS)}", "nothing", f"add [ops], {mend}")]
    if not isinstance(priced, dict):
        return []  # reported already
    return [
        Fault(f"ops.{kind}", f"the price of {what}", "nothing", f"add it, {mend}")
        for kind, what in KINDS.items()
        if kind not in priced
    ]


def _price_list(document: Mapping[str, Any]) -> PriceList:
    base, factors = _base(document.get("like"))
    factors |= document.get("phases", {})
    own, by_dtype = document.get("ops", {}), document.get("dtypes", {})

    def weight(entry: Entry) -> float:
        special = by_dtype.get(entry.dtype, {})
        price = special[entry.kind] if entry.kind in special else own.get(entry.kind)
        factor: float = factors.get(entry.phase, 1)
        return factor * (base(entry) if price is None else price)

    return PriceList(document["name"], weight)


def _base(like: str | None) -> tuple[Callable[[Entry], float], dict[str, float]]:
    """Return the prices to start from, and the factors of phases."""
    if like == "paper-router-free":  # a user's price changes the kind, and still leaves out the router
        return PROFILES["ops"], {"router": 0}
    return PROFILES[like or "ops"], {}  # without `like` every kind has a price of its own


def _of_ones_own(name: str) -> str:
    if not re.fullmatch(NAME_PATTERN, name) or len(name) > 32:  # noqa: PLR2004 - it heads a column
        raise ValueError("a name of at most 32 lower-case letters and digits, joined by hyphens")
    if name in PROFILES or name in WEIGHTS:
        raise ValueError("a name of your own, not that of a standard list or of a kind")
    return name


def _standard(name: str) -> str:
    if name not in PROFILES:
        raise ValueError(_PROFILE)
    return name


class _Table(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


_Price = Annotated[float, Field(ge=0, le=MOST, allow_inf_nan=False)]


def _table(name: str, keys: Iterable[str], kind: Any, description: str) -> Any:
    """Make the model of a table with optional keys."""
    field: dict[str, Any] = {key: (kind | None, Field(default=None, description=description)) for key in keys}
    made: Any = create_model(name, __base__=_Table, **field)
    return made


_Kinds = _table("_Kinds", KINDS, _Price, _NUMBER)
_Dtypes = _table("_Dtypes", DTYPES, _Kinds, "a table of prices")
_Phases = _table("_Phases", PHASES, _Price, f"what its prices are multiplied by: {_NUMBER}")


class _Document(_Table):
    """The file of a price list."""

    name: Annotated[str, AfterValidator(_of_ones_own)] = Field(description="a name such as my-accelerator")
    like: Annotated[str, AfterValidator(_standard)] | None = Field(default=None, description=_PROFILE)
    ops: _Kinds | None = Field(default=None, description="a table of prices")  # type: ignore[valid-type]
    dtypes: _Dtypes | None = Field(default=None, description="tables of prices")  # type: ignore[valid-type]
    phases: _Phases | None = Field(default=None, description="a table of factors")  # type: ignore[valid-type]
