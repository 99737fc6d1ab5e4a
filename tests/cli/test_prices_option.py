"""``--prices``: one more column wherever rows are shown, and nothing else anywhere."""

import csv
import io
import json
import re

import pytest

from evaluate.tiny import plain, write
from sparsebench.meter import PROFILES
from sparsebench.results import MEASURED, ResultStore
from sparsebench.results.columns import COLUMNS

OWN = 'name = "mine-alone"\nlike = "ops"\n[ops]\nmul = 10\n'
CELL = ("--instances", "n256-r4", "--seeds", "1", "--jobs", "1")


@pytest.fixture
def own(here):
    """A price list."""
    path = here / "own.toml"
    path.write_text(OWN, encoding="utf-8")
    return path


@pytest.fixture
def stored(cli, here):
    """Rows of two submissions: 8 operations, of which 4 are products, and 24, of which 4 are products."""
    write(here / "mine", plain())
    assert cli("eval", "mine", "conditional-tree", "--variants", "v,full", *CELL).code == 0
    return here / "sparsebench-results"


def content(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_no_stored_row_changes(cli, stored, own):
    before = content(stored)
    assert before
    for verb in ("results", "leaderboard"):
        for form in ((), ("--json",)):
            assert cli(verb, "show", *form, "--prices", own).code == 0
    assert cli("explain", "mine", "--prices", own).code == 0
    assert content(stored) == before


def test_rows_that_eval_stores_do_not_know_the_list(cli, stored, here, own):
    again = here / "again"
    outcome = cli("eval", "mine", *CELL, "--prices", own, "--json", "--output", again)
    (shown,) = json.loads(outcome.out)
    assert (shown["ops"], shown["mine-alone"]) == (8, 44)
    (row,) = ResultStore(again).latest()
    (before,) = (row for row in ResultStore(stored).latest() if row.submission == "mine")
    assert set(row.to_dict()) == set(COLUMNS)
    assert "mine-alone" not in str(row.to_dict())
    assert all(row.to_dict()[name] == before.to_dict()[name] for name in COLUMNS if name not in MEASURED)
    assert b"mine-alone" not in b"".join(content(again).values())


def test_eval_prints_the_column_and_what_it_is(cli, here, own):
    write(here / "mine", plain())
    lines = cli("eval", "mine", *CELL, "--prices", own).out.splitlines()
    (head,) = (line for line in lines if "variant" in line and "ops (router-free)" in line)
    (values,) = (line for line in lines if re.search(" mine +v ", line))
    assert head.index("ops ") < head.index("mine-alone") < head.index("ops (router-free)")
    assert values.split()[3:5] == ["8", "44"]
    assert (
        "mine-alone: the raw counts by that price list. It is not stored, and nothing is ranked by it."
        in lines
    )


def test_results_show(cli, stored, own):
    lines = cli("results", "show", "--prices", own).out.splitlines()
    head = lines[0].split()
    assert head[head.index("ops") + 1] == "mine-alone"
    found = {line.split()[1]: line.split()[head.index("mine-alone")] for line in lines[2:4]}
    assert found == {"conditional-tree": "67", "mine": "44"}
    assert lines[-1].startswith("mine-alone: ")
    rows = json.loads(cli("results", "show", "--prices", own, "--json").out)
    assert {row["submission"]: row["mine-alone"] for row in rows} == {"conditional-tree": 67, "mine": 44}
    assert all(set(row) - {"mine-alone"} == set(COLUMNS) for row in rows)


@pytest.mark.parametrize("name", PROFILES)
def test_standard_lists_have_names(cli, stored, name):
    column = {"add-mul-cmp": "ops_add_mul_cmp", "paper-router-free": "ops_router_free", "bit-ops": "bit_ops"}
    for row in json.loads(cli("results", "show", "--prices", name, "--json").out):
        assert row[name] == row[column.get(name, name)]
    head = cli("results", "show", "--prices", name).out.splitlines()[0].split()
    assert head.count(name) == 1
    points = json.loads(cli("leaderboard", "show", "--prices", name, "--json").out)["points"]
    assert all(point[name] is not None for point in points)


def test_leaderboard_show(cli, stored, own):
    plain_points = json.loads(cli("leaderboard", "show", "--json").out)["points"]
    points = json.loads(cli("leaderboard", "show", "--prices", own, "--json").out)["points"]
    assert [{k: v for k, v in point.items() if k != "mine-alone"} for point in points] == plain_points
    assert {point["submission"]: point["mine-alone"] for point in points} == {
        "conditional-tree": 67,
        "mine": 44,
    }
    text = cli("leaderboard", "show", "--prices", own, "--format", "csv").out
    lines = list(csv.DictReader(io.StringIO(text)))
    assert {line["submission"]: line["mine-alone"] for line in lines} == {
        "conditional-tree": "67.0",
        "mine": "44.0",
    }
    markdown = cli("leaderboard", "show", "--prices", own, "--format", "markdown").out
    assert re.search(r"\| +mine-alone +\|", markdown)


def test_ranks_do_not_depend_on_the_list(cli, stored, own):
    own.write_text('name = "mine-alone"\nlike = "ops"\n[phases]\nrouter = 1e9\n', encoding="utf-8")
    without, with_list = (cli("leaderboard", "show", *more).out for more in ((), ("--prices", own)))
    scores = [text.split("Score:")[0] for text in (without, with_list)]
    assert scores[0] == scores[1]
    assert without != with_list


def test_a_failed_cell_has_no_price(cli, here, own):
    write(here / "mine", plain(predict="return x"))
    (row,) = json.loads(cli("eval", "mine", *CELL, "--prices", own, "--json").out)
    assert row["status"] != "ok"
    assert row["mine-alone"] is None
    assert cli("results", "show", "--prices", own).out.splitlines()[2].count(" - ") >= 4


@pytest.mark.parametrize(
    "verb", [("eval", "mine"), ("results", "show"), ("leaderboard", "show"), ("explain", "mine")]
)
def test_a_faulty_list_is_told_before_anything_is_done(cli, here, own, verb):
    write(here / "mine", plain())
    own.write_text('name = "mine-alone"\n[ops]\nadd = -1\nmull = 2\n', encoding="utf-8")
    outcome = cli(*verb, "--prices", own)
    assert (outcome.code, outcome.out) == (2, "")
    assert "error[SB102]" in outcome.err
    assert "ops.add: expected a number of at least 0, got -1" in outcome.err
    assert "did you mean 'mul'?" in outcome.err
    assert "ops.sqrt: expected the price of square roots, got nothing" in outcome.err
    assert not (here / "sparsebench-results").exists()


@pytest.mark.parametrize("name", ["error", "statuses"])
def test_a_list_is_not_called_like_a_column(cli, here, own, name):
    own.write_text(f'name = "{name}"\nlike = "ops"\n', encoding="utf-8")
    outcome = cli("results", "show", "--prices", own)
    assert outcome.code == 2
    assert f"expected a name that no column of a table has, got '{name}'" in outcome.err


@pytest.mark.parametrize("verb", [("eval",), ("results", "show"), ("leaderboard", "show"), ("explain",)])
def test_help_says_that_it_is_not_stored(cli, verb):
    assert "Never stored, never ranked by." in " ".join(cli(*verb, "--help").out.split())
