"""Brings a kernel that answers with what lies beside its arrays."""

import numpy as np

import sparsebench as sb
from sparsebench.ops.gpu.device import c_type


def shifted_reference(x, by):
    return x + by


@sb.primitive(reference=shifted_reference, cuda="kernel.cu")
def shifted(device, x, by):
    out = device.empty(x.shape, x.dtype)
    args = (device.dense(x), device.dense(by, x.dtype), out, np.int64(x.size))
    device.launch("kernel.cu", f"shifted<{c_type(x.dtype)}>", max(1, -(-x.size // 64)), 64, args)
    return out


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        pass

    def fit(self, train, valid, rng):
        return {"w": np.zeros(4, dtype=np.float32), "by": np.ones(1, dtype=np.float32)}

    def predict(self, params, x):
        return shifted(x, params["by"]) @ params["w"]
