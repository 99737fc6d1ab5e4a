"""The invariants of a row, one small function each. A fault raises ``IntegrityError``, naming the field."""

from __future__ import annotations

import json
import math
import re
from dataclasses import is_dataclass
from functools import lru_cache
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from sparsebench.errors import IntegrityError
from sparsebench.results.columns import (
    ADDED,
    COLUMNS,
    COUNTS,
    OUTCOME,
    SCHEMA_VERSIONS,
    STATUSES,
    Columns,
    lacking,
)
from sparsebench.results.key import Identity

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["columns", "dearer", "normalised", "record_types", "validate"]

_VERDICTS = ("pass", "fail", "not-run")
_SANDBOXES = ("isolated", "restricted", "files", "none")  # rows of earlier harnesses have `files`
_PASSES = ("batch", "one-by-one")
_REQUIRED_WHEN_OK = ("error", "quality", "ops")
_UNIT = ("quality", "quality_fresh", "accuracy", "recall", "expert_entropy", "nmi")
_NOT_NEGATIVE = (
    "error",
    "rmse",
    "nrmse",
    "sup_error",
    "fit_seconds",
    "predict_seconds_cpu",
    "predict_seconds_gpu",
)
_VERSIONS = ("scoring_version", "cost_model")
_BACKENDS = 3  # the first schema version whose rows name the timed backends
_ALONE = 4  # the first schema version in which an input's cost is its cost alone
_ROOM = (
    0.01,
    1.0,
)  # the share, and the operations, by which batches may cost more than their rows alone
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(\+00:00|Z)")
_BACKEND = re.compile(r"[a-z]+(\+[a-z]+)*")
_DRAWS = ("sample_draw", "fresh_seed", "fresh_inputs", "fit_rows")
_INT64 = 2**63
_RELATIVE = 1e-9
_MEND = "this is a fault of whoever made the row: evaluate the cell again"


def _fault(what: str) -> IntegrityError:
    return IntegrityError(f"row: {what}", help=_MEND)


@lru_cache(maxsize=1)
def columns() -> dict[str, tuple[type, bool]]:
    """Return name -> (type, whether None is allowed) for all columns, in order.

    The type is ``str``, ``int``, ``float``, ``bool``, or the dataclass of which the column holds a list.
    """
    hints = get_type_hints(Columns)
    return {name: _column(hints[name]) for name in COLUMNS}


def _column(hint: Any) -> tuple[type, bool]:
    options = get_args(hint)
    if type(None) in options:
        (inner,) = (option for option in options if option is not type(None))
        return _column(inner)[0], True
    return (options[0] if options else hint), False  # tuple[Count, ...] has the options (Count, ...)


def normalised(row: Columns) -> Iterator[tuple[str, Any]]:
    """Yield each field's name and its value in the column's own type (``numpy.float64`` becomes ``float``).

    Raises
    ------
    IntegrityError
        A value is not of its column's type, or is NaN or infinite.
    """
    for name, (kind, optional) in columns().items():
        value = getattr(row, name)
        if value is None and optional:
            continue
        yield name, _converted(name, kind, value)


def _converted(name: str, kind: type, value: Any) -> Any:
    if kind is bool and isinstance(value, bool):
        return value
    if kind is int and isinstance(value, Integral) and not isinstance(value, bool):
        return _int64(name, int(value))
    if kind is float and isinstance(value, Real) and not isinstance(value, bool):
        return _finite(name, float(value))
    if kind is str:
        return _text(name, value)
    if is_dataclass(kind) and isinstance(value, list | tuple):
        return tuple(_record(name, kind, item) for item in value)
    raise _fault(f"{name} is a {type(value).__name__}, expected {kind.__name__}")


def _text(name: str, value: Any) -> str:
    if name == "packages" and isinstance(value, dict):
        return json.dumps(value, sort_keys=True)
    if not isinstance(value, str):
        raise _fault(f"{name} is a {type(value).__name__}, expected str")
    return value


def _int64(name: str, value: int) -> int:
    if not -_INT64 <= value < _INT64:
        raise _fault(f"{name} is {value}, expected a 64-bit integer")
    return value


def _finite(name: str, value: float) -> float:
    if not math.isfinite(value):
        raise _fault(f"{name} is {value}, expected a finite number or null")
    return value


def _record(name: str, kind: type, item: Any) -> Any:
    hints = record_types(kind)
    values = item if isinstance(item, dict) else {part: getattr(item, part, None) for part in hints}
    if set(values) != set(hints):
        raise _fault(f"{name} holds an item with {sorted(values)}, expected {sorted(hints)}")
    return kind(**{part: _converted(f"{name}.{part}", hint, values[part]) for part, hint in hints.items()})


@lru_cache(maxsize=8)
def record_types(kind: type) -> dict[str, type]:
    """Return name -> type of the parts of a record, such as ``Audit`` or ``Count``, in order."""
    return get_type_hints(kind)


def dearer(ops: float, alone: float) -> bool:
    """Return whether operations per input exceed the cost of inputs alone: by over 1 % *and* over one."""
    share, few = _ROOM
    return ops > alone * (1.0 + share) and ops > alone + few


def validate(row: Columns) -> None:
    """Check all invariants of a row whose values have their types.

    Raises
    ------
    IntegrityError
        The row breaks an invariant; the error names the first.
    """
    _check_words(row)
    _check_status(row)
    _check_ranges(row)
    _check_version(row)
    _check_backends(row)
    _check_sum(row)
    _check_alone(row)
    _check_histogram(row)
    _check_draws(row)
    _check_memory(row)
    _check_fit(row)
    _check_packages(row.packages)
    if row.cell_key != (expected := Identity.of(row).key):
        raise _fault(f"cell_key is {row.cell_key[:12]}..., expected {expected[:12]}... from its identity")


def _check_words(row: Columns) -> None:
    _one_of("sandbox", row.sandbox, _SANDBOXES)
    if row.ops_counted is not None:
        _one_of("ops_counted", row.ops_counted, _PASSES)
    for audit in row.audits:
        _one_of("audits.verdict", audit.verdict, _VERDICTS)
    for name in ("started", "ended"):
        if not _TIME.fullmatch(getattr(row, name)):
            raise _fault(f"{name} is {getattr(row, name)!r}, expected ISO 8601 in UTC with microseconds")


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise _fault(f"{name} is {value!r}, expected one of {', '.join(known)}")


def _check_status(row: Columns) -> None:
    _one_of("status", row.status, STATUSES)
    if row.status == "ok":
        absent = [name for name in _REQUIRED_WHEN_OK if getattr(row, name) is None]
        if absent or row.reason is not None:
            raise _fault(f"status ok with a reason or without {absent}, expected no reason and all of them")
        return
    if not row.reason:
        raise _fault(f"status {row.status} without a reason")
    present = sorted(name for name in COUNTS | OUTCOME if getattr(row, name) is not None)
    if present:
        raise _fault(f"status {row.status} with {present}, expected no metrics and no counts")


def _check_ranges(row: Columns) -> None:
    kinds = columns()
    if row.schema_version not in SCHEMA_VERSIONS:
        known = " or ".join(map(str, SCHEMA_VERSIONS))
        raise _fault(f"schema_version is {row.schema_version}, expected {known}")
    numbers = [name for name in COUNTS if kinds[name][0] in {int, float}]
    for name in (*numbers, *_NOT_NEGATIVE, "peak_bytes", "seed", *_DRAWS):
        value = getattr(row, name)
        if value is not None and value < 0:
            raise _fault(f"{name} is {value}, expected at least 0")
    for name in _UNIT:
        value = getattr(row, name)
        if value is not None and not 0.0 <= value <= 1.0:
            raise _fault(f"{name} is {value}, expected a number in [0, 1]")
    for name in _VERSIONS:
        if getattr(row, name) < 1:
            raise _fault(f"{name} is {getattr(row, name)}, expected at least 1")
    _check_records(row)


def _check_records(row: Columns) -> None:
    for count in row.counts or ():
        if count.count < 0:
            raise _fault(f"counts of {count.kind} is {count.count}, expected at least 0")
    for pair in row.expert_domains or ():
        if pair.inputs < 1:
            raise _fault(f"expert_domains of expert {pair.expert} is {pair.inputs}, expected at least 1")


def _check_version(row: Columns) -> None:
    """Check that a row has no columns that came after its version."""
    for name in lacking(row.schema_version):
        if getattr(row, name) is not None:
            got, version = getattr(row, name), row.schema_version
            raise _fault(f"{name} is {got!r}, expected null: rows of version {version} have none")


def _check_backends(row: Columns) -> None:
    """Check that backends are named exactly where there is a time, in the versions that have them."""
    for name in ADDED[_BACKENDS] if row.schema_version >= _BACKENDS else ():
        told = getattr(row, name)
        timed = getattr(row, name.replace("backend", "seconds")) is not None
        if (told is not None) != timed:
            where = "a text beside a time" if timed else "null where there is no time"
            raise _fault(f"{name} is {told!r}, expected {where}")
        if told is not None and not (_BACKEND.fullmatch(told) and told == _sorted_names(told)):
            raise _fault(f"{name} is {told!r}, expected sorted names with + between them")


def _sorted_names(text: str) -> str:
    return "+".join(sorted(set(text.split("+"))))


def _check_sum(row: Columns) -> None:
    if row.ops is None or row.ops_router is None or row.ops_experts is None:
        return
    total = row.ops_router + row.ops_experts
    if abs(total - row.ops) > _RELATIVE * max(total, row.ops):
        raise _fault(f"ops_router + ops_experts is {total}, expected ops = {row.ops}")


def _check_alone(row: Columns) -> None:
    """Check that a row's cost is the cost of inputs alone: batches may share work, but not waste any.

    Rows of earlier versions have the cost of batches if that is higher.
    """
    if row.schema_version < _ALONE or row.ops is None:
        return
    if row.ops_batch is not None and dearer(row.ops_batch, row.ops):
        raise _fault(f"ops_batch is {row.ops_batch}, expected at most 1 % or 1 more than ops = {row.ops}")
    if row.ops_counted == "batch" and row.coupled:
        raise _fault("coupled with ops_counted batch, expected one-by-one: each input costs the same there")


def _check_histogram(row: Columns) -> None:
    if row.ops_histogram is None:
        return
    bins = [each.log2_ops for each in row.ops_histogram]
    if not bins or bins != sorted(set(bins)) or bins[0] < 0:
        raise _fault(f"ops_histogram has the bins {bins}, expected each once, ascending, from 0")
    if any(each.inputs < 1 for each in row.ops_histogram):
        raise _fault("ops_histogram has a bin without inputs, expected at least 1 in each")
    total = sum(each.inputs for each in row.ops_histogram)
    if total != row.sample_size:
        raise _fault(f"ops_histogram has {total} inputs, expected sample_size = {row.sample_size}")
    largest = max(1.0, row.ops_max or 0.0)
    if not 2.0 ** bins[-1] <= largest < 2.0 ** (bins[-1] + 1):
        raise _fault(f"ops_histogram ends with bin {bins[-1]}, expected that of ops_max = {row.ops_max}")


def _check_draws(row: Columns) -> None:
    """Check that the columns on fresh inputs are all there, or none of them."""
    if (row.fresh_seed is None) != (row.fresh_inputs is None):
        raise _fault(f"fresh_seed is {row.fresh_seed} with fresh_inputs {row.fresh_inputs}, expected both")
    if row.fresh_inputs == 0:
        raise _fault("fresh_inputs is 0, expected at least 1, or null")
    if row.quality_fresh is not None and row.fresh_seed is None:
        raise _fault(f"quality_fresh is {row.quality_fresh} without fresh_seed, expected the seed beside it")


def _check_memory(row: Columns) -> None:
    """Check that the stored arrays are no larger than everything that is stored."""
    if row.memory_bytes is not None and row.memory_bytes < (row.stored_bytes or 0):
        raise _fault(
            f"memory_bytes is {row.memory_bytes}, expected at least stored_bytes = {row.stored_bytes}"
        )


def _check_fit(row: Columns) -> None:
    """Check that a taken fit is that of another variant."""
    if row.fit_variant in {"", row.variant}:
        raise _fault(f"fit_variant is {row.fit_variant!r}, expected another variant than the row's, or null")


def _check_packages(text: str) -> None:
    try:
        packages = json.loads(text)
    except ValueError as fault:
        raise _fault(f"packages is no JSON ({fault}), expected an object of versions") from fault
    if not isinstance(packages, dict) or list(packages) != sorted(packages):
        raise _fault("packages is no JSON object with sorted keys")
