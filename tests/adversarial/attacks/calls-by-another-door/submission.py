"""Calls the kernel by the numbers of other architectures, which a filter may have forgotten."""

import ctypes
import mmap
import os
import platform

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        if platform.machine() != "x86_64":
            raise RuntimeError("all refused: there is no other door")
        libc = ctypes.CDLL(None, use_errno=True)
        done = []
        x32 = 0x40000000
        for name, number, *arguments in (
            ("socket", 41, 2, 2, 0),
            ("shmget", 29, 0, 4096, 0o1600),
            ("setsid", 112),
            ("memfd_create", 319, b"x", 0),
            ("unshare", 272, 1 << 28),
        ):
            if libc.syscall(x32 | number, *arguments) >= 0:
                done.append(f"x32:{name}")
        if done:
            raise RuntimeError(f"LEAK: {' '.join(done)}")
        # mov eax, 359 (socket of 32 bits); mov ebx, 2; mov ecx, 2; xor edx, edx; int 0x80; ret
        code = b"\x53\xb8\x67\x01\x00\x00\xbb\x02\x00\x00\x00\xb9\x02\x00\x00\x00\x31\xd2\xcd\x80\x5b\xc3"
        pages = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        pages.write(code)
        call = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(pages)))
        child = os.fork()
        if child == 0:
            os._exit(1 if call() >= 0 else 0)
        ended = os.waitpid(child, 0)[1]
        raise RuntimeError(
            "LEAK: int 0x80" if ended == 256 else f"all refused: the other door ends in {ended}"
        )

    def predict(self, params, x):
        return x @ params["w"]
