"""Reads, traces, schedules and limits every process that it can name, to what they already are."""

import ctypes
import os
import platform
import resource

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        libc = ctypes.CDLL(None, use_errno=True)
        x86 = platform.machine() == "x86_64"
        number = lambda x, arm: x if x86 else arm
        me = os.getpid()
        others = {os.getppid(), os.getsid(0), os.getpgid(0)}
        try:
            others |= {int(name) for name in os.listdir("/proc") if name.isdigit()}
        except OSError:
            pass
        others |= set(range(1, 300)) | set(range(max(1, me - 300), me + 50))
        others -= {0, me} | {int(task) for task in os.listdir("/proc/self/task")}
        done = set()

        def attempt(name, call):
            try:
                result = call()
            except (OSError, ValueError):
                return
            if result is None or result >= 0:
                done.add(name)

        def same_limit(pid):
            resource.prlimit(pid, resource.RLIMIT_CORE, resource.prlimit(pid, resource.RLIMIT_CORE))

        def memory(pid):
            with open(f"/proc/{pid}/mem", "rb"):
                return 0

        def write_memory(pid):
            with open(f"/proc/{pid}/mem", "r+b"):
                return 0

        def read_memory(pid):
            here = ctypes.create_string_buffer(8)
            local, there = (ctypes.c_size_t * 2)(ctypes.addressof(here), 8), (ctypes.c_size_t * 2)(0, 8)
            if libc.syscall(number(310, 270), pid, local, 1, there, 1, 0) < 0 and ctypes.get_errno() != 14:
                raise OSError  # EFAULT means that only the address was wrong

        def write_to_memory(pid):
            here = ctypes.create_string_buffer(8)
            local, there = (ctypes.c_size_t * 2)(ctypes.addressof(here), 8), (ctypes.c_size_t * 2)(0, 8)
            if libc.syscall(number(311, 271), pid, local, 1, there, 1, 0) < 0 and ctypes.get_errno() != 14:
                raise OSError

        def trace(pid):
            if libc.ptrace(0x4206, pid, 0, 0) != 0:  # PTRACE_SEIZE, which does not stop it
                raise OSError
            libc.ptrace(17, pid, 0, 0)

        def steal(pid):
            handle = libc.syscall(434, pid, 0)
            if handle < 0 or libc.syscall(438, handle, 0, 0) < 0:
                raise OSError

        def alive(pid):
            os.kill(pid, 0)

        def by_handle(pid):
            handle = libc.syscall(434, pid, 0)
            if handle < 0 or libc.syscall(424, handle, 0, None, 0) < 0:
                raise OSError

        def queue(pid):
            information = ctypes.create_string_buffer(128)
            ctypes.memmove(ctypes.byref(information, 8), (-1 & 0xFFFFFFFF).to_bytes(4, "little"), 4)
            return libc.syscall(number(129, 138), pid, 0, information)

        for pid in sorted(others):
            attempt("prlimit", lambda: same_limit(pid))
            attempt("affinity", lambda: os.sched_setaffinity(pid, os.sched_getaffinity(pid)))
            attempt(
                "nice", lambda: os.setpriority(os.PRIO_PROCESS, pid, os.getpriority(os.PRIO_PROCESS, pid))
            )
            attempt(
                "scheduler",
                lambda: os.sched_setscheduler(pid, os.sched_getscheduler(pid), os.sched_getparam(pid)),
            )
            attempt(
                "io priority",
                lambda: libc.syscall(number(251, 30), 1, pid, libc.syscall(number(252, 31), 1, pid)),
            )
            attempt("memory", lambda: memory(pid))
            attempt("write memory", lambda: write_memory(pid))
            attempt("process_vm_readv", lambda: read_memory(pid))
            attempt("process_vm_writev", lambda: write_to_memory(pid))
            attempt("ptrace", lambda: trace(pid))
            attempt("pidfd_getfd", lambda: steal(pid))
            attempt("kill", lambda: alive(pid))
            attempt("tgkill", lambda: libc.syscall(number(234, 131), pid, pid, 0))
            attempt("tkill", lambda: libc.syscall(number(200, 130), pid, 0))
            attempt("sigqueue", lambda: queue(pid))
            attempt("pidfd_send_signal", lambda: by_handle(pid))
            attempt("kcmp", lambda: libc.syscall(number(312, 272), me, pid, 1, 0, 0))
            attempt("migrate_pages", lambda: libc.syscall(number(256, 238), pid, 0, None, None))
            attempt("move_pages", lambda: libc.syscall(number(279, 239), pid, 0, None, None, None, 0))
            attempt("oom score", lambda: open(f"/proc/{pid}/oom_score_adj", "r+").close())
            attempt("timer slack", lambda: open(f"/proc/{pid}/timerslack_ns", "r+").close())
            attempt("environment", lambda: open(f"/proc/{pid}/environ", "rb").close())
            attempt("files", lambda: len(os.listdir(f"/proc/{pid}/fd")) * 0)
            attempt("root", lambda: len(os.listdir(f"/proc/{pid}/root")) * 0)
            attempt("core scheduling", lambda: libc.prctl(62, 2, pid, 0, 0))
        raise RuntimeError(
            f"LEAK: {' '.join(sorted(done))}" if done else f"all refused: {len(others)} processes"
        )

    def predict(self, params, x):
        return x @ params["w"]
