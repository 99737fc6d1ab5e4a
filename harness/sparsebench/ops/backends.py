"""Which implementation of a primitive runs on NumPy arrays, and which did.

A primitive has a *steady* face, in which a row's bits do not depend on the rows beside it: the meter needs
that, and so does a fit that others must be able to repeat. And it may have fast faces: on NumPy (sorted
groups and BLAS), compiled by Numba (the extra ``fast``), and on a GPU (CUDA kernels through CuPy).

Faces are found by name: the fast face ``numpy`` of a primitive of the module ``ops/grouped.py`` is the
function of its name in ``ops/cpu/grouped.py``, ``numba`` in ``ops/jit/grouped.py``, and ``cuda`` in
``ops/gpu/grouped.py``. A face returns ``NotImplemented`` for what it does not take; then the next is asked.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import os
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["FACES", "POLICIES", "face", "faces", "has_numba", "policy", "recorded", "threads", "use"]

FACES = {"numpy": "on_numpy", "numba": "on_numba", "cuda": "on_cuda"}
"""The fast faces, and the packages beside this module that they are in."""

POLICIES = {
    "auto": ("numba", "numpy"),
    "numpy": ("numpy",),
    "numba": ("numba",),
    "steady": (),
}
"""What is asked, in this order, for NumPy arrays before the steady face."""


# A thread that runs a part of a primitive's work is given its caller's context.
_POLICY: ContextVar[str] = ContextVar("policy", default="auto")
_RECORD: ContextVar[set[tuple[str, str]] | None] = ContextVar("record", default=None)


def policy() -> str:
    """Name the policy of this context, one of :data:`POLICIES`."""
    return _POLICY.get()


@contextlib.contextmanager
def use(name: str) -> Iterator[None]:
    """Run primitives by another policy for a while.

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
    """Collect which faces run: pairs of a primitive's name and a face's."""
    record: set[tuple[str, str]] = set()
    before = _RECORD.set(record)
    try:
        yield record
    finally:
        _RECORD.reset(before)


def note(name: str, which: str) -> None:
    """Tell whoever records that a face of a primitive has run."""
    record = _RECORD.get()
    if record is not None:
        record.add((name, which))


def run_on_numpy(name: str, family: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run the first fast face that takes the arguments, or give ``NotImplemented``."""
    for which in POLICIES[_POLICY.get()]:
        found = face(which, family, name)
        if found is None:
            continue
        made = found(*args, **kwargs)
        if made is not NotImplemented:
            note(name, which)
            return made
    return NotImplemented


@functools.cache
def face(which: str, family: str, name: str) -> Callable[..., Any] | None:
    """Find a fast face of a primitive; None where it has none, or where its extra is not installed.

    Parameters
    ----------
    which
        One of :data:`FACES`.
    family
        The module that the primitive is in, without its package.
    name
        The primitive.
    """
    if which == "numba" and not has_numba():
        return None
    module = f"{__package__}.{family}.{FACES[which]}"
    here = importlib.util.find_spec(f"{__package__}.{family}")
    if here is None or importlib.util.find_spec(module) is None:
        return None
    return getattr(importlib.import_module(module), name, None)


def faces(family: str, name: str) -> tuple[str, ...]:
    """Name the fast faces that a primitive has here."""
    return tuple(which for which in FACES if face(which, family, name) is not None)


@functools.cache
def has_numba() -> bool:
    """Tell whether Numba (the extra ``fast``) is installed, without importing it."""
    return importlib.util.find_spec("numba") is not None


def threads() -> int:
    """Give the number of threads that a primitive may use; results do not depend on it.

    ``SPARSEBENCH_NUM_THREADS``, or else ``OMP_NUM_THREADS``, or else the processors of this process.
    """
    for name in ("SPARSEBENCH_NUM_THREADS", "OMP_NUM_THREADS"):
        told = os.environ.get(name, "").partition(",")[0].strip()
        if told.isdigit() and int(told) > 0:
            return int(told)
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1
