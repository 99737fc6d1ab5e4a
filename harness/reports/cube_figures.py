"""What is certain about the targets of cube@1, and what dense models reach: for the task's README.

    python harness/reports/cube_figures.py --write

Certificates: for each target the cheapest formula that is known is run under the meter, on every row of the
three splits and on new inputs; its Fourier expansion is computed from its whole truth table, in integers.
Baselines: linear models and dense networks, trained as those of `dense-mlp` are, and kernel machines, fitted
by least squares; settings are chosen on the valid split.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import sparsebench as sb
from sparsebench.leaderboard.publish import write_between_markers
from sparsebench.tasks import load_task
from sparsebench.tasks.importing import imported_generator

_TASK = "cube@1"
_FRESH = 1024
_HIDDEN = (0, 8, 32, 128)
_CENTRES = (64, 256, 1024)
_GAMMAS = (1.0, 2.0, 4.0)
_RIDGES = (1e-8, 1e-6, 1e-4)
_SETTINGS = len(_GAMMAS) * len(_RIDGES)
_SEEDS = range(3)
_METERED = 16  # inputs: what a dense model costs does not depend on them


@dataclass(frozen=True)
class Certificate:
    """What is known about a target, exactly."""

    relevant: int
    """How many coordinates it reads; each decides somewhere."""
    ones: float
    """The share of the cube that is in class 1."""
    operations: float
    """What the oracle costs for an input, by the profile ``ops``, as metered."""
    accuracy: float
    """The share of all rows of the splits, and of new inputs, that the oracle gets right."""
    weights: list[Any]
    """Fraction of the Fourier weight at each degree."""
    dimension: int
    """The sum of C(n, d) over the degrees that have weight."""

    @property
    def degree(self):
        """The largest degree that has weight."""
        return max(d for d, weight in enumerate(self.weights) if weight)


def certificate(task, name):
    """Certify the target of an instance."""
    spec, instance = task.instances[name], task.load(name)
    splits = [instance.train, instance.valid, instance.test, task.fresh(instance, 1, _FRESH)]
    x, y = (np.concatenate([getattr(split, column) for split in splits]) for column in "xy")
    with imported_generator(task.folder):
        targets, oracle, fourier = map(importlib.import_module, ("targets", "oracle", "fourier"))
        target = targets.target(name, spec.seed)
        with sb.metered() as ledger:
            answers = oracle.answers(target, oracle.parameters(target), ledger.asarray(x))
        assert all(fourier.influences(target)), "every coordinate that it reads decides somewhere"
        return Certificate(
            relevant=len(target.relevant),
            ones=float(fourier.ones(target)),
            operations=ledger.per_input(),
            accuracy=float(np.mean(ledger.value(answers) == y)),
            weights=fourier.weights(target),
            dimension=fourier.kernel_dimension(target, *spec.input_shape),
        )


def certificate_line(name, found):
    """Make the row of an instance's certificate."""
    shares = ", ".join(f"{d}: {_share(float(w))}" for d, w in enumerate(found.weights) if w >= 0.0005)
    rest = sum(w for w in found.weights if w < 0.0005)
    shares += f", others {_share(float(rest))}" if rest else ""
    cells = (
        *(f"`{name}`", f"{found.relevant}", f"{100 * found.ones:.1f} %", f"{found.operations:g}"),
        *(f"{100 * found.accuracy:.2f} %", shares, f"{found.degree}", f"{found.dimension:,}"),
    )
    return f"| {' | '.join(cells)} |"


def _share(weight):
    return f"{weight:.3f}" if weight >= 0.0005 else f"{weight:.4f}"


def certificates(task):
    """Write the table of certificates."""
    heads = (
        *("instance", "inputs read", "class 1 of the cube", "oracle, operations", "oracle, right"),
        *("Fourier weight by degree", "largest degree", "dimension of the eigenspaces"),
    )
    lines = [
        "Written by `python harness/reports/cube_figures.py --write`: the oracles' operations as metered,",
        f"their accuracy on all rows of the three splits and on {_FRESH:,} new inputs.",
        "",
        f"| {' | '.join(heads)} |",
        f"| --- | {' | '.join(['---:'] * 4)} | --- | ---: | ---: |",
        *(certificate_line(name, certificate(task, name)) for name in task.instances),
    ]
    return "\n".join(lines) + "\n"


# Baselines


@dataclass(frozen=True)
class Baseline:
    """A fitted model."""

    predict: Any
    """From inputs ``(r, n)`` float64 to classes ``(r,)``, on arrays of any library."""

    def cost(self, x):
        """Meter what an input costs."""
        with sb.metered() as ledger:
            self.predict(ledger.asarray(x[:_METERED].astype(np.float64)))
        return ledger.per_input()

    def accuracy(self, split):
        """Share of the rows that come out."""
        return float(np.mean(self.predict(split.x.astype(np.float64)) == split.y))


def kernel_machine(centres, readout):
    """Make a kernel machine: class 1 where the sum of ``readout * exp(x @ centres.T)`` is positive."""
    return Baseline(lambda x: x.__array_namespace__().exp(x @ centres.T) @ readout > 0.0)


def kernels(split, centres, seed):
    """Fit kernel machines, one for each setting: the kernel exp(gamma <x, c> / n) at rows of train."""
    rows = np.random.default_rng(seed).permutation(len(split))[:centres]
    x, y = split.x.astype(np.float64), 2.0 * split.y - 1.0
    for gamma in _GAMMAS:
        scaled = x[rows] * (gamma / x.shape[1])
        features = np.exp(x @ scaled.T)
        gram, moments = features.T @ features, features.T @ y
        size = np.trace(gram) / centres
        for ridge in _RIDGES:
            yield kernel_machine(scaled, np.linalg.solve(gram + ridge * size * np.eye(centres), moments))


def kernel_cell(instance, centres):
    """Fit with the setting that is best on valid with the first seed."""
    first = list(kernels(instance.train, centres, _SEEDS[0]))
    best = int(np.argmax([model.accuracy(instance.valid) for model in first]))
    models = [first[best], *(list(kernels(instance.train, centres, seed))[best] for seed in _SEEDS[1:])]
    return cell(models, instance)


@functools.cache
def trainer():
    """Import the trainer of the shipped classifiers, and what it rests on beside it."""
    folder = str(Path(__file__).parents[2] / "submissions" / "common")
    if folder not in sys.path:
        sys.path.append(folder)
    return importlib.import_module("classifiers")


def network(instance, hidden, seed):
    """Train a linear model, where there is no hidden unit, or a dense network, as `dense-mlp` does."""
    train, valid, rng = instance.train, instance.valid, np.random.default_rng(seed)
    mlp, pair = trainer(), (valid.x, valid.y)
    params = mlp.fit_mlp(train.x, train.y, classes=2, hidden=hidden, rng=rng, valid=pair)
    return Baseline(lambda x: x.__array_namespace__().argmax(mlp.apply_mlp(params, x), axis=1))


def cell(models, instance):
    """Write a cell: accuracy on the test split, and operations."""
    right = np.mean([model.accuracy(instance.test) for model in models])
    return f"{100 * right:.1f} % ({models[0].cost(instance.test.x):,.0f})"


def baseline_line(task, name):
    """Make the row of an instance's baselines."""
    instance = task.load(name)
    sys.stderr.write(f"baselines of {name}\n")
    cells = [cell([network(instance, hidden, seed) for seed in _SEEDS], instance) for hidden in _HIDDEN]
    cells += [kernel_cell(instance, centres) for centres in _CENTRES]
    return f"| `{name}` | {' | '.join(cells)} |"


def baselines(task):
    """Write the table of baselines."""
    heads = [
        *("instance", "linear", *(f"dense, {hidden} hidden" for hidden in _HIDDEN[1:])),
        *(f"kernel, {centres:,} centres" for centres in _CENTRES),
    ]
    lines = [
        "Written by `python harness/reports/cube_figures.py --write`: accuracy on the test split and, in",
        f"parentheses, operations per input as metered; means over {len(_SEEDS)} seeds. Of {_SETTINGS}",
        "settings of a kernel machine, the one is taken that is best on the valid split.",
        "",
        f"| {' | '.join(heads)} |",
        f"| --- |{' ---: |' * (len(heads) - 1)}",
        *(baseline_line(task, name) for name in task.instances),
    ]
    return "\n".join(lines) + "\n"


def main():
    """Tell, or write into the README."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", action="store_true", help="put it between its markers in the README")
    write, task = parser.parse_args().write, load_task(_TASK)
    sections = {"certificates": certificates(task), "baselines": baselines(task)}
    sys.stdout.write("\n".join((*sections.values(), "")))
    if write:
        write_between_markers(task.folder.parent / "README.md", sections)


if __name__ == "__main__":
    main()
