"""An interpreter that ends while metered arrays are alive ends in silence."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from meter.metered import Meter
from sparsebench.errors import RefusedError
from sparsebench.meter import Engine, Pipe, answer

# A function keeps its module's names alive until the interpreter has given up importing.
IN_A_BLOCK = """
import numpy as np, sparsebench as sb
def model(x): return x @ np.ones((3, 4), np.float32)
with sb.metered() as ledger:
    x = ledger.asarray(np.ones((2, 3), np.float32))
    kept = [model(x), ledger.xp.asarray(np.ones(3))]
"""
IN_PROCESS = """
import numpy as np
from sparsebench.meter import Engine, InProcess, MeteredNamespace
def model(x): return x + 1.0
xp = MeteredNamespace(InProcess(Engine()))
x = xp.asarray(np.ones(3))
kept = [model(x), x[1:]]
"""
OVER_A_PIPE = """
import numpy as np, sys
from sparsebench.meter import MeteredNamespace, OverPipe, Pipe
def model(x): return x + 1.0
xp = MeteredNamespace(OverPipe(Pipe(int(sys.argv[1]), int(sys.argv[2]))))
x = xp.asarray(np.ones(3))
kept = [model(x), x[1:]]
"""


def test_nothing_is_freed_at_the_end():
    meter = Meter()
    x = meter.put(np.ones(3))
    x.__del__(ending=lambda: True)
    assert meter.get(x).tolist() == [1.0, 1.0, 1.0]
    x.__del__()
    with pytest.raises(RefusedError, match="earlier call"):
        meter.get(x)


def test_arrays_of_this_process():
    for program in (IN_A_BLOCK, IN_PROCESS):
        ran = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60
        )
        assert (ran.returncode, ran.stderr) == (0, "")


def test_arrays_of_another_process():
    (theirs_in, ours_out), (ours_in, theirs_out) = os.pipe(), os.pipe()
    program = [sys.executable, "-c", OVER_A_PIPE, str(theirs_in), str(theirs_out)]
    with subprocess.Popen(
        program, pass_fds=(theirs_in, theirs_out), stderr=subprocess.PIPE, text=True
    ) as process:
        os.close(theirs_in)
        os.close(theirs_out)
        engine, pipe = Engine(), Pipe(ours_in, ours_out)
        try:
            while True:
                pipe.send(answer(engine, *pipe.receive()))
        except EOFError:
            pipe.close()
        _, told = process.communicate(timeout=60)
    assert (process.returncode, told) == (0, "")
