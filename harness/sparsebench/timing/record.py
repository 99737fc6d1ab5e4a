"""The record of one timing, and whether it is plausible."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sparsebench.timing.ceilings import Ceilings
    from sparsebench.timing.measure import Measured
    from sparsebench.timing.workload import Work

__all__ = ["OpTiming", "Rates", "rates"]

_OVER = 1.05  # an excess over the ceiling by more than this is not noise


@dataclass(frozen=True)
class OpTiming:
    """One backend of a primitive on one workload and device. Seconds are those of a call."""

    primitive: str
    workload: str
    """Its sizes, in words."""
    rows: int
    face: str
    """``reference``, ``steady``, ``numpy``, ``numba`` or ``cuda``."""
    device: str
    threads: int
    dtype: str
    status: str
    """``ok``; ``differs``: its answers are not the reference's; ``invalid``: faster than possible;
    ``failed``: it raised."""
    reason: str
    """Why it is not ok; else empty."""
    equal: bool
    """Whether it is the reference's function."""
    difference: float | None
    """The largest difference of answers that were timed: of integers in one place, of real numbers by the
    norm."""
    cold_median: float | None = None
    cold_q1: float | None = None
    cold_q3: float | None = None
    cold_runs: int = 0
    warm_median: float | None = None
    warm_q1: float | None = None
    warm_q3: float | None = None
    warm_runs: int = 0
    moved: int = 0
    """Bytes that must be moved."""
    operations: int = 0
    """Active operations."""
    paired: int = 0
    """Of these, multiplications that have an addition, and these additions."""
    lookups: int = 0
    bytes_per_second: float | None = None
    """With cold caches."""
    operations_per_second: float | None = None
    """With warm caches."""
    share_bandwidth: float | None = None
    """Of the measured ceiling."""
    share_operations: float | None = None
    """The rate of the paired operations as a share of a large matrix product's; None if that was not measured
    for the dtype, or if there are none."""
    share_gathers: float | None = None
    """Look-ups per second with cold caches over gathers per second from a large table; over 1 where tables
    are small. None if there are no look-ups."""

    def as_dict(self) -> dict[str, Any]:
        """Return the fields, for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Rates:
    """The rates that follow from times."""

    status: str
    reason: str
    bytes_per_second: float
    operations_per_second: float
    share_bandwidth: float
    share_operations: float | None
    share_gathers: float | None


def rates(work: Work, measured: Measured, ceilings: Ceilings, dtype: str) -> Rates:
    """Compare times with the ceilings.

    Parameters
    ----------
    work
        The work of the call.
    measured
        Its times. Rates of memory use cold caches, since caches are faster; rates of arithmetic use warm
        ones.
    ceilings
        The ceilings of the device.
    dtype
        The dtype of the arithmetic.
    """
    cold, warm = measured.cold.median, measured.warm.median
    moved, done = work.bytes / cold, work.operations / warm
    most = ceilings.operations_of(dtype)
    share = work.paired / warm / most if most and work.paired else None
    reasons = []
    if moved > _OVER * ceilings.bandwidth:
        reasons.append(f"{moved / 1e9:.0f} GB/s, where at most {ceilings.bandwidth / 1e9:.0f} were measured")
    if share is not None and share > _OVER:
        reasons.append(f"{share:.2f} times the measured rate of a matrix product")
    return Rates(
        status="invalid" if reasons else "ok",
        reason="faster than possible: " + "; ".join(reasons) if reasons else "",
        bytes_per_second=moved,
        operations_per_second=done,
        share_bandwidth=moved / ceilings.bandwidth,
        share_operations=share,
        share_gathers=work.lookups / cold / ceilings.gathers if work.lookups else None,
    )
