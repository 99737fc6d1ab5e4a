"""Starting a submission's process: our own module, in a clean environment, on two pipes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from sparsebench.meter import Pipe

__all__ = ["start"]

_SLACK = 16 << 20  # bytes of a message beside its arrays
_BOOT = """\
import json, sys
sys.path[:] = json.loads(sys.argv[3])
from sparsebench.evaluate.child.child import main
main()
"""


def start(scratch: Path, memory: int, *, gpu: bool = False) -> tuple[subprocess.Popen[bytes], Pipe]:
    """Start one in a process group of its own.

    Parameters
    ----------
    scratch
        Where it works.
    memory
        Most bytes of arrays to take from it in one message.
    gpu
        Whether it is to find the libraries of CUDA.

    Returns
    -------
    (subprocess.Popen, Pipe)
        The process, and our end of the pipes to it.
    """
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    try:
        process = subprocess.Popen(  # noqa: S603 - our own module
            [
                sys.executable,
                "-I",
                "-B",
                "-c",
                _BOOT,
                str(theirs_in),
                str(theirs_out),
                json.dumps(_search_path()),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(theirs_in, theirs_out),
            cwd=scratch,
            env=_environment(scratch) | (_cuda() if gpu else {}),
            start_new_session=True,
        )
    except BaseException:
        os.close(ours_in)
        os.close(ours_out)
        raise
    finally:
        os.close(theirs_in)
        os.close(theirs_out)
    return process, Pipe(ours_in, ours_out, limit=memory + _SLACK)


def _search_path() -> list[str]:
    """Where this process finds modules, but for the folder that it happens to be started in.

    The child's Python ignores the environment and the user's own packages; this brings back what was found.
    """
    here = {Path.cwd(), Path(sys.argv[0]).absolute().parent}
    return [entry for entry in sys.path if entry and Path(entry).absolute() not in here]


def _cuda() -> dict[str, str]:
    """Give what says where CUDA's libraries are, and which GPU to use."""
    names = ("LD_LIBRARY_PATH", "CUDA_PATH", "CUDA_HOME", "CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER")
    return {name: os.environ[name] for name in names if name in os.environ}


def _environment(scratch: Path) -> dict[str, str]:
    """Make a clean environment: no secrets, and one thread, so that results do not depend on load."""
    threads = dict.fromkeys(
        ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"
    )
    path = os.environ.get("PATH", os.defpath)
    kept = {name: os.environ[name] for name in ("COVERAGE_PROCESS_START",) if name in os.environ}
    return {"PATH": path, "HOME": str(scratch), "TMPDIR": str(scratch), "LANG": "C.UTF-8", **threads, **kept}
