"""Attaches to its parent as a debugger, and reads its memory."""

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        import ctypes
        import os

        libc = ctypes.CDLL(None, use_errno=True)
        traced = libc.ptrace(16, os.getppid(), 0, 0)  # PTRACE_ATTACH
        here, there = ctypes.create_string_buffer(8), (ctypes.c_size_t * 2)(0x400000, 8)
        local = (ctypes.c_size_t * 2)(ctypes.addressof(here), 8)
        copied = libc.process_vm_readv(os.getppid(), local, 1, there, 1, 0)
        if traced == 0 or (copied == -1 and ctypes.get_errno() != 1):
            libc.ptrace(17, os.getppid(), 0, 0)
            raise RuntimeError("LEAK")
        raise RuntimeError("all refused")

    def predict(self, params, x):
        xp = x.__array_namespace__()
        return x @ params["w"]
