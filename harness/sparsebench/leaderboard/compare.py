"""Who may be said to beat whom: paired tests over common cells, Holm-corrected over the pairs shown."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from sparsebench.scoring import PairedTest, Rank, holm, paired_t_test, rank_groups

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["ranks"]

_LEVEL = 0.05

Areas = dict[tuple[str, str, int], float]


def ranks(scores: Mapping[str, float], areas: Mapping[str, Areas]) -> dict[str, Rank]:
    """Return the places that each submission may hold.

    One beats another when their areas on common (task, instance, seed) cells differ by the paired t test,
    after Holm's correction over all pairs shown, at the 5 % level, and its board score is not the smaller
    one. The last condition matters where the two do not share all tasks: it keeps a specialist from
    standing above an entry that leads it over the whole board.

    Parameters
    ----------
    scores
        Submission -> board score.
    areas
        Submission -> (task, instance, seed) -> area.
    """
    names = sorted(scores)
    pairs = list(combinations(range(len(names)), 2))
    tests = [_test(areas[names[i]], areas[names[j]]) for i, j in pairs]
    beats = np.zeros((len(names), len(names)), dtype=np.bool_)
    for (i, j), test, p in zip(pairs, tests, holm([test.p for test in tests]), strict=True):
        winner, loser = (i, j) if test.difference > 0 else (j, i)
        beats[winner, loser] = p < _LEVEL and scores[names[winner]] >= scores[names[loser]]
    return dict(zip(names, rank_groups(beats), strict=True))


def _test(a: Areas, b: Areas) -> PairedTest:
    common: Sequence[tuple[str, str, int]] = sorted(a.keys() & b.keys())
    return paired_t_test([a[cell] for cell in common], [b[cell] for cell in common])
