"""gradient-boosting: 4D - 1 operations a tree, and an addition; then the classes are compared."""

from __future__ import annotations

from submissions.sizes import Settings, Sizes, columns

ROWS = 128
TWO = 2


def cost(settings: Settings, sizes: Sizes) -> dict[str, int]:
    depth, classes = settings["depth"], sizes.classes
    sums = classes if classes > TWO else 1
    trees = sums * max(round(settings["trees"] / sums), 1)
    compared = classes - 1 if classes else 0
    # A level: a comparison, and an addition to the number of the first child; below the root two look-ups.
    return columns(
        experts=trees * 2 * depth + trees + compared,
        experts_lookups=trees * (2 * (depth - 1) + 1),
        stored=trees * (3 * (2**depth - 1) + 2**depth) + sums,
        loaded=trees * (3 * depth + 1) + sums,
    )
