"""What the quick run (``./scripts/test --quick``) leaves out.

Whole files, or folders, whose tests take seconds of a processor: they start processes, fit, compile, or draw
hundreds of examples. What is not named here is in the quick run, and a test holds that every room of the
package stays in it.
"""

from __future__ import annotations

__all__ = ["CHOSEN_BY", "EXAMPLES", "LEFT_OUT"]

CHOSEN_BY = "SPARSEBENCH_TESTS_QUICK"
"""The variable of the environment that asks for the quick run."""

EXAMPLES = 10
"""Examples of a property, where its test does not say how many."""

_FOLDERS = ("adversarial", "browser", "cuda", "e2e", "honest", "reports", "soak", "submissions")
_FILES: dict[str, tuple[str, ...]] = {
    "author": ("fits_again", "inprocess"),
    "boards": ("from_pull_request_to_page", "history", "publishing", "pulls"),
    "cli": (
        "bench",
        "board_verbs",
        "config_option",
        "eval",
        "json",
        "leaderboard_verbs",
        "listing",
        "prices_option",
        "tasks_verbs",
        "trying",
        "verify_verb",
    ),
    "evaluate": (
        "cell_errors",
        "clock",
        "counts_and_audits",
        "first_hour",
        "included",
        "known_answers",
        "shared_fits",
        "structured",
        "tags",
        "timing",
        "verify",
    ),
    "evaluate_child": ("leftovers", "session", "walls_levels"),
    "meter": (
        "at_exit",
        "fuzzed_requests",
        "hidden_memory",
        "linalg",
        "random_programs",
        "references",
        "row_independence",
        "stubs",
        "what_is_free",
    ),
    "models": ("template",),
    "ops": ("backends", "one_place"),
    "ops/core": ("own", "steady"),
    **{f"ops/{family}": (family,) for family in ("gating", "grouped", "hashing", "merging")},
    "studies": ("dsm_lsh", "exact", "momlp"),
    "tasks": (
        "cube",
        "fresh_faults",
        "fresh_inputs",
        "line_ends",
        "lipschitz_affine",
        "lipschitz_circuit",
        "lipschitz_manifolds",
        "lipschitz_targets",
        "memorization_pictures",
        "nearness",
        "other_writers",
        "routed_fashion",
        "routed_synthetic",
        "routed_tokens",
        "standard_tasks",
        "task_sealing",
        "task_template",
        "task_verification",
    ),
    "timing": ("run",),
}

LEFT_OUT = (
    *_FOLDERS,
    *(f"{folder}/test_{name}.py" for folder, names in _FILES.items() for name in names),
)
"""What is not collected then, below the folder of the tests."""
