"""Leaves a thread running that computes on."""

import threading

import numpy as np

import sparsebench as sb
from sparsebench import ops


def spin():
    while True:
        np.ones(1000).sum()


threading.Thread(target=spin, daemon=True).start()


class Attack(sb.Routed):
    def __init__(self, task, **settings):
        super().__init__(Router(), Experts())


class Router(sb.Router):
    def fit(self, train, valid, rng):
        direction = rng.standard_normal(train.x.shape[1])
        t = np.sort(train.x @ direction)
        edges = (t[:-1] + t[1:]) / 2
        depth = len(edges).bit_length()
        full = np.full(2**depth - 1, np.inf)
        full[: len(edges)] = edges
        levels = [full[2 ** (depth - i - 1) - 1 :: 2 ** (depth - i)] for i in range(depth)]
        return {"direction": direction, "thresholds": np.concatenate(levels)}

    def route(self, params, x):
        return sb.Routes(experts=ops.tree_route(x @ params["direction"], params["thresholds"])[:, None])


class Experts(sb.Experts):
    def fit(self, train, valid, rng, routes):
        labels = np.zeros(len(train.y), dtype=train.y.dtype)
        labels[routes.experts[:, 0]] = train.y
        return {"labels": labels}

    def apply(self, params, x, routes):
        return ops.gather(routes.experts[:, 0], params["labels"])
