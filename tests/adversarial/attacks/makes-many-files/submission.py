"""Makes as many empty files as it can."""

import os
import time

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        made = 0
        end = time.monotonic() + 60
        try:
            while made < 400_000 and time.monotonic() < end:
                if made % 1000 == 0:
                    os.mkdir(f"d{made}")
                os.close(os.open(f"d{made // 1000 * 1000}/{made}", os.O_CREAT | os.O_WRONLY))
                made += 1
        except OSError as error:
            raise RuntimeError(f"all refused: {type(error).__name__}") from None
        raise RuntimeError(f"LEAK: {made} files" if made >= 400_000 else "all refused: in time")

    def predict(self, params, x):
        return x @ params["w"]
