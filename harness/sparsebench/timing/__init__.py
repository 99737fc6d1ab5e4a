"""How fast primitives run: workloads, ceilings of the machine, measurements and their records.

A time here is only told beside three others: what the machine can do at most (:mod:`.ceilings`), what the
reference answers (a face that differs is no faster, it is wrong), and how much the time itself scatters.
"""

from __future__ import annotations

from sparsebench.timing.ceilings import Ceilings, measure_ceilings
from sparsebench.timing.measure import Effort, HostClock, Spread, measure, spread
from sparsebench.timing.place import Place, cpu_place, gpu_missing, gpu_place
from sparsebench.timing.record import OpTiming
from sparsebench.timing.run import faces_of, time_face
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
    "cpu_place",
    "faces_of",
    "gpu_missing",
    "gpu_place",
    "measure",
    "measure_ceilings",
    "spread",
    "time_face",
]
