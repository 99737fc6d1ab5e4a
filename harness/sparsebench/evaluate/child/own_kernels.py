"""Checks of a submission's own primitives, which run in the submission's process.

The results are for `sparsebench check`, which helps authors. No score depends on them: the reference is
scored, and the harness itself compares the timed answers with it.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sparsebench.evaluate.child.gpu import gpu_name, to_gpu
from sparsebench.meter.notebook import metered
from sparsebench.ops import backends
from sparsebench.ops.core.own import recorded_calls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sparsebench.meter.model import Model
    from sparsebench.ops.core.own import Call

__all__ = ["Tried", "try_own"]

_ARCHITECTURE = "sm_80"  # the oldest GPU that sparsebench's own kernels are compiled for
_TOLERANCES = {2: 2e-2, 4: 1e-5, 8: 1e-12}  # of the norm, by the bytes of a number
_FEW = 0.01  # share of whole numbers that may differ: ties may be decided otherwise by the last digit


class Tried(NamedTuple):
    """The result of one trial of a primitive."""

    primitive: str
    """Its name."""
    what: str
    """What was tried: ``cost``, ``cpu``, ``compiles`` or ``kernel``."""
    ok: bool
    """Whether it passes; also true if it could not be tried."""
    detail: str
    """One line."""


class _WrongError(Exception):
    """The error for a trial that fails."""


class _NotRunError(Exception):
    """The error for a trial that cannot be made here."""


def try_own(predict: Callable[..., Any], params: Model, inputs: Sequence[Any]) -> Iterator[Tried]:
    """Predict once on NumPy arrays, and try every own primitive that was called.

    Parameters
    ----------
    predict
        The submission's.
    params, inputs
        Real arrays.

    Yields
    ------
    Tried
        For each primitive and the shapes of its calls.
    """
    with (
        backends.use("steady"),
        recorded_calls() as calls,
    ):  # references: one fault must not hide others
        predict(params, *inputs)
    tries = {"cost": _try_cost, "cpu": _try_cpu, "compiles": _try_compiling, "kernel": _try_kernel}
    for call in _distinct(calls):
        for what, attempt in tries.items():
            yield _tried(call, what, attempt)


def _tried(call: Call, what: str, attempt: Callable[[Call], str]) -> Tried:
    name = call.primitive.name
    try:
        detail, ok = attempt(call), True
    except _NotRunError as reason:
        detail, ok = f"not run: {reason}", True
    except _WrongError as fault:
        detail, ok = f"{name}: {fault}", False
    except Exception as error:  # noqa: BLE001 - whatever an author's function raises is told, not swallowed
        detail, ok = f"{name}: {type(error).__name__}: {getattr(error, 'what', error)}", False
    return Tried(name, what, ok, " ".join(detail.split()))


def _distinct(calls: list[Call]) -> Iterator[Call]:
    """Yield one call for every primitive and shapes."""
    seen = set()
    for call in calls:
        values = (*call.args, *call.kwargs.values())
        looks = tuple((v.shape, v.dtype) if isinstance(v, np.ndarray) else type(v) for v in values)
        if (call.primitive, looks) not in seen:
            seen.add((call.primitive, looks))
            yield call


def _try_cost(call: Call) -> str:
    """Compare the author's charges of a call with the meter's counts of the reference."""
    cost = call.primitive.cost
    if cost is None:
        raise _NotRunError("it has no cost function")
    with metered() as ledger:
        args, kwargs = _mapped(call, ledger.asarray)
        call.primitive.reference(*args, **kwargs)
    counted = Counter[tuple[str, str]]()
    for entry in ledger:
        counted[entry.kind, entry.dtype] += entry.amount
    told = Counter[tuple[str, str]]()
    for charge in cost(*call.args, **call.kwargs):
        told[charge.kind, charge.dtype] += charge.amount
    for kind, dtype in sorted(counted | told):
        want, got = counted[kind, dtype], told[kind, dtype]
        if want != got:
            raise _WrongError(
                f"cost charges {got} {kind} of {dtype}, but the meter counts {want} in its reference"
            )
    return f"as the meter counts its reference: {sum(told.values())} in {len(told)} kinds"


def _try_cpu(call: Call) -> str:
    """Compare the author's NumPy code with the reference."""
    cpu = call.primitive.cpu
    if cpu is None:
        raise _NotRunError("it has no function for NumPy arrays")
    return _compare(call, lambda args, kwargs: cpu(*args, **kwargs), "cpu")


def _try_compiling(call: Call) -> str:
    """Compile the kernels of a launch, without launching them."""
    from sparsebench.ops.gpu import beside, nvrtc  # noqa: PLC0415 - only where there are own primitives

    if nvrtc.find_library() is None:
        raise _NotRunError("NVRTC is not installed: pip install 'nvidia-cuda-nvrtc>=13,<14'")
    device = beside.Rehearsal()
    call.primitive.launch(device, *call.args, **call.kwargs)
    if not device.launches:
        raise _WrongError("it launches no kernel")
    sizes = [
        len(beside.translate(call.primitive.folder, file, kernel, _ARCHITECTURE)[0])
        for file, kernel in device.launches
    ]
    names = ", ".join(kernel for _, kernel in device.launches)
    return f"{names} for {_ARCHITECTURE}, {sum(sizes)} bytes"


def _try_kernel(call: Call) -> str:
    """Compare the kernel with the reference on a GPU."""
    if gpu_name() is None:
        raise _NotRunError("there is no GPU here")

    def launch(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        import cupy  # noqa: PLC0415 - only where there is a GPU

        given = {str(place): value for place, value in enumerate(args)} | kwargs
        moved = given | to_gpu({k: v for k, v in given.items() if isinstance(v, np.ndarray)})
        places = [moved.pop(str(place)) for place in range(len(args))]
        made = call.primitive.on_gpu(*places, **moved)
        return tuple(map(cupy.asnumpy, made)) if isinstance(made, tuple) else cupy.asnumpy(made)

    return _compare(call, launch, "the kernel")


def _compare(call: Call, run: Callable[[tuple[Any, ...], dict[str, Any]], Any], who: str) -> str:
    """Compare a backend with the reference on the call's own arrays, and on fresh ones of their shapes."""
    rng = np.random.default_rng(0)
    for given, words in ((lambda a: a, "the arrays of a call"), (lambda a: _fresh(a, rng), "fresh arrays")):
        args, kwargs = _mapped(call, given)
        with backends.use("steady"):
            wanted = call.primitive.reference(*args, **kwargs)
        _demand_equal(run(args, kwargs), wanted, f"{who} on {words}")
    return f"as its reference on {_shapes(call)}"


def _demand_equal(got: Any, wanted: Any, where: str) -> None:
    gots, wants = (part if isinstance(part, tuple) else (part,) for part in (got, wanted))
    if len(gots) != len(wants):
        raise _WrongError(f"{where} gives {len(gots)} arrays, its reference {len(wants)}")
    for a, b in zip(map(np.asarray, gots), map(np.asarray, wants), strict=True):
        if a.shape != b.shape or a.dtype != b.dtype:
            raise _WrongError(f"{where} gives {a.dtype} {a.shape}, its reference {b.dtype} {b.shape}")
        if b.dtype.kind == "f":
            error, most = _relative(a, b), _TOLERANCES[min(b.dtype.itemsize, 8)]
        else:
            error, most = (float(np.mean(a != b)) if b.size else 0.0), _FEW
        if not error <= most:
            raise _WrongError(f"{where} differs from its reference by {error:.2g}, at most {most:g} may")


def _relative(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> float:
    """Return the norm of a difference relative to the expected values; NaN must be in the same places."""
    if not np.array_equal(np.isnan(a), np.isnan(b)):
        return np.inf
    a, b = (np.nan_to_num(part.astype(np.float64)) for part in (a, b))
    norm = float(np.linalg.norm(b))
    return float(np.linalg.norm(a - b)) / (norm or 1.0)


def _mapped(call: Call, function: Callable[[Any], Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    def each(value: Any) -> Any:
        return function(value) if isinstance(value, np.ndarray) else value

    return tuple(map(each, call.args)), {name: each(value) for name, value in call.kwargs.items()}


def _fresh(array: np.ndarray[Any, Any], rng: np.random.Generator) -> np.ndarray[Any, Any]:
    """Draw an array of the same shape; whole numbers are only shuffled, since they may be addresses."""
    if array.dtype.kind == "f":
        return np.asarray(rng.standard_normal(array.shape), dtype=array.dtype)
    shuffled = array.ravel().copy()
    rng.shuffle(shuffled)
    return shuffled.reshape(array.shape)


def _shapes(call: Call) -> str:
    values = (*call.args, *call.kwargs.values())
    return ", ".join(f"{v.dtype} {v.shape}" for v in values if isinstance(v, np.ndarray))
