"""From CUDA C++ to code for one architecture, kept in the user's cache.

Kernels are compiled on first use, for the GPU that is there. What is kept lies under a hash of all that it
depends on: the source, the headers, the options, the architecture and the compiler's version.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparsebench.ground.places import cache_root
from sparsebench.ground.replacing import replace_bytes
from sparsebench.ops.gpu import nvrtc
from sparsebench.ops.gpu.nvrtc import CompileError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["KERNELS", "OPTIONS", "CompileError", "Compiled", "Report", "compile_all", "compiled"]

KERNELS = Path(__file__).parent.parent / "kernels"
"""The folder of the sources."""

OPTIONS = ("-std=c++17", "--ptxas-options=-v")
_PATIENCE = 600  # seconds for one file in a process of its own


@dataclass(frozen=True)
class Compiled:
    """Code for one architecture."""

    path: Path
    """The cubin."""
    lowered: dict[str, str]
    """What the kernels are called in it, by name expression."""


@dataclass(frozen=True)
class Report:
    """What became of one file in :func:`compile_all`."""

    file: str
    arch: str
    size: int
    """Bytes of the cubin; 0 if there is none."""
    log: str
    """Messages of the compiler: errors, or every kernel's registers and spills."""

    @property
    def spills(self) -> int:
        """Bytes that are written to local memory for want of registers, by the worst kernel."""
        return max((int(found) for found in re.findall(r"(\d+) bytes spill stores", self.log)), default=0)


def compiled(file: str, expressions: Sequence[str], arch: str, options: Sequence[str] = OPTIONS) -> Compiled:
    """Compile kernels of a file, or find them in the cache.

    Parameters
    ----------
    file
        A source in :data:`KERNELS`.
    expressions
        Name expressions of the kernels.
    arch
        The architecture, e.g. ``sm_90``.
    options
        Further options of NVRTC.

    Raises
    ------
    CompileError
        If it does not compile, or there is no NVRTC.
    """
    key = _key(file, expressions, arch, options)
    try:
        return _kept(cache_root() / "kernels", key, file, expressions, arch, options)
    except OSError:  # a cache that cannot be written to is no reason not to compute
        return _kept(Path(_folder_of_this_process().name), key, file, expressions, arch, options)


@functools.cache
def _folder_of_this_process() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="sparsebench-kernels-")


@functools.cache
def _texts() -> dict[str, str]:
    """Read all sources and headers, by name."""
    return {path.name: path.read_text("utf-8") for path in sorted(KERNELS.glob("*.cu*"))}


def _headers() -> dict[str, str]:
    return {name: text for name, text in _texts().items() if name.endswith(".cuh")}


def _key(file: str, expressions: Sequence[str], arch: str, options: Sequence[str]) -> str:
    parts = [nvrtc.version(), arch, [*options], [*expressions], _texts()[file], _headers()]
    return f"{Path(file).stem}-{hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]}"


def _kept(
    folder: Path, key: str, file: str, expressions: Sequence[str], arch: str, options: Sequence[str]
) -> Compiled:
    import filelock  # noqa: PLC0415 - only where kernels are asked for

    found = _read(folder, key)
    if found is None:
        folder.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(folder / f".{key}.lock"):
            found = _read(folder, key) or _write(
                folder, key, *_translate(file, expressions, arch, options)[:2]
            )
    return found


def _read(folder: Path, key: str) -> Compiled | None:
    """Find kept code, unless it is not what was written."""
    note, path = folder / f"{key}.json", folder / f"{key}.cubin"
    try:
        told = json.loads(note.read_text("utf-8"))
        whole = hashlib.sha256(path.read_bytes()).hexdigest() == told["sha256"]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
    return Compiled(path, told["lowered"]) if whole else None


def _write(folder: Path, key: str, cubin: bytes, lowered: dict[str, str]) -> Compiled:
    note = {"lowered": lowered, "sha256": hashlib.sha256(cubin).hexdigest()}
    for name, content in ((f"{key}.cubin", cubin), (f"{key}.json", json.dumps(note).encode())):
        replace_bytes(folder / name, content, mode=0o600, durable=False)
    return Compiled(folder / f"{key}.cubin", lowered)


def _translate(
    file: str, expressions: Sequence[str], arch: str, options: Sequence[str]
) -> tuple[bytes, dict[str, str], str]:
    return nvrtc.translate(_texts()[file], file, expressions, (f"-arch={arch}", *options), _headers())


def compile_all(
    archs: Sequence[str],
    instances: Sequence[tuple[str, Sequence[str]]] | None = None,
    options: Sequence[str] = OPTIONS,
) -> Iterator[Report]:
    """Compile kernels without keeping them, every file in a process of its own.

    Parameters
    ----------
    archs
        Architectures, e.g. ``("sm_80", "sm_90")``.
    instances
        Pairs of a file and name expressions; all that host code may ask for if None.
    options
        Further options of NVRTC.

    Yields
    ------
    Report
        One for every file and architecture. A compiler that dies is a report of size 0.
    """
    if instances is None:
        from sparsebench.ops.gpu.instances import INSTANCES  # noqa: PLC0415 - it imports all host code

        instances = INSTANCES
    for file, expressions in instances:
        for arch in archs:
            yield _report(file, expressions, arch, options)


def _report(file: str, expressions: Sequence[str], arch: str, options: Sequence[str]) -> Report:
    command = [sys.executable, "-m", __spec__.name if __spec__ else __name__]
    asked = json.dumps([file, [*expressions], arch, [*options]])
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and module
            command, input=asked, capture_output=True, text=True, timeout=_PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        return Report(file, arch, 0, f"the compiler took over {_PATIENCE} seconds")
    if done.returncode:
        return Report(file, arch, 0, f"the compiler ended with code {done.returncode}\n{done.stderr}")
    told: dict[str, Any] = json.loads(done.stdout)
    return Report(file, arch, told["size"], told["log"])


def _main() -> None:
    """Compile what standard input asks for, and tell what came of it."""
    file, expressions, arch, options = json.load(sys.stdin)
    try:
        cubin, _, log = _translate(file, expressions, arch, options)
    except CompileError as error:
        cubin, log = b"", str(error)
    sys.stdout.write(json.dumps({"size": len(cubin), "log": log}))


if __name__ == "__main__":
    _main()
