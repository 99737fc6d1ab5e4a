"""Starts two thousand threads."""

import threading

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        made, gate = 0, threading.Event()
        for _ in range(2000):
            try:
                threading.Thread(target=gate.wait, args=(20,), daemon=True).start()
            except (RuntimeError, MemoryError):
                break
            made += 1
        gate.set()
        raise RuntimeError(f"LEAK: {made} threads" if made > 500 else "all refused: after a few")

    def predict(self, params, x):
        return x @ params["w"]
