"""Connects to a server on this machine by TCP."""

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        import socket

        server = socket.socket()
        server.bind(("127.0.0.1", 0))
        server.listen()
        raise RuntimeError("LEAK")

    def predict(self, params, x):
        xp = x.__array_namespace__()
        return x @ params["w"]
