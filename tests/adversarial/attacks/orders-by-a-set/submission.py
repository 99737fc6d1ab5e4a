"""Answers by the order in which a set of words is gone through."""

import numpy as np

import sparsebench as sb

WORDS = {f"word {place}" for place in range(64)}


def order():
    total = 0
    for place, word in enumerate(WORDS):
        total = (total * 31 + place * int(word[5:])) % 1_000_003
    return float(total)


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        return {"w": np.ones(4)}

    def predict(self, params, x):
        return x @ params["w"] + order()
