"""Scores as pure functions of numbers: nothing here reads a file, a clock or a random state.

Whoever has the stored rows and the same ``SCORING_VERSION`` gets the same digits. A change in here that can
move a published digit is a new ``SCORING_VERSION``, always.
"""

from __future__ import annotations

from sparsebench.scoring.bounds import counting_bound, respects_counting_bound
from sparsebench.scoring.hypervolume import ScoringBox, hypervolume, pareto_front
from sparsebench.scoring.information import normalised_mutual_information
from sparsebench.scoring.known_answers import (
    STANDARD_ERRORS,
    Answers,
    Comparison,
    compare_qualities,
    cost_excesses,
)
from sparsebench.scoring.metrics import (
    METRICS,
    Scores,
    best_constant_recall,
    most_recalled,
    score_predictions,
)
from sparsebench.scoring.significance import (
    Interval,
    PairedTest,
    Rank,
    holm,
    paired_t_test,
    rank_groups,
    t_half_width,
    t_interval,
)
from sparsebench.scoring.student import t_cdf, t_quantile, t_two_sided

__all__ = [
    "METRICS",
    "SCORING_VERSION",
    "STANDARD_ERRORS",
    "Answers",
    "Comparison",
    "Interval",
    "PairedTest",
    "Rank",
    "Scores",
    "ScoringBox",
    "best_constant_recall",
    "compare_qualities",
    "cost_excesses",
    "counting_bound",
    "holm",
    "hypervolume",
    "most_recalled",
    "normalised_mutual_information",
    "paired_t_test",
    "pareto_front",
    "rank_groups",
    "respects_counting_bound",
    "score_predictions",
    "t_cdf",
    "t_half_width",
    "t_interval",
    "t_quantile",
    "t_two_sided",
]

SCORING_VERSION = 1
"""The version of every rule in this package. Rows of different versions never share a board."""
