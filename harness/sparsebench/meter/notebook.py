"""Counting any array API code in a line or two: for notebooks and tests, never for a score."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.errors import RefusedError, UsageError
from sparsebench.meter.client.array import MeteredArray
from sparsebench.meter.client.namespace import MeteredNamespace
from sparsebench.meter.client.transport import InProcess
from sparsebench.meter.engine.engine import BITS_PER_INPUT, DTYPES, Engine
from sparsebench.meter.engine.shelf import frozen
from sparsebench.meter.ledger import Ledger
from sparsebench.meter.lines import Profiler, outside_packages
from sparsebench.meter.prices import PROFILES, price
from sparsebench.meter.tally import as_html, as_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sparsebench.arrays import Array
    from sparsebench.meter.pricelist import PriceList
    from sparsebench.meter.values import Description

__all__ = ["MeteredLedger", "metered"]


@contextlib.contextmanager
def metered(*, values: bool = True, memory_limit: int = 4 << 30) -> Iterator[MeteredLedger]:
    """Count the operations of array API code, in this process.

    Make inputs with ``ledger.asarray``, and compute with them in the block: with operators, with
    ``xp = x.__array_namespace__()``, with `sparsebench.ops`, or with NumPy's element-wise functions. NumPy
    arrays that take part are constants, as in a submission.

    What a submission may not do is refused here too, so that the code can become a submission: ``float(y)``,
    rounding, functions without a price. Bits may leave through ``if`` and ``while`` on one element: 16 for
    each input, where the first axis of the argument of `asarray` counts inputs.

    Parameters
    ----------
    values
        Whether ``ledger.value(y)`` shows values. If not, the block sees as little as a scored submission.
    memory_limit
        Bytes of arrays that may be held at once.

    Yields
    ------
    MeteredLedger
        The counts, during the block and after it.

    Examples
    --------
    >>> import numpy as np
    >>> import sparsebench as sb
    >>> with sb.metered() as ledger:
    ...     x = ledger.asarray(np.array([[1.0, 2.0], [3.0, 4.0]]))
    ...     y = np.exp(x @ np.array([0.5, 0.5]))
    >>> ledger.ops  # two inputs, each: 2 multiplications, 1 addition, 1 exponential at the price of 8
    22
    >>> ledger.per_input()
    11.0
    >>> ledger.price("macs")
    4
    >>> ledger.value(y).round(2).tolist()
    [4.48, 33.12]
    """
    ledger = MeteredLedger(values=values, memory_limit=memory_limit)
    try:
        yield ledger
    finally:
        ledger.close()


class _Desk(Engine):
    """An engine that accepts inputs at any time, until it is closed."""

    def take(self, array: np.ndarray[Any, Any]) -> Description:
        """Add an input to the meter: it is not charged, and is no constant."""
        self._admit_request()
        self.memory.admit(array.nbytes)
        self._reveals.left += BITS_PER_INPUT * (len(array) if array.ndim else 1)
        return self._shelf.store(frozen(array))

    def close(self) -> None:
        """Refuse all requests from now on."""
        mend = "compute inside the block; after it, ledger.value(y) gives values"
        self._end(RefusedError("the block of sb.metered() has ended", help=mend))


class MeteredLedger(Ledger):
    """A ledger that makes the arrays whose operations it counts. Made by :func:`metered`.

    Parameters
    ----------
    values
        Whether :meth:`value` is allowed.
    memory_limit
        Bytes of arrays that may be held at once.

    Attributes
    ----------
    xp
        The array API namespace of its arrays.
    """

    def __init__(self, *, values: bool, memory_limit: int) -> None:
        super().__init__()
        self._engine = _Desk(memory_limit=memory_limit)
        self._engine.ledger = self
        self._profiler = Profiler(self._engine, outside_packages)
        self._engine.observers.append(self._profiler)
        self._values = values
        self._inputs = 0
        self.xp = MeteredNamespace(InProcess(self._engine))

    def close(self) -> None:
        """End the block: arrays compute nothing any more."""
        self._engine.close()

    def asarray(self, obj: Any, /, *, dtype: Any = None) -> Array:
        """Make a metered array: an input, which is not charged and is no constant.

        Parameters
        ----------
        obj
            An array ``(n, ...)`` of n inputs, or numbers.
        dtype
            Its dtype; that of ``obj`` by default.

        Raises
        ------
        TypeError
            If its dtype is not known to the meter.
        RefusedError
            If the block has ended.
        """
        plain = np.asarray(obj, dtype=dtype)
        if plain.dtype.name not in DTYPES:
            message = f"asarray: expected one of the dtypes {', '.join(DTYPES)}, got {plain.dtype}"
            raise TypeError(message)
        told = self._engine.take(plain)
        self._inputs = self._inputs or (len(plain) if plain.ndim else 1)
        made: Array = self.xp.wrap(told)
        return made

    def value(self, array: Any, /) -> np.ndarray[Any, Any]:
        """Return the values of an array without counting, to look at in the block or after it.

        Raises
        ------
        UsageError
            If it is not an array of this block, or the block was made with ``values=False``.
        """
        if not self._values:
            raise UsageError("this block shows no values", help="make it with sb.metered(values=True)")
        if not isinstance(array, MeteredArray) or array.__array_namespace__() is not self.xp:
            message = f"value: expected an array of this block, got {type(array).__name__}"
            raise UsageError(message, help="make inputs with ledger.asarray")
        return self._engine.value(array.handle).copy()

    @property
    def ops(self) -> int:
        """Active operations: the price by the standard list ``ops``."""
        return price(self)

    @property
    def bits(self) -> int:
        """The bits that left the meter through ``if``, ``while`` and shapes."""
        return self._engine.bits_revealed

    def price(self, prices: str | Path | PriceList = "ops") -> float:
        """Return the price of the counts.

        Parameters
        ----------
        prices
            The name of a standard list, the path of your own list, or a list that was read.

        Raises
        ------
        UsageError
            If the list does not exist, or does not validate.
        """
        if isinstance(prices, str) and prices in PROFILES:
            return price(self, prices)
        from sparsebench.meter.pricelist import find_price_list  # noqa: PLC0415 - pydantic is slow to import

        return (find_price_list(str(prices)) if isinstance(prices, str | Path) else prices).price(self)

    def per_input(self, n: int | None = None, *, prices: str | Path | PriceList = "ops") -> float:
        """Return the price of one input.

        Parameters
        ----------
        n
            The number of inputs; by default the rows of the first array that was made.
        prices
            As for :meth:`price`.

        Raises
        ------
        UsageError
            If there is no input to divide by.
        """
        inputs = self._inputs if n is None else n
        if inputs < 1:
            message = f"per_input: expected one input or more, got {inputs}"
            raise UsageError(message, help="make inputs with ledger.asarray, or give their number")
        return self.price(prices) / inputs

    def __repr__(self) -> str:
        return f"<metered: {self.ops:,} operations>"

    def __str__(self) -> str:
        return as_text(self, self._engine.bits_revealed, self._profiler)

    def _repr_html_(self) -> str:
        """Return the counts as tables, for a notebook."""
        return as_html(self, self._profiler)
