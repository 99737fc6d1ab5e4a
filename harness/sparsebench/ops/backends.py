"""The choice of a primitive's implementation for NumPy arrays, and the record of those that ran.

A primitive has a *steady* backend, which is batch-invariant: a row's bits do not depend on other rows. The
meter needs that, and so does a fit that others must be able to repeat. A primitive may also have fast
backends: on NumPy (sorted groups and BLAS), compiled by Numba (the extra ``fast``), and on a GPU (CUDA
kernels through CuPy).

A family's backends are the modules ``on_numpy``, ``on_numba`` and ``on_cuda`` in its folder. Each function
there says which primitive it runs (``@tree_route.on("numpy")``), and takes a call of it. It returns
``NotImplemented`` for calls that it does not support; then the next backend is tried.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import os
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sparsebench.ops.core.primitive import Primitive

__all__ = [
    "BACKENDS",
    "POLICIES",
    "asked",
    "available",
    "has_numba",
    "note",
    "policy",
    "recorded",
    "threads",
    "use",
]

BACKENDS = ("numpy", "numba", "cuda")
"""The fast ones."""

POLICIES = {
    "auto": ("numba", "numpy"),
    "numpy": ("numpy",),
    "numba": ("numba",),
    "steady": (),
}
"""The backends that are tried, in this order, for NumPy arrays before the steady backend."""


# A thread that runs a part of a primitive's work gets its caller's context.
_POLICY: ContextVar[str] = ContextVar("policy", default="auto")
_RECORD: ContextVar[set[tuple[str, str]] | None] = ContextVar("record", default=None)


def policy() -> str:
    """Return the name of this context's policy, one of :data:`POLICIES`."""
    return _POLICY.get()


@contextlib.contextmanager
def use(name: str) -> Iterator[None]:
    """Run primitives with another policy for a while.

    Parameters
    ----------
    name
        One of :data:`POLICIES`: ``auto`` (the fastest that is installed and suits the shapes), ``numpy``,
        ``numba``, or ``steady`` (a row gets the same bits in every batch).

    Raises
    ------
    ValueError
        If there is no such policy.
    """
    if name not in POLICIES:
        raise ValueError(f"use: expected one of {', '.join(POLICIES)}, got {name!r}")
    before = _POLICY.set(name)
    try:
        yield
    finally:
        _POLICY.reset(before)


@contextlib.contextmanager
def recorded() -> Iterator[set[tuple[str, str]]]:
    """Collect the backends that run: pairs of a primitive's name and a backend's."""
    record: set[tuple[str, str]] = set()
    before = _RECORD.set(record)
    try:
        yield record
    finally:
        _RECORD.reset(before)


def note(name: str, which: str) -> None:
    """Add to the current records that a backend of a primitive has run."""
    record = _RECORD.get()
    if record is not None:
        record.add((name, which))


def asked() -> tuple[str, ...]:
    """Return the installed fast backends that this context's policy tries."""
    wanted = POLICIES[_POLICY.get()]
    return wanted if has_numba() else tuple(which for which in wanted if which != "numba")


def available(primitive: Primitive) -> tuple[str, ...]:
    """Return the fast backends of a primitive here: without Numba if that is not installed."""
    return tuple(
        which for which in BACKENDS if which in primitive.backends and (which != "numba" or has_numba())
    )


@functools.cache
def has_numba() -> bool:
    """Return whether Numba (the extra ``fast``) is installed, without importing it."""
    return importlib.util.find_spec("numba") is not None


def threads() -> int:
    """Return the number of threads that a primitive may use; results do not depend on it.

    ``SPARSEBENCH_NUM_THREADS``, or else ``OMP_NUM_THREADS``, or else the processors of this process.
    """
    for name in ("SPARSEBENCH_NUM_THREADS", "OMP_NUM_THREADS"):
        told = os.environ.get(name, "").partition(",")[0].strip()
        if told.isdigit() and int(told) > 0:
            return int(told)
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1
