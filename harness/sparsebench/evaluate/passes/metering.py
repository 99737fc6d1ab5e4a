"""The metered passes: a whole split in batches, and a sample of it one input at a time.

For every pass a new order of the rows is drawn from the system's randomness: nothing can be learnt from a
row's position. The predictions, and the cost of an input alone, do not depend on that order.
"""

from __future__ import annotations

import contextlib
import secrets
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.errors import FailedError, MemoryLimitError
from sparsebench.evaluate.passes.passes import FIRST_ROWS, Batch, Charged, Model, Pass, Single
from sparsebench.meter import PROFILES, Entry, Ledger, price

if TYPE_CHECKING:
    from collections.abc import Callable

    from sparsebench.evaluate.passes.inputs import Inputs
    from sparsebench.meter import Engine, Handle

__all__ = ["BATCH_BYTES", "Batch", "Model", "Pass", "Single", "run_batches", "run_rows", "run_single"]

BATCH_BYTES = 64 << 20
"""Bytes of arrays that a batch is sized to: enough to amortise a round trip, small enough for caches."""

_MOST_ROWS = 16384


def run_batches(
    model: Model, engine: Engine, inputs: Inputs, domains: np.ndarray[Any, Any] | None = None
) -> Pass:
    """Meter a model on all rows of its inputs, in batches that fit the memory and in a secret order.

    Parameters
    ----------
    model
        What to run.
    engine
        Holds the model's parameters.
    inputs
        The inputs of the model, ``n`` rows.
    domains
        The domain of each row, integers ``(n,)``, to count the experts of each domain. The model does not get
        it.

    Raises
    ------
    CellError
        If the submission fails, or returns something that is not a prediction.
    """
    result = Pass()
    collected: list[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]] = []
    order, start, rows, most = _secret_order(len(inputs)), 0, FIRST_ROWS, _MOST_ROWS
    while start < len(order):
        chosen = order[start : start + rows]
        try:
            predictions, experts = run_rows(model, engine, inputs[chosen])
        except MemoryLimitError:
            # Tried again with fewer rows, at no cost: but not for a submission that has learnt something
            # about the rows.
            if len(chosen) == 1 or engine.bits_revealed:
                raise
            # Its charges are kept: work is not free because it began with too many rows. So many rows are not
            # tried again, so that an honest submission is charged little.
            result.wasted.add(engine.ledger)
            rows = most = len(chosen) // 2
            continue
        collected.append((chosen, predictions))
        result.first = result.first or Batch(chosen, predictions, engine.ledger)
        result.batches.append(Charged(chosen, engine.ledger))
        result.ledger.add(engine.ledger)
        result.total.update(engine.total)
        _add_experts(result, experts, None if domains is None else domains[chosen])
        result.rows = max(result.rows, len(chosen))
        start += len(chosen)
        rows = min(most, _rows_that_fit(engine, len(chosen)))
    _in_order(result, len(inputs), collected)
    return result


def _add_experts(
    result: Pass, experts: np.ndarray[Any, Any] | None, domains: np.ndarray[Any, Any] | None
) -> None:
    """Record the experts that a batch used; the record does not grow with the split."""
    result.widths.add(None if experts is None else experts.shape[1])
    if len(result.widths) > 1:
        raise FailedError(
            "route: the number of experts k differs between batches", help="pad it with gates of 0"
        )
    if experts is not None:
        ordered = np.sort(experts, axis=1)
        result.distinct += len(ordered) + int(np.count_nonzero(np.diff(ordered, axis=1)))
        lowest, highest = experts.min(axis=0), experts.max(axis=0)
        result.lowest = lowest if result.lowest is None else np.minimum(lowest, result.lowest)
        result.highest = highest if result.highest is None else np.maximum(highest, result.highest)
        chosen, often = np.unique(ordered, return_counts=True)
        result.load.update(dict(zip(chosen.tolist(), often.tolist(), strict=True)))
        if domains is not None:
            _add_pairs(result, experts, domains)


def _add_pairs(result: Pass, experts: np.ndarray[Any, Any], domains: np.ndarray[Any, Any]) -> None:
    """Count (expert, domain), some places of a row at a time, to limit memory to a large batch's column."""
    numbers, found = np.unique(domains, return_inverse=True)
    places = max(1, _MOST_ROWS // len(experts))
    for start in range(0, experts.shape[1], places):
        some = experts[:, start : start + places]
        chosen, numbered = np.unique(some.ravel(), return_inverse=True)
        of_pairs = numbered * len(numbers) + np.repeat(found, some.shape[1])
        pairs, often = np.unique(of_pairs, return_counts=True)
        named = zip(
            chosen[pairs // len(numbers)].tolist(), numbers[pairs % len(numbers)].tolist(), strict=True
        )
        result.joint.update(dict(zip(named, often.tolist(), strict=True)))


def _rows_that_fit(engine: Engine, rows: int) -> int:
    """Return the size of the next batch, by the bytes per row of the last one."""
    per_row = max(1, engine.memory.since_mark() // rows)
    return int(np.clip(BATCH_BYTES // per_row, 1, _MOST_ROWS))


def _in_order(
    result: Pass, n: int, collected: list[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]]
) -> None:
    """Return the answers of the batches in the order of the rows."""
    if collected:
        result.predictions = np.empty(n, dtype=np.result_type(*(part.dtype for _, part in collected)))
    for chosen, predictions in collected:
        result.predictions[chosen] = predictions


def run_single(
    model: Model, engine: Engine, inputs: Inputs, *, announce: Callable[[int], None] | None = None
) -> Single:
    """Meter a model on each row of its inputs alone, in a secret order.

    Parameters
    ----------
    model, engine, inputs
        As for :func:`run_batches`.
    announce
        Called with the number of every row before it is run. For the trusted side only.

    Raises
    ------
    CellError
        As :func:`run_batches`.
    """
    n = len(inputs)
    ledger, total, predictions = Ledger(), Counter[str](), np.empty(n)
    prices = {profile: np.empty(n, dtype=np.int64) for profile in PROFILES}
    known: dict[tuple[Entry, ...], tuple[int, list[int]]] = {}
    elements, nbytes, which = (np.empty(n, dtype=np.int64) for _ in range(3))
    engine.loads.active = True
    with contextlib.ExitStack() as stack:
        stack.callback(setattr, engine.loads, "active", False)
        for row in _secret_order(n):
            if announce:
                announce(int(row))
            predictions[row] = run_rows(model, engine, inputs[row : row + 1])[0][0]
            ledger.add(engine.ledger)
            total.update(engine.total)
            elements[row], nbytes[row] = engine.loads.elements(), engine.loads.nbytes()
            entries = tuple(engine.ledger)
            if entries not in known:  # most inputs cost the same as others
                known[entries] = len(known), [price(entries, profile) for profile in prices]
            which[row], priced = known[entries]
            for values, value in zip(prices.values(), priced, strict=True):
                values[row] = value
    return Single(ledger, predictions, prices, elements, nbytes, list(known), which, total)


def _secret_order(n: int) -> np.ndarray[Any, Any]:
    return np.random.Generator(np.random.PCG64(secrets.randbits(128))).permutation(n)


def run_rows(
    model: Model, engine: Engine, rows: Inputs
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any] | None]:
    """Run one batch in the given order.

    Parameters
    ----------
    model, engine
        As for :func:`run_batches`.
    rows
        The inputs of the model.

    Returns
    -------
    tuple
        The predictions ``(n,)``, and the experts ``(n, k)`` int64 to which the rows were routed; None without
        a router. The cost is in the engine's ledger.

    Raises
    ------
    CellError
        As :func:`run_batches`.
    """
    x, tag = rows.begin(engine)
    experts = None
    if model.routed:
        engine.phase = "router"
        chosen, gates = model.route(engine, x, tag)
        experts = _checked_experts(engine, chosen, gates, len(rows))
        engine.phase = "experts"
        answer = model.apply(engine, x, chosen, gates)
    else:
        engine.phase = "experts"
        answer = model.predict(engine, x, tag)
    return _checked_answer(engine, answer, len(rows)), experts


def _checked_answer(engine: Engine, answer: Handle, n: int) -> np.ndarray[Any, Any]:
    value = engine.value(answer)
    if value.shape != (n,) or value.dtype.kind not in "fiu":
        got = f"shape {_relative(value.shape, n)} and dtype {value.dtype}"
        mend = "drop the extra axis with y[:, 0]" if value.ndim > 1 else "return one real number per input"
        raise FailedError(f"predict: expected shape (n,) and a real dtype, got {got}", help=mend)
    engine.loads.read(value)  # an answer may be an unchanged parameter
    return value.copy()


def _checked_experts(engine: Engine, experts: Handle, gates: Handle | None, n: int) -> np.ndarray[Any, Any]:
    value = engine.value(experts)
    if value.ndim != 2 or len(value) != n or not value.shape[1] or value.dtype.kind not in "iu":  # noqa: PLR2004
        got = f"shape {_relative(value.shape, n)} and dtype {value.dtype}"
        message = f"route: expected integer experts of shape (n, k), got {got}"
        raise FailedError(message, help="use index[:, None] for k = 1")
    if gates is not None and engine.value(gates).shape != value.shape:
        got = _relative(engine.value(gates).shape, n)
        raise FailedError(
            f"route: expected gates of the shape of experts, got {got}", help="one gate per expert"
        )
    engine.memory.admit(3 * value.size * 8)  # a router's answer may be a large view of little memory
    return value.astype(np.int64)


def _relative(shape: tuple[int, ...], n: int) -> str:
    """Return a shape as text, with n for the number of rows, which differs from batch to batch."""
    axes = ", ".join("n" if length == n else str(length) for length in shape)
    return f"({axes},)" if len(shape) == 1 else f"({axes})"
