"""The number of threads of the process's native libraries: BLAS, and those on OpenMP.

Some libraries have one number for the whole process (OpenBLAS in NumPy's wheels), others one for each thread
(MKL, libraries on OpenMP). Here both obey a limit in the thread that sets it, however many threads do so at
once, and are reset when the last thread concerned has left. threadpoolctl finds the libraries and their
functions, but its version decides which threads one of its own limits concerns.
"""

from __future__ import annotations

import contextlib
import functools
import os
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["limited", "one_blas_thread"]


@dataclass
class _Held:
    """The limits on a library, in the process or in one thread."""

    controller: Any
    before: int  # its number of threads before the first limit
    limits: list[int] = field(default_factory=list)
    changed: bool = False  # whether a limit has set another number

    def wanted(self) -> int:
        return min(self.limits, default=self.before)


class _Own(threading.local):
    """The limits that this thread has set."""

    def __init__(self) -> None:
        self.held: dict[str, _Held] = {}


_LOCK = threading.Lock()
_ALL: dict[str, _Held] = {}  # the limits of all threads, by a library's path
_OWN = _Own()
_SHARED: dict[str, bool] = {}  # whether one thread's number applies to all threads, once known


def one_blas_thread() -> contextlib.AbstractContextManager[None]:
    """Let BLAS run on one thread in this thread, for a while.

    A thread that starts meanwhile needs its own limit, since some libraries have one number for each thread.
    """
    return _limited(1, _blas())


def limited(number: int) -> contextlib.AbstractContextManager[None]:
    """Let all native libraries loaded so far use a number of threads in this thread, for a while.

    Parameters
    ----------
    number
        1 or more. Of several limits at once the lowest applies: of nested ones and, for a library with one
        number for the whole process, of those of other threads as well.
    """
    return _limited(number, _controllers())


@contextlib.contextmanager
def _limited(number: int, controllers: Sequence[Any]) -> Iterator[None]:
    with _LOCK:
        for controller in controllers:
            _hold(controller, number)
    try:
        yield
    finally:
        with _LOCK:
            for controller in controllers:
                _release(controller, number)


def _controllers() -> Sequence[Any]:
    """Find the libraries that the process has loaded: it takes milliseconds."""
    import numpy as np  # noqa: F401, PLC0415 - its BLAS must be loaded to be found
    from threadpoolctl import ThreadpoolController  # noqa: PLC0415 - only where products are made

    found: Sequence[Any] = ThreadpoolController().lib_controllers
    return [controller for controller in found if controller.get_num_threads() is not None]


@functools.cache
def _blas() -> Sequence[Any]:
    return [controller for controller in _controllers() if controller.user_api == "blas"]


def _hold(controller: Any, number: int) -> None:
    path, now = controller.filepath, controller.get_num_threads()
    everyone = _ALL.setdefault(path, _Held(controller, now))
    own = _OWN.held.setdefault(path, _Held(controller, now))
    first = not own.limits
    everyone.limits.append(number)
    own.limits.append(number)
    wanted = (own if _SHARED.get(path) is False else everyone).wanted()
    if now == wanted:
        # threadpoolctl before 3.7 reads one number for the process, although OpenMP has one for each thread.
        if first and getattr(controller, "threading_layer", "") == "openmp":
            _set(everyone, wanted)
        return
    if path in _SHARED:
        _set(everyone, wanted)
        return
    seen = _seen_elsewhere(controller)
    _set(everyone, wanted)
    if controller.get_num_threads() != now:
        _SHARED[path] = seen == now and _seen_elsewhere(controller) == controller.get_num_threads()
        if not _SHARED[path]:
            _set(everyone, own.wanted())


def _release(controller: Any, number: int) -> None:
    path = controller.filepath
    everyone, own = _ALL[path], _OWN.held[path]
    everyone.limits.remove(number)
    own.limits.remove(number)
    if not own.limits:
        del _OWN.held[path]
    if everyone.changed:
        wanted = (own if _SHARED.get(path) is False else everyone).wanted()
        if controller.get_num_threads() != wanted:
            _set(everyone, wanted)
    if not everyone.limits:
        del _ALL[path]
        if everyone.changed:
            _disown(controller)


def _set(everyone: _Held, number: int) -> None:
    everyone.changed = True
    _disown(everyone.controller)
    everyone.controller.set_num_threads(number)


def _disown(controller: Any) -> None:
    """Take a library from the thread that owns it.

    Since threadpoolctl 3.8 the first thread that sets the number of a process owns the library, and what
    another thread sets is ignored, until the owner leaves the context of its limit or ends.
    """
    disown = getattr(controller, "clear_controlling_thread", None)
    if disown is not None:
        disown(force=True)


def _seen_elsewhere(controller: Any) -> int:
    """Read the number of threads in another thread."""
    seen: list[int] = []
    reader = threading.Thread(target=lambda: seen.append(controller.get_num_threads()))
    try:
        reader.start()
    except RuntimeError:  # no other thread can start, so this one's number applies to all
        return int(controller.get_num_threads())
    reader.join()
    return seen[0]


def _forked() -> None:
    """Forget, in a child, the limits of the parent's other threads, which it does not have."""
    for path, everyone in list(_ALL.items()):
        own = _OWN.held.get(path)
        everyone.limits = [] if own is None else [*own.limits]
        if own is None:
            del _ALL[path]
        if everyone.changed and _SHARED.get(path):
            _set(everyone, everyone.wanted())
    _LOCK.release()


if hasattr(os, "register_at_fork"):  # no other thread is in the middle of a change while the process forks
    os.register_at_fork(before=_LOCK.acquire, after_in_parent=_LOCK.release, after_in_child=_forked)
