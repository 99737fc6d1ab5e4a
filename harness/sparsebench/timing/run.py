"""Time one face of a primitive, and hold its answers against the reference's."""

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

__all__ = ["difference", "face_call", "faces_of", "time_face"]

_CLOSE = {"float64": 1e-12, "float32": 1e-5, "float16": 2e-2, "bfloat16": 2e-2}
_SAMPLED = 1024  # rows that the reference is asked about
_SETS = 3


def faces_of(primitive: Primitive, *, gpu: bool = False) -> tuple[str, ...]:
    """Name the faces of a primitive that run on a device, slowest first; the reference runs everywhere."""
    fast = backends.faces(primitive.family, primitive.name)
    if gpu:
        return ("reference", *(face for face in fast if face == "cuda"))
    return ("reference", "steady", *(face for face in fast if face != "cuda"))


def face_call(primitive: Primitive, face: str) -> Callable[..., Any] | None:
    """Give what runs a face; None if the primitive has no such face here.

    Parameters
    ----------
    primitive
        Which.
    face
        ``reference``, ``steady``, ``numpy``, ``numba`` or ``cuda``.
    """
    if face == "steady":
        return primitive.on_numpy_steadily
    if face == "reference":

        def by_definition(*args: Any, **options: Any) -> Any:
            with backends.use("steady"):  # what a reference calls shall not be a fast face
                return primitive.reference(*args, **options)

        return by_definition
    found = backends.face(face, primitive.family, primitive.name)
    if face != "cuda" or found is None:
        return found
    from sparsebench.ops.gpu.device import current_device  # noqa: PLC0415 - imports CuPy

    device = current_device()
    return lambda *args, **options: found(device, *args, **options)


def time_face(
    workload: Workload, face: str, place: Place, dtype: str, effort: Effort, *, rows: int, seed: int = 0
) -> OpTiming | None:
    """Time a face.

    Parameters
    ----------
    workload
        What it is asked.
    face
        Which face.
    place
        Where.
    dtype
        Of the real inputs.
    effort
        How often.
    rows
        How many.
    seed
        Of the inputs; every set of them has another.

    Returns
    -------
    the record, or None if the face does not take the arguments, or there is none
    """
    call = face_call(workload.of, face)
    if call is None:
        return None
    about: dict[str, Any] = {
        "primitive": workload.primitive,
        "workload": workload.note,
        "rows": rows,
        "face": face,
        "device": place.name,
        "threads": place.threads,
        "dtype": dtype,
    }
    try:
        return _timed(workload, call, place, dtype, effort, about, seed)
    except Exception as error:  # noqa: BLE001 - the other faces are still to be timed
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
        result = run(*there)  # the first of these also compiles
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
        # Other programs may have slowed the first measurement of what is possible: ask now.
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
    """Tell whether a result is the reference's, on a sample of rows, and by how much it is off."""
    results = result if isinstance(result, tuple) else (result,)
    rows = args[workload.by_row[0]].shape[0] if workload.by_row else 0
    if rows > _SAMPLED:
        sample = np.sort(np.random.default_rng(seed).choice(rows, _SAMPLED, replace=False))
        args = tuple(arg[sample] if place in workload.by_row else arg for place, arg in enumerate(args))
        results = tuple(_here(part, sample) for part in results)
    else:
        results = tuple(map(_here, results))
    reference = face_call(workload.of, "reference")
    assert reference is not None
    wanted = reference(*map(_widened, args), **workload.options)
    pairs = zip(results, wanted if isinstance(wanted, tuple) else (wanted,), strict=True)
    verdicts = [difference(got, right, dtype) for got, right in pairs]
    return all(near for near, _ in verdicts), max(far for _, far in verdicts)


def _here(part: Any, rows: Any = None) -> Any:
    """Give a result, or some of its rows, as a NumPy array."""
    if not isinstance(part, np.ndarray) and hasattr(part, "get"):
        import cupy  # noqa: PLC0415 - it is CuPy's array

        return (part if rows is None else part[cupy.asarray(rows)]).get()
    return part if rows is None else part[rows]


def _widened(value: Any) -> Any:
    """Give 16-bit numbers as 64-bit ones, with which the reference is exact enough to judge."""
    short = isinstance(value, np.ndarray) and value.dtype.name in ("float16", "bfloat16")
    return value.astype(np.float64) if short else value


def difference(made: Any, wanted: Any, dtype: str) -> tuple[bool, float]:
    """Compare a result with the reference's.

    Parameters
    ----------
    made, wanted
        Arrays.
    dtype
        Of the inputs: it says how close is close.

    Returns
    -------
    whether it will do, and how far off it is
        Integers must be equal; the largest difference. Real numbers: the norm of the difference over the norm
        of what was wanted. Infinite where shapes differ or one of them is not finite alone.
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
