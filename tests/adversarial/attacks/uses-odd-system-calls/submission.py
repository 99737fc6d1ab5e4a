"""Uses calls of the kernel that no honest program of this kind needs, and that were ways out before."""

import ctypes
import platform

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        libc = ctypes.CDLL(None, use_errno=True)
        x86 = platform.machine() == "x86_64"
        number = lambda x, arm: x if x86 else arm
        buffer = ctypes.create_string_buffer(256)
        done = []
        calls = {
            "io_uring_setup": (425, 4, buffer),
            "bpf": (number(321, 280), 0, (ctypes.c_uint32 * 16)(2, 4, 4, 1), 64),
            "userfaultfd": (number(323, 282), 1),
            "perf_event_open": (number(298, 241), (ctypes.c_uint32 * 32)(1, 128), 0, -1, -1, 0),
            "add_key": (number(248, 217), b"user", b"sparsebench-attack", b"x", 1, -2),
            "request_key": (number(249, 218), b"user", b"sparsebench-attack", None, 0),
            "keyctl join": (number(250, 219), 1, None),
            "memfd_create": (number(319, 279), b"x", 0),
            "memfd_secret": (447, 0),
            "personality": (number(135, 92), 0x0040000),
            "open_by_handle_at": (number(304, 265), -100, (ctypes.c_uint32 * 8)(8, 1), 0),
            "acct": (number(163, 89), None),
            "swapoff": (number(168, 225), b"/nowhere"),
            "reboot": (number(169, 142), 0, 0, 0),
            "kexec_load": (number(246, 104), 0, 0, None, 0),
            "init_module": (number(175, 105), buffer, 0, b""),
            "delete_module": (number(176, 106), b"nothing-of-that-name", 0),
            "quotactl": (number(179, 60), 0x800001 << 8, None, 0, None),
            "syslog": (number(103, 116), 3, buffer, 256),
            "settimeofday": (number(164, 170), None, None),
            "sethostname": (number(170, 161), b"x", 1),
            "shmget": (number(29, 194), 0, 4096, 0o1600),
            "semget": (number(64, 190), 0, 1, 0o1600),
            "msgget": (number(68, 186), 0, 0o1600),
            "mq_open": (number(240, 180), b"sparsebench-attack", 0o102, 0o600, None),
            "fanotify_init": (number(300, 262), 0, 0),
            "lookup_dcookie": (number(212, 18), 0, buffer, 256),
            "setsid": (number(112, 157),),
            "pidfd_open": (434, 1, 0),
            "landlock_create_ruleset": (444, None, 0, 0),
            "lsm_set_self_attr": (460, 100, buffer, 8, 0),
        }
        allowed = {
            14,
            22,
            2,
            3,
            10,
            38,
            19,
        }  # EFAULT and the like: it got past the door, and would have worked
        for name, (call, *arguments) in calls.items():
            if libc.syscall(call, *arguments) >= 0:
                done.append(name)
        harmless = {"landlock_create_ruleset", "keyctl join"}
        done = [name for name in done if name != "landlock_create_ruleset"]
        raise RuntimeError(f"LEAK: {' '.join(done)}" if done else "all refused")

    def predict(self, params, x):
        return x @ params["w"]
