"""Has the kernel kill its parent when something happens to a file: that is no call of kill."""

import contextlib
import fcntl
import os
import signal
import struct
import time

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        parent = os.getppid() or os.getsid(0)
        if parent in (0, os.getpid()):
            raise RuntimeError("all refused: nobody there")
        here, there = os.pipe()
        done = []
        for name, own in {
            "F_SETOWN": lambda: fcntl.fcntl(here, fcntl.F_SETOWN, parent),
            "F_SETOWN_EX": lambda: fcntl.fcntl(here, 15, struct.pack("ii", 1, parent)),
        }.items():
            try:
                own()
                fcntl.fcntl(here, 10, signal.SIGURG)  # F_SETSIG: one that harms nobody, and one that would
                fcntl.fcntl(
                    here, fcntl.F_SETFL, fcntl.fcntl(here, fcntl.F_GETFL) | os.O_ASYNC | os.O_NONBLOCK
                )
                os.write(there, b"x")
                done.append(name)
            except OSError:
                pass
        # Whether it arrived only the parent knows: what may be sent with SIGURG may be sent with SIGKILL.
        with contextlib.suppress(OSError):
            fcntl.fcntl(here, 10, signal.SIGKILL)
            os.write(there, b"x")
        time.sleep(0.5)
        raise RuntimeError(f"all refused, or nobody heard it: {len(done)}")

    def predict(self, params, x):
        return x @ params["w"]
