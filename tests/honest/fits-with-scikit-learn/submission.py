"""A forest on two threads, and a cross-validation on two processes, or in one where there is no way."""

import warnings

import numpy as np

import sparsebench as sb


class Honest(sb.Submission):
    def __init__(self, task, **settings):
        pass

    def fit(self, train, valid, rng):
        from sklearn.ensemble import RandomForestRegressor
        from sklearn.linear_model import Ridge
        from sklearn.model_selection import cross_val_score

        warnings.simplefilter("ignore")  # it says so where it works in one process
        x, y = train.x.astype(np.float64), train.y.astype(np.float64)
        seed = int(rng.integers(1 << 31))
        forest = RandomForestRegressor(n_estimators=8, n_jobs=2, random_state=seed).fit(x, y)
        scores = cross_val_score(Ridge(), x, y, n_jobs=2, cv=4)
        return {"w": Ridge().fit(x, y).coef_, "forest": forest.predict(x), "scores": scores}

    def predict(self, params, x):
        return x @ params["w"]
