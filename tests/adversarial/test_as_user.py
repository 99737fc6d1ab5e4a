"""The decisive attacks as an ordinary user: where the suite runs as root, in a process that is nobody.

`scripts/test-as-user` runs all of them so, in an environment that this user can certainly read.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

NOBODY = 65534
ROOT = Path(__file__).resolve().parents[2]
DECISIVE = (
    *("channels/says", "channels/everywhere", "cross-pass", "prlimit", "opens-sockets", "watches-files"),
    *("changes-what-it-does-not-own", "meddles-with-other-processes", "reads-the-test-in-fit"),
    *("leaves-a-daemon", "runs-away", "forks-without-end", "fills-its-folder", "takes-memory-in-children"),
)


def as_nobody(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        user=NOBODY,
        group=NOBODY,
        extra_groups=(),
        cwd="/",
        env={"PATH": os.defpath, "LANG": "C.UTF-8", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )


def readable_paths() -> str:
    """What this process finds modules by, with the package itself."""
    return os.pathsep.join(
        [str(ROOT / "harness"), *(path for path in sys.path if path and Path(path).is_dir())]
    )


def python_for_nobody() -> str | None:
    """Find a Python of our version that everybody can run, and that finds what we find."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for candidate in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        tried = "import numpy, psutil, pytest, pydantic_core, pyarrow, sparsebench.evaluate.cell"
        try:
            ran = as_nobody(candidate, "-c", tried, PYTHONPATH=readable_paths())
        except OSError:
            continue
        if ran.returncode == 0:
            return candidate
    return None


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="you are an ordinary user already"
)
def test_the_decisive_attacks_as_an_ordinary_user() -> None:
    python = python_for_nobody()
    if python is None:
        pytest.skip("nobody can read no Python of this version and this checkout: see scripts/test-as-user")
    home = Path(
        tempfile.mkdtemp(prefix="sparsebench-nobody-", dir="/tmp")
    )  # pytest's own is closed to others
    os.chown(home, NOBODY, NOBODY)
    try:
        level = {name: os.environ[name] for name in ("SPARSEBENCH_SANDBOX",) if name in os.environ}
        names = [f"{Path(__file__).parent}/test_attacks.py::test_attack[{name}]" for name in DECISIVE]
        ran = as_nobody(
            *(
                python,
                "-m",
                "pytest",
                "-q",
                "-p",
                "no:cacheprovider",
                f"--rootdir={ROOT}",
                f"-c{ROOT}/pyproject.toml",
            ),
            *names,
            **level,
            PYTHONPATH=readable_paths(),
            HOME=str(home),
            TMPDIR=str(home),
        )
    finally:
        shutil.rmtree(home, ignore_errors=True)
    assert ran.returncode == 0, ran.stdout[-4000:] + ran.stderr[-2000:]
