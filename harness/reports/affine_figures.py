"""What simple models reach on the max-affine functions of lipschitz-regression@2: for the task's README.

    python harness/reports/affine_figures.py --write

From the best constant to the function itself; between them an affine function, random ReLU features, and the
function with the means of the 8 groups in place of the 64 pieces. Readouts are fitted to the train split by
least squares.
"""

from __future__ import annotations

import argparse
import importlib
import sys

import numpy as np

from sparsebench.leaderboard.publish import write_between_markers
from sparsebench.scoring import score_predictions
from sparsebench.tasks import load_task
from sparsebench.tasks.importing import imported_generator

_TASK = load_task("lipschitz-regression@2", draft=True)
_UNITS = (64, 1024)  # random features
_RIDGE = 1e-3

with imported_generator(_TASK.folder) as GENERATE:
    AFFINE = importlib.import_module("affine")


def of_groups(target):
    """Put the mean of each group of pieces in place of its pieces."""
    groups = AFFINE.GROUPS, AFFINE.PIECES // AFFINE.GROUPS
    slopes, offsets = target.slopes.reshape(*groups, -1), target.offsets.reshape(groups)
    return AFFINE.MaxAffine(slopes.mean(axis=1), offsets.mean(axis=1), target.unit)


def relu_features(d, units):
    """Draw ReLU features: from ``(n, d)`` to ``(n, units)``."""
    rng = np.random.default_rng(0)
    weights, biases = rng.standard_normal((d, units)) / np.sqrt(d / 3), rng.standard_normal(units)
    return lambda x: np.maximum(x @ weights + biases, 0.0)


def models(spec):
    """Return what is fitted: name -> operations of an input, and features."""
    d, groups = spec.input_shape[0], of_groups(GENERATE.target(spec))
    found = {
        "the mean": (0, lambda x: x[:, :0]),
        "an affine function": (2 * d, lambda x: x),
        "the largest of the means of the 8 groups": (
            AFFINE.GROUPS * (2 * d + 1) + 1,  # as the function, then a factor and a constant
            lambda x: groups(x)[:, None],
        ),
    }
    for units in _UNITS:
        found[f"{units:,} random ReLU features"] = units * (2 * d + 3), relu_features(d, units)
    return found


def fitted(features, instance):
    """Fit a readout with a constant to the train split; its predictions for the test split."""
    train, test = (
        np.concatenate([features(split.x.astype(np.float64)), np.ones((len(split), 1))], axis=1)
        for split in (instance.train, instance.test)
    )
    gram = train.T @ train + _RIDGE * np.eye(train.shape[1])
    return test @ np.linalg.solve(gram, train.T @ instance.train.y)


def column(spec):
    """Return the operations and the quality of each model."""
    instance, target = _TASK.load(spec.name), GENERATE.target(spec)

    def quality(guess):
        return score_predictions(_TASK.metric, instance.test.y, guess).quality

    found = {
        name: (ops, quality(fitted(features, instance))) for name, (ops, features) in models(spec).items()
    }
    found["the function"] = (
        AFFINE.oracle_operations(spec.input_shape[0]),
        quality(target(instance.test.x.astype(np.float64))),
    )
    return dict(sorted(found.items(), key=lambda item: item[1][1]))


def markdown():
    """Write the table."""
    specs = _TASK.own.values()
    columns = [column(spec) for spec in specs]
    lines = [
        "Written by `python harness/reports/affine_figures.py --write`: quality on the test split and, in",
        "parentheses, operations.",
        "",
        f"| model | {' | '.join(f'`{spec.name}`' for spec in specs)} |",
        f"| --- |{' ---: |' * len(columns)}",
    ]
    for name in columns[0]:
        cells = (f"{quality:.3f} ({ops:,})" for ops, quality in (column[name] for column in columns))
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main():
    """Tell, or write into the README."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", action="store_true", help="put it between its markers in the README")
    write, section = parser.parse_args().write, markdown()
    sys.stdout.write(section)
    if write:
        write_between_markers(_TASK.folder.parent / "README.md", {"max-affine": section})


if __name__ == "__main__":
    main()
