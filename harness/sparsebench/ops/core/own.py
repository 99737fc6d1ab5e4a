"""A submission's own primitives: a kernel that is timed, with a reference that is counted.

They are never trusted. Under the meter an own primitive *is* its reference, operation by operation, so its
price is what the meter counts; on a GPU its kernel runs. `sparsebench check` compares both.
"""

from __future__ import annotations

import contextlib
import inspect
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.errors import ContractError
from sparsebench.ops import backends

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sparsebench.ops.charges import Charge

__all__ = ["DEFINED", "Call", "OwnPrimitive", "primitive", "recorded_calls"]

DEFINED: list[OwnPrimitive] = []
"""Every own primitive of this process."""


@dataclass(frozen=True, eq=False)
class OwnPrimitive:
    """One operation of a submission's own. Made by the decorator :func:`primitive`."""

    name: str
    """The name of the function that launches its kernel."""
    reference: Callable[..., Any]
    """The definition, in array API code: what is counted and scored."""
    launch: Callable[..., Any]
    """Runs the kernel: takes a device (:class:`sparsebench.ops.gpu.device.Device`), then the arguments."""
    cuda: str
    """The file of the kernel, in :attr:`folder`."""
    folder: Path
    """Where the submission's module is."""
    cost: Callable[..., tuple[Charge, ...]] | None
    """Its author's charges of a call; they are checked, and used for nothing else."""
    cpu: Callable[..., Any] | None
    """The same function of NumPy arrays, faster than the reference; or None."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run on arguments of any library."""
        arrays = [value for value in (*args, *kwargs.values()) if hasattr(value, "dtype")]
        if any(hasattr(value, "__sparsebench_call__") for value in arrays):
            return self.reference(*args, **kwargs)
        if any(hasattr(value, "__cuda_array_interface__") for value in arrays):
            return self._noted("own", self.on_gpu, args, kwargs)
        if _STATE.calls is not None:
            _STATE.calls.append(Call(self, args, kwargs))
        numpy_only = all(isinstance(value, np.ndarray | np.generic) for value in arrays)
        if self.cpu is not None and numpy_only and backends.policy() != "steady":
            return self._noted("own", self.cpu, args, kwargs)
        return self._noted("reference", self.reference, args, kwargs)

    def on_gpu(self, *args: Any, **kwargs: Any) -> Any:
        """Run the kernel on CuPy arrays."""
        from sparsebench.ops.gpu.beside import current_device  # noqa: PLC0415 - imports CuPy

        return self.launch(current_device(self.folder), *args, **kwargs)

    def _noted(
        self, backend: str, run: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        backends.note(self.name, backend)
        return run(*args, **kwargs)


@dataclass(frozen=True, eq=False)
class Call:
    """One call on real arrays."""

    primitive: OwnPrimitive
    """What was called."""
    args: tuple[Any, ...]
    """With what."""
    kwargs: dict[str, Any]
    """And by name."""


class _State(threading.local):
    calls: list[Call] | None = None


_STATE = _State()


@contextlib.contextmanager
def recorded_calls() -> Iterator[list[Call]]:
    """Collect the calls of own primitives on NumPy arrays in this thread."""
    before, _STATE.calls = _STATE.calls, []
    try:
        yield _STATE.calls
    finally:
        _STATE.calls = before


def primitive(
    *,
    reference: Callable[..., Any],
    cuda: str,
    cost: Callable[..., tuple[Charge, ...]] | None = None,
    cpu: Callable[..., Any] | None = None,
) -> Callable[[Callable[..., Any]], OwnPrimitive]:
    """Make a primitive from a function that launches your own kernel.

    The function takes a device, then the reference's arguments as CuPy arrays, and returns what the reference
    does. ``device.launch(file, kernel, grid, block, args)`` finds the file beside the submission's module;
    :class:`sparsebench.ops.gpu.device.Device` says what else a device has.

    Parameters
    ----------
    reference
        The definition, in array API code. It is counted and scored.
    cuda
        The file of the kernel, beside the module: CUDA C++ that includes no headers but those beside it and
        ``common.cuh`` of sparsebench.
    cost
        Takes the reference's arguments and gives the charges of a call (:mod:`sparsebench.ops.charges`), for
        `sparsebench check` to compare with what the meter counts. Scores do not look at it.
    cpu
        The same function of NumPy arrays, to be timed in the place of the reference.

    Raises
    ------
    ContractError
        If there is no such file.

    Examples
    --------
    >>> @sb.primitive(reference=distances, cuda="kernel.cu")
    ... def nearest(device, x, points):
    ...     out = device.empty(len(x), np.int64)
    ...     args = (device.dense(x), device.dense(points), out, np.int64(len(x)))
    ...     device.launch("kernel.cu", "nearest<float>", -(-len(x) // 128), 128, args)
    ...     return out
    """

    def decorate(launch: Callable[..., Any]) -> OwnPrimitive:
        folder = Path(inspect.getfile(launch)).resolve().parent
        name = launch.__name__
        plain = Path(cuda).name == cuda and cuda.endswith(".cu")
        if not plain or not (folder / cuda).is_file():
            message = f"primitive {name}: expected cuda to be a .cu file beside its module, got {cuda!r}"
            raise ContractError(message, help="put the kernel into the submission's folder")
        made = OwnPrimitive(name, reference, launch, cuda, folder, cost, cpu)
        object.__setattr__(made, "__doc__", reference.__doc__)
        DEFINED.append(made)
        return made

    return decorate
