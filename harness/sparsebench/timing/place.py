"""The devices on which primitives are timed: the processor, or CuPy's current device."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.errors import UsageError
from sparsebench.ops import backends
from sparsebench.ops.cpu import pool
from sparsebench.timing.ceilings import Ceilings, measure_ceilings
from sparsebench.timing.measure import Clock, EventClock, HostClock

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Place", "cache_bytes", "cpu_place", "gpu_missing", "gpu_place"]

_FLUSHED = 96 << 20  # fewest bytes: twice that is more than the caches of every GPU until 2025
_MOST_FLUSHED = 512 << 20  # a flush comes before every cold run
_PIECE = 1 << 18  # numbers that a thread takes at a time
_PROCESSORS = Path("/sys/devices/system/cpu")  # of Linux
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20}


@dataclass(frozen=True)
class Place:
    """A device, its clock and its ceilings."""

    name: str
    """The device's own name."""
    gpu: bool
    """Whether it is a GPU."""
    threads: int
    """Threads of the processor that primitives may use."""
    clock: Clock
    """The clock of the device."""
    flush: Callable[[], object]
    """Empties its caches."""
    ceilings: Ceilings
    """The most that it can do."""
    again: Callable[[], Ceilings] | None = None
    """Measures the ceilings once more; None if they are final."""

    def put(self, value: Any) -> Any:
        """Move a NumPy array to the device; leave other values as they are."""
        if not self.gpu or not isinstance(value, np.ndarray):
            return value
        import cupy  # noqa: PLC0415 - only where there is a GPU

        return cupy.asarray(value)


def cache_bytes(folder: Path = _PROCESSORS) -> int:
    """Return the size of all caches of all processors together; 0 if the system does not report it.

    Parameters
    ----------
    folder
        Has a folder for every processor and every cache of it, with the files ``size``, such as ``32768K``,
        and ``shared_cpu_list``.
    """
    found = {}
    for size in folder.glob("cpu[0-9]*/cache/index*/size"):
        told = re.fullmatch(r"([0-9]+)([KM]?)", size.read_text().strip())
        sharing = size.with_name("shared_cpu_list")
        if told and sharing.exists():
            found[size.parent.name, sharing.read_text()] = int(told[1]) * _UNITS[told[2]]
    return sum(found.values())


def cpu_place(name: str, *, quick: bool = False, clock: Clock | None = None) -> Place:
    """Return the processor.

    Parameters
    ----------
    name
        Its name.
    quick
        Whether to measure its ceilings quickly.
    clock
        Its clock, if not the host's.
    """
    clock = clock or HostClock()
    waste = np.zeros(min(max(_FLUSHED, cache_bytes()), _MOST_FLUSHED) // 8)

    def flush() -> None:
        # On all threads: each may have its own cache, which no other thread can empty.
        pool.run(lambda start, stop: np.add(waste[start:stop], 1.0, out=waste[start:stop]), pieces)

    pieces = [*pool.chunks(len(waste), _PIECE)]
    return Place(
        name,
        gpu=False,
        threads=backends.threads(),
        clock=clock,
        flush=flush,
        ceilings=measure_ceilings(clock, quick=quick),
        again=lambda: measure_ceilings(clock),
    )


def gpu_missing() -> str:
    """Return why there is no GPU; empty if there is one."""
    if importlib.util.find_spec("cupy") is None:
        return "CuPy is not installed: pip install 'sparsebench[gpu]'"
    import cupy  # noqa: PLC0415 - only where there may be a GPU

    return "" if cupy.cuda.is_available() else "CuPy finds no CUDA device"


def gpu_place(*, quick: bool = False) -> Place:
    """Return CuPy's current device.

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
