"""Scores as pure functions of numbers: nothing here reads a file, a clock or a random state.

The same stored rows and the same ``SCORING_VERSION`` give the same digits. Every change here that can alter a
published digit requires a new ``SCORING_VERSION``.

A score is the mean area under budget curves (`task_area`), jackknifed over seeds (`score_task`); places
follow from Welch's tests (`stand_over_tasks`). Version 1 scored the area of points that were means over
cells.
"""

from __future__ import annotations

from sparsebench.scoring.bounds import counting_bound, respects_counting_bound
from sparsebench.scoring.budget import (
    MOST_BYTES,
    MOST_VARIANTS,
    BudgetCell,
    Variants,
    budget_area,
    budget_curve,
    task_area,
)
from sparsebench.scoring.hypervolume import ScoringBox, hypervolume, pareto_front
from sparsebench.scoring.information import normalised_mutual_information
from sparsebench.scoring.jackknife import SeededScore, pseudo_values, score_over_seeds, score_task
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
    ROUNDING,
    Rank,
    holm,
    rank_groups,
    t_half_width,
)
from sparsebench.scoring.standings import (
    SMALLEST_LEAD,
    PairVerdict,
    Standings,
    compare_entries,
    rank_entries,
    stand_over_tasks,
)
from sparsebench.scoring.student import t_cdf, t_quantile, t_two_sided
from sparsebench.scoring.welch import Estimate, estimate_bounds, estimate_of, mean_estimate, welch_test

__all__ = [
    "METRICS",
    "MOST_BYTES",
    "MOST_VARIANTS",
    "ROUNDING",
    "SCORING_VERSION",
    "SMALLEST_LEAD",
    "STANDARD_ERRORS",
    "Answers",
    "BudgetCell",
    "Comparison",
    "Estimate",
    "PairVerdict",
    "Rank",
    "Scores",
    "ScoringBox",
    "SeededScore",
    "Standings",
    "Variants",
    "best_constant_recall",
    "budget_area",
    "budget_curve",
    "compare_entries",
    "compare_qualities",
    "cost_excesses",
    "counting_bound",
    "estimate_bounds",
    "estimate_of",
    "holm",
    "hypervolume",
    "mean_estimate",
    "most_recalled",
    "normalised_mutual_information",
    "pareto_front",
    "pseudo_values",
    "rank_entries",
    "rank_groups",
    "respects_counting_bound",
    "score_over_seeds",
    "score_predictions",
    "score_task",
    "stand_over_tasks",
    "t_cdf",
    "t_half_width",
    "t_quantile",
    "t_two_sided",
    "task_area",
    "welch_test",
]

SCORING_VERSION = 2
"""The version of every rule in this package. Rows of different versions never share a board."""
