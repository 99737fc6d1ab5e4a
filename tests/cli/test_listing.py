"""The verbs that list and show."""

import json

import pytest

from evaluate.tiny import plain, write
from sparsebench.models import shipped_names
from sparsebench.results import COLUMNS

VERBS = [
    "bench",
    "board",
    "check",
    "doctor",
    "eval",
    "explain",
    "leaderboard",
    "new",
    "publish",
    "reproduce",
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


def test_submissions_are_listed_with_the_verb_as_without(cli):
    assert cli("submissions", "list") == cli("submissions")
    assert cli("submissions", "list", "--json") == cli("submissions", "--json")
    outcome = cli("submissions", "--json", "show", "constant")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == (
        "error: sparsebench submissions: expected --json after the verb, got it before show; move it\n"
    )


def test_a_submission_is_shown(cli, here):
    told = json.loads(cli("submissions", "show", "lsh-affine", "--json").out)
    assert (told["name"], told["entry"]) == ("lsh-affine", "submission:LshAffine")
    out = cli("submissions", "show", "lsh-affine").out
    assert out.startswith(f"lsh-affine: {told['title']}\n")
    assert told["hash"] in out
    assert all(f"  {variant['name']}: " in out for variant in told["variants"])
    folder = write(here / "mine", plain(), variants='[[variants]]\nname = "v"\nkind = "a\\u001b[31m"\n')
    assert '  v: kind = "a\\u001b[31m"' in cli("submissions", "show", "./mine").out
    assert json.loads(cli("submissions", "show", "mine", "--json").out)["path"] == str(folder)
    outcome = cli("submissions", "show", "lsh-afine")
    assert outcome.code == 2
    assert "did you mean 'lsh-affine'?" in outcome.err


@pytest.fixture
def rows(cli):
    """Have two rows in the default place; give them as JSON."""
    assert cli("eval", "constant", "--instances", "n256-r4", "--seeds", "2").code == 0
    return json.loads(cli("results", "show", "--json").out)


def test_results(cli, rows):
    lines = cli("results", "show").out.splitlines()
    assert len(lines) == 2 + 2
    assert cli("results", "verify", lines[2].split()[0]).code == 0
    shown = json.loads(
        cli("results", "show", "--submissions", "constant", "--tasks", "memorization@1", "--json").out
    )
    assert shown == rows
    assert [(row["submission"], row["seed"]) for row in rows] == [("constant", 0), ("constant", 1)]


def test_a_row_is_shown_whole(cli, rows):
    row = rows[1]
    outcome = cli("results", "show", row["cell_key"][:8])
    assert outcome.code == 0
    lines = outcome.out.splitlines()
    names = [line.split()[0] for line in lines if not line.startswith(" ")]
    assert names == list(COLUMNS)
    told = dict(line.split(maxsplit=1) for line in lines if not line.startswith(" "))
    assert (told["cell_key"], told["seed"], told["gpu"]) == (row["cell_key"], "1", "-")
    assert (told["uses_tags"], told["quality"]) == ("no", str(row["quality"]))
    assert f"numpy {row['packages']['numpy']}" in told["packages"]
    audits = [line.split()[:2] for line in outcome.out.split("\naudits")[1].splitlines()]
    assert [[audit["name"], audit["verdict"]] for audit in row["audits"]] == audits[: len(row["audits"])]
    assert json.loads(cli("results", "show", row["cell_key"], "--json").out) == row
    priced = cli("results", "show", row["cell_key"], "--prices", "macs").out
    assert "It is not stored, and nothing is ranked by it." in priced


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize(
    ("key", "what"),
    [
        ("000000000", "there is no row whose cell key begins with '000000000'"),
        ("3f", "expected at least 6 digits of a cell key, or all, got '3f'"),
        ("all", "expected the beginning of a cell key, got 'all'"),
    ],
)
def test_a_key_that_names_no_row(cli, key, what):
    outcome = cli("results", "show", key)
    assert (outcome.code, outcome.out) == (2, "")
    assert what in outcome.err


def test_stores_are_merged(cli, rows, here):
    store = here / "sparsebench-results"
    outcome = cli("results", "merge", store, store, "-o", "both")
    assert outcome.code == 0
    assert (here / outcome.out.strip()).is_file()
    assert outcome.err == "2 rows added, 2 there already\n"
    assert json.loads(cli("results", "show", "--json", "-o", "both").out) == rows
    again = cli("results", "merge", store, "-o", "both")
    assert (again.code, again.out) == (0, "nothing to do: all rows are there\n")
    missing = cli("results", "merge", store, "nowhere", "-o", "third")
    assert (missing.code, missing.out) == (2, "")
    assert "nowhere: no rows there" in missing.err
    assert not (here / "third").exists()
    next((store / "rows").iterdir()).write_bytes(b"PAR1")
    broken = cli("results", "merge", store, "-o", "third")
    assert (broken.code, broken.out) == (4, "")
    assert "is no file of rows" in broken.err
    assert not (here / "third").exists()
