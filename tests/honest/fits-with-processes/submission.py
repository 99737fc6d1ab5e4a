"""Two processes that answer through pipes."""

import multiprocessing

import numpy as np

import sparsebench as sb


def square(number, pipe):
    pipe.send(float(number) ** 2)


class Honest(sb.Submission):
    def __init__(self, task, **settings):
        pass

    def fit(self, train, valid, rng):
        context, made = multiprocessing.get_context("fork"), []
        for number in range(4):
            here, there = context.Pipe()
            process = context.Process(target=square, args=(number, there))
            process.start()
            made.append(here.recv())
            process.join()
        return {"w": np.zeros(4), "made": np.array(made)}

    def predict(self, params, x):
        return x @ params["w"]
