"""The errors of sparsebench, and what each means for a run.

::

    SparsebenchError                 everything we raise on purpose
    ├── UsageError                   the caller's mistake; exit code 2
    │   ├── NotFoundError            a name (task, instance, submission, variant) that does not exist
    │   ├── ManifestError            a submission.toml or task.toml that does not validate
    │   └── ContractError            code that does not keep the contract of a submission
    ├── SandboxError                 the sandbox here is weaker than required; exit code 3
    ├── IntegrityError               stored data are not what their hash says; exit code 4
    └── CellError                    ends one cell and becomes its row; the other cells go on
        ├── RefusedError             status ``refused``: the harness would not do what was asked
        │   └── UncountedOperationError   an operation without a price
        ├── FailedError              status ``failed``: the submission's code or output is wrong
        │   └── DisturbedError       a process of the cell was killed, and not by us
        ├── TimeLimitError           status ``timeout``
        ├── MemoryLimitError         status ``out-of-memory``
        └── InvalidResultError       status ``invalid``: it ran, but its result cannot be believed

A message says what is wrong, what was expected and what was got; ``help`` says how to mend it. Neither ever
contains a value of a scored input.
"""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "CellError",
    "ContractError",
    "DisturbedError",
    "FailedError",
    "IntegrityError",
    "InvalidResultError",
    "ManifestError",
    "MemoryLimitError",
    "NotFoundError",
    "RefusedError",
    "SandboxError",
    "SparsebenchError",
    "TimeLimitError",
    "UncountedOperationError",
    "UsageError",
]


class SparsebenchError(Exception):
    """An error that sparsebench raises on purpose.

    Parameters
    ----------
    what
        One line: what is wrong, what was expected, what was got.
    help
        One line: how to mend it. Empty if no mend is known.
    """

    code: ClassVar[str] = "SB000"
    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, *, help: str = "") -> None:  # noqa: A002 - the word people see
        super().__init__(what)
        self.what = what
        self.help = help
        if help:
            self.add_note(f"help: {help}")  # what a notebook shows below the message

    def __reduce__(self) -> tuple[object, ...]:
        """Keep ``help`` when the error crosses a process boundary."""
        return (_rebuild, (type(self), self.what, self.help))


def _rebuild(kind: type[SparsebenchError], what: str, mend: str) -> SparsebenchError:
    return kind(what, help=mend)


class UsageError(SparsebenchError):
    """The caller's mistake."""

    code = "SB100"
    exit_code = 2


class NotFoundError(UsageError):
    """A name that does not exist."""

    code = "SB101"


class ManifestError(UsageError):
    """A ``submission.toml`` or ``task.toml`` that does not validate."""

    code = "SB102"


class ContractError(UsageError):
    """Code that does not keep the contract of a submission."""

    code = "SB103"


class SandboxError(SparsebenchError):
    """A machine whose sandbox is weaker than required."""

    code = "SB300"
    exit_code = 3


class IntegrityError(SparsebenchError):
    """Stored data are not what their hash says, or cannot be read at all."""

    code = "SB400"
    exit_code = 4


class CellError(SparsebenchError):
    """An error that ends one cell and becomes its row."""

    code = "SB200"
    status: ClassVar[str] = "failed"


class RefusedError(CellError):
    """The harness would not do what the submission asked for."""

    code = "SB201"
    status = "refused"


class UncountedOperationError(RefusedError):
    """An operation without a price. There is no default price."""

    code = "SB202"


class FailedError(CellError):
    """Code of a submission that raised, died, or returned something of the wrong kind."""

    code = "SB203"
    status = "failed"


class DisturbedError(FailedError):
    """A process of the cell was killed, and not by the harness: the cell must be run again.

    It ends the cell even if the process was for an audit on which no score depends.
    """

    code = "SB207"


class TimeLimitError(CellError):
    """The cell ran past its time limit."""

    code = "SB204"
    status = "timeout"


class MemoryLimitError(CellError):
    """The cell needed more memory than its limit."""

    code = "SB205"
    status = "out-of-memory"


class InvalidResultError(CellError):
    """The cell ran to its end, but its result cannot be believed."""

    code = "SB206"
    status = "invalid"
