"""What a fit of linear algebra gives to the last bit, and on how many threads."""

import os

import numpy as np
from threadpoolctl import threadpool_info

import sparsebench as sb


def work(seed):
    rng = np.random.default_rng(seed)
    a, b = rng.standard_normal((600, 400)), rng.standard_normal((400, 300)).astype(np.float32)
    product = a.astype(np.float32) @ b
    return {
        "product": product,
        "normal": a.T @ a,
        "values": np.linalg.svd(a[:200, :200], compute_uv=False),
        "solved": np.linalg.lstsq(a[:, :50], a[:, 50], rcond=None)[0],
        "exp": np.exp(a),
    }


def threads():
    return {
        f"threads:{pool['prefix']}:{pool.get('architecture')}": np.array([pool["num_threads"]])
        for pool in threadpool_info()
    }


class Honest(sb.Submission):
    def __init__(self, task, **settings):
        pass

    def fit(self, train, valid, rng):
        told = {
            f"env:{name}={value}": np.zeros(1)
            for name, value in os.environ.items()
            if name.endswith("_THREADS")
        }
        return {"w": np.zeros(4), **work(5), **threads(), **told}

    def predict(self, params, x):
        return x @ params["w"]
