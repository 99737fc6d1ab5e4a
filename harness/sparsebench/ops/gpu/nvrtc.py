"""NVRTC, NVIDIA's compiler of CUDA C++ as a library, by ctypes. It needs no GPU and no driver."""

from __future__ import annotations

import contextlib
import ctypes
import ctypes.util
import functools
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparsebench.errors import SparsebenchError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["CompileError", "find_library", "translate", "version"]

_INSTALL = "install it: pip install 'nvidia-cuda-nvrtc>=13,<14'"


class CompileError(SparsebenchError):
    """A kernel does not compile, or there is no compiler."""


def _folders() -> Iterator[Path]:
    """Name the folders of the wheels, newest CUDA first, and then the system's."""
    spec = importlib.util.find_spec("nvidia")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        yield from sorted(Path(place).glob("cu[0-9]*/lib"), reverse=True)
        yield Path(place) / "cuda_nvrtc" / "lib"
    yield from (Path("/usr/local/cuda/lib64"), Path("/usr/local/cuda/lib"))


def find_library() -> str | None:
    """Find the shared library of NVRTC: the wheel's, or else the system's; None if there is none."""
    for folder in _folders():
        for found in sorted(folder.glob("libnvrtc.so*"), key=lambda path: (len(path.name), path.name)):
            return str(found)
    return ctypes.util.find_library("nvrtc")


@functools.cache
def _library() -> ctypes.CDLL:
    path = find_library()
    if path is None:
        raise CompileError("NVRTC, the compiler of CUDA kernels, is not installed", help=_INSTALL)
    try:
        # Some versions do not find the library of their built-ins unless it is there already.
        for builtins in sorted(Path(path).parent.glob("libnvrtc-builtins.so*")) if "/" in path else ():
            ctypes.CDLL(str(builtins), mode=ctypes.RTLD_GLOBAL)
        library = ctypes.CDLL(path)
    except OSError as error:
        raise CompileError(f"{path}: NVRTC cannot be loaded: {error}", help=_INSTALL) from error
    library.nvrtcGetErrorString.restype = ctypes.c_char_p
    return library


def version() -> str:
    """Return the version of NVRTC, e.g. ``13.5``.

    Raises
    ------
    CompileError
        If there is none.
    """
    major, minor = ctypes.c_int(), ctypes.c_int()
    _check(_library().nvrtcVersion(ctypes.byref(major), ctypes.byref(minor)), "version")
    return f"{major.value}.{minor.value}"


def _check(code: int, what: str, log: str = "") -> None:
    if code:
        said = _library().nvrtcGetErrorString(code).decode()
        raise CompileError(f"{what}: NVRTC: {said}\n{log}".rstrip(), help="see the compiler's messages above")


def _texts(texts: Sequence[str]) -> Any:
    return (ctypes.c_char_p * len(texts))(*(text.encode() for text in texts))


def translate(
    source: str, name: str, expressions: Sequence[str], options: Sequence[str], headers: Mapping[str, str]
) -> tuple[bytes, dict[str, str], str]:
    """Compile CUDA C++ to a cubin.

    Parameters
    ----------
    source, name
        The text, and the name it has in messages.
    expressions
        Names of the kernels to keep, as C++ would call them, e.g. ``"tree_route<float>"``.
    options
        Options of NVRTC; among them ``-arch=sm_XX``, for only such code is checked to the end.
    headers
        Texts of the headers by the names that they are included by.

    Returns
    -------
    cubin, lowered names by expression, messages

    Raises
    ------
    CompileError
        If it does not compile, or there is no NVRTC.
    """
    library, program = _library(), ctypes.c_void_p()
    made = library.nvrtcCreateProgram(
        ctypes.byref(program),
        source.encode(),
        name.encode(),
        len(headers),
        _texts([*headers.values()]),
        _texts([*headers]),
    )
    _check(made, name)
    with contextlib.ExitStack() as stack:
        stack.callback(library.nvrtcDestroyProgram, ctypes.byref(program))
        for expression in expressions:
            _check(library.nvrtcAddNameExpression(program, expression.encode()), f"{name}: {expression}")
        code = library.nvrtcCompileProgram(program, len(options), _texts(options))
        log = _bytes(library, program, "ProgramLog").rstrip(b"\0").decode(errors="replace")
        _check(code, name, log)
        lowered = {text: _lowered(library, program, text) for text in expressions}
        return _bytes(library, program, "CUBIN"), lowered, log


def _bytes(library: ctypes.CDLL, program: ctypes.c_void_p, what: str) -> bytes:
    size = ctypes.c_size_t()
    _check(getattr(library, f"nvrtcGet{what}Size")(program, ctypes.byref(size)), what)
    buffer = ctypes.create_string_buffer(size.value)
    _check(getattr(library, f"nvrtcGet{what}")(program, buffer), what)
    return buffer.raw[: size.value]


def _lowered(library: ctypes.CDLL, program: ctypes.c_void_p, expression: str) -> str:
    found = ctypes.c_char_p()
    _check(library.nvrtcGetLoweredName(program, expression.encode(), ctypes.byref(found)), expression)
    return (found.value or b"").decode()
