"""Timing one backend of a primitive, and comparing its answers with the reference's."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.ops import backends
from sparsebench.timing.measure import measure
from sparsebench.timing.record import OpTiming, rates

if TYPE_CHECKING:
    from collections.abc import Callable

    from sparsebench.ops import Primitive
    from sparsebench.timing.measure import Effort
    from sparsebench.timing.place import Place
    from sparsebench.timing.workload import Workload

__all__ = ["backend_call", "backends_of", "difference", "time_backend"]

_CLOSE = {"float64": 1e-12, "float32": 1e-5, "float16": 2e-2, "bfloat16": 2e-2}
_SAMPLED = 1024  # rows for which the reference is run
_SETS = 3


def backends_of(primitive: Primitive, *, gpu: bool = False) -> tuple[str, ...]:
    """Name the backends of a primitive that run on a device, slowest first; the reference runs everywhere."""
    fast = backends.available(primitive)
    if gpu:
        return ("reference", *(backend for backend in fast if backend == "cuda"))
    return ("reference", "steady", *(backend for backend in fast if backend != "cuda"))


def backend_call(primitive: Primitive, backend: str) -> Callable[..., Any] | None:
    """Return what runs a backend; None if the primitive has no such backend here.

    Parameters
    ----------
    primitive
        Which.
    backend
        ``reference``, ``steady``, ``numpy``, ``numba`` or ``cuda``.
    """
    if backend == "steady":
        return primitive.on_numpy_steadily
    if backend == "reference":

        def by_definition(*args: Any, **options: Any) -> Any:
            with backends.use("steady"):  # a reference must not call a fast backend
                return primitive.reference(*args, **options)

        return by_definition
    if backend != "cuda" or "cuda" not in primitive.backends:
        return primitive.caller(backend)
    from sparsebench.ops.gpu.device import current_device  # noqa: PLC0415 - imports CuPy

    return primitive.caller("cuda", current_device())


def time_backend(
    workload: Workload, backend: str, place: Place, dtype: str, effort: Effort, *, rows: int, seed: int = 0
) -> OpTiming | None:
    """Time a backend.

    Parameters
    ----------
    workload
        The call.
    backend
        The backend.
    place
        Where.
    dtype
        The dtype of the real inputs.
    effort
        How often.
    rows
        How many.
    seed
        The seed of the inputs; every set of them has another.

    Returns
    -------
    the record, or None if the backend does not take the arguments, or there is none
    """
    call = backend_call(workload.of, backend)
    if call is None:
        return None
    about: dict[str, Any] = {
        "primitive": workload.primitive,
        "workload": workload.note,
        "rows": rows,
        "face": backend,
        "device": place.name,
        "threads": place.threads,
        "dtype": dtype,
    }
    try:
        return _timed(workload, call, place, dtype, effort, about, seed)
    except Exception as error:  # noqa: BLE001 - the other backends are still to be timed
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        return OpTiming(**about, status="failed", reason=said, equal=False, difference=None)


def _timed(
    workload: Workload,
    call: Callable[..., Any],
    place: Place,
    dtype: str,
    effort: Effort,
    about: dict[str, Any],
    seed: int,
) -> OpTiming | None:
    def run(*args: Any) -> Any:
        return call(*args, **workload.options)

    drawn = [workload.make(seed + number, about["rows"], dtype) for number in range(_SETS)]
    sets = [tuple(map(place.put, args)) for args in drawn]
    work, verdicts = None, []
    for args, there in zip(drawn, sets, strict=True):
        result = run(*there)  # the first call also compiles
        if result is NotImplemented:
            return None
        work = work or workload.work(args, result)
        del result
    assert work is not None

    def see(number: int, answer: Any) -> None:
        verdicts.append(_verdict(workload, drawn[number], answer, dtype, seed + number))

    measured = measure(run, sets, place.clock, place.flush, effort, see)
    equal, furthest = all(near for near, _ in verdicts), max(far for _, far in verdicts)
    told = rates(work, measured, place.ceilings, dtype)
    if told.status != "ok" and place.again:
        # Other programs may have slowed down the first measurement of the ceilings: measure them again.
        told = rates(work, measured, place.ceilings.raised(place.again()), dtype)
    if not equal:
        reasons = [f"off by {furthest:.1e}", *([told.reason] if told.reason else [])]
        told = replace(told, status="differs", reason="; ".join(reasons))
    seconds = {
        f"{way}_{name}": value
        for way, found in measured._asdict().items()
        for name, value in found._asdict().items()
    }
    return OpTiming(
        **about,
        **asdict(told),
        **seconds,
        equal=equal,
        difference=furthest if math.isfinite(furthest) else None,
        moved=work.bytes,
        operations=work.operations,
        paired=work.paired,
        lookups=work.lookups,
    )


def _verdict(
    workload: Workload, args: tuple[Any, ...], result: Any, dtype: str, seed: int
) -> tuple[bool, float]:
    """Return whether a result agrees with the reference, on a sample of rows, and by how much it differs."""
    results = result if isinstance(result, tuple) else (result,)
    rows = args[workload.by_row[0]].shape[0] if workload.by_row else 0
    if rows > _SAMPLED:
        sample = np.sort(np.random.default_rng(seed).choice(rows, _SAMPLED, replace=False))
        args = tuple(arg[sample] if place in workload.by_row else arg for place, arg in enumerate(args))
        results = tuple(_here(part, sample) for part in results)
    else:
        results = tuple(map(_here, results))
    reference = backend_call(workload.of, "reference")
    assert reference is not None
    wanted = reference(*map(_widened, args), **workload.options)
    pairs = zip(results, wanted if isinstance(wanted, tuple) else (wanted,), strict=True)
    verdicts = [difference(got, right, dtype) for got, right in pairs]
    return all(near for near, _ in verdicts), max(far for _, far in verdicts)


def _here(part: Any, rows: Any = None) -> Any:
    """Return a result, or some of its rows, as a NumPy array."""
    if not isinstance(part, np.ndarray) and hasattr(part, "get"):
        import cupy  # noqa: PLC0415 - it is CuPy's array

        return (part if rows is None else part[cupy.asarray(rows)]).get()
    return part if rows is None else part[rows]


def _widened(value: Any) -> Any:
    """Return 16-bit numbers as 64-bit ones, with which the reference is exact enough for the comparison."""
    short = isinstance(value, np.ndarray) and value.dtype.name in ("float16", "bfloat16")
    return value.astype(np.float64) if short else value


def difference(made: Any, wanted: Any, dtype: str) -> tuple[bool, float]:
    """Compare a result with the reference's.

    Parameters
    ----------
    made, wanted
        Arrays.
    dtype
        The dtype of the inputs, which sets the tolerance.

    Returns
    -------
    whether it will do, and how far off it is
        For integers, which must be equal, the largest difference. For real numbers, the norm of the
        difference divided by the norm of ``wanted``. Infinite if shapes differ or only one of them is finite.
    """
    if made.shape != wanted.shape:
        return False, math.inf
    if wanted.dtype.kind in "iub":
        far = float(np.abs(made.astype(np.int64) - wanted.astype(np.int64)).max(initial=0))
        return far == 0, far
    made, wanted = made.astype(np.float64), wanted.astype(np.float64)
    norm = float(np.linalg.norm(wanted))
    far = float(np.linalg.norm(made - wanted)) / (norm or 1.0)
    return far <= _CLOSE[dtype], far if math.isfinite(far) else math.inf
