"""Takes what it may have in each of four processes that are its parent's children, not its own."""

import ctypes
import os
import platform
import select
import signal
import time

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        libc = ctypes.CDLL(None, use_errno=True)
        clone = {"x86_64": 56, "aarch64": 220}[platform.machine()]
        here, there = os.pipe()
        for _ in range(4):
            if (
                os.fork() == 0
            ):  # where its parent is the first of its namespace, only a grandchild can have siblings
                made = libc.syscall(clone, 0x8000 | signal.SIGCHLD, 0, 0, 0, 0)  # CLONE_PARENT
                if made:
                    os._exit(0)
                held = np.ones(700 << 17)
                os.write(there, b"x")
                time.sleep(20)
                os._exit(0)
        for _ in range(4):
            made = libc.syscall(clone, 0x8000 | signal.SIGCHLD, 0, 0, 0, 0)
            if made == 0:
                held = np.ones(700 << 17)
                os.write(there, b"x")
                time.sleep(20)
                os._exit(0)
        os.close(there)
        held, end = 0, time.monotonic() + 20
        while held < 4 and time.monotonic() < end and select.select([here], [], [], 20)[0]:
            told = os.read(here, 100)
            if not told:
                break
            held += len(told)
        raise RuntimeError(f"LEAK: held {held} times 700 MB" if held > 1 else "all refused")

    def predict(self, params, x):
        return x @ params["w"]
