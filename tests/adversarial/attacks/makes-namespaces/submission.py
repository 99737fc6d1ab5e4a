"""Makes namespaces of every kind, enters those of others, and mounts."""

import ctypes
import os
import platform
import signal

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        libc = ctypes.CDLL(None, use_errno=True)
        done = []
        kinds = {
            "user": 1 << 28,
            "mount": 1 << 17,
            "pid": 1 << 29,
            "net": 1 << 30,
            "ipc": 1 << 27,
            "uts": 1 << 26,
            "cgroup": 1 << 25,
            "time": 1 << 7,
        }
        for name, flag in kinds.items():
            if os.fork() == 0:
                os._exit(libc.unshare(flag) == 0)
            if os.wait()[1]:
                done.append(f"unshare:{name}")
            if flag == 1 << 7:
                continue
            clone = {"x86_64": 56, "aarch64": 220}[platform.machine()]
            made = libc.syscall(clone, flag | signal.SIGCHLD, 0, 0, 0, 0)
            if made == 0:
                os._exit(0)
            if made > 0:
                os.wait()
                done.append(f"clone:{name}")

            class Arguments(ctypes.Structure):
                _fields_ = [
                    (field, ctypes.c_uint64)
                    for field in ("flags", "a", "b", "c", "signal", "e", "f", "g", "h", "i", "j")
                ]

            arguments = Arguments(flags=flag, signal=int(signal.SIGCHLD))
            made = libc.syscall(435, ctypes.byref(arguments), ctypes.sizeof(arguments))
            if made == 0:
                os._exit(0)
            if made > 0:
                os.wait()
                done.append(f"clone3:{name}")
        for pid in (1, os.getppid() or 1, os.getpid()):
            for kind in ("user", "mnt", "pid", "net", "ipc", "uts", "cgroup"):
                try:
                    handle = os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY)
                except OSError:
                    continue
                if libc.setns(handle, 0) == 0:
                    done.append(f"setns:{pid}:{kind}")
        here = os.getcwd().encode()
        for name, call in {
            "mount": lambda: libc.mount(b"none", here, b"tmpfs", 0, None),
            "bind": lambda: libc.mount(b"/", here, None, 4096 | 16384, None),
            "remount": lambda: libc.mount(None, b"/", None, 32 | 4096, None),
            "share": lambda: libc.mount(None, b"/", None, 1 << 20 | 16384, None),
            "umount": lambda: libc.umount2(here, 2),
            "pivot_root": lambda: libc.syscall(
                {"x86_64": 155, "aarch64": 41}[platform.machine()], here, here
            ),
            "open_tree": lambda: libc.syscall(428, -100, here, 1),
            "fsopen": lambda: libc.syscall(430, b"tmpfs", 0),
            "fsmount": lambda: libc.syscall(432, 0, 0, 0),
            "mount_setattr": lambda: libc.syscall(442, -100, here, 0, (ctypes.c_uint64 * 4)(0, 1, 0, 0), 32),
            "chroot": lambda: libc.chroot(here),
        }.items():
            if call() >= 0:
                done.append(name)
        raise RuntimeError(f"LEAK: {' '.join(done)}" if done else "all refused")

    def predict(self, params, x):
        return x @ params["w"]
