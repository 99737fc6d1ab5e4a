"""A device for tests: runs the kernels of ``sparsebench/ops/kernels`` on the processor, on NumPy arrays.

The sources are compiled by g++ with ``cuda_on_cpu.h`` in front of them, and kept by a hash of all that they
are made of. Every launch runs in a process of its own, so that whatever a kernel does wrong is a
:class:`KernelError`.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import mmap
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import filelock
import numpy as np

from sparsebench.ops.gpu.compiler import KERNELS
from sparsebench.ops.gpu.instances import INSTANCES

HERE = Path(__file__).parent
MISSING = None if shutil.which("g++") else "g++ is not installed: kernels cannot be run on the processor"
"""Why kernels cannot be run here, or None."""

_FLAGS = ("-std=c++17", "-O1", "-ffp-contract=off", "-fno-strict-aliasing", "-fPIC", "-w")
_SAID = 4096
_BATCH = 6  # kernels of a file that are compiled at once


class KernelError(Exception):
    """A kernel does not compile, is not called as it is declared, or has done what CUDA forbids."""


class _Launch(ctypes.Structure):
    _fields_ = (
        ("grid", ctypes.c_uint * 3),
        ("block", ctypes.c_uint * 3),
        ("shared", ctypes.c_uint64),
        ("schedule", ctypes.c_uint),
    )


def cache() -> Path:
    """Where compiled kernels are kept between runs."""
    if named := os.environ.get("SPARSEBENCH_SHIM_CACHE"):
        return Path(named)
    import platformdirs  # only where kernels run on the processor: machines with a GPU may lack it

    return Path(platformdirs.user_cache_dir("sparsebench-tests")) / "cuda_on_cpu"


@functools.cache
def _headers() -> str:
    return (
        "".join(path.read_text() for path in sorted(KERNELS.glob("*.cuh")))
        + (HERE / "cuda_on_cpu.h").read_text()
    )


def _compile(*arguments: str, made: Path, code: str = "") -> subprocess.CompletedProcess[str]:
    command = ["g++", *_FLAGS, *arguments, "-o", str(made)]
    return subprocess.run(command, input=code, capture_output=True, text=True, check=False)


@functools.cache
def _header(options: tuple[str, ...]) -> str:
    """Compile the header once for all kernels of this process: it is half the time that a small one takes."""
    folder = tempfile.mkdtemp(dir=_folder_of_this_process().name)
    header = Path(shutil.copy(HERE / "cuda_on_cpu.h", folder))
    _compile(*options, "-x", "c++-header", str(header), made=header.with_suffix(".h.gch"))
    return str(header)


@functools.cache
def _folder_of_this_process() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="sparsebench-shim-")


@functools.cache
def _library(source: str, kernels: tuple[str, ...], options: tuple[str, ...]) -> ctypes.CDLL:
    """Compile a source with some of its kernels, or find it as it was compiled before."""
    exports = "".join(f"\nEXPORT_KERNEL(kernel{i}, {kernel})" for i, kernel in enumerate(kernels))
    code = source + exports + "\n"
    key = hashlib.sha256(repr((code, _headers(), _FLAGS, options)).encode()).hexdigest()[:24]
    place = cache() / f"{key}.so"
    place.parent.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(place.with_suffix(".lock")):  # two processes that need it make it once
        if not place.exists():
            with tempfile.TemporaryDirectory(dir=place.parent) as folder:
                made = Path(folder) / "made.so"
                done = _compile(
                    *(*options, "-shared", "-include", _header(options), f"-I{KERNELS}", "-x", "c++", "-"),
                    code=code,
                    made=made,
                )
                if done.returncode:
                    raise KernelError(f"g++ refuses {', '.join(kernels)}:\n{done.stderr[:8000]}")
                made.replace(place)
    return ctypes.CDLL(str(place))


class _Kernel:
    """A compiled kernel and what it wants to be called with."""

    def __init__(self, name: str, library: ctypes.CDLL, number: int) -> None:
        self.name = name
        self.run = getattr(library, f"kernel{number}_run")
        text = ctypes.create_string_buffer(4096)
        getattr(library, f"kernel{number}_describe")(text)
        self.wanted = text.value.decode().split()

    def __call__(self, launch: _Launch, args: tuple[object, ...]) -> None:
        if len(args) != len(self.wanted):
            raise KernelError(f"{self.name}: expected {len(self.wanted)} arguments, got {len(args)}")
        kept = [
            self._place(i, arg, wanted) for i, (arg, wanted) in enumerate(zip(args, self.wanted, strict=True))
        ]
        pointers = (ctypes.c_void_p * len(kept))(*(array.ctypes.data for array in kept))
        said = ctypes.create_string_buffer(_SAID)
        code = self.run(ctypes.byref(launch), pointers, said, ctypes.c_size_t(_SAID))
        if code:
            what = said.value.decode() or (signal.Signals(-code).name if code < 0 else f"exit code {code}")
            raise KernelError(f"{self.name}: {what}")

    def _place(self, i: int, arg: object, wanted: str) -> np.ndarray:
        """Check an argument, and give memory that holds what the kernel takes: a pointer or a number."""
        form, kind, size = wanted[0], wanted[1], int(wanted[2:])
        if arg is None and form != "s":
            return np.zeros(1, np.uint64)
        fits = isinstance(arg, np.generic if form == "s" else np.ndarray)
        if not fits or (arg.dtype.kind, arg.dtype.itemsize) != (kind, size):
            got = getattr(arg, "dtype", type(arg).__name__)
            raise KernelError(f"{self.name}: argument {i}: the kernel wants {wanted}, got {got}")
        if form == "s":
            return np.array(arg)
        if not arg.flags.c_contiguous:
            raise KernelError(f"{self.name}: argument {i} is not dense")
        if form == "p" and arg.size and not _is_shared(arg):
            raise KernelError(f"{self.name}: argument {i} is written to, but is not the device's")
        return np.array(arg.ctypes.data, dtype=np.uint64)


def _is_shared(array: object) -> bool:
    while isinstance(array, np.ndarray):
        array = array.base
    return isinstance(array, (mmap.mmap, memoryview))


def _guarded(size):
    """Bytes that end where a page begins that may be neither read nor written."""
    pages = -(-size // mmap.PAGESIZE) * mmap.PAGESIZE
    memory = mmap.mmap(-1, pages + mmap.PAGESIZE)
    whole = np.frombuffer(memory, np.uint8)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mprotect(ctypes.c_void_p(whole.ctypes.data + pages), ctypes.c_size_t(mmap.PAGESIZE), 0):
        raise OSError(ctypes.get_errno(), "mprotect")
    return whole[pages - size : pages]


class ShimDevice:
    """A :class:`sparsebench.ops.gpu.device.Device` without a GPU.

    Parameters
    ----------
    schedule
        In which order threads go on: 0 as numbered, 1 reversed, 2 and above shuffled.
    multiprocessors
        Few, so that kernels whose blocks stay and take more work have to.
    shared_bytes
        As on a GPU of compute capability 9.0; less shows what is done where tables do not fit.
    options
        Further options of g++, e.g. ``-DCOUNTED``.
    sources
        Texts of sources that are not in the package, by file name.
    memory
        Bytes that an array may take; None for as many as there are.
    """

    def __init__(
        self, schedule=0, *, multiprocessors=3, shared_bytes=227 << 10, options=(), sources=None, memory=None
    ):
        self.schedule = schedule
        self.memory = memory
        self.released = 0
        self.multiprocessors = multiprocessors
        self.shared_bytes = shared_bytes
        self.options = tuple(options)
        self.sources = sources or {}
        self.launched = []

    memory_errors = (MemoryError,)

    def release(self):
        """Count how often memory was short."""
        self.released += 1

    def empty(self, shape, dtype):
        """Allocate an array, full of 0xa5 so that what is not written shows."""
        array = self.zeros(shape, dtype)
        array.reshape(-1).view(np.uint8)[...] = 0xA5
        return array

    def zeros(self, shape, dtype):
        """Allocate zeros in memory that launches share, right before memory that nobody may touch."""
        shape = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)
        dtype = np.dtype(dtype)
        count = int(np.prod(shape, dtype=np.int64))
        if self.memory is not None and count * dtype.itemsize > self.memory:
            raise MemoryError(f"{count * dtype.itemsize} bytes of {self.memory}")
        return _guarded(count * dtype.itemsize).view(dtype).reshape(shape)

    def dense(self, array, dtype=None):
        """Copy an array in C order, cast if a dtype is named."""
        array = np.asarray(array, dtype=dtype, order="C")
        made = self.zeros(array.shape, array.dtype)
        made[...] = array
        return made

    def put(self, array):
        """Copy an array."""
        return self.dense(array)

    def joined(self, parts):
        """Put arrays one after the other, whatever memory they take."""
        return np.concatenate(parts)

    def launch(self, file, kernel, grid, block, args, shared=0):
        """Run a kernel to its end."""
        grid, block = (part if isinstance(part, tuple) else (part,) for part in (grid, block))
        if 0 in grid:
            return
        if shared > self.shared_bytes:
            raise KernelError(f"{kernel}: {shared} bytes of shared memory, of {self.shared_bytes}")
        if max(grid[1:], default=1) > 65535 or max(*grid, *block) >= 2**31 or len(grid) > 3 or len(block) > 3:
            raise KernelError(f"{kernel}: a grid of {grid} blocks of {block}")
        self.launched.append(kernel)
        launch = _Launch(_three(grid), _three(block), shared, self.schedule)
        own = self.sources.get(file)
        together = (kernel,) if own else _together(file, kernel)
        _kernel(own or _text(file), kernel, together, self.options)(launch, tuple(args))


@functools.cache
def _text(file: str) -> str:
    return (KERNELS / file).read_text()


@functools.cache
def _together(file: str, kernel: str) -> tuple[str, ...]:
    """Name the kernels that are compiled with one, a few of its file's: headers take most of the time."""
    for listed, kernels in INSTANCES:
        if listed == file and kernel in kernels:
            first = kernels.index(kernel) // _BATCH * _BATCH
            return kernels[first : first + _BATCH]
    return (kernel,)


@functools.cache
def _kernel(source: str, kernel: str, together: tuple[str, ...], options: tuple[str, ...]) -> _Kernel:
    return _Kernel(kernel, _library(source, together, options), together.index(kernel))


def _three(lengths):
    return (ctypes.c_uint * 3)(*lengths, *([1] * (3 - len(lengths))))
