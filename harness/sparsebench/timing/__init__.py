"""The speed of primitives: workloads, ceilings of the machine, measurements and their records.

A time is only reported together with three other facts: the most that the machine can do (:mod:`.ceilings`),
the answer of the reference (a backend that differs is not faster, but wrong), and the spread of the time.
"""

from __future__ import annotations

from sparsebench.timing.ceilings import Ceilings, measure_ceilings
from sparsebench.timing.measure import Effort, HostClock, Spread, measure, spread
from sparsebench.timing.place import Place, cpu_place, gpu_missing, gpu_place
from sparsebench.timing.record import OpTiming
from sparsebench.timing.run import backends_of, time_backend
from sparsebench.timing.workload import Workload
from sparsebench.timing.workloads import WORKLOADS

__all__ = [
    "WORKLOADS",
    "Ceilings",
    "Effort",
    "HostClock",
    "OpTiming",
    "Place",
    "Spread",
    "Workload",
    "backends_of",
    "cpu_place",
    "gpu_missing",
    "gpu_place",
    "measure",
    "measure_ceilings",
    "spread",
    "time_backend",
]
