"""Figures of the standard tasks' data, for their READMEs.

    python harness/reports/task_figures.py --write

For each instance of the newest version: rows of each split, what the labels are, what the best constant gets,
and how near a test input comes to one that was given for training. What is not in the repository is made in
the cache first.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np

from sparsebench.author.task_quality import best_constant
from sparsebench.leaderboard.publish import write_between_markers
from sparsebench.scoring import score_predictions
from sparsebench.tasks import list_tasks

_SAMPLE = 512  # test inputs whose nearest training input is looked for
_COLUMNS = (
    *("instance", "train / valid / test", "labels of the test split", "error of the best constant"),
    *("nearest, median", "nearest, least"),
)


def constant_error(task, instance):
    """Score the best constant: the mean, the most frequent class, the most recalled label."""
    test = instance.test
    guess = np.full(len(test), best_constant(task.metric, test))
    return score_predictions(task.metric, test.y, guess, tag=test.tag).error


def nearest(instance):
    """Return the distance (maximum norm) of some test inputs to the nearest of the training inputs."""
    if instance.train is instance.test:
        return None
    train = instance.train.x.reshape(len(instance.train), -1)
    step = max(1, len(instance.test) // _SAMPLE)
    test = instance.test.x[::step].reshape(-1, train.shape[1])
    found = np.array([np.abs(train - row).max(axis=1).min() for row in test])
    return float(np.median(found)), float(found.min())


def labels(spec, y):
    """Say what the labels are."""
    if spec.target_dtype == "int64":
        counts = np.bincount(y)
        present = counts[counts > 0]
        return f"{len(present)} classes of {present.min():,} to {present.max():,} rows"
    mean, deviation = y.mean(dtype=np.float64), y.std(dtype=np.float64)
    return f"mean {mean:.3f}, std {deviation:.3f}, {y.min():.3f} to {y.max():.3f}"


def line(task, spec):
    """Make the row of one instance."""
    if spec.streamed:
        return f"| `{spec.name}` | read in batches only | | | | |"
    instance = task.load(spec.name, progress=lambda text: sys.stderr.write(f"{text}\n"))
    if instance.train is instance.test:
        rows = f"{len(instance.test):,}, the same in all"
    else:
        rows = " / ".join(f"{len(split):,}" for split in (instance.train, instance.valid, instance.test))
    near = nearest(instance)
    apart = "- | -" if near is None else f"{near[0]:.2g} | {near[1]:.2g}"
    error = f"{constant_error(task, instance):.4g}"
    return f"| `{spec.name}` | {rows} | {labels(spec, instance.test.y)} | {error} | {apart} |"


def markdown(task):
    """Write the section of a task."""
    lines = [
        "Written by `python harness/reports/task_figures.py --write`. *Nearest* is the distance, in the",
        f"maximum norm, of {_SAMPLE} test inputs to the nearest training input.",
        "",
        f"| {' | '.join(_COLUMNS)} |",
        "| --- | ---: | --- | ---: | ---: | ---: |",
        *(line(task, spec) for spec in task.instances.values()),
    ]
    return "\n".join(lines) + "\n"


def main():
    """Tell, or write into the READMEs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", action="store_true", help="put it between its markers in the READMEs")
    write = parser.parse_args().write
    newest = {task.name: task for task in list_tasks()}  # it has the instances of those it continues
    for task in newest.values():
        section = markdown(task)
        sys.stdout.write(f"{task.ref}\n\n{section}\n")
        if write:
            write_between_markers(task.folder.parent / "README.md", {"figures": section})


if __name__ == "__main__":
    main()
