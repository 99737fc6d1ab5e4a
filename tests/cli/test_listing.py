"""The verbs that list and show."""

import json

import pytest

from sparsebench.models import shipped_names

VERBS = [
    "bench",
    "check",
    "doctor",
    "eval",
    "explain",
    "leaderboard",
    "new",
    "results",
    "submissions",
    "tasks",
]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself_with_an_example(cli, verb):
    outcome = cli(verb, "--help")
    assert outcome.code == 0
    assert f"sparsebench {verb}" in outcome.out.split("Example", 1)[1]


def test_help_lists_all_verbs(cli):
    outcome = cli("--help")
    assert outcome.code == 0
    listed = outcome.out.split("Commands:")[1].splitlines()
    assert [line.split()[0] for line in listed if line.strip()] == VERBS


def test_version(cli):
    outcome = cli("--version")
    assert outcome.code == 0
    assert outcome.out.startswith("sparsebench 0.")


def test_submissions(cli):
    listed = json.loads(cli("submissions", "--json").out)
    assert [submission["name"] for submission in listed] == shipped_names()
    assert all(submission["variants"] for submission in listed)
    assert all(name in cli("submissions").out for name in shipped_names())


def test_results(cli):
    assert cli("eval", "constant", "--instances", "n256-r4", "--seeds", "2").code == 0
    lines = cli("results", "show").out.splitlines()
    assert len(lines) == 2 + 2
    assert cli("results", "verify", lines[2].split()[0]).code == 0
    rows = json.loads(
        cli("results", "show", "--submissions", "constant", "--tasks", "memorization@1", "--json").out
    )
    assert [(row["submission"], row["seed"]) for row in rows] == [("constant", 0), ("constant", 1)]
