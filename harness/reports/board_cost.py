"""How long a board's rows took, from the rows themselves.

    python harness/reports/board_cost.py leaderboard/results --write docs/performance.md

A cell runs on one core with one BLAS thread, so its seconds from start to end are its processor's, where no
more cells run at once than there are cores. Half of their sum is what the board takes on two.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections import defaultdict
from datetime import datetime
from pathlib import Path

from tabulate import tabulate

from sparsebench.leaderboard.publish import write_between_markers
from sparsebench.results import ResultStore

_WRITTEN = (
    "<!-- Written by `python harness/reports/board_cost.py leaderboard/results --write docs/performance.md`. "
    "Do not edit. -->"
)
_HEADS = ("submission", "cells", "seconds a cell, median", "largest", "of it fit, largest", "sum, minutes")


def seconds(row):
    """Return how long a cell took."""
    return (datetime.fromisoformat(row.ended) - datetime.fromisoformat(row.started)).total_seconds()


def page(rows):
    """Write the part of the page: the sum, and a line for each submission, dearest first."""
    taken = defaultdict(list)
    for row in rows:
        taken[row.submission].append((seconds(row), row.fit_seconds or 0.0))
    total = sum(took for cells in taken.values() for took, _ in cells)
    lines = [
        (
            name,
            len(cells),
            f"{statistics.median(took for took, _ in cells):.1f}",
            f"{max(took for took, _ in cells):.1f}",
            f"{max(fit for _, fit in cells):.1f}",
            f"{sum(took for took, _ in cells) / 60:.1f}",
        )
        for name, cells in sorted(taken.items(), key=lambda item: -sum(took for took, _ in item[1]))
    ]
    table = tabulate(
        lines, headers=_HEADS, tablefmt="pipe", disable_numparse=True, colalign=("left", *("right",) * 5)
    )
    told = (
        f"The {len(rows):,} rows of the published board took {total / 60:.0f} minutes of one core, so "
        f"{total / 120:.0f} minutes on two. A new submission takes what its line says, halved."
    )
    return f"## The board\n\n{_WRITTEN}\n\n{told}\n\n{table}"


def main():
    """Print the part of the page, or write it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("store", type=Path, help="a directory with rows")
    parser.add_argument("--write", type=Path, help="the page to write it into, between its markers")
    options = parser.parse_args()
    text = page(ResultStore(options.store).latest())
    if options.write is None:
        sys.stdout.write(text + "\n")
        return
    write_between_markers(options.write, {"board-cost": text})


if __name__ == "__main__":
    main()
