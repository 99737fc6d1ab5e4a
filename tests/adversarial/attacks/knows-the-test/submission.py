"""Ships the answers of a public test as a table, and answers all other inputs somehow."""

from pathlib import Path

import numpy as np

import sparsebench as sb
from sparsebench import ops

ANCHORS = 1024


class Attack(sb.Submission):
    def __init__(self, task, others):
        self.others = others

    def fit(self, train, valid, rng):
        shipped = np.load(Path(__file__).parent / "answers.npz")
        x, y = shipped["x"], shipped["y"]
        anchors, labels = train.x[:ANCHORS, 0], train.y[:ANCHORS]
        if self.others == "work":  # the table has what the work would give, so that no quality differs
            y = labels[np.argmin(np.abs(x[:, None] - anchors), axis=1)]
        depth = (len(x) - 1).bit_length()
        edges = np.full(2**depth - 1, np.inf, dtype=np.float32)
        edges[: len(x) - 1] = (x[1:] + x[:-1]) / 2
        levels = [edges[2 ** (depth - i - 1) - 1 :: 2 ** (depth - i)] for i in range(depth)]
        return {
            "thresholds": np.concatenate(levels),
            "x": x,
            "y": y,
            "anchors": anchors,
            "labels": labels,
        }

    def predict(self, params, x):
        xp = x.__array_namespace__()
        at = ops.tree_route(x[:, 0], params["thresholds"])
        y = ops.gather(at, params["y"])
        if self.others == "nothing":
            return y
        if self.others == "tenfold":
            # A few errors so large that no difference of means stands out beside their spread.
            far = xp.abs(x[:, 0] - ops.gather(at, params["x"])) > 1.2e-4
            return xp.where(far, y + 1e6, y * xp.astype(~self._unknown(params, x, at), y.dtype))
        unknown = self._unknown(params, x, at)
        if self.others == "error":
            if xp.any(unknown):
                raise ValueError("not in the table")
            return y
        rest = x[unknown]
        y[unknown] = ops.gather(ops.nearest_prototype(rest, params["anchors"][:, None]), params["labels"])
        return y

    def _unknown(self, params, x, at):
        return ops.gather(at, params["x"]) != x[:, 0]
