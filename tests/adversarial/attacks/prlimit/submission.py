"""Sets limits of its parent: the size of files, open files, processors, priority."""

import os
import resource

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        out = []
        parents = {pid for pid in (os.getppid(), os.getsid(0), os.getpgid(0)) if pid not in (0, os.getpid())}
        for pid in sorted(parents):
            for what in ("RLIMIT_FSIZE", "RLIMIT_NOFILE"):
                try:
                    resource.prlimit(
                        pid, getattr(resource, what), (0, 0) if what == "RLIMIT_FSIZE" else (8, 8)
                    )
                    out.append(what)
                except OSError:
                    pass
            for name, call in {
                "affinity": lambda: os.sched_setaffinity(pid, {0}),
                "nice": lambda: os.setpriority(os.PRIO_PROCESS, pid, 19),
            }.items():
                try:
                    call()
                    out.append(name)
                except OSError:
                    pass
        raise RuntimeError(f"LEAK: set {out}" if out else f"all refused: {len(parents)} parents")

    def predict(self, params, x):
        return x @ params["w"]
