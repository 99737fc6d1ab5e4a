"""What is certain about the targets of cube@1, and what dense models reach: for the task's README.

    python harness/reports/cube_figures.py --write

Certificates: for each target the cheapest formula that is known is run under the meter, on every row of the
three splits and on new inputs; its Fourier expansion is computed from its whole truth table, in integers.
Baselines: a linear model and kernel machines, fitted by least squares; settings are chosen on valid.
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import sparsebench as sb
from sparsebench.leaderboard.publish import update_between_markers
from sparsebench.tasks import load_task
from sparsebench.tasks.importing import imported_generator

_TASK = "cube@1"
_FRESH = 1024
_CENTRES = (64, 256, 1024)
_GAMMAS = (1.0, 2.0, 4.0)
_RIDGES = (1e-8, 1e-6, 1e-4)
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
        *(f"`{name}`", f"{found.relevant}", f"{found.ones:.1%}", f"{found.operations:g}"),
        *(f"{found.accuracy:.2%}", shares, f"{found.degree}", f"{found.dimension:,}"),
    )
    return f"| {' | '.join(cells)} |"


def _share(weight):
    return f"{weight:.3f}" if weight >= 0.0005 else f"{weight:.0e}"


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
    """A fitted model: class 1 where the readout of its features is positive."""

    centres: Any
    """``(m, n)``, scaled by gamma / n; None for a linear model."""
    readout: Any
    """``(m,)`` or ``(n,)``."""
    bias: float = 0.0

    def answers(self, x):
        """Tell the classes of inputs ``(r, n)``, on arrays of any library."""
        if self.centres is None:
            return x @ self.readout + self.bias > 0.0
        return x.__array_namespace__().exp(x @ self.centres.T) @ self.readout > 0.0

    def cost(self, x):
        """Meter what an input costs."""
        with sb.metered() as ledger:
            self.answers(ledger.asarray(x[:_METERED].astype(np.float64)))
        return ledger.per_input()

    def accuracy(self, split):
        """Share of the rows that come out."""
        return float(np.mean(self.answers(split.x.astype(np.float64)) == split.y))


def linear(split):
    """Fit a linear model by least squares."""
    x = np.concatenate([split.x, np.ones((len(split), 1))], axis=1).astype(np.float64)
    *weights, bias = np.linalg.lstsq(x, 2.0 * split.y - 1.0, rcond=None)[0]
    return Baseline(None, np.array(weights), bias)


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
            yield Baseline(scaled, np.linalg.solve(gram + ridge * size * np.eye(centres), moments))


def kernel_cells(instance, centres):
    """Return the cost and the accuracies of the setting that is best on valid with the first seed."""
    first = list(kernels(instance.train, centres, _SEEDS[0]))
    best = int(np.argmax([model.accuracy(instance.valid) for model in first]))
    models = [first[best], *(list(kernels(instance.train, centres, seed))[best] for seed in _SEEDS[1:])]
    return models[0].cost(instance.test.x), [model.accuracy(instance.test) for model in models]


def baseline_line(task, name):
    """Make the row of an instance's baselines."""
    instance = task.load(name)
    sys.stderr.write(f"baselines of {name}\n")
    model = linear(instance.train)
    pairs = [(model.cost(instance.test.x), [model.accuracy(instance.test)])]
    pairs += [kernel_cells(instance, centres) for centres in _CENTRES]
    cells = [f"{100 * np.mean(right):.1f} % ({cost:,.0f})" for cost, right in pairs]
    return f"| `{name}` | 50.0 % (0) | {' | '.join(cells)} |"


def baselines(task):
    """Write the table of baselines."""
    heads = ["instance", "constant", "linear", *(f"kernel, {centres:,} centres" for centres in _CENTRES)]
    settings = len(list(itertools.product(_GAMMAS, _RIDGES)))
    lines = [
        "Written by `python harness/reports/cube_figures.py --write`: accuracy on the test split and, in",
        f"parentheses, operations per input as metered. Kernel machines: means over {len(_SEEDS)} draws of",
        f"the centres, with that one of {settings} settings that is best on the valid split.",
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
    page = Path(task.folder.parent / "README.md")
    for name, made in (("certificates", certificates), ("baselines", baselines)):
        section = made(task)
        sys.stdout.write(f"{section}\n")
        if write:
            page.write_text(update_between_markers(page.read_text(), name, section))


if __name__ == "__main__":
    main()
