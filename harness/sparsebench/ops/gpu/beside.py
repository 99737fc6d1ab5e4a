"""Kernels that lie beside a submission's module: compiled anew by every process, and kept by none."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from sparsebench.ops.gpu import nvrtc
from sparsebench.ops.gpu.compiler import KERNELS, OPTIONS, CompileError
from sparsebench.ops.gpu.device import CupyDevice

__all__ = ["OwnDevice", "Rehearsal", "current_device", "translate"]

_SHARED_BYTES, _MULTIPROCESSORS = 99 << 10, 84  # of a GPU of compute capability 8.6: less than most have


def translate(folder: Path, file: str, kernel: str, arch: str) -> tuple[bytes, str]:
    """Compile one kernel of a file.

    Parameters
    ----------
    folder, file
        The source; it may include the ``.cuh`` beside it, and those of sparsebench.
    kernel
        A name expression, e.g. ``"nearest<float>"``.
    arch
        The architecture, e.g. ``sm_80``.

    Returns
    -------
    the cubin, and what the kernel is called in it

    Raises
    ------
    CompileError
        If there is no such file, it does not compile, or there is no NVRTC.
    """
    source = folder / file
    if Path(file).name != file or not source.is_file():
        raise CompileError(f"there is no kernel file {file!r} beside the module", help="put it there")
    paths = (*sorted(KERNELS.glob("*.cuh")), *sorted(folder.glob("*.cuh")))
    headers = {path.name: path.read_text(encoding="utf-8") for path in paths}
    text = source.read_text(encoding="utf-8")
    cubin, lowered, _ = nvrtc.translate(text, file, (kernel,), (f"-arch={arch}", *OPTIONS), headers)
    return cubin, lowered[kernel]


class OwnDevice(CupyDevice):
    """A GPU that finds kernels beside a submission's module. Made by :func:`current_device`.

    Parameters
    ----------
    number
        The device's number in CUDA.
    folder
        Where the sources are.
    """

    def __init__(self, number: int, folder: Path) -> None:
        super().__init__(number)
        self._folder = folder

    def _load(self, file: str, kernel: str) -> Any:
        cubin, name = translate(self._folder, file, kernel, self.arch)
        path = Path(_folder_of_this_process().name) / f"{len(self._kernels)}.cubin"
        path.write_bytes(cubin)
        self._kernels[file, kernel] = function = self._cupy.RawModule(path=str(path)).get_function(name)
        return function


class Rehearsal:
    """A device that launches nothing, and remembers what would be: to compile that where there is no GPU."""

    multiprocessors = _MULTIPROCESSORS
    shared_bytes = _SHARED_BYTES

    def __init__(self) -> None:
        self.launches: list[tuple[str, str]] = []
        """Pairs of a file and a name expression, each once."""

    def empty(self, shape: int | tuple[int, ...], dtype: Any) -> Any:
        """Allocate an array."""
        return np.zeros(shape, dtype)

    zeros = empty

    def dense(self, array: Any, dtype: Any = None) -> Any:
        """Return an array as it lies row after row, cast if a dtype is named."""
        return np.ascontiguousarray(array, dtype)

    def launch(self, file: str, kernel: str, *_: Any, **__: Any) -> None:
        """Remember a kernel."""
        if (file, kernel) not in self.launches:
            self.launches.append((file, kernel))


@functools.cache
def _folder_of_this_process() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="sparsebench-own-")


@functools.cache
def _device(number: int, folder: Path) -> OwnDevice:
    return OwnDevice(number, folder)


def current_device(folder: Path) -> OwnDevice:
    """Return CuPy's current device, for kernels in a folder."""
    import cupy  # noqa: PLC0415 - only where there is a GPU

    return _device(cupy.cuda.runtime.getDevice(), folder)
