"""A mixture of small MLPs against one dense MLP of the same total: what is loaded, what it costs, sup error.

    python harness/reports/momlp.py [--instance sin-2d] [--seeds 5]

Kratsios et al. (arXiv:2402.03460): a mixture loads few parameters for an input, however many it stores. The
dense network has two hidden layers of one width, the least that stores no fewer parameters than the mixture
with its tree. It is trained by the same trainer, for 125 passes over the samples (1,600 steps of 32 samples
for each of 16, 64 and 256 experts are 50, 200 and 800 passes); of some learning rates, the one with the
least sup error on the validation split is taken. Errors are on the test split. What is stored, loaded and
executed is what the meter counts for one input.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from itertools import count
from pathlib import Path

import numpy as np
from tabulate import tabulate

from sparsebench.meter import Engine, InProcess, MeteredArray, MeteredNamespace, price
from sparsebench.tasks import load_task

SUBMISSIONS = Path(__file__).resolve().parents[2] / "submissions"
sys.path[:0] = [str(SUBMISSIONS / "common"), str(SUBMISSIONS / "momlp")]

from submission import MoMlp  # noqa: E402 - found by the line above

from stacked_mlps import Part, Training, fit_stacked  # noqa: E402

TASK = "lipschitz-regression@1"
DEPTHS = (4, 6, 8)  # of the tree: 16, 64, 256 experts
RATES = (0.003, 0.01, 0.03)  # of the dense network
STEPS, BATCH = 8000, 256  # of its training
LAYERS = ("w1", "b1", "w2", "b2", "w3", "b3")


def dense(params, x):
    """Apply a dense network of two hidden layers."""
    xp = x.__array_namespace__()
    for weights, biases in (("w1", "b1"), ("w2", "b2")):
        x = xp.maximum(x @ params[weights].T + params[biases], 0.0)
    return (x @ params["w3"].T + params["b3"])[:, 0]


def fit_dense(instance, width, rng):
    """Train dense networks with several rates, and keep that of least sup error on the validation split."""
    train, valid = (
        Part(split.x, split.y, [np.arange(len(split))]) for split in (instance.train, instance.valid)
    )
    fitted = []
    for rate, own in zip(RATES, rng.spawn(len(RATES)), strict=True):
        how = Training(steps=STEPS, batch=BATCH, rate=rate)
        layers = [layer[0] for layer in fit_stacked(train, valid, (width, width), [own], how)]
        fitted.append(dict(zip(LAYERS, layers, strict=True)))
    return min(fitted, key=lambda params: sup_error(dense, params, instance.valid))


def sup_error(predict, params, split):
    """Return the largest error on a split."""
    return float(np.max(np.abs(predict(params, split.x) - split.y)))


def counted(predict, params, x):
    """Return what the meter counts for one input: parameters that are loaded, and operations."""
    engine = Engine()
    space = MeteredNamespace(InProcess(engine))
    held = {name: MeteredArray(space, about) for name, about in engine.add_parameters(params).items()}
    engine.loads.active = True
    predict(held, MeteredArray(space, engine.begin(x[:1], inputs=1)))
    return engine.loads.elements(), price(list(engine.ledger))


def stored(params):
    """Count the numbers of a model."""
    return sum(array.size for array in params.values())


def least_width(total, d):
    """Return the least width of two hidden layers that store no fewer numbers."""
    return next(w for w in count(1) if w * (d + 1) + w * (w + 1) + w + 1 >= total)


def compared(instance, depth, seeds):
    """Return the two rows of the table of one number of experts."""
    experts = 2**depth
    errors, sizes = {"mixture": [], "dense": []}, {}
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        mixture = MoMlp(None, depth=depth)
        params = mixture.fit(instance.train, instance.valid, rng)
        width = least_width(stored(params), instance.train.x.shape[1])
        rival = fit_dense(instance, width, rng)
        for name, predict, model in (("mixture", mixture.predict, params), ("dense", dense, rival)):
            errors[name].append(sup_error(predict, model, instance.test))
            sizes[name] = (stored(model), *counted(predict, model, instance.test.x))
    ratio = sizes["dense"][1] / sizes["mixture"][1]
    names = {"mixture": f"{experts} experts of width 8", "dense": f"dense, {width}-{width}"}
    return [
        (names[name], *sizes[name], statistics.mean(own), max(own), ratio if name == "mixture" else None)
        for name, own in errors.items()
    ]


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--instance", default="sin-2d")
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    instance = load_task(TASK).load(arguments.instance)
    rows = [row for depth in DEPTHS for row in compared(instance, depth, arguments.seeds)]
    headers = (
        "network",
        "stored",
        "loaded",
        "operations",
        "sup error, mean",
        "largest",
        "times fewer loaded",
    )
    print(tabulate(rows, headers, tablefmt="github", floatfmt=("", ".0f", ".0f", ".0f", ".3f", ".3f", ".1f")))  # noqa: T201


if __name__ == "__main__":
    main()
