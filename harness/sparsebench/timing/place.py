"""Where primitives are timed: the processor, or CuPy's current device."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.errors import UsageError
from sparsebench.ops import backends
from sparsebench.timing.ceilings import Ceilings, measure_ceilings
from sparsebench.timing.measure import Clock, EventClock, HostClock

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Place", "cpu_place", "gpu_missing", "gpu_place"]

_FLUSHED = 96 << 20  # bytes: more than the caches of most processors, and of every GPU until 2025


@dataclass(frozen=True)
class Place:
    """A device, its clock and its ceilings."""

    name: str
    """What the device calls itself."""
    gpu: bool
    """Whether it is a GPU."""
    threads: int
    """Threads of the processor that primitives may use."""
    clock: Clock
    """What times there."""
    flush: Callable[[], object]
    """Empties its caches."""
    ceilings: Ceilings
    """The most that it can do."""
    again: Callable[[], Ceilings] | None = None
    """Measures the ceilings once more; None: they are what they are."""

    def put(self, value: Any) -> Any:
        """Give a NumPy array to the device; other values as they are."""
        if not self.gpu or not isinstance(value, np.ndarray):
            return value
        import cupy  # noqa: PLC0415 - only where there is a GPU

        return cupy.asarray(value)


def cpu_place(name: str, *, quick: bool = False, clock: Clock | None = None) -> Place:
    """Give the processor.

    Parameters
    ----------
    name
        What it is called.
    quick
        Measure its ceilings quickly.
    clock
        Its clock, if not the host's.
    """
    clock = clock or HostClock()
    waste = np.zeros(_FLUSHED // 8)
    return Place(
        name,
        gpu=False,
        threads=backends.threads(),
        clock=clock,
        flush=lambda: np.add(waste, 1.0, out=waste),
        ceilings=measure_ceilings(clock, quick=quick),
        again=lambda: measure_ceilings(clock),
    )


def gpu_missing() -> str:
    """Tell why there is no GPU; empty if there is one."""
    if importlib.util.find_spec("cupy") is None:
        return "CuPy is not installed: pip install 'sparsebench[gpu]'"
    import cupy  # noqa: PLC0415 - only where there may be a GPU

    return "" if cupy.cuda.is_available() else "CuPy finds no CUDA device"


def gpu_place(*, quick: bool = False) -> Place:
    """Give CuPy's current device.

    Raises
    ------
    UsageError
        If there is none.
    """
    if reason := gpu_missing():
        raise UsageError(f"there is no GPU: {reason}", help="use --device cpu")
    import cupy  # noqa: PLC0415 - only where there is a GPU

    clock = EventClock()
    waste = cupy.zeros(2 * _FLUSHED // 8)
    number = cupy.cuda.runtime.getDevice()
    return Place(
        cupy.cuda.runtime.getDeviceProperties(number)["name"].decode(),
        gpu=True,
        threads=backends.threads(),
        clock=clock,
        flush=lambda: cupy.add(waste, 1.0, out=waste),
        ceilings=measure_ceilings(clock, gpu=True, quick=quick),
        again=lambda: measure_ceilings(clock, gpu=True),
    )
