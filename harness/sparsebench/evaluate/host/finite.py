"""NaN and infinities in a model.

NaN is refused: nothing can compute with it, and it nearly always comes from a division by zero that nobody
noticed. Infinities are allowed. They compare like numbers, so they pad a tree ("no input goes right"), bound
the outer bins of a search, and close an expert's gate; a shipped submission has some. If they cause errors,
predictions are not finite, and the error then names the arrays that have infinities.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.errors import FailedError, InvalidResultError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["check_numbers", "naming_infinities"]

_MOST_NAMES = 3


def check_numbers(parameters: Mapping[str, np.ndarray[Any, Any]], *, allow_nan: bool) -> None:
    """Refuse NaN in what ``fit`` returned, unless the submission declares that it has a meaning.

    Raises
    ------
    FailedError
        If there is any. The error names the arrays, and how many numbers of each are NaN.
    """
    if not allow_nan and (found := _where(parameters, np.isnan)):
        mend = (
            "look for a division by zero or a mean of nothing; where NaN means something, write "
            "allow_nan = true in [submission]"
        )
        raise FailedError(f"fit: expected numbers, got NaN in {found}", help=mend)


@contextlib.contextmanager
def naming_infinities(parameters: Mapping[str, np.ndarray[Any, Any]]) -> Iterator[None]:
    """Add the names of the model's arrays with infinities to an error about predictions."""
    try:
        yield
    except InvalidResultError as error:
        found = _where(parameters, np.isinf)
        if not found:
            raise
        raise InvalidResultError(error.what, help=f"fit gave infinities in {found}: {error.help}") from None


def _where(parameters: Mapping[str, np.ndarray[Any, Any]], is_one: Callable[[Any], Any]) -> str:
    counts = {
        name: (int(np.count_nonzero(is_one(array))), array.size)
        for name, array in sorted(parameters.items())
        if array.dtype.kind == "f"
    }
    told = [f"{name!r} ({some:,} of {size:,})" for name, (some, size) in counts.items() if some]
    more = f" and {len(told) - _MOST_NAMES} more" if len(told) > _MOST_NAMES else ""
    return ", ".join(told[:_MOST_NAMES]) + more
