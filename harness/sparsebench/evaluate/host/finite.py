"""Numbers of a model that are none.

NaN is refused: nothing computes with it, and it is nearly always a division by zero that nobody saw.
Infinities are let pass. They compare as numbers do, so they are what pads a tree ("no input goes right"),
bounds the outer bins of a search, and shuts an expert's gate; a shipped submission has some. What they break
is found where it breaks, in predictions that are not finite, and told there with the arrays that have them.
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
    """Refuse NaN in what ``fit`` returned, unless the submission says that it means something.

    Raises
    ------
    FailedError
        If there is any. It names the arrays, and how many numbers of each are NaN.
    """
    if not allow_nan and (found := _where(parameters, np.isnan)):
        mend = (
            "look for a division by zero or a mean of nothing; where NaN means something, write "
            "allow_nan = true in [submission]"
        )
        raise FailedError(f"fit: expected numbers, got NaN in {found}", help=mend)


@contextlib.contextmanager
def naming_infinities(parameters: Mapping[str, np.ndarray[Any, Any]]) -> Iterator[None]:
    """Have an error about predictions name the arrays of the model that have infinities, if any have."""
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
