"""``sparsebench doctor``: what sparsebench can use on this machine."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import shutil
from typing import Any

import click

__all__ = ["command"]

_PACKAGES = (
    "sparsebench",
    "numpy",
    "numba",
    "cupy-cuda13x",
    "cupy-cuda12x",
    "ml_dtypes",
    "nvidia-cuda-nvrtc",
    "torch",
)
_VECTORS = {
    "AVX-512": (("AVX512F", "AVX512_SKX", "X86_V4"), 512),
    "AVX2": (("AVX2", "X86_V3"), 256),
    "SVE": (("SVE",), 128),  # the processor chooses the width, which is at least this
    "NEON": (("ASIMD", "NEON"), 128),
    "SSE2": (("SSE2", "X86_V2"), 128),
}
"""NumPy's names of extensions, and the bits of their vectors."""


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def command(*, as_json: bool) -> None:
    """Show what sparsebench finds here: versions, processor, threads, compilers, GPU, sandbox, and backends.

    Nothing is compiled or timed, and nothing but sparsebench itself needs to be installed. The sandbox is
    measured: a throw-away process tries to get out.

    \b
    Examples:
      sparsebench doctor
      sparsebench doctor --json
    """
    found = _examine()
    if as_json:
        click.echo(json.dumps(found, indent=1))
        return
    from tabulate import tabulate  # noqa: PLC0415 - keeps `--help` quick

    facts = [(name, _text(value)) for name, value in found.items() if name not in {"faces", "sandbox"}]
    click.echo(tabulate(facts, tablefmt="plain"))
    _print_sandbox(found["sandbox"])
    click.echo(
        "\nBackends of primitives, first asked first; on NumPy arrays the first that takes a call runs.\n"
    )
    lines = [(name, ", ".join(told["numpy"]), told["gpu"]) for name, told in found["faces"].items()]
    click.echo(tabulate(lines, headers=("primitive", "on NumPy arrays", "on a GPU")))


def _examine() -> dict[str, Any]:
    from sparsebench.ground.places import cache_root  # noqa: PLC0415
    from sparsebench.ops import backends  # noqa: PLC0415 - keeps `--help` quick
    from sparsebench.results.provenance import cpu_name  # noqa: PLC0415

    return {
        "python": platform.python_version(),
        "packages": {name: version for name in _PACKAGES if (version := _version(name))},
        "processor": cpu_name(),
        "vectors": _vectors(),
        "threads": backends.threads(),
        "policy": backends.policy(),
        "cache": str(cache_root()),
        "numba": _numba(),
        "nvrtc": _nvrtc(),
        "gpu": _gpu(),
        "g++": shutil.which("g++") or "not found: tests of CUDA kernels need it",
        "sandbox": _sandbox(),
        "faces": _backends(),
    }


def _sandbox() -> dict[str, Any]:
    """Measure the sandbox of a submission's processes here, by trying to get out."""
    from sparsebench.evaluate.child import walls  # noqa: PLC0415 - keeps `--help` quick
    from sparsebench.evaluate.host.levels import mends  # noqa: PLC0415
    from sparsebench.evaluate.host.parents import measured  # noqa: PLC0415

    found = measured()
    return {
        "level": found.level,
        "tried": {level: found.reasons.get(level, "holds") for level in found.canaries},
        "canaries": {
            name: {"what": what, **{level: held.get(name) for level, held in found.canaries.items()}}
            for name, what in walls.describe().items()
        },
        "mends": mends(found),
    }


def _print_sandbox(found: dict[str, Any]) -> None:
    from tabulate import tabulate  # noqa: PLC0415 - keeps `--help` quick

    click.echo(f"\nSandbox of submissions: {found['level']}. A throw-away process tried to get out:\n")
    words = {True: "held", False: "NOT HELD", None: "-"}
    lines = [
        (name, told["what"], *(words[told[level]] for level in found["tried"]))
        for name, told in found["canaries"].items()
    ]
    click.echo(tabulate(lines, headers=("canary", "tries to", *found["tried"])))
    for level, why in found["tried"].items():
        if why != "holds":
            click.echo(f"\n{level} does not hold here: {why}")
    for mend in found["mends"]:
        click.echo(f"to raise it: {mend}")


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _vectors() -> str:
    """Return the name of the widest vectors that NumPy finds in the processor."""
    import numpy as np  # noqa: PLC0415 - keeps `--help` quick

    told: Any = np.show_config(mode="dicts")
    extensions = told.get("SIMD Extensions", {})
    there = {name for part in ("baseline", "found") for name in extensions.get(part, ())}
    for name, (marks, bits) in _VECTORS.items():
        if there & set(marks):
            return f"{bits} bits ({name})"
    return "unknown"


def _numba() -> dict[str, str] | str:
    from sparsebench.ground.places import cache_root  # noqa: PLC0415
    from sparsebench.ops import backends  # noqa: PLC0415 - keeps `--help` quick

    if not backends.has_numba():
        return "not installed: pip install 'sparsebench[fast]'"
    folder = os.environ.get("NUMBA_CACHE_DIR") or str(cache_root() / "numba")
    return {"version": _version("numba") or "unknown", "machine code is kept in": folder}


def _nvrtc() -> dict[str, str] | str:
    from sparsebench.ops.gpu import nvrtc  # noqa: PLC0415 - keeps `--help` quick

    path = nvrtc.find_library()
    if path is None:
        return "not found: pip install 'nvidia-cuda-nvrtc>=13,<14'"
    try:
        return {"version": nvrtc.version(), "library": path}
    except nvrtc.CompileError as error:
        return error.what


def _gpu() -> dict[str, str] | str:
    from sparsebench.timing import gpu_missing  # noqa: PLC0415 - keeps `--help` quick

    if reason := gpu_missing():
        return f"none: {reason}"
    import cupy  # noqa: PLC0415 - only where there is a GPU

    number = cupy.cuda.runtime.getDevice()
    properties = cupy.cuda.runtime.getDeviceProperties(number)
    return {
        "name": properties["name"].decode(),
        "architecture": f"sm_{cupy.cuda.Device(number).compute_capability}",
        "memory": f"{properties['totalGlobalMem'] >> 30} GiB",
        "cupy": str(cupy.__version__),
    }


def _backends() -> dict[str, dict[str, Any]]:
    """Name the backends of every primitive in the order in which they are asked."""
    from sparsebench.ops import PRIMITIVES, backends  # noqa: PLC0415 - keeps `--help` quick

    asked = backends.POLICIES[backends.policy()]
    found = {}
    for name, primitive in sorted(PRIMITIVES.items()):
        here = backends.available(primitive)
        gpu = "cuda" if "cuda" in here else "reference"
        found[name] = {"numpy": [*(which for which in asked if which in here), "steady"], "gpu": gpu}
    return found


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {told}" for name, told in value.items())
    return str(value)
