"""The papers' claims, derived anew: one module a paper, and one page that lists all claims with verdicts."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from sparsebench.ground.naming import unknown_name

if TYPE_CHECKING:
    from sparsebench.studies.records import Study

__all__ = ["STUDIES", "find_study"]

STUDIES = {
    "dsm-lsh": "dsm_lsh",
    "momlp": "momlp",
    "conditional": "conditional",
    "overlap": "overlap",
    "polynomial": "polynomial",
    "attention": "attention",
    "kernels": "kernels",
    "precision": "precision",
    "k-tanh": "k_tanh",
    "honest-price": "honest_price",
}
"""Name of a study -> the module that has it, in the order of the page."""


def find_study(name: str) -> Study:
    """Return a study.

    Raises
    ------
    NotFoundError
        There is none of that name.
    """
    if name not in STUDIES:
        raise unknown_name("study", name, STUDIES)
    study: Study = importlib.import_module(f"{__name__}.{STUDIES[name]}").STUDY
    return study
