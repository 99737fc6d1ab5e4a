"""Choose the widths of the blocks by the validation split: the area under the budget curve, by instance.

Run it in a checkout, ``python submissions/early-exit/choose.py``. It prints a line for every setting.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np

import sparsebench as sb
from sparsebench.tasks import load_task

sys.path.append(str(Path(__file__).resolve().parents[1] / "common"))

import submission  # what it includes has to be found first

WIDTHS = ((8, 32, 128), (8, 16, 64), (4, 16, 64), (4, 12, 32))
LEAVE = (1.0, 0.8, 0.4, 0.0)
INSTANCES = (
    ("lipschitz-regression@2", "hypercube"),
    ("lipschitz-regression@2", "curved-k2-d64"),
    ("routed-classification@2", "synthetic-4"),
    ("routed-classification@2", "sensors"),
    ("cube@1", "dnf-t8-k4-n32"),
    ("cube@1", "parity-k5-n32"),
    ("cube@1", "address-k3-n20"),
)
ROWS = 20_000  # training rows at most, so that all settings take minutes


def area(points: list[tuple[float, float]], high: float) -> float:
    """Integrate the best quality that a budget buys over log2 of the budget, from 0 to ``high``."""
    best = total = 0.0
    for cost, quality in sorted(points):
        start = min(max(math.log2(cost), 0.0), high)
        if quality > best:
            total += (quality - best) * (high - start)
            best = quality
    return total / high


def quality_of(task: sb.TaskInfo, answers: np.ndarray, rows: sb.Split) -> float:
    """Rate answers: 1 is perfect, 0 the best constant. Domains are weighed by their rows here."""
    if task.classes is None:
        return max(0.0, 1.0 - math.sqrt(np.mean((answers - rows.y) ** 2) / np.var(rows.y)))
    often = np.bincount(rows.y).max() / len(rows.y)
    return max(0.0, float(np.mean(answers == rows.y) - often) / (1.0 - often))


def curve(ref: str, name: str) -> tuple[float, list[tuple[float, float]]]:
    """Fit to an instance: the area and the points (operations, quality) on its validation split."""
    task = load_task(ref)
    loaded, info = task.load(name), task.info[name]
    train = sb.Split(**{column: values[:ROWS] for column, values in loaded.train.columns.items()})
    params = submission.EarlyExit(info, leave=1.0).fit(train, loaded.valid, np.random.default_rng(0))
    points = []
    for leave in LEAVE:
        model = submission.EarlyExit(info, leave=leave)
        with sb.metered() as ledger:
            model.predict(params, ledger.asarray(loaded.valid.x))
        points.append(
            (ledger.per_input(), quality_of(info, model.predict(params, loaded.valid.x), loaded.valid))
        )
    return area(points, task.box.log2_ops_high), points


def main() -> None:
    """Print every setting with its areas, and their mean."""
    sys.stdout.write(f"widths mean {' '.join(name for _, name in INSTANCES)}\n")
    for widths in WIDTHS:
        submission.WIDTHS = widths
        areas = [curve(ref, name)[0] for ref, name in INSTANCES]
        sys.stdout.write(f"{widths} {np.mean(areas):.4f} {' '.join(f'{own:.4f}' for own in areas)}\n")


if __name__ == "__main__":
    main()
