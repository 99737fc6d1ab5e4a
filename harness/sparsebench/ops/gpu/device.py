"""What the host side of a CUDA kernel asks of a device, and the device that CuPy offers.

Host code allocates and launches through the protocol :class:`Device` only. So it runs unchanged on a GPU and,
in the tests, on a device that runs the same kernels on the processor.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from sparsebench.ops.gpu.namespace import give_namespace

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["CupyDevice", "Device", "blocks_of", "c_type", "current_device"]

_C_TYPES = {
    "float16": "half_t",
    "bfloat16": "bf16_t",
    "float32": "float",
    "float64": "double",
    "int32": "int",
    "int64": "long long",
    "uint8": "unsigned char",
    "bool": "bool",
}
_WITHOUT_ASKING = 48 << 10  # bytes of dynamic shared memory that every kernel may have
_MOST_BLOCKS = 2**31 - 1  # along the first axis of a grid


def c_type(dtype: Any) -> str:
    """Name the C++ type of a dtype.

    Raises
    ------
    TypeError
        If no kernel knows the dtype.
    """
    name = dtype if isinstance(dtype, str) else np.dtype(dtype).name  # NumPy does not know "bfloat16"
    if name not in _C_TYPES:
        raise TypeError(f"expected one of {', '.join(_C_TYPES)}, got {name}")
    return _C_TYPES[name]


def blocks_of(items: int, per_block: int) -> int:
    """Return the number of blocks for so many items; kernels go on with a stride where that is too many."""
    return min(-(-items // per_block), _MOST_BLOCKS)


class Device(Protocol):
    """What kernels are launched on. Everything is done in the order of the calls."""

    multiprocessors: int
    """How many blocks run at once, if one is on every multiprocessor."""
    shared_bytes: int
    """The most shared memory that a block may have, what it has statically included."""
    memory_errors: tuple[type[Exception], ...]
    """What is raised where memory does not suffice."""

    def release(self) -> None:
        """Give back memory that is kept for later."""

    def empty(self, shape: int | tuple[int, ...], dtype: Any) -> Any:
        """Allocate an array of any contents."""

    def zeros(self, shape: int | tuple[int, ...], dtype: Any) -> Any:
        """Allocate an array of zeros."""

    def dense(self, array: Any, dtype: Any = None) -> Any:
        """Return an array as it lies row after row in the device's memory, cast if a dtype is named."""

    def put(self, array: np.ndarray[Any, Any]) -> Any:
        """Copy an array of the host to the device."""

    def joined(self, parts: Sequence[Any]) -> Any:
        """Put arrays one after the other along their first axis."""

    def launch(
        self,
        file: str,
        kernel: str,
        grid: int | tuple[int, ...],
        block: int | tuple[int, ...],
        args: Sequence[Any],
        shared: int = 0,
    ) -> None:
        """Launch a kernel; an empty grid launches nothing.

        Parameters
        ----------
        file, kernel
            The source, and a name expression, e.g. ``"tree.cu"`` and ``"tree_route<float>"``.
        grid, block
            One to three lengths.
        args
            Dense arrays, None (a null pointer), and NumPy scalars of exactly the kernel's types.
        shared
            Bytes of dynamic shared memory.
        """


class CupyDevice:
    """A GPU, on CuPy's current stream. Made by :func:`current_device`.

    Parameters
    ----------
    number
        The device's number in CUDA.
    """

    def __init__(self, number: int) -> None:
        import cupy  # noqa: PLC0415 - only where there is a GPU

        self._cupy = cupy
        device = cupy.cuda.Device(number)
        self.multiprocessors = int(device.attributes["MultiProcessorCount"])
        self.shared_bytes = int(device.attributes["MaxSharedMemoryPerBlockOptin"])
        self.memory_errors: tuple[type[Exception], ...] = (cupy.cuda.memory.OutOfMemoryError,)
        self.arch = f"sm_{device.compute_capability}"
        self._kernels: dict[tuple[str, str], Any] = {}
        self._granted: dict[tuple[str, str], int] = {}

    def release(self) -> None:
        """Give back what CuPy's pool keeps for later."""
        self._cupy.get_default_memory_pool().free_all_blocks()

    def empty(self, shape: int | tuple[int, ...], dtype: Any) -> Any:
        """Allocate an array of any contents."""
        return self._cupy.empty(shape, dtype)

    def zeros(self, shape: int | tuple[int, ...], dtype: Any) -> Any:
        """Allocate an array of zeros."""
        return self._cupy.zeros(shape, dtype)

    def dense(self, array: Any, dtype: Any = None) -> Any:
        """Return an array as it lies row after row in the device's memory, cast if a dtype is named."""
        return self._cupy.ascontiguousarray(self._cupy.asarray(array), dtype).reshape(array.shape)

    def put(self, array: np.ndarray[Any, Any]) -> Any:
        """Copy an array of the host to the device."""
        return self._cupy.asarray(array)

    def joined(self, parts: Sequence[Any]) -> Any:
        """Put arrays one after the other along their first axis."""
        return parts[0] if len(parts) == 1 else self._cupy.concatenate(parts)

    def launch(
        self,
        file: str,
        kernel: str,
        grid: int | tuple[int, ...],
        block: int | tuple[int, ...],
        args: Sequence[Any],
        shared: int = 0,
    ) -> None:
        """Launch a kernel on the current stream; compile it first where that was not done before."""
        grid = grid if isinstance(grid, tuple) else (grid,)
        block = block if isinstance(block, tuple) else (block,)
        if 0 in grid:
            return
        function = self._kernels.get((file, kernel)) or self._load(file, kernel)
        if shared > self._granted.get((file, kernel), _WITHOUT_ASKING):
            function.max_dynamic_shared_size_bytes = self._granted[file, kernel] = shared
        # CuPy knows no null pointer: None would be an argument without a place.
        function(grid, block, tuple(np.uint64(0) if arg is None else arg for arg in args), shared_mem=shared)

    def _load(self, file: str, kernel: str) -> Any:
        from sparsebench.ops.gpu import compiler  # noqa: PLC0415 - a submission's process does not hold it

        compiled = compiler.compiled(file, (kernel,), self.arch)
        module = self._cupy.RawModule(path=str(compiled.path))
        self._kernels[file, kernel] = function = module.get_function(compiled.lowered[kernel])
        return function


@functools.cache
def _device(number: int) -> CupyDevice:
    give_namespace()  # references run where kernels do not take the arguments
    return CupyDevice(number)


def current_device() -> CupyDevice:
    """Return CuPy's current device."""
    import cupy  # noqa: PLC0415 - only where there is a GPU

    return _device(cupy.cuda.runtime.getDevice())
