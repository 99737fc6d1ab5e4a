"""The row: everything that is kept of one cell, complete and consistent from its construction on."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sparsebench.errors import IntegrityError
from sparsebench.results import checks
from sparsebench.results.columns import COLUMNS, SCHEMA_VERSION, SCHEMA_VERSIONS, Columns, lacking
from sparsebench.results.key import Identity

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Row"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row(Columns):
    """The record of one cell: one variant on one instance with one seed.

    Raises
    ------
    IntegrityError
        On construction, where the fields contradict one another; see ``validate``.
    """

    def __post_init__(self) -> None:
        """Convert every value to its column's type, fill in the key, and validate."""
        for name, value in checks.normalised(self):
            object.__setattr__(self, name, value)
        if not self.cell_key:
            object.__setattr__(self, "cell_key", self.expected_key())
        self.validate()

    def validate(self) -> None:
        """Check the invariants.

        Raises
        ------
        IntegrityError
            Unknown status, audit verdict, pass or sandbox; a metric or a count beside a status other than
            ``ok``, or a missing one beside ``ok``; a number that is not finite or out of its range; router
            and experts that do not add up to ``ops``; batches that cost more than their inputs alone; a
            histogram of other inputs than were run one by one; a column that came after the row's version;
            a malformed time or package list; a cell key that is not the identity's.
        """
        checks.validate(self)

    @property
    def identity(self) -> Identity:
        """The identity of the row's cell."""
        return Identity.of(self)

    def expected_key(self) -> str:
        """Return the cell key that follows from the identity fields."""
        return self.identity.key

    def to_dict(self) -> dict[str, Any]:
        """Return the fields in column order, with records (``counts``, ``audits``, ...) as lists of dicts."""
        return {name: _plain(getattr(self, name)) for name in COLUMNS}

    def to_json_dict(self) -> dict[str, Any]:
        """Return ``to_dict``, ready for ``json.dumps``: the same names, with ``packages`` as an object."""
        return self.to_dict() | {"packages": json.loads(self.packages)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Row:
        """Make a row from what ``to_dict`` or ``to_json_dict`` returned.

        Raises
        ------
        IntegrityError
            A column is missing or unknown, or the row does not validate.
        """
        version = values.get("schema_version")
        if version in SCHEMA_VERSIONS:
            values = dict.fromkeys(lacking(version)) | dict(values)
        missing = [name for name in COLUMNS if name not in values]
        unknown = sorted(set(values) - set(COLUMNS))
        if missing or unknown or not values["cell_key"]:
            raise IntegrityError(
                f"a row lacks {missing or 'nothing'} and has unknown {unknown or 'nothing'}, "
                f"expected the {len(COLUMNS)} columns of schema version {SCHEMA_VERSION}, each once",
                help="read it with the version of sparsebench that wrote it, or evaluate again",
            )
        return cls(**values)


def _plain(value: Any) -> Any:
    return [asdict(part) for part in value] if isinstance(value, tuple) else value
