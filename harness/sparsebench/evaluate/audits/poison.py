"""Audits by poison: values that an input should not use are spoilt, and its prediction must not change."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.errors import CellError, MemoryLimitError, TimeLimitError
from sparsebench.evaluate.audits.audits import line
from sparsebench.evaluate.audits.meddling import Meddled, TableWatch
from sparsebench.evaluate.passes.metering import run_rows
from sparsebench.results import Audit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sparsebench.evaluate.passes.inputs import Inputs
    from sparsebench.evaluate.passes.passes import Model
    from sparsebench.meter import Engine, Handle

__all__ = ["expert_poison", "unread_parameters"]

_Answer = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any] | None]


def expert_poison(model: Model, engine: Engine, few: Inputs) -> Audit:
    """Check that an input's prediction does not depend on experts to which it was not routed.

    Each input is run alone, and the tables are noted that its experts address by the routes. Then it is run
    again with NaN in all rows of those tables that belong to other experts; only the experts see this, not
    the router. The prediction must be the same, bit for bit. If it fails, the routes do not decide which
    experts are used.

    Parameters
    ----------
    model, engine
        What to run.
    few
        A few inputs.

    Raises
    ------
    CellError
        If an input cannot be run even without changes, or for lack of time or memory.
    """
    name = "expert-poison"
    if not model.routed:
        return Audit(name, "not-run", "there is no router")
    tried, tables, found = 0, set[str](), set[str]()
    for one in _each(few):
        watch = TableWatch(engine)
        clean = run_rows(Meddled(model, watch.around), engine, one)
        assert clean[1] is not None
        others = watch.others(clean[1])
        found |= watch.tables
        if not others:
            continue
        spoilt = _spoilt(engine, others)

        @contextlib.contextmanager
        def poisoned(
            experts: Handle, spoilt: dict[Handle, np.ndarray[Any, Any]] = spoilt
        ) -> Iterator[Handle]:
            with engine.replaced(spoilt):
                yield experts

        if changed := _change(Meddled(model, poisoned), engine, one, clean):
            return Audit(name, "fail", f"with NaN for experts that an input was not routed to, {changed}")
        tried += 1
        tables |= set(others)
    if not tried:
        why = "no expert was left out" if found else "no table of parameters is addressed by the routes"
        return Audit(name, "not-run", why)
    return Audit(name, "pass", f"inputs: {tried}, tables: {len(tables)}; other experts held NaN")


def unread_parameters(model: Model, engine: Engine, few: Inputs) -> Audit:
    """Check that an input's prediction does not depend on parameters that it does not read, by our record.

    Each input is run alone, and the parameter elements are noted that are read. Then it is run again with the
    others spoilt: real numbers become NaN, integers are exchanged among each other, booleans inverted. The
    prediction must be the same, bit for bit. If it fails, ``loaded_parameters`` is too low.

    Parameters
    ----------
    model, engine
        What to run.
    few
        A few inputs.

    Raises
    ------
    CellError
        As :func:`expert_poison`.
    """
    name, tried = "unread-parameters", 0
    for one in _each(few):
        engine.loads.active = True
        try:
            clean = run_rows(model, engine, one)
        finally:
            engine.loads.active = False
        unread = {
            parameter: engine.loads.unread(engine.value(told.handle))
            for parameter, told in engine.parameters.items()
        }
        spoilt = _spoilt(engine, {parameter: mask for parameter, mask in unread.items() if mask.any()})
        if not spoilt:
            continue
        with engine.replaced(spoilt):
            changed = _change(model, engine, one, clean)
        if changed:
            return Audit(name, "fail", f"with other values in parameters that were not read, {changed}")
        tried += 1
    if not tried:
        return Audit(name, "not-run", "every input reads all parameters")
    return Audit(name, "pass", f"inputs: {tried}; parameters that they do not read held other values")


def _each(few: Inputs) -> list[Inputs]:
    return [few[row : row + 1] for row in range(len(few))]


def _spoilt(engine: Engine, masks: Mapping[str, np.ndarray[Any, Any]]) -> dict[Handle, np.ndarray[Any, Any]]:
    """Copy parameters, with other values where the masks are."""
    return {
        engine.parameters[name].handle: _spoilt_array(engine.value(engine.parameters[name].handle), mask)
        for name, mask in masks.items()
    }


def _spoilt_array(array: np.ndarray[Any, Any], mask: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    other = array.copy()
    if array.dtype.kind in "fc":
        other[mask] = np.nan
    elif array.dtype.kind == "b":
        other[mask] = ~array[mask]
    else:  # values that occur: another might be an index out of range
        other[mask] = np.roll(array[mask], 1)
    other.flags.writeable = False
    return other


def _change(model: Model, engine: Engine, one: Inputs, clean: _Answer) -> str:
    """Run one input again, and return what has changed; empty if nothing has."""
    try:
        again = run_rows(model, engine, one)
    except (TimeLimitError, MemoryLimitError):
        raise
    except CellError as error:
        return f"it fails: {line(error)}"
    if not np.array_equal(again[1], clean[1]):  # type: ignore[arg-type]  # both are None without a router
        return "its routes change"
    return "" if again[0].tobytes() == clean[0].tobytes() else "its prediction changes"
