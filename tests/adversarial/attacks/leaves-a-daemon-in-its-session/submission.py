"""Leaves a process whose parent is gone, and which ignores whatever can be ignored."""

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
            if os.fork():
                os._exit(0)
            os.closerange(0, 256)
            for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
                signal.signal(number, signal.SIG_IGN)
            time.sleep(120)
            os._exit(0)
        os.wait()
        return {"w": np.zeros(4)}

    def predict(self, params, x):
        return x @ params["w"]
