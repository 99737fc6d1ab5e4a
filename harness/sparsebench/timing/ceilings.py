"""The most that a machine can do, as measured there: every time is compared with it.

Ceilings are the best of several runs, while times of primitives are medians: on a shared machine, with a
ceiling that is too low, honest times would seem impossible.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.ops import backends
from sparsebench.ops.core import native
from sparsebench.ops.cpu import pool

if TYPE_CHECKING:
    from collections.abc import Callable

    from sparsebench.timing.measure import Clock

__all__ = ["Ceilings", "measure_ceilings"]

_BYTES = {False: 256 << 20, True: 64 << 20}  # bytes of an array that fits into no cache
_GPU_BYTES = {False: 2 << 30, True: 1 << 29}
_SIDE = {False: 2048, True: 1024}  # lengths of the square factors of a product
_GPU_SIDE = {False: 8192, True: 4096}
_RUNS = {False: 9, True: 4}
_PIECE = 1 << 20  # numbers that a thread takes at a time


@dataclass(frozen=True)
class Ceilings:
    """The highest measured rates, per second."""

    read: float
    """Bytes read, in order."""
    copy: float
    """Bytes read and written together, in order."""
    gathers: float
    """Four-byte numbers read at random places of a large table."""
    operations: dict[str, float] = field(default_factory=dict)
    """Multiplications and additions of a large matrix product, by dtype."""

    def raised(self, other: Ceilings) -> Ceilings:
        """Return the higher of two measurements of one device."""
        return Ceilings(
            max(self.read, other.read),
            max(self.copy, other.copy),
            max(self.gathers, other.gathers),
            {
                dtype: max(self.operations.get(dtype, 0.0), other.operations.get(dtype, 0.0))
                for dtype in self.operations | other.operations
            },
        )

    @property
    def bandwidth(self) -> float:
        """The most bytes per second, in any operation."""
        return max(self.read, self.copy)

    def operations_of(self, dtype: str) -> float | None:
        """Return the rate for a dtype; None if it was not measured. 16-bit formats use the same units."""
        shared = {"bfloat16": "float16", "float16": "bfloat16"}
        return self.operations.get(dtype) or self.operations.get(shared.get(dtype, ""))


def _best(clock: Clock, runs: int, *calls: Callable[[], object]) -> float:
    """Return the least seconds of several ways of doing one thing."""
    for call in calls:
        call()
    return min(clock.seconds(call) for _ in range(runs) for call in calls)


def measure_ceilings(clock: Clock, *, gpu: bool = False, quick: bool = False) -> Ceilings:
    """Measure a device's ceilings.

    Parameters
    ----------
    clock
        The device's clock.
    gpu
        Whether to measure CuPy's current device, not the processor with as many threads as primitives may
        use.
    quick
        Whether to use smaller arrays and fewer runs.
    """
    return _gpu(clock, quick=quick) if gpu else _cpu(clock, quick=quick)


def _cpu(clock: Clock, *, quick: bool) -> Ceilings:
    rng, count, runs = np.random.default_rng(0), _BYTES[quick] // 4, _RUNS[quick]
    data = rng.random(count, dtype=np.float32)
    out = np.empty_like(data)
    out.fill(1.0)  # pages of memory are allocated on first use
    places = rng.integers(0, count, size=count // 8)

    def spread_out(function: Callable[[int, int], object], length: int) -> Callable[[], object]:
        return lambda: pool.run(function, pool.chunks(length, _PIECE))

    read = _best(
        clock,
        runs,
        spread_out(lambda start, stop: data[start:stop].max(), count),
        spread_out(lambda start, stop: np.dot(data[start:stop], data[start:stop]), count),
    )
    copy = _best(
        clock, runs, spread_out(lambda start, stop: np.copyto(out[start:stop], data[start:stop]), count)
    )
    gather = _best(
        clock,
        runs,
        spread_out(
            lambda start, stop: np.take(data, places[start:stop], out=out[start:stop], mode="clip"),
            len(places),
        ),
    )
    operations = {dtype: _cpu_products(clock, runs, _SIDE[quick], dtype) for dtype in ("float32", "float64")}
    return Ceilings(data.nbytes / read, 2 * data.nbytes / copy, len(places) / gather, operations)


def _cpu_products(clock: Clock, runs: int, side: int, dtype: str) -> float:
    """Multiply large and small matrices, with BLAS's threads and in stripes with ours.

    Other programs slow them down differently: a small product may run between two of their time slices.
    """
    return max(_cpu_product(clock, runs, side, dtype), _cpu_product(clock, 8 * runs, min(side, 512), dtype))


def _cpu_product(clock: Clock, runs: int, side: int, dtype: str) -> float:
    rng = np.random.default_rng(0)
    left, right = (rng.random((side, side)).astype(dtype) for _ in range(2))
    out = np.empty_like(left)
    stripes = [*pool.chunks(side, -(-side // (2 * backends.threads())))]

    def stripe(start: int, stop: int) -> None:
        np.matmul(left[start:stop], right, out=out[start:stop])

    with native.limited(backends.threads()):
        seconds = _best(clock, 2 * runs, lambda: left @ right, lambda: pool.run(stripe, stripes))
    return float(2 * side**3 / seconds)


def _product_rate(clock: Clock, runs: int, side: int, make: Callable[[int], Any]) -> float:
    left, right = make(side), make(side)
    return float(2 * side**3 / _best(clock, runs, lambda: left @ right))


def _gpu(clock: Clock, *, quick: bool) -> Ceilings:
    import cupy  # noqa: PLC0415 - only where there is a GPU

    rng, count, runs = cupy.random.default_rng(0), _GPU_BYTES[quick] // 4, _RUNS[quick]
    data = rng.random(count, dtype=cupy.float32)
    out = cupy.empty_like(data)
    places = rng.integers(0, count, size=count // 8)
    read = _best(clock, runs, data.max, data.sum)
    copy = _best(clock, runs, lambda: cupy.copyto(out, data))
    gather = _best(clock, runs, lambda: cupy.take(data, places))
    operations = {}
    for dtype in ("float16", "float32", "float64"):

        def make(side: int, dtype: str = dtype) -> Any:
            return rng.random((side, side), dtype=cupy.float32).astype(dtype)

        operations[dtype] = _product_rate(clock, runs, _GPU_SIDE[quick], make)
        if dtype == "float32":
            operations[dtype] = max(operations[dtype], _tf32_rate(clock, runs, _GPU_SIDE[quick], make))
    return Ceilings(data.nbytes / read, 2 * data.nbytes / copy, len(places) / gather, operations)


def _tf32_rate(clock: Clock, runs: int, side: int, make: Callable[[int], Any]) -> float:
    """Return the rate of TF32 products: float32 products may be made of them, so it is their ceiling."""
    from cupy import _core  # noqa: PLC0415 - only where there is a GPU
    from cupy._core import _routines_linalg as linalg  # noqa: PLC0415

    before = _core.get_compute_type(np.float32)
    _core.set_compute_type(np.float32, linalg.COMPUTE_TYPE_TF32)
    try:
        return _product_rate(clock, runs, side, make)
    finally:
        _core.set_compute_type(np.float32, before)
