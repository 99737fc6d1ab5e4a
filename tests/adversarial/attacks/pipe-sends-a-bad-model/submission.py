"""Sends bytes that are no arrays as its model."""

import json
import os
import struct
import sys

import numpy as np

import sparsebench as sb


def pipe_of(x):
    return x._namespace.transport._pipe


def raw(x, header, payload=b""):
    """One frame, by hand."""
    pipe = pipe_of(x)
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    pipe._write(struct.pack("<IQ", len(text), len(payload)) + text + payload)


def turn():
    """The secret of the present question, from the frame of the function that was called with it."""
    frame = sys._getframe()
    while frame:
        header = frame.f_locals.get("header")
        if isinstance(header, dict) and "turn" in header:
            return header["turn"]
        frame = frame.f_back


import gc

from sparsebench.evaluate.child.child import Worker


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        pipe = next(o for o in gc.get_objects() if isinstance(o, Worker))._pipe
        pipe.send({"done": None, "turn": turn()}, b"\xff" * 100)
        return {"w": np.zeros(4)}

    def predict(self, params, x):
        xp = x.__array_namespace__()
        return x @ params["w"]
