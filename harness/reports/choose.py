"""What settings of a shipped submission are worth on the validation split, by which they are chosen.

    python harness/reports/choose.py dsm-random-mask --variants s64-t256 planes=2,4,6,8

Each variant is fitted in this process with every combination of the settings given, which take the place of
its own. Printed is the quality on the validation split, mean over seeds, for every instance. The test split
is not read.
"""

from __future__ import annotations

import argparse
import ast
import itertools
import statistics
import sys
import time
from pathlib import Path

import numpy as np
from tabulate import tabulate

from sparsebench.models import find_submission
from sparsebench.models.opening import load_entry
from sparsebench.tasks import load_task

INSTANCES = "rough-1d,distance-2d,etopo5,hypercube,polynomial,convac,curved-k2-d64"
TASK = "lipschitz-regression@1"


def quality(submission, instance, seed):
    """Fit, and return the quality on the validation split."""
    params = submission.fit(instance.train, instance.valid, np.random.default_rng(seed))
    missed = submission.predict(params, instance.valid.x) - instance.valid.y
    return max(0.0, 1.0 - float(np.sqrt(np.mean(missed**2) / np.var(instance.valid.y))))


def combinations(given):
    """Return every combination of settings such as ``planes=2,4``."""
    named = [setting.partition("=") for setting in given]
    values = [[ast.literal_eval(value) for value in told.split(",")] for _, _, told in named]
    return [
        dict(zip((name for name, _, _ in named), chosen, strict=True))
        for chosen in itertools.product(*values)
    ]


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("submission")
    parser.add_argument("settings", nargs="*")
    parser.add_argument("--variants")
    parser.add_argument("--instances", default=INSTANCES)
    parser.add_argument("--seeds", type=int, default=2)
    arguments = parser.parse_intermixed_args()
    folder = find_submission(arguments.submission)
    sys.path[:0] = sorted({str(Path(file).parent) for file in folder.include})
    entry = load_entry(folder.path, folder.manifest.entry)
    task, names = load_task(TASK), arguments.instances.split(",")
    wanted = None if arguments.variants is None else tuple(arguments.variants.split(","))
    rows = []
    for variant, own in itertools.product(folder.variants(wanted), combinations(arguments.settings)):
        before = time.process_time()
        means = [
            statistics.mean(
                quality(entry(task.info[name], **variant.settings | own), task.load(name), seed)
                for seed in range(arguments.seeds)
            )
            for name in names
        ]
        spent = (time.process_time() - before) / (len(names) * arguments.seeds)
        rows.append((variant.name, *own.values(), *means, spent))
    headers = ["variant", *combinations(arguments.settings)[0], *names, "CPU seconds a fit"]
    print(tabulate(rows, headers, tablefmt="github", floatfmt=".3f"))  # noqa: T201


if __name__ == "__main__":
    main()
