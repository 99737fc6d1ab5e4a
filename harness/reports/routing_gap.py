"""What knowing the domain is worth, from stored rows of the newest routed-classification.

    python harness/reports/routing_gap.py leaderboard/results --write tasks/routed-classification/README.md

For each variant of the oracle router: its accuracy, that of the best dense network of no more active
operations per input, and of experts of the same kind behind a random router. Means over seeds; a gap is a
mean of paired differences with its 95 % t interval over the seeds.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections import defaultdict
from pathlib import Path

from sparsebench.leaderboard.publish import write_between_markers
from sparsebench.results import ResultStore
from sparsebench.scoring import t_half_width
from sparsebench.tasks import newest_tasks

_TASK = "routed-classification"
_ORACLE, _DENSE, _RANDOM = "oracle-router", "dense-mlp", "random-router"
_COLUMNS = (
    *(
        "instance",
        "experts",
        "ops",
        "oracle router",
        "best dense net of no more ops",
        "oracle - dense, points",
    ),
    *("random router", "random - dense, points"),
)


def gathered(store):
    """Return (instance, submission, variant) -> seed -> (accuracy, operations) of the rows that count."""
    (task,), found = newest_tasks([_TASK]), defaultdict(dict)
    homes = {name: task.home(name) for name in task.board}
    for row in ResultStore(store).latest():
        home = homes.get(row.instance)
        if home is not None and (row.task, row.task_hash) == (home.ref, home.hash) and row.status == "ok":
            found[row.instance, row.submission, row.variant][row.seed] = (row.accuracy, row.ops)
    return task, found


def best_dense(found, instance, ops):
    """Name the dense variant of the best mean accuracy among those of no more operations, or None."""
    fitting = {
        variant: statistics.mean(accuracy for accuracy, _ in cells.values())
        for (place, name, variant), cells in found.items()
        if (place, name) == (instance, _DENSE) and max(cost for _, cost in cells.values()) <= ops
    }
    return max(fitting, key=fitting.__getitem__, default=None)


def gap(ours, theirs):
    """Write the mean of paired differences in points, with half its t interval."""
    seeds = sorted(ours.keys() & theirs.keys())
    differences = [100 * (ours[seed][0] - theirs[seed][0]) for seed in seeds]
    half = t_half_width(differences)
    return f"{statistics.mean(differences):+.1f}" + (f" ± {half:.1f}" if half is not None else "")


def accuracy(cells):
    """Write the mean accuracy in per cent."""
    return f"{100 * statistics.mean(value for value, _ in cells.values()):.1f} %"


def line(found, instance, variant):
    """Make the row of one variant of the oracle; None where the oracle or the others have no rows."""
    oracle, random = (found.get((instance, name, variant)) for name in (_ORACLE, _RANDOM))
    if not oracle or not random:
        return None
    ops, dearer = (max(cost for _, cost in cells.values()) for cells in (oracle, random))
    dense, beside = (best_dense(found, instance, most) for most in (ops, dearer))
    if dense is None or beside is None:
        return None
    rival, other = found[instance, _DENSE, dense], found[instance, _DENSE, beside]
    cells = (
        *(f"`{instance}`", f"`{variant}`", f"{ops:,.0f}", accuracy(oracle), f"{accuracy(rival)} (`{dense}`)"),
        *(gap(oracle, rival), f"{accuracy(random)} ({dearer:,.0f} ops)", gap(random, other)),
    )
    return f"| {' | '.join(cells)} |"


def markdown(store):
    """Write the section."""
    task, found = gathered(store)
    variants = sorted({key[2] for key in found if key[1] == _ORACLE}, key=_size)
    made = [line(found, instance, variant) for instance in task.board for variant in variants]
    seeds = sorted({seed for cells in found.values() for seed in cells})
    lines = [
        "Written by `python harness/reports/routing_gap.py leaderboard/results --write",
        "tasks/routed-classification/README.md` from the rows of the board: means over",
        f"{len(seeds)} seeds, gaps with their 95 % t intervals over paired seeds. The random router is",
        "compared with the best dense net of no more operations than the random router takes.",
        "",
        f"| {' | '.join(_COLUMNS)} |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
        *(row for row in made if row),
    ]
    return "\n".join(lines) + "\n"


def _size(variant):
    digits = "".join(letter for letter in variant if letter.isdigit())
    return int(digits or 0)


def main():
    """Tell, or write into the README."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("store", type=Path, help="directory of the result store")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put it between its markers there")
    arguments = parser.parse_args()
    section = markdown(arguments.store)
    if arguments.write:
        write_between_markers(arguments.write, {"gap": section})
    sys.stdout.write(section)


if __name__ == "__main__":
    main()
