"""Loads the task as the harness does."""

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        from sparsebench.tasks import list_tasks, load_task

        try:
            found = list_tasks()
        except Exception as error:
            found = []
        if found:
            raise RuntimeError("LEAK")
        load_task("memorization@1").load("n256-r4")

    def predict(self, params, x):
        xp = x.__array_namespace__()
        return x @ params["w"]
