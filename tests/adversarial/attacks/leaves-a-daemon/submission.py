"""Leaves a process in a session of its own, whose parent is gone."""

import os
import signal
import time

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        if os.fork() == 0:
            try:
                os.setsid()
            except OSError:
                pass
            if os.fork():
                os._exit(0)
            os.closerange(0, 256)
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                signal.signal(number, signal.SIG_IGN)
            time.sleep(120)
            os._exit(0)
        os.wait()
        return {"w": np.zeros(4)}

    def predict(self, params, x):
        return x @ params["w"]
